"""The data of a ``log_record/1-0-0`` event: a python-json-logger formatter with fixed fields.

The law: ``fields`` never raises for anything a record may hold, and every value that it
returns is within the bounds that the schema states.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, cast

from pythonjsonlogger.core import RESERVED_ATTRS, BaseJsonFormatter

from snowplow_logging._json import encode, encode_within
from snowplow_logging._text import clean, cut, cut_head, text, unprintable

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]

MAX_MESSAGE = 8_192
MAX_EXCEPTION_MESSAGE = 4_096
MAX_STACK_TRACE = 16_384
MAX_STACK_INFO = 8_192
MAX_ATTRIBUTES = 16_384
MAX_NAME = 255
MAX_FILE = 1_024
MAX_INT = 2**31 - 1
MAX_THREAD_ID = 2**63 - 1

# What this Python's records have themselves is no extra, whichever Python it is.
RECORD_ATTRIBUTES = frozenset(RESERVED_ATTRS) | frozenset(vars(logging.makeLogRecord({})))
EVENT_EXTRAS = frozenset({"schema", "data", "contexts"})


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """Returns what the logging call gave as ``extra``."""
    values = vars(record)
    return {key: values[key] for key in values if key not in RECORD_ATTRIBUTES}


def exception_of(record: logging.LogRecord) -> ExceptionInfo | None:
    """Returns the record's exception, if it really has one."""
    info = record.exc_info
    if isinstance(info, BaseException):
        return type(info), info, info.__traceback__
    if isinstance(info, tuple) and len(info) == 3 and isinstance(info[1], BaseException):  # noqa: PLR2004
        return cast("ExceptionInfo", info)
    return None


def message_of(record: logging.LogRecord) -> str:
    """Returns the message; where its arguments do not fit, the message, a marker and them."""
    message: object = record.msg
    if isinstance(message, Mapping):
        return structured_message(cast("Mapping[object, object]", message))
    try:
        return text(record.getMessage())
    except Exception as error:  # noqa: BLE001 - arguments may raise anything
        reason = f"{type(error).__name__}: {text(error)}"
        return f"{text(record.msg)} <unformattable: {reason}> {_arguments(record)}"


def structured_message(message: Mapping[object, object]) -> str:
    """Returns the text of a message that is a mapping: what it calls its event, else all of it."""
    for key in ("event", "message", "msg"):
        named = message.get(key)
        if isinstance(named, str):
            return named
    return encode(message).decode()


def exception_name(kind: type[BaseException]) -> str:
    """Returns the dotted name of an exception's class; builtins without their module."""
    module = getattr(kind, "__module__", None)
    name = text(getattr(kind, "__qualname__", "?"))
    return name if module in (None, "builtins") else f"{text(module)}.{name}"


def _arguments(record: logging.LogRecord) -> str:
    return encode(record.args).decode()


def _name(value: object, limit: int = MAX_NAME) -> str | None:
    return None if value is None else cut(clean(text(value)), limit)


def _integer(value: object, maximum: int = MAX_INT, minimum: int = 0) -> int | None:
    return int(value) if isinstance(value, int) and minimum <= value <= maximum else None


class LogRecordFormatter(BaseJsonFormatter):
    """Formats a record as the data of our ``log_record`` schema; extras become ``attributes``."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the data as JSON text."""
        return encode(self.fields(record)).decode()

    def fields(self, record: logging.LogRecord, message: str | None = None) -> dict[str, Any]:
        """Returns the data; what the record does not have is left out.

        Args:
            record: The record.
            message: The message, where another formatter has made it.
        """
        data = {
            "message": cut(clean(message_of(record) if message is None else message), MAX_MESSAGE),
            "level": _name(record.levelname),
            "level_number": _integer(record.levelno, minimum=-MAX_INT),
            "logger": _name(record.name),
            "file": _name(record.pathname, MAX_FILE),
            "line": _integer(record.lineno),
            "function": _name(record.funcName),
            "process_id": _integer(record.process),
            "process_name": _name(record.processName),
            "thread_id": _integer(record.thread, MAX_THREAD_ID),
            "thread_name": _name(record.threadName),
            "task_name": _name(getattr(record, "taskName", None)),
            "attributes": self._attributes(record),
        }
        if record.exc_info or record.exc_text:
            data |= self._exception(record)
        if record.stack_info:
            data["stack_info"] = cut_head(clean(text(record.stack_info)), MAX_STACK_INFO)
        return {key: value for key, value in data.items() if value is not None}

    def stack_trace(self, record: logging.LogRecord) -> str | None:
        """Returns the traceback with its causes, or the text that another handler left of it."""
        if record.exc_text:
            return clean(text(record.exc_text))
        info = exception_of(record)
        if info is None:
            return None
        try:
            return clean(text(logging.Formatter.formatException(self, info)))
        except Exception as error:  # noqa: BLE001 - an exception's own methods may raise anything
            return unprintable(info[1], error)

    def _exception(self, record: logging.LogRecord) -> dict[str, str | None]:
        info = exception_of(record)
        trace = self.stack_trace(record)
        return {
            "exception_type": _name(exception_name(info[0])) if info else None,
            "exception_message": _name(info[1], MAX_EXCEPTION_MESSAGE) if info else None,
            "stack_trace": cut_head(trace, MAX_STACK_TRACE) if trace else None,
        }

    def _attributes(self, record: logging.LogRecord) -> str | None:
        message: object = record.msg
        values = extras(record)
        if isinstance(message, Mapping):
            values = {**cast("Mapping[Any, Any]", message), **values}
        if not values:
            return None
        encoded = encode_within(values, MAX_ATTRIBUTES)
        return encoded.decode() if encoded is not None else None
