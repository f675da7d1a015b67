"""Tests of what lines become; that it is what the handler makes is in test_same_events.py."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowplow_logging._options import LOG_RECORD
from snowplow_logging.redaction import Redactor
from snowplow_logging.ship import command
from snowplow_logging.ship.formats import FORMATS, TARGETS
from snowplow_logging.ship.lines import MalformedError
from snowplow_logging.ship.mapping import LineMapper
from snowplow_logging.ship.traces import HEAD
from tests.iglu_central import needs_iglu_central, problems, schema
from tests.ship.test_times import MS

TIME = "2024-05-01T12:34:56.123Z"
ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"
STACK = "TypeError: x is no function\n    at place (/srv/shop.js:10:5)"
FRAME = '  File "a.py", line 3, in f'
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

EXAMPLES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "bunyan": (
        "bunyan",
        {
            "name": "shop", "hostname": "h", "pid": 7, "level": 40, "msg": "low", "time": TIME,
            "v": 0, "src": {"file": "/srv/shop.js", "line": 9, "func": "place"}, "sku": "s-3",
        },
        {
            "message": "low", "level": "WARNING", "level_number": 30, "logger": "shop",
            "process_id": 7, "file": "/srv/shop.js", "line": 9, "function": "place",
            "attributes": {"hostname": "h", "sku": "s-3"},
        },
    ),
    "pino": (
        "bunyan",
        {"level": 30, "time": MS, "pid": 7, "hostname": "h", "msg": "placed"},
        {
            "message": "placed", "level": "INFO", "level_number": 20, "process_id": 7,
            "attributes": {"hostname": "h"},
        },
    ),
    "pino without its base": (
        "json",
        {"level": 60, "time": MS, "msg": "down"},
        {"message": "down", "level": "CRITICAL", "level_number": 50},
    ),
    "ecs with dots": (
        "ecs",
        {
            "@timestamp": TIME, "log.level": "warn", "message": "low", "ecs.version": "1.6.0",
            "log.logger": "shop", "process.thread.name": "main", "trace.id": TRACE_ID,
            "span.id": SPAN_ID, "service.name": "shop",
        },
        {
            "message": "low", "level": "WARNING", "level_number": 30, "logger": "shop",
            "thread_name": "main", "trace_id": TRACE_ID, "span_id": SPAN_ID,
            "attributes": {"service.name": "shop"},
        },
    ),
    "ecs with objects": (
        "ecs",
        {
            "@timestamp": TIME, "message": "low", "ecs": {"version": "1.6.0"},
            "log": {
                "level": "info", "logger": "shop", "original": "low", "syslog": {"priority": 3},
                "origin": {"file": {"line": 9, "name": "shop.py"}, "function": "place"},
            },
            "process": {"pid": 7, "name": "M", "thread": {"id": 140_336_460_581_760, "name": "T"}},
            "labels": {"sku": "s-3"},
        },
        {
            "message": "low", "level": "INFO", "level_number": 20, "logger": "shop", "line": 9,
            "file": "shop.py", "function": "place", "process_id": 7, "process_name": "M",
            "thread_id": 140_336_460_581_760, "thread_name": "T",
            "attributes": {"log.syslog.priority": 3, "labels": {"sku": "s-3"}},
        },
    ),
    "zap": (
        "json",
        {
            "level": "error", "ts": MS / 1000, "logger": "shop", "caller": "shop/a.go:9",
            "msg": "failed",
        },
        {
            "message": "failed", "level": "ERROR", "level_number": 40, "logger": "shop",
            "attributes": {"caller": "shop/a.go:9"},
        },
    ),
    "google cloud": (
        "json",
        {"severity": "NOTICE", "message": "hi", "timestamp": TIME, "httpRequest": {"status": 200}},
        {
            "message": "hi", "level": "NOTICE", "level_number": 25,
            "attributes": {"httpRequest": {"status": 200}},
        },
    ),
    "structlog": (
        "structlog",
        {"event": "placed", "level": "warn", "timestamp": TIME, "order_id": "o-17"},
        {
            "message": "placed", "level": "WARNING", "level_number": 30,
            "attributes": {"order_id": "o-17"},
        },
    ),
    "of this package's own formatter": (
        "json",
        {"message": "hi", "level": "AUDIT", "level_number": 35, "logger": "shop", "time": TIME},
        {"message": "hi", "level": "AUDIT", "level_number": 35, "logger": "shop"},
    ),
    "fields that are something else": (
        "json",
        {
            "message": "saved", "time": TIME, "name": "Bob", "file": "a.pdf", "line": 3,
            "process": "w-1", "level": {"a": 1}, "trace_id": "?", "user": {"name": "Bob"},
            "error": "none",
        },
        {
            "message": "saved",
            "attributes": {
                "name": "Bob", "file": "a.pdf", "line": 3, "process": "w-1", "level": {"a": 1},
                "trace_id": "?", "user": {"name": "Bob"}, "error": "none",
            },
        },
    ),
    "values that are something else": (
        "python-json-logger",
        {"levelname": "INFO", "message": ["a", 1], "asctime": TIME, "lineno": "9", "process": -1},
        {"message": '["a",1]', "level": "INFO", "level_number": 20, "line": 9},
    ),
    "a message that is an object": (
        "json",
        {"message": {"event": "low", "left": 2}, "time": TIME, "left": 1},
        {"message": "low", "attributes": {"left": 1, "event": "low", "msg.left": 2}},
    ),
    "no message": (
        "json",
        {"time": TIME, "sku": "s-3"},
        {"message": '{"sku":"s-3"}', "attributes": {"sku": "s-3"}},
    ),
    "nothing but a time": ("json", {"time": TIME}, {"message": ""}),
}  # fmt: skip


def mapped(line: dict[str, Any], **options: Any) -> tuple[str, Any, list[Any]]:
    """Returns schema, data and entities of what a line becomes, with attributes as such."""
    event = LineMapper(**options).mapped(line).event
    assert event is not None
    schema, encoded, entities = event
    data: Any = json.loads(encoded)
    if schema == LOG_RECORD and "attributes" in data:
        assert problems(schema, data) == []
        data["attributes"] = json.loads(data["attributes"])
    return schema, data, [json.loads(entity) for entity in entities]


@pytest.mark.parametrize("name", EXAMPLES)
def test_formats(name: str) -> None:
    """Each format is recognised, and its fields are found; the others are attributes."""
    format_, line, expected = EXAMPLES[name]
    mapper = LineMapper()
    assert mapper.format_of(line) == format_
    found = mapper.mapped(line)
    assert found.created_ms == MS
    assert found.severity == expected.get("level_number", 0)
    assert mapped(line) == (LOG_RECORD, expected, [])


@needs_iglu_central
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            {"level": 50, "time": MS, "pid": 7, "hostname": "h", "msg": "failed",
             "err": {"type": "TypeError", "message": "x is no function", "stack": STACK}},
            {"programmingLanguage": "JAVASCRIPT", "exceptionName": "TypeError",
             "fileName": "/srv/shop.js", "lineNumber": 10, "stackTrace": STACK, "isFatal": False},
        ),
        (
            {"@timestamp": TIME, "log.level": "fatal", "message": "failed",
             "error": {"type": "acme.Bad", "message": "m", "stack_trace": FRAME}},
            {"programmingLanguage": "PYTHON", "exceptionName": "acme.Bad", "fileName": "a.py",
             "lineNumber": 3, "stackTrace": FRAME, "isFatal": True},
        ),
        (
            {"message": "failed", "time": TIME, "exception_type": "acme.Bad"},
            {"programmingLanguage": "PYTHON", "exceptionName": "acme.Bad", "isFatal": False},
        ),
        (
            {"event": "failed", "timestamp": TIME, "exception": f"{HEAD}\nacme.Bad: m", "thread": 5,
             "thread_name": "T", "pathname": "a.py", "lineno": 3},
            {"programmingLanguage": "PYTHON", "exceptionName": "acme.Bad", "fileName": "a.py",
             "lineNumber": 3, "stackTrace": f"{HEAD}\nacme.Bad: m", "isFatal": False,
             "threadId": 5, "threadName": "T"},
        ),
    ],
)  # fmt: skip
def test_exceptions(line: dict[str, Any], expected: dict[str, Any]) -> None:
    """A line with an exception is an application_error, or a log_record if that is wanted."""
    uri, data, _ = mapped(line)
    assert data == {"message": "failed", **expected}
    assert problems(uri, data) == []
    uri, data, _ = mapped(line, exceptions="log_record")
    assert (uri, data["exception_type"]) == (LOG_RECORD, expected["exceptionName"])


@pytest.mark.parametrize("key", ["exc_info", "exception", "err", "error"])
@pytest.mark.parametrize("value", [None, True, "", [], {}])
def test_no_exception(key: str, value: Any) -> None:
    """What says that there was none makes no error."""
    assert mapped({"message": "m", key: value})[0] == LOG_RECORD


def test_events() -> None:
    """A line with a schema is that event, also one whose message is its text."""
    data, customer = {"order_id": "o-17"}, {"schema": ORDER, "data": {"customer_id": "u-1"}}
    line: dict[str, Any] = {"message": "m", "schema": ORDER, "data": data, "contexts": [customer]}
    assert mapped(line) == (ORDER, data, [customer])
    assert mapped({"message": "m", "schema": ORDER, **data}) == (ORDER, data, [])
    text = json.dumps({"schema": ORDER, "data": data}, separators=(",", ":"))
    assert mapped({"message": text}) == (ORDER, data, [])
    assert mapped({"message": text[:-1]})[0] == LOG_RECORD


@pytest.mark.parametrize(
    "line",
    [
        {"schema": ORDER, "data": "text"},
        {"schema": ORDER, "data": {}, "contexts": "text"},
        {"schema": ORDER, "data": {}, "contexts": [{"schema": "x"}]},
        {"schema": ORDER, "data": {}, "contexts": [3]},
    ],
)
def test_wrong_events(line: dict[str, Any]) -> None:
    """An event whose data or contexts are none is refused, as the handler refuses it."""
    with pytest.raises(MalformedError, match="names a schema, but"):
        _ = LineMapper().mapped(line)


def test_options() -> None:
    """They mean what they mean to the handler."""
    assert LineMapper(schema=None).mapped({"message": "m"}).event is None
    assert mapped({"schema": ORDER, "a": 1}, schema=None)[0] == ORDER
    _, data, entities = mapped({"schema": ORDER, "a": 1, "level": "info"}, record_entity=True)
    assert data == {"a": 1}
    assert [entity["schema"] for entity in entities] == [LOG_RECORD]
    secret = {"message": "password=hunter2", "api_key": "abc"}
    assert "hunter2" in str(mapped(secret))
    assert "hunter2" not in str(mapped(secret, redactor=Redactor()))
    assert "abc" not in str(mapped(secret, redactor=Redactor()))


def test_mapping() -> None:
    """Fields may be anywhere, also within objects; what is mapped is no attribute."""
    line = {"text": "m", "meta": {"sev": "warn", "host": "h"}, "at": TIME, "trace": TRACE_ID}
    mapping = {"message": "text", "level": "meta.sev", "time": "at", "trace_id": "trace"}
    mapper = LineMapper(mapping=mapping)
    assert mapper.mapped(line).created_ms == MS
    _, data, _ = mapped(line, mapping=mapping)
    assert data == {
        "message": "m", "level": "WARNING", "level_number": 30, "trace_id": TRACE_ID,
        "attributes": {"meta.host": "h"},
    }  # fmt: skip
    event = {"of": ORDER, "with": {"a": 1}}
    assert mapped(event, mapping={"schema": "of", "data": "with"}) == (ORDER, {"a": 1}, [])


def test_a_format_that_is_named() -> None:
    """It is taken for all lines, whatever they look like."""
    line = {"level": 30, "name": "shop", "message": "m"}
    assert mapped(line, format_="python-json-logger")[1]["level_number"] == 30
    assert mapped(line, format_="bunyan")[1]["level_number"] == 20


@needs_iglu_central
def test_bounds() -> None:
    """Whatever a line holds, its event is within the bounds of the schema."""
    long = "x" * 200_000
    line: dict[str, Any] = {
        "levelname": long, "name": long, "pathname": long, "message": long, "funcName": long,
        "exc_info": long, "stack_info": long, "a": long, "thread": 2**70, "lineno": 2**40,
    }  # fmt: skip
    for exceptions in ("application_error", "log_record"):
        uri, data, _ = mapped(line, exceptions=exceptions)
        data = {**data, "attributes": "{}"} if "attributes" in data else data
        assert problems(uri, data) == []


names = st.sampled_from(
    [name for format_ in FORMATS.values() for keys in format_.fields.values() for name in keys]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@needs_iglu_central
@settings(deadline=None)  # machines may be busy
@given(
    st.dictionaries(names | st.text(max_size=5), values, max_size=8),
    st.sampled_from([None, *FORMATS]),
)
def test_any_line(line: dict[str, Any], format_: str | None) -> None:
    """Any line becomes a valid event, in any format; or is refused, if it names a schema."""
    for exceptions in ("application_error", "log_record"):
        mapper = LineMapper(format_=format_, exceptions=exceptions, redactor=Redactor())
        event = mapper.mapped(line).event
        assert event is not None
        schema, encoded, _ = event
        assert problems(schema, json.loads(encoded)) == []


def test_what_is_documented() -> None:
    """The help names the formats that there are; fields are those of the schema, and some more."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    said = re.search(r"--format NAME\s+(.*?);", " ".join(parser.format_help().split()))
    assert said
    named = said[1].removesuffix(" for any other").replace(", or ", ", ").split(", ")
    assert {*named} == {*FORMATS}
    fields = {*schema(LOG_RECORD)["properties"]} - {"attributes"}
    assert {*TARGETS} == fields | {"time", "schema", "data", "contexts"}
