"""Tests of JSON for any value."""

from __future__ import annotations

import datetime as dt
import enum
import json
import sys
import uuid
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from snowplow_logging._json import (
    CIRCULAR_MARK,
    LONGEST_KEY,
    MAX_DEPTH,
    MAX_NODES,
    default,
    encode,
    encode_within,
    plain,
)
from snowplow_logging._text import CUT_MARK
from tests.unit import hostile
from tests.unit.wire import depth, loads

if TYPE_CHECKING:
    from collections.abc import Callable


class Level(enum.IntEnum):
    LOW = 1


class Size(str, enum.Enum):
    SMALL = "s"


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Item:
    name: str
    tags: list[str]


BECOMES: list[tuple[Any, Any]] = [
    (float("nan"), None),
    (float("inf"), None),
    ({"a": float("-inf")}, {"a": None}),
    (-0.0, 0.0),
    (2**64, 2**64),
    (-(2**63) - 1, -(2**63) - 1),
    (10**400, 10**400),
    (Decimal("1.5"), 1.5),
    (Decimal(10) ** 20, 10**20),
    (Decimal("NaN"), "NaN"),
    (Decimal("1E+999999"), "1E+999999"),
    (Decimal("1E-999999"), "1E-999999"),
    (Fraction(1, 2), 0.5),
    (1 + 2j, "(1+2j)"),
    (Level.LOW, 1),
    (Size.SMALL, "s"),
    (Point(1, 2), [1, 2]),
    (Item("cup", ["a"]), {"name": "cup", "tags": ["a"]}),
    ((1, (2,)), [1, [2]]),
    (frozenset({1}), [1]),
    ({}.keys(), []),
    (dt.date(2024, 2, 29), "2024-02-29"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (PurePosixPath("/a/b"), "/a/b"),
    ("a\0b", "a\ufffdb"),
    ({"a\0": ["\0"]}, {"a\ufffd": ["\ufffd"]}),
    ("\\u0000", "\\u0000"),
    ("\ud83d\ude00", "😀"),
    ("\ud83d", "\ufffd"),
]


def without_nul(value: Any) -> Any:
    """Returns JSON as it is sent: no warehouse takes NUL in a text, so it is replaced."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [without_nul(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {without_nul(key): without_nul(item) for key, item in members.items()}
    return value


def may_collide(value: object) -> bool:
    """Says whether two keys may become one when NUL is replaced."""
    text = json.dumps(value, ensure_ascii=False)
    return "\ufffd" in text and "\\u0000" in text


@given(hostile.anything)
def test_encoding_is_total(value: object) -> None:
    """Whatever the value, JSON in UTF-8 comes out, not too deep for it, and without NUL."""
    decoded = loads(encode(hostile.realised(value)))

    assert depth(decoded) <= MAX_DEPTH
    assert decoded == without_nul(decoded)


@given(hostile.anything)
def test_rebuilding_is_total(value: object) -> None:
    """Whatever the value, it can be rebuilt from parts that every encoder takes."""
    rebuilt = plain(hostile.realised(value))

    assert depth(loads(json.dumps(rebuilt, allow_nan=False))) <= MAX_DEPTH


@given(hostile.json_values)
def test_json_goes_through_unharmed(value: object) -> None:
    """A value that JSON can say is encoded as it is, with every character but NUL."""
    _ = assume(not may_collide(value))
    assert loads(encode(value)) == without_nul(value)


@given(hostile.json_values)
def test_rebuilding_json_changes_nothing(value: object) -> None:
    """A value that JSON can say is rebuilt as it is, with every character but NUL."""
    _ = assume(not may_collide(value))
    assert plain(value) == without_nul(value)


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_value_hurts_no_neighbour(name: str) -> None:
    """A hostile value has something in its place, and the values beside it are unharmed."""
    value = {"before": [1, "é😀"], "hostile": hostile.values()[name], "after": {"a": None}}

    decoded = loads(encode(value))

    assert decoded.keys() == value.keys()
    assert decoded["before"] == [1, "é😀"]
    assert decoded["after"] == {"a": None}


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_value_amid_surrogates(name: str) -> None:
    """A hostile value is as harmless where the whole structure must be rebuilt."""
    decoded = loads(encode(["\ud83d", hostile.values()[name], "sane"]))

    assert decoded[0] == "\ufffd"
    assert decoded[2] == "sane"


@pytest.mark.parametrize("name", hostile.NAMES)
def test_stand_ins_are_total(name: str) -> None:
    """Whatever the value, a stand-in is made; only endless recursion is left to the encoder."""
    with suppress(RecursionError):
        _ = default(hostile.values()[name])


@pytest.mark.parametrize(
    "name", ["key raises", "key class raises", "key class lies", "surrogate key"]
)
def test_a_hostile_key_hurts_no_neighbour(name: str) -> None:
    """A key that cannot be named has a name of some kind, and the other members are unharmed."""
    decoded = loads(encode(hostile.values()[name]))

    assert decoded["sane"] == 2
    assert len(decoded) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    BECOMES,
    ids=lambda value: f"{value!a:.30}",
)
def test_what_values_become(value: object, expected: object) -> None:
    """Numbers stay numbers where JSON has them, containers containers, and all else is text."""
    assert loads(encode(value)) == expected
    assert plain(value) == expected


def test_keys_are_named_as_the_standard_library_does() -> None:
    """Keys that are no texts are named as JSON says them."""
    decoded = loads(encode({None: 1, True: 2, False: 3, 4: 4, 1.5: 5, (1, 2): 6, "": 7}))

    assert decoded == {"null": 1, "true": 2, "false": 3, "4": 4, "1.5": 5, "(1, 2)": 6, "": 7}


@pytest.mark.parametrize(
    "value",
    [
        {"a\0": 1, "a\ufffd": 2, "a\ufffd~2": 3},
        {1: "a", "1": "b"},
        {None: 1, "null": 2},
        {"k" * LONGEST_KEY + "a": 1, "k" * LONGEST_KEY + "b": 2, "\ud800": 3},
        {f"{'k' * LONGEST_KEY}{number}\0": number for number in range(50_000)},
    ],
    ids=["NUL", "number", "null", "long keys", "many long keys"],
)
def test_no_member_is_lost(value: dict[Any, int]) -> None:
    """Where two keys become the same text, the later one has a number behind it."""
    members: Any = json.loads(encode(value), object_pairs_hook=list)

    assert len({name for name, _ in members}) == len(members) == len(value)
    assert [member for _, member in members] == list(value.values())


def test_a_number_too_long_to_print() -> None:
    """An integer that Python refuses to print has a marker that says how long it is."""
    assert loads(encode([10**5000, -(10**5000)])) == ["<integer of about 5000 digits>"] * 2


def test_a_number_just_printable_under_the_strictest_limit() -> None:
    """Integers are within what Python prints, even where an application has set its least limit."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        encoded = encode({"number": 10**700, "sane": 1})
    finally:
        sys.set_int_max_str_digits(limit)

    assert loads(encoded)["sane"] == 1


def test_a_cycle_is_marked() -> None:
    """A container within itself is a marker there, once for each way to it."""
    assert loads(encode(hostile.cycle())) == {"list": [CIRCULAR_MARK]}


def test_a_shared_value_is_no_cycle() -> None:
    """A container that stands in two places is written in both."""
    shared = ["\ud83d"]

    assert loads(encode([shared, shared])) == [["\ufffd"], ["\ufffd"]]


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, MAX_DEPTH])
def test_allowed_depth_is_kept(levels: int) -> None:
    """A value that nests as deep as allowed is not touched."""
    assert loads(encode(hostile.deep(levels))) == hostile.deep(levels)


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 100, 10_000])
def test_greater_depth_is_cut(levels: int) -> None:
    """What is too deep is cut at the allowed depth, with a marker, beside unharmed neighbours."""
    decoded = loads(encode(["sane", hostile.deep(levels - 1)]))

    assert decoded[0] == "sane"
    assert depth(decoded) == MAX_DEPTH
    assert CUT_MARK in json.dumps(decoded, ensure_ascii=False)


