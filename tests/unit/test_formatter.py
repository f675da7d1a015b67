"""Tests of the data of a ``log_record``."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging import LogRecordFormatter
from snowplow_logging._text import CUT_MARK
from snowplow_logging.formatter import (
    MAX_ATTRIBUTES,
    MAX_MESSAGE,
    MAX_STACK_INFO,
    MAX_STACK_TRACE,
    RECORD_ATTRIBUTES,
    SITES,
    Unredacted,
    _beginnings,
    _executions,
    extras,
    message_of,
)
from tests import iglu_central
from tests.unit import hostile
from tests.unit.records import (
    ATTRIBUTES,
    EXCEPTIONS,
    chained,
    exc_info,
    exceptions,
    record,
    without,
)
from tests.unit.wire import loads

if TYPE_CHECKING:
    import logging

FORMATTER = LogRecordFormatter()


def checked(of: logging.LogRecord) -> dict[str, Any]:
    """Returns the data of a record, which is valid against our schema."""
    data: dict[str, Any] = loads(FORMATTER.format(of))
    assert iglu_central.problems(iglu_central.LOG_RECORD, data) == []
    assert hasattr(data, "keys")
    return data


def attributes(of: logging.LogRecord) -> Any:
    """Returns the extras of a record, as its data has them."""
    return loads(checked(of)["attributes"])


def test_a_plain_record() -> None:
    """A plain record's data has its message, its level and where it comes from."""
    data = checked(record("%s has %d items", "cart", 3))

    assert data["message"] == "cart has 3 items"
    assert (data["level"], data["level_number"]) == ("INFO", 20)
    assert data["logger"] == "shop.orders"
    assert (data["file"], data["line"], data["function"]) == ("/srv/shop/orders.py", 42, "place")
    assert data["process_name"] == "MainProcess"
    assert data["thread_name"] == "MainThread"
    assert data["process_id"] > 0
    assert data["thread_id"] > 0
    assert not data.keys() & {"attributes", "exception_type", "stack_trace", "stack_info"}


def test_every_field_is_in_the_schema() -> None:
    """All fields at once are fields of the schema."""
    data = checked(
        record(exc_info=exc_info(ValueError("no")), stack_info="Stack", taskName="Task-1", extra=1)
    )

    assert set(iglu_central.schema(iglu_central.LOG_RECORD)["properties"]) - set(data) == {
        "trace_id",
        "span_id",
    }


def test_extras_are_attributes() -> None:
    """Extras are the text of a JSON object."""
    assert attributes(record(order=7, tags=["é", None])) == {"order": 7, "tags": ["é", None]}


def test_attributes_of_newer_pythons_are_no_extras() -> None:
    """What a record has by itself is no extra, whichever Python made it."""
    assert extras(record(taskName="Task-1")) == {}
    assert set(ATTRIBUTES) | {"message", "asctime"} <= RECORD_ATTRIBUTES


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_extra_hurts_no_other(name: str) -> None:
    """A hostile extra has something in its place, and the others are unharmed."""
    values = attributes(record(before=1, hostile=hostile.values()[name], zafter="é"))

    assert values.keys() == {"before", "hostile", "zafter"} or CUT_MARK in str(values)
    assert values["before"] == 1
    assert values["zafter"] == "é"


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_message(name: str) -> None:
    """A hostile message has a text in its place, and the rest of the record is unharmed."""
    data = checked(record(hostile.values()[name], order=7))

    assert data["logger"] == "shop.orders"
    assert loads(data["attributes"])["order"] == 7


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_argument(name: str) -> None:
    """A hostile argument has a text in its place, and the message's own text stays."""
    message = checked(record("before %s after %d", hostile.values()[name], 5))["message"]

    assert message.startswith("before ")
    assert CUT_MARK in message or "after" in message


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_attribute(name: str) -> None:
    """Whatever stands in a record's attributes, its data is valid, and its extras are unharmed."""
    for attribute in ATTRIBUTES:
        data = checked(record(**{attribute: hostile.values()[name]}, order=7))

        assert loads(data["attributes"])["order"] == 7


@pytest.mark.parametrize("attribute", ATTRIBUTES)
@pytest.mark.parametrize(
    "value", [None, True, -5, 2**31, 2**63, 1.5, "text", b"", [], {}, object()]
)
def test_an_attribute_of_another_type(attribute: str, value: object) -> None:
    """Attributes of another type than usual are valid or left out."""
    _ = checked(record(**{attribute: value}))


