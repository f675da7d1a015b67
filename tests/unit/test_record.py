"""Tests of what records become."""

from __future__ import annotations

import enum
import inspect
import json
import logging
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonjsonlogger.json import JsonFormatter

from snowplow_logging import LogRecordFormatter, SelfDescribingJson
from snowplow_logging._text import CUT_MARK
from snowplow_logging.record import Event, RecordMapper
from tests.iglu_central import APPLICATION_ERROR, LOG_RECORD, needs_iglu_central
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
from tests.unit.wire import Wire, contexts, event_problems, loads, unstruct_event

ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"
USER = "iglu:com.acme/user/jsonschema/1-0-0"
OWN = "iglu:com.acme/log_record/jsonschema/1-0-0"
MAPPER = RecordMapper()
TEXT_FORMATTER = logging.Formatter("%(levelname)s|%(message)s")


class Schemas(str, enum.Enum):
    ORDER = ORDER


NO_EVENTS: list[dict[str, Any]] = [
    {"schema": "public"},
    {"schema": "iglu:com.acme/order placed/jsonschema/1-0-0", "data": {"a": 1}},
    {"schema": 5, "data": "text", "contexts": "text"},
    {"schema": None, "data": 5},
    {"data": {"a": 1}, "contexts": [{"schema": USER, "data": {}}]},
]


def checked(event: Event | None, *, against_central: bool = False) -> tuple[str, Any, list[Any]]:
    """Returns schema, data and entities of an event, which is valid as far as is known here."""
    assert event is not None
    schema, encoded, carried = event
    data, entities = loads(encoded), [loads(entity) for entity in carried]
    assert type(data) in (dict, list)
    if against_central or schema != APPLICATION_ERROR:
        assert event_problems(schema, data) == []
    for entity in entities:
        assert event_problems(entity["schema"], entity["data"]) == []
    wire = Wire()
    _ = wire.tracker.track(*event, 1_700_000_000_000)
    if against_central:
        assert wire.problems() == []
    assert unstruct_event(wire.event())["data"]["schema"] == schema
    return schema, data, entities


def error_of(made: logging.LogRecord, mapper: RecordMapper = MAPPER) -> dict[str, Any]:
    """Returns the data of the ``application_error`` that a record becomes."""
    schema, data, _ = checked(mapper.event(made), against_central=True)
    assert schema == APPLICATION_ERROR
    assert hasattr(data, "keys")
    error: dict[str, Any] = data
    return error


# Rule 1: a record with a schema


def test_a_record_with_a_schema_is_that_event() -> None:
    """A record that names a schema is that event, with its data and its entities."""
    made = record(
        "order placed",
        schema=ORDER,
        data={"order": 7},
        contexts=[SelfDescribingJson(USER, {"id": 1}), {"schema": USER, "data": {"id": 2}}],
    )

    assert checked(MAPPER.event(made)) == (
        ORDER,
        {"order": 7},
        [{"schema": USER, "data": {"id": 1}}, {"schema": USER, "data": {"id": 2}}],
    )


def test_extras_are_the_data() -> None:
    """Of a record with a schema and no data, the other extras are the data."""
    made = record(schema=ORDER, order=7, note="é", contexts=[])

    assert checked(MAPPER.event(made)) == (ORDER, {"order": 7, "note": "é"}, [])


def test_a_schema_alone() -> None:
    """A record with a schema and no extras is an event with empty data."""
    assert checked(MAPPER.event(record(schema=ORDER))) == (ORDER, {}, [])


def test_a_message_that_is_an_event() -> None:
    """A self-describing JSON as message is the event; entities may go with it."""
    made = record(
        SelfDescribingJson(ORDER, [1, 2]), contexts=[SelfDescribingJson(USER, {})], other=1
    )

    assert checked(MAPPER.event(made)) == (ORDER, [1, 2], [{"schema": USER, "data": {}}])


def test_an_event_with_an_exception() -> None:
    """A schema goes before an exception."""
    made = record(schema=ORDER, data={}, exc_info=exc_info(ValueError("no")))

    assert checked(MAPPER.event(made))[0] == ORDER