@given(
    st.integers(1, 45),
    st.text(st.sampled_from('[]{}"\\n,:'), max_size=60),
    st.booleans(),
)
def test_brackets_in_texts_are_not_nesting(levels: int, text: str, in_dicts: bool) -> None:  # noqa: FBT001
    """Only what nests is cut: brackets, quotes and backslashes in texts count for nothing."""
    value: Any = text
    for _ in range(levels):
        value = {text: value} if in_dicts else [text, value]

    decoded = loads(encode(value))

    assert (decoded == value) == (levels <= MAX_DEPTH)
    assert depth(decoded) == min(levels, MAX_DEPTH)


def test_a_hundred_thousand_keys() -> None:
    """A huge dict is encoded whole, or, where it must be rebuilt, up to the limit of values."""
    huge: dict[Any, Any] = {f"key{number}": number for number in range(100_000)}
    assert loads(encode(huge)) == huge

    decoded = loads(encode({"huge": {**huge, "hostile": "\ud83d", "more": [1] * 10}}))

    assert len(decoded["huge"]) <= MAX_NODES + 1
    assert decoded["huge"]["key0"] == 0
    assert decoded["huge"][CUT_MARK].endswith(" more")


def test_left_out_elements_are_counted() -> None:
    """Where elements are left out, a marker says how many."""
    decoded = plain(list(range(10)), nodes=4)

    assert decoded[:4] == [0, 1, 2, 3]
    assert decoded[-1] == f"{CUT_MARK} {10 - len(decoded) + 1} more"


