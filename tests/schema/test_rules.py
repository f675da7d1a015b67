"""Tests of the rules, each by a schema that keeps all others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowplow_logging.schema import evolution, rules

from .support import field, schema

STRING = field("string", maxLength=9)


def found(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Severity and rule of each flaw."""
    return [(flaw.severity, flaw.rule) for flaw in rules.flaws(document)]


def with_field(**keywords: Any) -> dict[str, Any]:
    """A schema whose one property, which is required, is a string with these keywords."""
    return schema(properties={"a": {**STRING, **keywords}}, required=["a"])


def of(kind: str | list[str], **keywords: Any) -> dict[str, Any]:
    """A schema whose one property, which is required, is of this type."""
    return schema(properties={"a": field(kind, **keywords)}, required=["a"])


def test_a_schema_without_a_flaw() -> None:
    """What the other tests begin with has none."""
    assert found(schema()) == []


@pytest.mark.parametrize(
    ("document", "severity", "rule"),
    [
        (with_field(maxlength=9), "warning", "unknown-keyword"),
        (with_field(const="x"), "warning", "unknown-keyword"),
        (with_field(minimum=1), "error", "misplaced"),
        (of("integer", minimum=0, maximum=9, maxLength=3), "error", "misplaced"),
        (with_field(minLength=10), "error", "bounds"),
        (of("integer", minimum=2, maximum=1), "error", "bounds"),
        (schema(required=["order_id", "total_cents", "nope"]), "error", "required"),
        (with_field(enum=["a", 1]), "error", "enum"),
        (with_field(enum=["longer than nine"]), "error", "enum"),
        (of(["string", "null"], enum=["a"]), "error", "enum"),
        (of("integer", enum=[1, True]), "error", "enum"),
        (with_field(pattern="(["), "error", "pattern"),
        (with_field(format="phone"), "warning", "format"),
        (schema(type=["object", "null"]), "error", "root-object"),
        (with_field(anyOf=[{"minLength": 1}]), "warning", "composition"),
        (schema(properties={"a": {"description": "x"}}, required=["a"]), "warning", "type"),
        (of(["string", "integer"], maxLength=1, minimum=0, maximum=1), "warning", "type"),
        (of("string"), "warning", "string-length"),
        (of("string", format="uri"), "warning", "string-length"),
        (of("string", maxLength=65_536), "warning", "string-length"),
        (of("integer", minimum=0), "warning", "number-range"),
        (of("number"), "warning", "number-range"),
        (of("integer", minimum=0, maximum=2**63), "warning", "number-range"),
        (of("array", maxItems=3), "warning", "free-form"),
        (of("array", items=[{"type": "boolean"}], maxItems=3), "warning", "free-form"),
        (of("array", items={"type": "boolean"}), "warning", "array-length"),
        (of("array", items={"type": "string"}, maxItems=3), "warning", "string-length"),
        (of("object"), "warning", "free-form"),
        (
            of("object", properties={"b": STRING}, required=["b"]),
            "warning",
            "additional-properties",
        ),
        (schema(additionalProperties=True), "warning", "additional-properties"),
        (schema(description=" "), "warning", "description"),
        (of("boolean", description=None), "warning", "description"),
        (schema(properties={"a": STRING}, required=None), "warning", "optional-null"),
        (schema(properties={"orderId": STRING}, required=["orderId"]), "warning", "name"),
    ],
)
def test_each_rule_finds_its_flaw_alone(document: dict[str, Any], severity: str, rule: str) -> None:
    """No other rule speaks up because of it."""
    assert found(document) == [(severity, rule)]


@pytest.mark.parametrize(
    "document",
    [
        of("string", format="date-time"),
        of("string", enum=["a", "b"]),
        of("integer", enum=[1, 2]),
        of(["integer", "number"], minimum=0, maximum=1),
        of(["string", "null"], enum=["a", None]),
        schema(patternProperties=None, title="x", **{"$supersededBy": "1-0-1"}),
    ],
)
def test_what_is_bounded_otherwise_is_no_flaw(document: dict[str, Any]) -> None:
    """Formats of fixed length, listed values, Iglu's own keywords."""
    assert found(document) == []


def test_two_names_of_one_column_are_an_error() -> None:
    """A warehouse has room for one of them."""
    names = ["order_id", "orderId", "OrderID"]
    document = schema(properties=dict.fromkeys(names, STRING), required=names)
    messages = [flaw.message for flaw in rules.flaws(document) if flaw.severity == "error"]

    assert messages == [
        "orderId: it has the same column, order_id, as order_id",
        "OrderID: it has the same column, order_id, as order_id",
    ]


def test_flaws_deep_inside_are_named_by_their_path() -> None:
    """Properties of properties, and of items."""
    inner = field("object", properties={"b": field("string")}, required=["b"])
    document = of("array", items={**inner, "additionalProperties": False}, maxItems=1)

    assert [(flaw.pointer, flaw.message) for flaw in rules.flaws(document)] == [
        (("properties", "a", "items", "properties", "b"), "a.items.b: a string needs maxLength")
    ]


KEYWORDS = st.sampled_from(sorted(rules.KEYWORDS)) | st.sampled_from(["a", "b"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["string", "object", "array", "integer", "([", "date", "1-0-0", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=6),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYWORDS, JSON, max_size=8)


@settings(max_examples=100, deadline=None)
@given(OBJECTS, OBJECTS)
def test_no_json_object_makes_the_rules_fail(one: dict[str, Any], other: dict[str, Any]) -> None:
    """However far it is from a schema; and a flaw's place is in it, or would be."""
    for flaw in rules.flaws(one):
        assert flaw.message
    assert list(evolution.changes(one, one)) == []
    for change in evolution.changes(one, other):
        assert change.kind > evolution.Kind.NONE