def test_a_schema_of_an_enum() -> None:
    """A schema may be a member of an enum of texts."""
    assert checked(MAPPER.event(record(schema=Schemas.ORDER)))[0] == ORDER
    assert checked(MAPPER.event(record(SelfDescribingJson(Schemas.ORDER, {}))))[0] == ORDER


@pytest.mark.parametrize(
    "extra",
    NO_EVENTS,
    ids=str,
)
def test_extras_that_are_no_event(extra: dict[str, Any]) -> None:
    """An extra ``schema`` that is no URI, or data and contexts without one, are ordinary extras."""
    schema, data, entities = checked(MAPPER.event(record(**extra)))

    assert (schema, entities) == (LOG_RECORD, [])
    assert loads(data["attributes"]) == extra


def test_data_at_the_limit_of_the_interpreter() -> None:
    """Where the stack is nearly full, the data of an event are an object, or refused."""
    made = record(schema=ORDER, data={"a": {"n": b"x", 1: [object]}, 2: 3})
    found: list[bytes] = []

    def map_at(depth: int) -> None:
        if depth:
            map_at(depth - 1)
            return
        event = MAPPER.event(made)
        assert event is not None
        found.append(event[1])

    outside = len(inspect.stack())
    for left in range(10, 150):
        with suppress(RecursionError, TypeError):
            map_at(sys.getrecursionlimit() - outside - left)
    assert found
    assert {data[:1] for data in found} == {b"{"}


@pytest.mark.parametrize("data", ["text", 5, 1.5, True, b"{}", '{"a": 1}', object(), float("nan")])
def test_data_that_is_no_object(data: object) -> None:
    """An event whose data is neither object nor array is a TypeError that names its type."""
    with pytest.raises(TypeError, match=f"not {type(data).__name__}"):
        _ = MAPPER.event(record(schema=ORDER, data=data))


@pytest.mark.parametrize(
    "contexts",
    [
        5,
        "no json",
        "[" * 100_000,
        "[5]",
        {"schema": USER, "data": {}},
        SelfDescribingJson(USER, {}),
        [5],
        [None],
        [{"schema": USER}],
        [{"schema": USER, "data": {}, "more": 1}],
        [{"schema": "user", "data": {}}],
        [{"schema": USER, "data": 5}],
        {SelfDescribingJson},
    ],
    ids=lambda contexts: f"{contexts!s:.40}",
)
def test_contexts_that_are_no_entities(contexts: object) -> None:
    """An event whose contexts are no entities is a TypeError or ValueError."""
    with pytest.raises((TypeError, ValueError)):
        _ = MAPPER.event(record(schema=ORDER, data={}, contexts=contexts))


@pytest.mark.parametrize("key", ["schema", "data", "contexts"])
@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_events(key: str, name: str) -> None:
    """A hostile value in an event's parts is a valid event, or a TypeError or ValueError."""
    made = record(**({"schema": ORDER, "data": {"a": 1}} | {key: hostile.values()[name]}))

    try:
        event = MAPPER.event(made)
    except (TypeError, ValueError):
        assert key != "schema"
    else:
        _ = checked(event)


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_member_hurts_no_other(name: str) -> None:
    """A hostile value within an event's data or entity hurts no other member."""
    value = {"hostile": hostile.values()[name], "sane": "é"}
    entity = {"schema": USER, "data": value}

    _, data, entities = checked(MAPPER.event(record(schema=ORDER, data=value, contexts=[entity])))

    assert data["sane"] == "é"
    assert entities[0]["data"]["sane"] == "é"


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_entity(name: str) -> None:
    """A hostile value among an event's entities is an error of the documented kind."""
    with pytest.raises((TypeError, ValueError)):
        _ = MAPPER.event(record(schema=ORDER, data={}, contexts=[hostile.values()[name]]))


# Rule 2: a record with an exception


