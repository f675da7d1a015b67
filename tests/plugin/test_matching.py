"""What matches in part, where it differs, and which event is the nearest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging.testing import Event
from snowplow_logging.testing.matching import Criteria, nearest, show

ITEM: dict[str, Any] = {"sku": "a", "price": 1.5, "tags": ["x", "y"], "gift": True, "note": None}
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def good(data: object = None, schema: str = "iglu:a/b/jsonschema/1-0-0", **fields: Any) -> Event:
    """Returns a good event, as far as matching looks at it."""
    event = {"unstruct_event": {"data": {"schema": schema, "data": data}}, **fields}
    return Event({"event": event, "schema": schema})


def differences(expected: Any, data: Any) -> list[str]:
    """Returns how data differ from what is expected."""
    return [*map(str, Criteria(None, expected, [], {}).differences(good(data)))]


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({}, []),
        ({"sku": "a", "note": None}, []),
        ({"tags": ["x", "y"]}, []),
        ({"price": pytest.approx(1.4999, rel=0.01)}, []),
        ({"sku": "b"}, ['data.sku: expected "b", got "a"']),
        ({"size": 1, "sku": "a"}, ["data.size: expected 1, is missing"]),
        ({"size": None}, ["data.size: expected null, is missing"]),
        ({"gift": 1}, ["data.gift: expected 1, got true"]),
        ({"price": "1.5"}, ['data.price: expected "1.5", got 1.5']),
        ({"tags": ["x"]}, ['data.tags: expected ["x"], got ["x", "y"]']),
        ({"tags": ["x", "z"]}, ['data.tags[1]: expected "z", got "y"']),
        ({"tags": {"x": 1}}, ['data.tags: expected {"x": 1}, got ["x", "y"]']),
        ({"sku": ["a"]}, ['data.sku: expected ["a"], got "a"']),
        ({"sku": {1 }}, ['data.sku: expected "{1}", got "a"']),
        ({"sku": "b", "gift": False}, [
            'data.sku: expected "b", got "a"', "data.gift: expected false, got true"]),
    ],
)  # fmt: skip
def test_data(expected: dict[str, Any], said: list[str]) -> None:
    """Mappings match in part, all else as a whole; what differs is told by its path."""
    assert differences(expected, ITEM) == said


def test_data_of_data() -> None:
    """Also inside of lists and mappings."""
    data = {"lines": [ITEM, {**ITEM, "sku": "b"}]}
    assert differences({"lines": [{"sku": "a"}, {"sku": "b"}]}, data) == []
    assert differences({"lines": [{"sku": "a"}, {"sku": "c"}]}, data) == [
        'data.lines[1].sku: expected "c", got "b"'
    ]


@given(JSON, st.dictionaries(st.text(), JSON, max_size=3))
def test_a_part_matches_the_whole(value: Any, more: dict[str, Any]) -> None:
    """Any value matches itself, and a mapping those that have more."""
    assert differences({"value": value}, {**more, "value": value}) == []
    assert differences({"value": value, "beside": 1}, {"value": value}) == [
        "data.beside: expected 1, is missing"
    ]


@given(LEAVES, LEAVES)
def test_what_is_not_the_same_json_differs(one: Any, other: Any) -> None:
    """Except that 1 is 1.0."""
    same = json.dumps(one) == json.dumps(other) or (
        one == other and not isinstance(one, bool) and not isinstance(other, bool)
    )
    assert (differences({"value": one}, {"value": other}) == []) == same


def test_schema_contexts_and_fields() -> None:
    """Each entity that is expected is compared with the one that is the most like it."""
    entities = [
        {"schema": "iglu:a/user/jsonschema/1-0-0", "data": {"id": "u-1", "plan": "free"}},
        {"schema": "iglu:a/user/jsonschema/1-0-0", "data": {"id": "u-2"}},
    ]
    event = good({}, app_id="shop", contexts={"schema": "…", "data": entities})
    user: dict[str, Any] = {"schema": "iglu:a/user/jsonschema/1-0-0"}

    def said(schema: str | None = None, *contexts: dict[str, Any], **fields: Any) -> list[str]:
        return [*map(str, Criteria(schema, None, contexts, fields).differences(event))]

    assert said("iglu:a/b/jsonschema/1-0-0", user, user, app_id="shop") == []
    assert said(None, {**user, "data": {"id": "u-2"}}, {**user, "data": {"plan": "free"}}) == []
    assert said("iglu:a/c/jsonschema/1-0-0", app_id="till", page_url="x") == [
        'schema: expected "iglu:a/c/jsonschema/1-0-0", got "iglu:a/b/jsonschema/1-0-0"',
        'app_id: expected "till", got "shop"',
        'page_url: expected "x", is missing',
    ]
    assert said(None, {**user, "data": {"id": "u-1", "plan": "paid"}}) == [
        'contexts[iglu:a/user/jsonschema/1-0-0].data.plan: expected "paid", got "free"'
    ]
    (other,) = said(None, {"schema": "iglu:a/cart/jsonschema/1-0-0"})
    assert other.startswith("contexts[iglu:a/cart/jsonschema/1-0-0].schema: expected ")
    (missing,) = Criteria(None, None, [user], {}).differences(good({}))
    assert str(missing).endswith('{"schema": "iglu:a/user/jsonschema/1-0-0"}, is missing')


def test_the_nearest() -> None:
    """It is the one with the fewest differences; of equals the first."""
    criteria = Criteria(None, {"a": 1, "b": 2, "c": 3}, [], {})
    far, near, nearer = good({"a": 1}), good({"a": 1, "b": 2}), good({"b": 2, "c": 3})
    assert nearest(criteria, [far, near, nearer]) is near
    assert nearest(criteria, []) is None
    assert str(criteria) == 'data {"a": 1, "b": 2, "c": 3}'
    everything = Criteria("s", {"a": 1}, [{"schema": "c"}], {"app_id": "x", "v": 0})
    assert str(everything) == (
        'schema "s", data {"a": 1}, contexts [{"schema": "c"}], app_id "x", v 0'
    )


def test_long_values_are_cut() -> None:
    """A message stays readable."""
    assert show("é" * 300) == f'"{"é" * 119}…'
