"""Tests of what changed between two versions, and of what their numbers say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.schema.evolution import Kind, changes, follow, parse_version, said
from snowplow_logging.schema.lint import Published, lint

from .support import field, schema, write

if TYPE_CHECKING:
    from pathlib import Path

ID = field("string", maxLength=36)
TOTAL = field("integer", minimum=0, maximum=1_000_000)
NOTE = field(["string", "null"], maxLength=255)


def changed(*, required: tuple[str, ...] = ("order_id", "total_cents"), **fields: Any) -> Any:
    """The schema with other properties; None takes one away."""
    whole = {"order_id": ID, "total_cents": TOTAL, "note": NOTE, **fields}
    kept = {name: value for name, value in whole.items() if value is not None}
    return schema("1-0-1", properties=kept, required=list(required))


ADDITIONS = [
    changed(currency=field(["string", "null"], maxLength=3)),
    changed(note={**NOTE, "description": "Something else"}),
]
REVISIONS = [
    changed(note=None),
    changed(order_id={**ID, "maxLength": 64}),
    changed(order_id={**ID, "maxLength": 16}),
    changed(order_id={**ID, "pattern": "^o-"}),
    changed(total_cents={**TOTAL, "minimum": 1}),
    changed(note={**NOTE, "type": "string"}),
    {**changed(), "additionalProperties": True},
]
BREAKS = [
    changed(order_id=None, required=("total_cents",)),
    changed(currency=ID, required=("order_id", "total_cents", "currency")),
    changed(note={**NOTE, "type": "string"}, required=("order_id", "total_cents", "note")),
    changed(total_cents=field("string", maxLength=9)),
    changed(total_cents=field("number", minimum=0, maximum=1_000_000)),
    changed(order_id={**ID, "format": "date-time"}),
]
BREAKS_IN_REDSHIFT = [
    changed(required=("order_id",)),
    changed(order_id={**ID, "type": ["string", "null"]}),
    changed(total_cents={**TOTAL, "maximum": 2**40}),
]


@pytest.mark.parametrize(
    ("newer", "kind", "in_redshift"),
    [
        (schema("1-0-1"), Kind.NONE, False),
        *((newer, Kind.ADDITION, False) for newer in ADDITIONS),
        *((newer, Kind.REVISION, False) for newer in REVISIONS),
        *((newer, Kind.BREAK, False) for newer in BREAKS),
        *((newer, Kind.BREAK, True) for newer in BREAKS_IN_REDSHIFT),
    ],
)
def test_kinds_of_changes(newer: dict[str, Any], kind: Kind, in_redshift: bool) -> None:  # noqa: FBT001
    """As Snowplow's loaders have them; the worst one counts."""
    found = list(changes(schema(), newer))

    assert max((change.kind for change in found), default=Kind.NONE) is kind
    assert any(change.in_redshift for change in found) is in_redshift


def test_changes_within_nested_objects_and_items() -> None:
    """They count like those at the root, and have their own place."""

    def nested(kind: str) -> dict[str, Any]:
        inner = field("object", properties={"b": field(kind)}, required=["b"])
        return schema(properties={"a": field("array", items=inner)}, required=["a"])

    (change,) = changes(nested("string"), nested("boolean"))

    assert change.kind is Kind.BREAK
    assert change.pointer == ("properties", "a", "items", "properties", "b", "type")
    assert change.message == "a.items.b: type changed from string to boolean"


def test_items_that_begin_to_take_null() -> None:
    """A break in Redshift, where items have a table of their own."""

    def tagged(kind: str | list[str]) -> dict[str, Any]:
        items = {"type": kind, "maxLength": 9}
        return schema(properties={"tags": field("array", items=items)}, required=["tags"])

    (change,) = changes(tagged("string"), tagged(["string", "null"]))
    untold = schema(properties={"tags": field("array")}, required=["tags"])
    (other,) = changes(tagged("string"), untold)

    assert (change.kind, change.in_redshift) == (Kind.BREAK, True)
    assert (other.kind, other.in_redshift) == (Kind.BREAK, False)