@needs_iglu_central
def test_an_exception_is_an_application_error() -> None:
    """A record with an exception says what was raised where, and of what cause."""
    info = exc_info(RuntimeError("no stock"), KeyError("sku"))
    line = info[2].tb_next.tb_lineno if info[2] and info[2].tb_next else None
    error = error_of(
        record("cannot place %d", 7, levelno=40, exc_info=info, threadName="T", thread=5)
    )

    assert error["programmingLanguage"] == "PYTHON"
    assert error["message"] == "cannot place 7"
    assert error["exceptionName"] == "RuntimeError"
    assert error["fileName"].endswith("records.py")
    assert error["lineNumber"] == line
    assert (error["threadName"], error["threadId"]) == ("T", 5)
    assert error["isFatal"] is False
    assert error["stackTrace"].endswith("RuntimeError: no stock")
    assert error["causeStackTrace"].endswith("KeyError: 'sku'")
    assert error.get("className") == ("Shop" if sys.version_info >= (3, 11) else None)


@needs_iglu_central
@pytest.mark.parametrize(("level", "fatal"), [(40, False), (49, False), (50, True), (60, True)])
def test_critical_errors_are_fatal(level: int, fatal: bool) -> None:  # noqa: FBT001 - a parameter
    """From the level CRITICAL on, an error is fatal."""
    assert error_of(record(levelno=level, exc_info=exc_info(ValueError())))["isFatal"] is fatal


@needs_iglu_central
@pytest.mark.parametrize("thread", [2**31, 2**47 + 1, -1, None, "main", True])
def test_thread_ids_beyond_the_schema(thread: object) -> None:
    """A thread's id that the schema does not take is left out."""
    error = error_of(record(thread=thread, exc_info=exc_info(ValueError())))

    assert type(error.get("threadId", 0)) is int


@needs_iglu_central
def test_a_context_is_a_cause_unless_suppressed() -> None:
    """What was being handled is the cause, unless the code says that it is not."""
    implicit, explicit = ValueError("later"), ValueError("later")
    implicit.__context__ = KeyError("earlier")
    explicit.__context__ = KeyError("earlier")
    explicit.__suppress_context__ = True

    assert "earlier" in error_of(record(exc_info=exc_info(implicit)))["causeStackTrace"]
    assert "causeStackTrace" not in error_of(record(exc_info=exc_info(explicit)))


@needs_iglu_central
def test_a_falsy_cause_is_a_cause() -> None:
    """An exception that counts as false is a cause like any other."""
    exception = exceptions()["falsy chain"]

    assert "number 0" in error_of(record(exc_info=exc_info(exception)))["causeStackTrace"]


@needs_iglu_central
def test_a_trace_left_by_another_handler() -> None:
    """Where only the text of a traceback is left, the place is that of the logging call."""
    error = error_of(record(exc_info=None, exc_text="Traceback: gone"))

    assert error["stackTrace"] == "Traceback: gone"
    assert (error["fileName"], error["lineNumber"]) == ("/srv/shop/orders.py", 42)
    assert "exceptionName" not in error


@needs_iglu_central
@pytest.mark.parametrize("line", [-1, 2**31, None, "42", True, 1.5])
def test_wrong_lines(line: object) -> None:
    """A line that the schema does not take is left out."""
    _ = error_of(record(exc_info=None, exc_text="Traceback: gone", lineno=line))


@needs_iglu_central
@pytest.mark.parametrize("level", [None, "high", 10**400, float("nan"), object()], ids=type)
def test_wrong_levels(level: object) -> None:
    """A level that is no number makes no difference to the rest of an error."""
    assert (
        error_of(record(levelno=level, exc_info=exc_info(ValueError("no"))))["message"] == "hello"
    )


@needs_iglu_central
def test_long_texts_of_an_error_are_cut() -> None:
    """Each text of an error is within its bound, and traces keep their end."""
    info = exc_info(ValueError("😀" * 100_000), chained(500))
    error = error_of(record("😀" * 100_000, threadName="t" * 5_000, exc_info=info))

    assert error["message"].endswith(CUT_MARK)
    assert error["threadName"].endswith(CUT_MARK)
    assert error["stackTrace"].startswith(CUT_MARK)
    assert error["causeStackTrace"].startswith(CUT_MARK)
    assert error["stackTrace"].endswith("😀")


@needs_iglu_central
@pytest.mark.parametrize("name", EXCEPTIONS)
@pytest.mark.parametrize("raised", [True, False])
def test_hostile_exceptions(name: str, raised: bool) -> None:  # noqa: FBT001 - a parameter
    """Whatever an exception does, and whether or not it was raised, the error is valid."""
    exception = exceptions()[name]
    info = exc_info(exception) if raised else (type(exception), exception, None)

    assert error_of(record(exc_info=info))["message"] == "hello"


