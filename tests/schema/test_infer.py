"""Tests of the schemas that are proposed for data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from snowplow_logging.collector.formats import FORMATS
from snowplow_logging.schema import meta, rules
from snowplow_logging.schema.infer import Proposal

from .support import URI


def proposal(*data: Any) -> Proposal:
    """The proposal for these data."""
    made = Proposal(URI)
    for item in data:
        made.add(item)
    return made


def fields(*data: Any) -> dict[str, Any]:
    """The properties that are proposed, without their descriptions."""
    document: Any = proposal(*data).schema()
    found: dict[str, dict[str, Any]] = document["properties"]
    for field in found.values():
        assert field.pop("description")
    return found


def test_one_event_often() -> None:
    """What is always there is required; what is not, or is null, takes null."""
    made = proposal(
        {"order_id": "o-1", "total": 2450, "gift": False, "note": None},
        {"order_id": "o-2", "total": 80, "gift": True, "note": "by Monday", "coupon": "X"},
    )
    document: Any = made.schema()
    types = {name: field["type"] for name, field in document["properties"].items()}

    assert made.notes() == []
    assert list(rules.flaws(document)) == []
    assert list(meta.flaws(document)) == []
    assert document["required"] == ["order_id", "total", "gift"]
    assert types == {
        "order_id": "string",
        "total": "integer",
        "gift": "boolean",
        "note": ["string", "null"],
        "coupon": ["string", "null"],
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["o-1", "o-17"], {"type": "string", "maxLength": 16}),
        (["x" * 9], {"type": "string", "maxLength": 32}),
        (["x" * 40_000], {"type": "string", "maxLength": 65_535}),
        ([1, 2], {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}),
        ([-1, 2**31], {"type": "integer", "minimum": -(2**31), "maximum": 2**63 - 1}),
        ([-(2**40)], {"type": "integer", "minimum": -(2**63), "maximum": 2**31 - 1}),
        ([1, 2.5], {"type": "number", "minimum": 0, "maximum": 10**9}),
        ([-0.5, 1e12], {"type": "number", "minimum": -(10**9), "maximum": 10**13}),
        ([True], {"type": "boolean"}),
        (["2024-05-01T10:00:00Z"], {"type": "string", "format": "date-time", "maxLength": 32}),
        (["2024-05-01T10:00:00Z", "soon"], {"type": "string", "maxLength": 64}),
        (
            ["c6ef3124-b53a-4b13-a233-0088f79dcbcb"],
            {"type": "string", "format": "uuid", "maxLength": 64},
        ),
        (
            [["a"], []],
            {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 16}},
        ),
    ],
)
def test_bounds_leave_room(values: list[Any], expected: dict[str, Any]) -> None:
    """Lengths and ranges are those seen, rounded up; values are not listed."""
    assert fields(*({"a": value} for value in values)) == {"a": expected}


def test_objects_in_objects() -> None:
    """They are closed, and what is optional in them takes null."""
    found = fields({"address": {"city": "Bonn"}}, {"address": {"city": "Köln", "zip": "50667"}})

    assert found["address"]["required"] == ["city"]
    assert found["address"]["additionalProperties"] is False
    assert found["address"]["properties"]["zip"]["type"] == ["string", "null"]


def test_a_person_must_decide_what_data_cannot_tell() -> None:
    """It is said, field by field."""
    assert proposal(
        {"a": None, "b": [], "c": {}, "d": 1, "userName": "x"},
        {"a": None, "b": [], "c": {}, "d": "1", "userName": "y"},
    ).notes() == [
        f"{URI}: a: only null was seen; a string is a guess",
        f"{URI}: b: only empty arrays were seen; strings in it are a guess",
        f"{URI}: userName: expected a name in snake_case such as user_name",
        f"{URI}: d: expected one type besides null, got integer and string",
        f"{URI}: c: an object needs properties: name what may be in it",
    ]


def test_data_that_are_no_object_are_said_to_be_wrong() -> None:
    """An event's data may be an array; a warehouse has no columns for one."""
    assert (
        proposal([1]).notes()[0] == f"{URI}: the schema: data are an object: expected type object"
    )


def test_the_text_is_laid_out_as_people_write_it() -> None:
    """Short lists on one line; and it says what the schema says, whatever the names."""
    made = proposal({'a",\n  [': None, "\ud800": "x"}, {})
    text = made.text()

    assert '"type": ["string", "null"]' in text
    assert json.loads(text) == made.schema()
    assert text.encode()


NAMES = st.from_regex(r"[a-z]{1,2}(_[a-z])?", fullmatch=True)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["2024-05-01T10:00:00Z", "c6ef3124-b53a-4b13-a233-0088f79dcbcb"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=5))
def test_all_that_was_seen_is_valid(data: list[dict[str, Any]]) -> None:
    """And the proposal is a schema, with no error, and with no warning that is not a note."""
    made = proposal(*data)
    document: Any = json.loads(made.text())
    validator = Draft4Validator(document, format_checker=FORMATS)

    assert list(meta.flaws(document)) == []
    assert [flaw for flaw in rules.flaws(document) if flaw.severity == "error"] == []
    assert {flaw.rule for flaw in rules.flaws(document)} <= {"type", "free-form", "number-range"}
    for item in data:
        errors = validator.iter_errors(item)  # pyright: ignore[reportUnknownMemberType]
        assert [error.message for error in errors] == []