def test_long_keys_are_cut() -> None:
    """A key that is too long is cut with a mark where a structure is rebuilt."""
    (key,) = plain({"k" * 5_000: 1})

    assert len(key) == LONGEST_KEY
    assert key.endswith(CUT_MARK)


@given(hostile.anything, st.integers(0, 2_000))
def test_encoding_within_a_limit(value: object, limit: int) -> None:
    """Whatever the value, what is encoded within a limit is valid JSON and keeps it."""
    encoded = encode_within(hostile.realised(value), limit)

    if encoded is not None:
        assert len(encoded) <= limit
        assert depth(loads(encoded)) <= MAX_DEPTH


def test_a_long_text_is_cut_to_fit() -> None:
    """The longest texts go first; short neighbours are unharmed."""
    encoded = encode_within({"long": "é" * 100_000, "sane": [1, "two"]}, 10_000)

    assert encoded is not None
    decoded = loads(encoded)
    assert decoded["sane"] == [1, "two"]
    assert decoded["long"].endswith(CUT_MARK)
    assert len(decoded["long"]) > 1_000


@pytest.mark.parametrize(
    "huge",
    [
        {f"key{number}": number for number in range(100_000)},
        {f"customer-{number}": f"order-{number}" for number in range(100_000)},
        {f"{number:0500}": "v" for number in range(200)},
        [[number] * 10 for number in range(10_000)],
    ],
    ids=["many keys", "many texts", "long keys", "many lists"],
)
def test_many_values_are_cut_to_fit(huge: object) -> None:
    """Where too many values are there, some are left out, with a marker; the first ones stay."""
    encoded = encode_within({"sane": "request-1", "huge": huge}, 16_384)

    assert encoded is not None
    assert loads(encoded)["sane"] == "request-1"
    assert CUT_MARK.encode() in encoded


def test_a_dict_that_changes_meanwhile() -> None:
    """A dict that its own keys change while it is read loses none of the members it had."""
    changing: dict[Any, Any] = {"sane": 1}

    def change(_: object) -> str:
        changing["new"] = 2
        return "key"

    changing[hostile.made(__str__=change)()] = 3

    assert loads(encode(changing))["sane"] == 1


def test_a_mapping_without_end() -> None:
    """A mapping that unfolds for ever is cut at the limit of values, with a marker."""
    encoded = encode(["sane", hostile.SelfMapping()])

    assert loads(encoded)[0] == "sane"
    assert CUT_MARK.encode() in encoded


def test_a_list_with_methods_of_its_own() -> None:
    """A list is read by what it holds, not by its own methods."""
    other = hostile.made(list, __iter__=hostile.raising, __len__=hostile.raising)

    assert loads(encode(["\ud83d", other([1, 2])])) == ["\ufffd", [1, 2]]


def shared(depth: int, wrap: Callable[[object], object]) -> object:
    """Returns a small structure that, written out, would have over 2**depth parts."""
    value: object = 1
    for _ in range(depth):
        value = wrap(value)
    return value


@dataclass
class Pair:
    left: object
    right: object


WRAPS: dict[str, Callable[[object], object]] = {
    "list": lambda value: [value, value],
    "tuple": lambda value: (value, value),
    "dict": lambda value: {"left": value, "right": value},
    "subclass": lambda value: OrderedDict({"left": value, "right": value}),
    "mapping": lambda value: MappingProxyType({"left": value, "right": value}),
    "dataclass": lambda value: Pair(value, value),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_parts_that_are_shared_many_times(wrap: Callable[[object], object]) -> None:
    """A structure of 30 objects that would be 2**30 in JSON is cut while it is written."""
    encoded = encode_within({"data": shared(30, wrap)}, 190_000)
    assert encoded is not None
    assert CUT_MARK in json.dumps(json.loads(encoded), ensure_ascii=False)