@needs_iglu_central
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
    """An exception amid nonsense is an error all the same."""
    assert "ValueError: no" in error_of(record(exc_info=info))["stackTrace"]


@pytest.mark.parametrize(
    "info", [None, (None, None, None), (ValueError, None, None), True, (), "text"], ids=str
)
def test_no_exception(info: object) -> None:
    """A record whose ``exc_info`` holds no exception is a plain record."""
    assert checked(MAPPER.event(record(exc_info=info)))[0] == LOG_RECORD


def test_exceptions_as_plain_records() -> None:
    """With ``exceptions="log_record"`` an exception is a plain record that tells of it."""
    mapper = RecordMapper(exceptions="log_record")

    schema, data, _ = checked(mapper.event(record(exc_info=exc_info(ValueError("no")))))

    assert (schema, data["exception_type"]) == (LOG_RECORD, "ValueError")


# Rule 3: plain records


def test_a_plain_record() -> None:
    """A record that names no schema and has no exception is a ``log_record``."""
    schema, data, entities = checked(MAPPER.event(record("%s", "a", order=7)))

    assert (schema, data["message"], entities) == (LOG_RECORD, "a", [])


def test_plain_records_under_a_schema_of_ones_own() -> None:
    """Plain records have the schema that the mapper is given."""
    assert checked(RecordMapper(schema=OWN).event(record()))[0] == OWN


def test_plain_records_that_are_not_wanted() -> None:
    """Without a schema for them, plain records are no events; others still are."""
    mapper = RecordMapper(schema=None)

    assert mapper.event(record()) is None
    assert checked(mapper.event(record(schema=ORDER)))[0] == ORDER
    assert checked(mapper.event(record(exc_info=ValueError())))[0] == APPLICATION_ERROR


@needs_iglu_central
@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_attributes(name: str) -> None:
    """Whatever stands in a record's attributes, it is a valid event with an unharmed extra."""
    for attribute in ATTRIBUTES:
        made = record(**{attribute: hostile.values()[name]}, order=7)

        _, data, _ = checked(MAPPER.event(made), against_central=True)

        assert loads(data.get("attributes", '{"order":7}'))["order"] == 7


@needs_iglu_central
@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_attributes_beside_an_exception(name: str) -> None:
    """Whatever stands beside an exception, the record is a valid error that tells of it."""
    for attribute in set(ATTRIBUTES) - {"exc_info", "exc_text"}:
        made = record(**{attribute: hostile.values()[name]}, exc_info=exc_info(ValueError("no")))

        assert error_of(made)["stackTrace"].endswith("ValueError: no")


@needs_iglu_central
@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_missing_attributes(attribute: str) -> None:
    """A record that lacks an attribute is a valid event, with an exception and without."""
    assert MAPPER.event(without(attribute)) is not None
    lacking = without(attribute, **({} if attribute == "exc_info" else {"exc_info": ValueError()}))
    _ = checked(MAPPER.event(lacking), against_central=True)


@needs_iglu_central
@given(
    st.dictionaries(
        st.sampled_from([*ATTRIBUTES, "order"]) | st.text(), hostile.anything, max_size=5
    ).filter(lambda members: not members.keys() & {"schema", "data", "contexts"}),
    st.sampled_from([*EXCEPTIONS, None]),
    st.booleans(),
)
def test_mapping_is_total(
    members: dict[str, Any],
    exception: str | None,
    entity: bool,  # noqa: FBT001 - an argument of a test
) -> None:
    """Whatever a record holds, it is a valid event."""
    made = record(exc_info=exceptions()[exception] if exception else None)
    vars(made).update({key: hostile.realised(value) for key, value in members.items()})

    _ = checked(RecordMapper(record_entity=entity).event(made), against_central=True)