def test_version_numbers() -> None:
    """MODEL-REVISION-ADDITION, and nothing else."""
    assert parse_version("10-2-3") == (10, 2, 3)
    assert [parse_version(text) for text in ("1.0.0", "1-0", "1-0-0-0", "a-0-0", 1, None)] == [
        None
    ] * 6
    assert said((1, 0, 0), (2, 0, 0)) is Kind.BREAK
    assert said((1, 0, 5), (1, 1, 0)) is Kind.REVISION
    assert said((1, 0, 0), (1, 0, 1)) is Kind.ADDITION
    assert [follow((1, 2, 3), kind) for kind in (Kind.ADDITION, Kind.REVISION, Kind.BREAK)] == [
        (1, 2, 4),
        (1, 3, 0),
        (2, 0, 0),
    ]


def versions(folder: Path, newer: dict[str, Any], version: str) -> list[str]:
    """What lint says of a version of which 1-0-0 is the one before."""
    _ = write(folder, schema())
    identity = {**newer["self"], "version": version}
    file = write(folder, {**newer, "self": identity})
    return [f"{found.severity} {found.rule} {found.message}" for found in lint(file)]


@pytest.mark.parametrize("newer", BREAKS)
@pytest.mark.parametrize("version", ["1-0-1", "1-1-0"])
def test_a_break_needs_a_model(tmp_path: Path, newer: dict[str, Any], version: str) -> None:
    """Any lower number is an error, which names the number that would do."""
    found = versions(tmp_path, newer, version)

    assert any(
        text.startswith("error version ")
        and text.endswith(f", since 1-0-0: a break, so expected 2-0-0, got {version}")
        for text in found
    )


@pytest.mark.parametrize(
    ("newer", "version"),
    [
        (ADDITIONS[0], "1-0-1"),
        *((newer, "1-1-0") for newer in REVISIONS[:-2]),
        *((newer, "2-0-0") for newer in BREAKS),
        (BREAKS_IN_REDSHIFT[2], "2-0-0"),
    ],
)
def test_the_right_number_is_no_finding(
    tmp_path: Path, newer: dict[str, Any], version: str
) -> None:
    """Whatever has changed."""
    assert versions(tmp_path, newer, version) == []


def test_a_revision_that_says_addition_is_a_warning(tmp_path: Path) -> None:
    """Warehouses take it; those who rely on the number are misled."""
    assert versions(tmp_path, REVISIONS[1], "1-0-1") == [
        (
            "warning version order_id: maxLength changed from 36 to 64, since 1-0-0: a revision, "
            "so expected 1-1-0, got 1-0-1"
        )
    ]


def test_what_breaks_in_redshift_alone_is_a_warning(tmp_path: Path) -> None:
    """It says so."""
    assert versions(tmp_path, BREAKS_IN_REDSHIFT[2], "1-1-0") == [
        (
            "warning version total_cents: maximum changed from 1000000 to 1099511627776, "
            "since 1-0-0: a break in Redshift, so expected 2-0-0, got 1-1-0"
        )
    ]


@pytest.mark.parametrize(
    ("newer", "version", "expected"),
    [
        (schema(), "1-0-1", "version 1-0-1 says an addition since 1-0-0, but nothing changed"),
        (
            ADDITIONS[0],
            "2-0-0",
            "version 2-0-0 says a break since 1-0-0, but the changes are an addition",
        ),
        (
            ADDITIONS[0],
            "1-0-3",
            "version-gap 1-0-3 does not follow 1-0-0: expected 1-0-1 or 1-1-0 or 2-0-0",
        ),
    ],
)
def test_numbers_that_promise_too_much_or_leave_a_gap(
    tmp_path: Path, newer: dict[str, Any], version: str, expected: str
) -> None:
    """They are warnings."""
    assert versions(tmp_path, newer, version) == [f"warning {expected}"]


def test_a_published_version_does_not_change(tmp_path: Path) -> None:
    """An error, even where the change is harmless; the same contents are fine."""
    _ = write(tmp_path / "registry", schema())
    published = Published(tmp_path / "registry")
    same = write(tmp_path / "same", schema())
    other = write(tmp_path / "other", schema(description="Something else"))

    assert lint(same, published) == []
    (found,) = lint(other, published)
    assert (found.severity, found.rule, found.line) == ("error", "published", 8)
    assert found.message.endswith("published versions do not change: make it 1-0-1 or higher")


def test_the_published_versions_are_neighbours(tmp_path: Path) -> None:
    """A folder need not hold what is published to be held against it."""
    _ = write(tmp_path / "registry", schema())
    new = write(tmp_path / "new", BREAKS[3])

    assert [found.rule for found in lint(new)] == ["version-gap"]
    rules = [found.rule for found in lint(new, Published(tmp_path / "registry"))]
    assert set(rules) == {"version"}
