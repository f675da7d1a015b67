"""The two validators behind a schema: the quick one is as strict as the one that explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from snowplow_logging.collector.formats import FORMATS
from snowplow_logging.collector.schema import Schema

if TYPE_CHECKING:
    from snowplow_logging.collector.strict_json import Json

REFERRING = {
    "properties": {"a": {"$ref": "#/definitions/x"}},
    "definitions": {"x": {"type": "string"}},
}

numbers = st.integers(-3, 3) | st.sampled_from([-1.0, 0.0, 1.0, 1.5, 2**53, 2**64, -(2**70), 1e300])
words = st.sampled_from(["", "a", "ab", "abc", "\U0001f600", "é", "1", "a\n", "\ud800", "\u0000"])
times = st.sampled_from(
    ["2026-01-31T12:00:00Z", "2026-02-30T12:00:00Z", "2026-01-31", "1.2.3.4", "::1", "a@b.c", "x:y"]
)
scalars = st.none() | st.booleans() | numbers | words | times
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
types = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
limits = st.integers(0, 3)


def _schemas(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of some keywords; ``multipleOf`` and patterns apart, on which the two disagree."""
    several = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
            "enum": st.lists(values, min_size=1, max_size=3),
            "format": st.sampled_from(["date-time", "date", "ipv4", "ipv6", "email", "uri", "x"]),
            "maxLength": limits,
            "minLength": limits,
            "minimum": numbers,
            "maximum": numbers,
            "maxItems": limits,
            "minItems": limits,
            "uniqueItems": st.booleans(),
            "items": inner | several,
            "additionalItems": st.booleans(),
            "properties": st.dictionaries(words, inner, max_size=2),
            "required": st.lists(words, min_size=1, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "maxProperties": limits,
            "minProperties": limits,
            "dependencies": st.dictionaries(
                words, st.lists(words, min_size=1, max_size=2, unique=True), max_size=2
            ),
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": inner,
        },
    )


schemas = st.recursive(st.just(dict[str, Any]()), _schemas, max_leaves=4)


def _explained(document: dict[str, Json], data: Json) -> bool:
    """What the validator says that explains; it alone was in use before."""
    validator = Draft4Validator(document, format_checker=FORMATS)
    return bool(validator.is_valid(data))  # pyright: ignore[reportUnknownMemberType]


@pytest.fixture
def examples(long: bool) -> int:  # noqa: FBT001 - a fixture
    """How many schemas are drawn."""
    return 5_000 if long else 300


@pytest.mark.timeout(1200)
def test_the_quick_validator_is_as_strict(examples: int) -> None:
    """Whatever the schema and the data, what it takes the other one takes too."""

    @settings(max_examples=examples, deadline=None)
    @given(document=schemas, data=values)
    def check(document: dict[str, Any], data: Any) -> None:
        schema = Schema("iglu:com.acme/drawn/jsonschema/1-0-0", document)
        reports = schema.reports(data)
        assert (reports == []) == _explained(document, data)
        assert all(report.text for report in reports)

    check()


@pytest.mark.parametrize(
    ("document", "good", "bad"),
    [
        ({"type": "integer"}, 1, 1.0),
        ({"type": "integer"}, 2**70, "1"),
        ({"type": "integer"}, 0, True),
        ({"enum": [1]}, 1, True),
        ({"maxLength": 1}, "\U0001f600", "ab"),
        ({"maxLength": 1}, "\ud800", "\ud800\ud800"),
        ({"multipleOf": 0.01}, 19.99, 0.001),
        ({"pattern": "^[0-9]+$"}, "12", "a"),
        ({"pattern": "(?i)^abc$"}, "ABC", "x"),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"x1": 1}, {"y": 1}),
        (REFERRING, {"a": "x"}, {"a": 1}),
    ],
)
def test_data_are_held_against_it(document: dict[str, Json], good: Json, bad: Json) -> None:
    """Types are strict, lengths count characters, decimals are decimals."""
    schema = Schema("iglu:com.acme/x/jsonschema/1-0-0", document)
    assert schema.reports(good) == []
    (report,) = schema.reports(bad)
    assert report.text.startswith("$")


def test_a_schema_elsewhere_takes_anything() -> None:
    """It is not fetched, as a pipeline does not."""
    schema = Schema("iglu:com.acme/x/jsonschema/1-0-0", {"$ref": "http://127.0.0.1:9/x"})
    assert schema.reports({"a": 1}) == []