@needs_iglu_central
@given(hostile.anything, hostile.anything, st.booleans())
def test_events_are_valid_or_refused(data: object, contexts: object, with_schema: bool) -> None:  # noqa: FBT001
    """Whatever an event's data and contexts, it is valid, or a TypeError or ValueError."""
    extra = {"schema": ORDER} if with_schema else {}
    made = record(**extra, data=hostile.realised(data), contexts=hostile.realised(contexts))

    try:
        event = MAPPER.event(made)
    except (TypeError, ValueError):
        assert with_schema
    else:
        _ = checked(event, against_central=True)


# Entities


def test_entities_of_every_event() -> None:
    """The mapper's entities go with every event, after the event's own."""
    mapper = RecordMapper(contexts=[SelfDescribingJson(USER, {"id": 1})])
    own = {"schema": USER, "data": {"id": 2}}

    assert checked(mapper.event(record()))[2] == [{"schema": USER, "data": {"id": 1}}]
    assert checked(mapper.event(record(exc_info=ValueError())))[2][0]["data"] == {"id": 1}
    assert [
        entity["data"]["id"]
        for entity in checked(mapper.event(record(schema=ORDER, contexts=[own])))[2]
    ] == [2, 1]


@pytest.mark.parametrize(
    "made",
    [
        record(schema=ORDER, data={}),
        record(SelfDescribingJson(ORDER, {})),
        record(exc_info=ValueError("no")),
    ],
    ids=["schema", "message", "exception"],
)
def test_the_record_as_an_entity(made: logging.LogRecord) -> None:
    """With ``record_entity`` the log record goes with events of other schemas."""
    _, _, entities = checked(RecordMapper(record_entity=True, schema=OWN).event(made))

    assert [entity["schema"] for entity in entities] == [OWN]
    assert entities[0]["data"]["logger"] == "shop.orders"


def test_a_plain_record_is_no_entity_of_itself() -> None:
    """A plain record does not carry itself."""
    assert checked(RecordMapper(record_entity=True).event(record()))[2] == []


def test_the_record_as_an_entity_where_plain_records_are_not_sent() -> None:
    """Without a schema for plain records, the entity has the package's own."""
    _, _, entities = checked(
        RecordMapper(record_entity=True, schema=None).event(record(schema=ORDER))
    )

    assert entities[0]["schema"] == LOG_RECORD


def test_mutation_after_the_call_does_not_show() -> None:
    """An event is what its objects were at the moment of the call."""
    data, shared = {"items": [1]}, {"id": 1}
    mapper = RecordMapper(contexts=[SelfDescribingJson(USER, shared)])
    event = mapper.event(record(schema=ORDER, data=data))

    data["items"].append(2)
    shared["id"] = 2

    assert checked(event) == (ORDER, {"items": [1]}, [{"schema": USER, "data": {"id": 1}}])


# Formatters


def test_a_text_formatter_makes_the_message() -> None:
    """A plain text formatter makes the message, of plain records and of errors."""
    plain = MAPPER.event(record("%s", "a"), TEXT_FORMATTER)
    error = MAPPER.event(record("%s", "a", exc_info=exc_info(ValueError())), TEXT_FORMATTER)

    assert checked(plain)[1]["message"] == "INFO|a"
    assert checked(error)[1]["message"] == "INFO|a"


def test_formatting_leaves_the_record_as_it_was() -> None:
    """What a formatter makes for us does not show in the record, which other handlers get, too."""
    made = record("%s", "a", exc_info=exc_info(ValueError("no")))
    before = dict(vars(made))

    _ = MAPPER.event(made, TEXT_FORMATTER)

    assert vars(made) == before


@pytest.mark.parametrize("name", hostile.NAMES)
@pytest.mark.parametrize("info", [None, ValueError("no")])
def test_a_formatter_that_returns_no_text(name: str, info: object) -> None:
    """Whatever a formatter returns, the record is a valid event."""
    formatter = hostile.made(logging.Formatter, format=hostile.returning(hostile.values()[name]))()

    _, data, _ = checked(MAPPER.event(record(exc_info=info), formatter))

    assert isinstance(data["message"], str)


def test_a_formatter_that_raises() -> None:
    """Where a formatter raises, the record's own message is there."""
    formatter: logging.Formatter = hostile.made(logging.Formatter, format=hostile.raising)()

    assert checked(MAPPER.event(record("%s", "a"), formatter))[1]["message"] == "a"


