"""Where log formats keep what a record says: tables, and how to tell which one a line has.

The law: a field is only taken for something where its name leaves no doubt. What is not in the
table stays an attribute, so nothing is lost but its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging.formatter import RECORD_ATTRIBUTES
from snowplow_logging.ship.traces import HEAD

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TARGETS = (
    "time", "message", "level", "level_number", "logger", "file", "line", "function",
    "process_id", "process_name", "thread_id", "thread_name", "task_name", "exception_type",
    "exception_message", "stack_trace", "stack_info", "trace_id", "span_id", "schema", "data",
    "contexts",
)  # fmt: skip
"""What fields can be mapped to: the fields of ``log_record``, the time, and those of events."""


class Format(NamedTuple):
    """One way of writing records as JSON.

    Args:
        fields: Where each target may be, best first; dots lead into objects.
        python: Whether numbers of levels are Python's.
        dropped: Names that say nothing more, as the handler does not send them either.
    """

    fields: Mapping[str, tuple[str, ...]]
    python: bool = True
    dropped: Collection[str] = ()

    @property
    def roots(self) -> set[str]:
        """The objects in which fields are."""
        names = {name for names in self.fields.values() for name in names} | {*self.dropped}
        return {name.partition(".")[0] for name in names if "." in name}


_EVENT = {"schema": ("schema",), "data": ("data",), "contexts": ("contexts",)}
_TIME = ("timestamp", "time", "@timestamp", "ts", "asctime", "datetime")
_TRACE = {"trace_id": ("trace_id",), "span_id": ("span_id",)}
_LEVEL = ("levelname", "level", "severity", "log.level", "lvl")
FORMATS: dict[str, Format] = {
    "loguru": Format({
        **_EVENT, **_TRACE,
        "time": ("time.timestamp", "time.repr"), "message": ("message",),
        "level": ("level.name",), "level_number": ("level.no",), "logger": ("name",),
        "file": ("file.path",), "line": ("line",), "function": ("function",),
        "process_id": ("process.id",), "process_name": ("process.name",),
        "thread_id": ("thread.id",), "thread_name": ("thread.name",),
        "exception_type": ("exception.type",), "exception_message": ("exception.value",),
        "stack_trace": ("text",),
    }, dropped=(
        "module", "exception", "exception.traceback", "elapsed.repr", "elapsed.seconds",
        "file.name", "level.icon", "time.repr",
    )),
    "ecs": Format({
        **_EVENT, "trace_id": ("trace.id",), "span_id": ("span.id",),
        "time": ("@timestamp",), "message": ("message", "log.original"), "level": ("log.level",),
        "logger": ("log.logger",), "file": ("log.origin.file.name",),
        "line": ("log.origin.file.line",), "function": ("log.origin.function",),
        "process_id": ("process.pid",), "process_name": ("process.name",),
        "thread_id": ("process.thread.id",), "thread_name": ("process.thread.name",),
        "exception_type": ("error.type",), "exception_message": ("error.message",),
        "stack_trace": ("error.stack_trace",),
    }, dropped=("ecs.version", "log.original")),
    "bunyan": Format({
        **_EVENT, **_TRACE,
        "time": ("time",), "message": ("msg",), "level": ("level",), "logger": ("name",),
        "file": ("src.file",), "line": ("src.line",), "function": ("src.func",),
        "process_id": ("pid",), "exception_type": ("err.name", "err.type"),
        "exception_message": ("err.message",), "stack_trace": ("err.stack",),
    }, python=False, dropped=("v",)),
    "structlog": Format({
        **_EVENT, **_TRACE,
        "time": _TIME, "message": ("event",), "level": _LEVEL, "level_number": ("level_number",),
        "logger": ("logger", "logger_name"), "file": ("pathname", "filename"),
        "line": ("lineno",), "function": ("func_name",), "process_id": ("process",),
        "process_name": ("process_name",), "thread_id": ("thread",),
        "thread_name": ("thread_name",), "task_name": ("task_name",), "stack_info": ("stack",),
        "stack_trace": ("exception",),
    }),
    "python-json-logger": Format({
        **_EVENT, **_TRACE,
        "time": ("timestamp", "asctime", "created", *_TIME), "message": ("message", "msg"),
        "level": _LEVEL, "level_number": ("levelno",), "logger": ("name", "logger"),
        "file": ("pathname", "filename"), "line": ("lineno",), "function": ("funcName",),
        "process_id": ("process",), "process_name": ("processName",), "thread_id": ("thread",),
        "thread_name": ("threadName",), "task_name": ("taskName",),
        "stack_info": ("stack_info",), "stack_trace": ("exc_info", "exc_text"),
    }, dropped=RECORD_ATTRIBUTES),
    "json": Format({
        **_EVENT, **_TRACE,
        "time": _TIME, "message": ("message", "msg"), "level": _LEVEL,
        "level_number": ("level_number",), "logger": ("logger", "logger_name"),
        "process_id": ("pid", "process_id"),
        "exception_type": ("exception_type", "error.type", "err.type", "err.name"),
        "exception_message": ("exception_message", "error.message", "err.message"),
        "stack_trace": (
            "exc_info", "exception", "stack_trace", "stacktrace", "traceback",
            "error.stack_trace", "error.stack", "err.stack",
        ),
    }, python=False),
}  # fmt: skip
"""Each format by its name; ``json`` is any other, of which little is sure."""

FORMATS["pino"] = FORMATS["bunyan"]

_LOGURU = frozenset({"text", "record"})
_VALUES = re.compile(r"^ *[│└].*\n?", re.MULTILINE)
_DEEPEST = 8  # levels of objects in which fields are looked for

_OF_LOGGING = frozenset(
    {"levelname", "levelno", "funcName", "pathname", "processName", "threadName", "taskName",
     "asctime", "relativeCreated"}
)  # fmt: skip


def detected(keys: Collection[str]) -> str:
    """Returns the name of the format of a line that has these members."""
    if frozenset(keys) == _LOGURU:
        return "loguru"
    if "@timestamp" in keys and not {"log.level", "log", "ecs.version", "ecs"}.isdisjoint(keys):
        return "ecs"
    if {"level", "time", "pid", "hostname"} <= {*keys}:
        return "bunyan"
    if "event" in keys and {"message", "msg", "levelname"}.isdisjoint(keys):
        return "structlog"
    return "json" if _OF_LOGGING.isdisjoint(keys) else "python-json-logger"


def with_mapping(format_: Format, mapping: Mapping[str, str]) -> Format:
    """Returns the format with fields that are somewhere else: target → name in the line."""
    fields = {target: (name, *format_.fields.get(target, ())) for target, name in mapping.items()}
    return format_._replace(
        fields={**format_.fields, **fields},
        dropped={*format_.dropped} - {*mapping.values()},
    )


def unwrapped(line: dict[str, Any]) -> dict[str, Any]:
    """Returns the record of a line of loguru's, with its extras and its traceback as members."""
    if type(line.get("record")) is not dict:
        return line
    record: dict[str, Any] = {**line["record"]}
    extra: Any = record.pop("extra", None)
    if type(extra) is dict:
        record = {**extra, **record}
    text: Any = line.get("text")
    if record.get("exception") and type(text) is str and HEAD in text:
        # It stands behind the message, as the sink has formatted it; between its lines may be the
        # values of variables, which may be secret.
        record["text"] = _VALUES.sub("", text[text.index(HEAD) :]).rstrip()
    return record


def flattened(line: dict[str, Any], roots: Collection[str]) -> dict[str, Any]:
    """Returns a line in which the members of the objects ``roots`` have dotted names."""
    flat: dict[str, Any] = {}
    for key, value in line.items():
        if key in roots and type(value) is dict:
            _flatten(cast("dict[str, Any]", value), f"{key}.", flat, _DEEPEST)
        else:
            flat[key] = value
    return flat


def _flatten(value: dict[str, Any], prefix: str, into: dict[str, Any], depth: int) -> None:
    for key, item in value.items():
        if type(item) is dict and item and depth:
            _flatten(cast("dict[str, Any]", item), f"{prefix}{key}.", into, depth - 1)
        else:
            _ = into.setdefault(prefix + key, item)