def test_lines_that_log_are_remembered_within_bounds() -> None:
    """However many lines and threads log, each record says its own, and memory has an end."""
    for number in range(2 * SITES + 10):
        data = checked(record(lineno=number, thread=number, threadName=f"t-{number}"))
        assert (data["line"], data["thread_id"]) == (number, number)
        assert data["thread_name"] == f"t-{number}"
        assert len(_beginnings) <= SITES
        assert len(_executions) <= SITES


def test_a_line_is_not_known_by_what_equals_its_number() -> None:
    """A record with a number that is no integer leaves those of the same line as they are."""
    for number in (20.0, True, 20):
        made = record(levelno=number, lineno=number, pathname="/srv/shop/equal.py")
        data = checked(made)
    assert (data["level_number"], data["line"]) == (20, 20)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_missing_attribute(attribute: str) -> None:
    """A record that lacks an attribute is valid without it."""
    assert loads(checked(without(attribute, order=7))["attributes"]) == {"order": 7}


@given(st.dictionaries(st.sampled_from(ATTRIBUTES) | st.text(), hostile.anything, max_size=5))
def test_formatting_is_total(members: dict[str, object]) -> None:
    """Whatever a record holds, its data is valid."""
    made = record()
    vars(made).update({key: hostile.realised(value) for key, value in members.items()})

    _ = checked(made)


@pytest.mark.parametrize(
    ("message", "args", "pattern"),
    [
        ("%d items", ("three",), r"%d items <unformattable: TypeError: .*> \[\"three\"\]"),
        ("%s and %s", ("one",), r"%s and %s <unformattable: TypeError: .*> \[\"one\"\]"),
        ("none", ("one",), r"none <unformattable: TypeError: .*> \[\"one\"\]"),
        ("100%", ("one",), r"100% <unformattable: ValueError: .*> \[\"one\"\]"),
        ("%(a)s", ({"b": 1},), r'%\(a\)s <unformattable: KeyError: .*> .*"b":1.*'),
    ],
)
def test_arguments_that_do_not_fit(message: str, args: tuple[Any, ...], pattern: str) -> None:
    """Where arguments do not fit, the message is there as written, with them and a marker."""
    made = record(message)
    made.args = args[0] if isinstance(args[0], dict) else args

    assert re.fullmatch(pattern, checked(made)["message"])


def test_unusual_messages() -> None:
    """Messages that are no texts are as logging says them."""
    assert message_of(record(None), Unredacted()) == "None"
    assert message_of(record(5), Unredacted()) == "5"
    assert message_of(record(b"caf\xc3\xa9"), Unredacted()) == str(b"caf\xc3\xa9")
    assert message_of(record(ValueError("no")), Unredacted()) == "no"
    assert message_of(record(""), Unredacted()) == ""


@pytest.mark.parametrize("key", ["event", "message", "msg"])
def test_a_dict_names_its_message(key: str) -> None:
    """A message that is a mapping is named by what it calls its event; all of it is attributes."""
    made = record(OrderedDict({key: "order placed", "order": 7}), user="u-1")

    assert checked(made)["message"] == "order placed"
    assert attributes(made) == {key: "order placed", "order": 7, "user": "u-1"}


def test_a_dict_without_a_name_is_its_own_message() -> None:
    """A mapping that names no event is the message as JSON."""
    assert loads(checked(record({"order": 7, "msg": 5}))["message"]) == {"order": 7, "msg": 5}


def test_a_dict_that_names_its_event_by_a_hostile_text() -> None:
    """What a mapping calls its event is read as the text that it holds."""
    event = hostile.values()["str subclass"]

    assert checked(record({"event": event}))["message"] == "text"


def test_an_exception() -> None:
    """An exception's data has its dotted class, its text, and its traceback with its causes."""
    data = checked(record(exc_info=exc_info(RuntimeError("no stock"), KeyError("sku"))))

    assert data["exception_type"] == "RuntimeError"
    assert data["exception_message"] == "no stock"
    assert "KeyError: 'sku'" in data["stack_trace"]
    assert data["stack_trace"].endswith("RuntimeError: no stock")