def test_wrong_arguments_under_a_formatter() -> None:
    """Where arguments do not fit, the message with its marker is there, whatever the formatter."""
    _, data, _ = checked(MAPPER.event(record("%d", "a"), TEXT_FORMATTER))

    assert "<unformattable" in data["message"]


def test_a_json_formatter_makes_the_data() -> None:
    """A formatter of python-json-logger makes the whole data of plain records."""
    formatter = JsonFormatter("%(message)s %(levelname)s", rename_fields={"levelname": "level"})

    schema, data, _ = checked(RecordMapper(schema=OWN).event(record("a", order=7), formatter))

    assert (schema, data) == (OWN, {"message": "a", "level": "INFO", "order": 7})


def test_a_json_formatter_leaves_other_events_alone() -> None:
    """A formatter of python-json-logger touches neither errors nor events with a schema."""
    formatter = JsonFormatter("%(levelname)s")
    mapper = RecordMapper(schema=OWN)

    error = mapper.event(record("%s", "a", exc_info=ValueError()), formatter)

    assert checked(error)[1]["message"] == "a"
    assert checked(mapper.event(record(schema=ORDER), formatter))[1] == {}


def test_a_json_formatter_that_writes_nan() -> None:
    """What a user's encoder writes becomes JSON proper."""
    formatter = JsonFormatter("%(message)s")

    _, data, _ = checked(RecordMapper(schema=OWN).event(record(ratio=float("nan")), formatter))

    assert data["ratio"] is None


@pytest.mark.parametrize("written", ['"text"', "5", "", "no json", "null"])
def test_a_json_formatter_that_writes_no_object(written: str) -> None:
    """A formatter that makes data which is no object is a TypeError or ValueError."""
    formatter: logging.Formatter = JsonFormatter(json_serializer=hostile.returning(written))

    with pytest.raises((TypeError, ValueError)):
        _ = RecordMapper(schema=OWN).event(record(), formatter)


def test_our_own_formatter() -> None:
    """Our own formatter, or one made of it, makes the data of a ``log_record``."""

    class Shouting(LogRecordFormatter):
        def fields(self, record: logging.LogRecord, message: str | None = None) -> dict[str, Any]:
            data = super().fields(record, message)
            return data | {"message": data["message"].upper()}

    assert checked(MAPPER.event(record("a"), LogRecordFormatter()))[1]["message"] == "a"
    assert checked(MAPPER.event(record("a"), Shouting()))[1]["message"] == "A"


# Bounds of the whole


@needs_iglu_central
@pytest.mark.parametrize(
    "extra",
    [
        {"schema": ORDER, "data": {f"key{n}": "value" for n in range(100_000)}},
        {"schema": ORDER, "data": {"text": "\0" * 1_000_000}},
        {"schema": ORDER, "data": {"text": '"\\' * 1_000_000, "sane": 1}},
        {
            "schema": ORDER,
            "data": {"n": 1},
            "contexts": [{"schema": USER, "data": {"a": "é" * 10**6}}],
        },
        {"schema": ORDER, "data": hostile.deep(10_000)},
        {"order": {f"key{n}": "value" for n in range(100_000)}},
        {"stack_info": "\0" * 1_000_000, "exc_text": "\0" * 1_000_000, "order": "\0" * 10**6},
    ],
    ids=["keys", "control", "quotes", "entity", "deep", "extras", "everything"],
)
@pytest.mark.parametrize("as_base64", [True, False])
def test_huge_events_are_cut_to_fit(extra: dict[str, Any], as_base64: bool) -> None:  # noqa: FBT001
    """A record too large for any collector is cut to what every one takes, with a marker."""
    event = RecordMapper(record_entity=True).event(record("\0" * 1_000_000, **extra))
    assert event is not None
    wire = Wire(base64=as_base64)

    _ = wire.tracker.track(*event, 1_700_000_000_000)

    assert wire.emitter.stats().dropped == 0
    assert wire.problems() == []
    sent = unstruct_event(wire.event())
    assert sent["data"]["schema"] == event[0]
    assert CUT_MARK in json.dumps([sent, contexts(wire.event())], ensure_ascii=False)
