"""Tests of self-describing JSON."""

from __future__ import annotations

import copy
import enum
import logging
import pickle
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging import SelfDescribingJson
from snowplow_logging.self_describing_json import is_schema_uri
from tests.iglu_central import CONTEXTS, UNSTRUCT_EVENT, needs_iglu_central, problems
from tests.unit import hostile
from tests.unit.wire import loads

ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"


class Schemas(str, enum.Enum):
    ORDER = ORDER


@dataclass
class Placed:
    order: int


class Pair(NamedTuple):
    left: int
    right: int


WRONG_URIS = [
    "",
    "iglu:",
    "com.acme/order_placed/jsonschema/1-0-0",
    "iglu:com.acme/order_placed/jsonschema/1-0",
    "iglu:com.acme/order_placed/jsonschema/1-0-0-0",
    "iglu:com.acme/order_placed/jsonschema/1-0-*",
    "iglu:com.acme/order placed/jsonschema/1-0-0",
    "iglu:com.acme/order.placed/jsonschema/1-0-0",
    "iglu:com.acme/order_placed/1-0-0",
    ORDER + "\n",
    " " + ORDER,
    ORDER.upper(),
    "iglu:com.ácme/order_placed/jsonschema/1-0-0",
    "iglu:com.acme/order_placed/jsonschema/\u0661-0-0",
]


@pytest.mark.parametrize(
    "uri", [ORDER, "iglu:a-b_c.D9/a-B_9/json_Schema-9/10-20-30", Schemas.ORDER]
)
def test_right_uris(uri: str) -> None:
    """A URI of Iglu's pattern is taken."""
    assert SelfDescribingJson(uri, {}).schema == uri
    assert is_schema_uri(uri)


@pytest.mark.parametrize("uri", WRONG_URIS)
def test_wrong_uris(uri: str) -> None:
    """A text that is no Iglu URI is refused by an error that quotes it and shows a right one."""
    with pytest.raises(ValueError, match=r"write it like iglu:com\.acme") as raised:
        _ = SelfDescribingJson(uri, {})

    assert repr(uri) in str(raised.value)
    assert not is_schema_uri(uri)


@pytest.mark.parametrize(
    "uri", [None, 5, b"iglu:com.acme/a/jsonschema/1-0-0", ["iglu:"], ORDER.split]
)
def test_uris_of_another_type(uri: Any) -> None:
    """What is no text is refused as any wrong URI."""
    with pytest.raises(ValueError, match="schema takes an Iglu URI"):
        _ = SelfDescribingJson(uri, {})


@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_uris(name: str) -> None:
    """A hostile value in the URI's place is refused as any wrong URI."""
    value = hostile.values()[name]

    with pytest.raises(ValueError, match="schema takes an Iglu URI"):
        _ = SelfDescribingJson(value, {})


@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_data(name: str) -> None:
    """Hostile data is taken as an object or array, or refused with a TypeError."""
    try:
        event = SelfDescribingJson(ORDER, hostile.values()[name])
    except TypeError as error:
        assert "data takes a JSON object or array" in str(error)  # noqa: PT017
    else:
        assert loads(event.to_string())["schema"] == ORDER


@pytest.mark.parametrize("data", [{}, {"a": 1}, [], [1], (1, 2), Placed(1), Pair(1, 2)])
def test_objects_and_arrays_are_data(data: Any) -> None:
    """Mappings, lists, tuples and dataclass instances are data, and objects or arrays in JSON."""
    decoded = loads(SelfDescribingJson(ORDER, data).to_string())

    assert isinstance(decoded["data"], (dict, list))


@pytest.mark.parametrize("data", [None, "text", b"{}", 5, 1.5, True, {1}, Placed, object()])
def test_other_data(data: Any) -> None:
    """Data that is neither object nor array is refused by an error that names its type."""
    with pytest.raises(TypeError, match=f"not {type(data).__name__}"):
        _ = SelfDescribingJson(ORDER, data)


def test_forms() -> None:
    """It can be had as a dict and as text, and its text is its JSON."""
    event = SelfDescribingJson(ORDER, {"a": "é😀\u2028"})

    assert event.to_json() == {"schema": ORDER, "data": {"a": "é😀\u2028"}}
    assert loads(event.to_string()) == event.to_json()
    assert str(event) == event.to_string()
    assert f"{event}" == "%s" % event == event.to_string()  # noqa: UP031 - as logging does


def test_its_text_has_no_nul() -> None:
    """What no warehouse takes is replaced in the text, which is what is sent; the dict is yours."""
    event = SelfDescribingJson(ORDER, {"a\0": "\0"})

    assert event.to_json()["data"] == {"a\0": "\0"}
    assert loads(event.to_string())["data"] == {"a\ufffd": "\ufffd"}


def test_equality() -> None:
    """It equals what has the same schema and the same data."""
    event = SelfDescribingJson(ORDER, {"a": 1})

    assert event == SelfDescribingJson(ORDER, {"a": 1})
    assert event != SelfDescribingJson(ORDER, {"a": 2})
    assert event != SelfDescribingJson("iglu:com.acme/other/jsonschema/1-0-0", {"a": 1})
    assert event != object()


def test_repr_shows_both() -> None:
    """Its repr shows schema and data."""
    event = SelfDescribingJson(ORDER, {"a": 1})

    assert repr(event) == f"SelfDescribingJson(schema='{ORDER}', data={{'a': 1}})"


def test_it_is_frozen_and_can_be_copied() -> None:
    """It cannot be changed, but copied and pickled."""
    event = SelfDescribingJson(ORDER, {"a": 1})

    with pytest.raises(AttributeError):
        event.schema = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    assert copy.deepcopy(event) == event
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - made here


def test_as_a_message() -> None:
    """As the message of a record it is its JSON."""
    record = logging.makeLogRecord({"msg": SelfDescribingJson(ORDER, {"a": 1})})

    assert loads(record.getMessage()) == {"schema": ORDER, "data": {"a": 1}}


@needs_iglu_central
@given(hostile.anything.map(lambda value: {"any": value}), st.lists(st.text()))
def test_it_fits_the_wrappers(data: object, texts: list[str]) -> None:
    """Its JSON is valid in the wrappers of events and of entities, whatever the data."""
    event = loads(SelfDescribingJson(ORDER, hostile.realised(data)).to_string())
    other = loads(SelfDescribingJson(ORDER, texts).to_string())

    assert problems(UNSTRUCT_EVENT, event) == []
    assert problems(CONTEXTS, [event, other]) == []