def test_an_exception_of_ones_own() -> None:
    """The class of an exception is named with its module, unless it is built in."""
    own = chained(1)

    assert checked(record(exc_info=exc_info(own)))["exception_type"].endswith(".Chained")


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_hostile_exceptions(name: str) -> None:
    """Whatever the exception does, the data is valid and names its class."""
    exception = exceptions()[name]
    data = checked(record(exc_info=(type(exception), exception, None), order=7))

    assert data["exception_type"]
    assert data["stack_trace"]
    assert loads(data["attributes"]) == {"order": 7}


@pytest.mark.parametrize(
    "info",
    [
        None,
        False,
        True,
        (None, None, None),
        (ValueError, None, None),
        (None, None),
        (),
        "text",
        ValueError,
        (1, 2, 3),
    ],
    ids=str,
)
def test_no_exception(info: object) -> None:
    """Where ``exc_info`` holds no exception, the data has none."""
    assert not checked(record(exc_info=info)).keys() & {"exception_type", "stack_trace"}


@pytest.mark.parametrize(
    "info",
    [
        ValueError("no"),
        (None, ValueError("no"), None),
        (ValueError, ValueError("no"), "no traceback"),
        ("ValueError", ValueError("no"), 5),
    ],
    ids=str,
)
def test_half_an_exception(info: object) -> None:
    """Where ``exc_info`` holds an exception amid nonsense, the data has the exception."""
    assert checked(record(exc_info=info))["exception_message"] == "no"


def test_a_text_left_by_another_handler() -> None:
    """A traceback that another handler has left as text is the stack trace."""
    data = checked(record(exc_text="Traceback: gone", exc_info=None))

    assert data["stack_trace"] == "Traceback: gone"
    assert "exception_type" not in data


def test_the_record_is_left_as_it_was() -> None:
    """Formatting changes nothing of the record, which other handlers get, too."""
    made = record("%s", "a", exc_info=exc_info(ValueError("no")), order=7)
    before = dict(vars(made))

    _ = checked(made)

    assert vars(made) == before


def test_long_texts_are_cut() -> None:
    """Messages are cut at their end, traces at their beginning, each with a mark."""
    data = checked(
        record(
            "😀" * 100_000,
            name="a." * 10_000,
            pathname="/" * 10_000,
            exc_text="top\n" + "x" * 100_000 + "\nbottom",
            stack_info="x" * 100_000 + "\nbottom",
        )
    )

    assert len(data["message"].encode("utf-16-le")) // 2 <= MAX_MESSAGE
    assert data["message"].endswith(CUT_MARK)
    assert data["logger"].endswith(CUT_MARK)
    assert data["file"].endswith(CUT_MARK)
    assert len(data["stack_trace"]) == MAX_STACK_TRACE
    assert len(data["stack_info"]) == MAX_STACK_INFO
    for key in ("stack_trace", "stack_info"):
        assert data[key].startswith(CUT_MARK)
        assert data[key].endswith("bottom")


@pytest.mark.parametrize(
    "huge",
    [
        "é" * 100_000,
        ["x" * 100] * 10_000,
        {f"key{number}": f"value {number}" for number in range(100_000)},
        {f"{number:0500}": "v" for number in range(1_000)},
        hostile.deep(10_000),
    ],
    ids=["text", "list", "many keys", "long keys", "deep"],
)
def test_huge_extras_are_cut(huge: object) -> None:
    """A huge extra is cut with a mark, and the others stay."""
    made = record(request="r-1", huge=huge)

    values = attributes(made)

    assert values["request"] == "r-1"
    assert CUT_MARK in checked(made)["attributes"]
    assert len(checked(made)["attributes"]) <= MAX_ATTRIBUTES


def test_many_extras_are_cut() -> None:
    """Of very many extras the first ones stay, with a mark."""
    made = record(**{f"extra_{number}": f"value {number}" for number in range(100_000)})

    assert attributes(made)["extra_0"] == "value 0"
    assert CUT_MARK in checked(made)["attributes"]


def test_extras_with_keys_that_are_no_texts() -> None:
    """Extras whose names are no texts have names all the same."""
    made = record(order=7)
    vars(made).update({5: "five", None: "none"})  # type: ignore[dict-item]  # pyright: ignore[reportCallIssue, reportArgumentType]

    assert attributes(made) == {"order": 7, "5": "five", "null": "none"}
