"""The data of a ``log_record/1-0-0`` event: a python-json-logger formatter with fixed fields.

The law: ``fields`` never raises for anything a record may hold, and every value that it
returns is within the bounds that the schema states.
"""

from __future__ import annotations

import builtins
import json
import logging
import traceback
from collections.abc import Mapping
from itertools import islice
from operator import itemgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pythonjsonlogger.core import RESERVED_ATTRS, BaseJsonFormatter

from snowplow_logging._json import elements, encode, encode_own, encode_within
from snowplow_logging._text import (
    CUT_MARK,
    bounded,
    bounded_end,
    is_a,
    text,
    unprintable,
)
from snowplow_logging.scope import current_trace
from snowplow_logging.self_describing_json import is_schema_uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging.redaction import Redactor

_T = TypeVar("_T")
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]

MAX_MESSAGE = 8_192
MAX_EXCEPTION_MESSAGE = 4_096
MAX_STACK_TRACE = 16_384
MAX_STACK_INFO = 8_192
MAX_ATTRIBUTES = 16_384
MAX_NAME = 255
MAX_EXCEPTIONS = 250  # causes, contexts and sub-exceptions that are worth their time
MAX_FRAMES = 100  # of the traceback of one that has more
MAX_FILE = 1_024
MAX_INT = 2**31 - 1
SITES = 1_000  # places that log, and threads that do, of which the fields are remembered
MAX_THREAD_ID = 2**63 - 1

# What this Python's records have themselves is no extra, whichever Python it is. The probe is not
# of the application's factory: what that adds is the application's own.
_PROBE = logging.LogRecord("", 0, "", 0, "", None, None)
_ATTRIBUTES, _LAST_ATTRIBUTE = len(vars(_PROBE)), next(reversed(vars(_PROBE)))
RECORD_ATTRIBUTES = frozenset(RESERVED_ATTRS) | frozenset(vars(_PROBE)) | {"taskName"}
# From Python 3.11 on.
_GROUP: Any = getattr(builtins, "BaseExceptionGroup", ())
_MEMBERS: Any = getattr(_GROUP, "exceptions", None)
_PLACE_NAMES = (
    "levelname", "levelno", "name", "pathname", "lineno", "funcName", "process", "processName",
)  # fmt: skip
_RUNS_IN_NAMES = ("thread", "threadName")
_PLACE, _RUNS_IN = itemgetter(*_PLACE_NAMES), itemgetter(*_RUNS_IN_NAMES)
_UNCHANGING = frozenset({str, int, type(None)})  # no bool or float, which equal an int
EVENT_EXTRAS = frozenset({"schema", "data", "contexts"})


class Unredacted:
    """Stands in for a ``Redactor`` where secrets may stay."""

    def text(self, value: str) -> str:
        """Returns ``value``."""
        return value

    def value(self, value: _T) -> _T:
        """Returns ``value``."""
        return value

    def arguments(self, message: object, arguments: _T) -> _T:  # noqa: ARG002 - as a Redactor has it
        """Returns ``arguments``."""
        return arguments

    def keyed(self, values: dict[str, Any]) -> dict[str, str]:  # noqa: ARG002
        """Returns nothing."""
        return {}


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """Returns what the logging call gave as ``extra``."""
    values = record.__dict__
    # Logging adds them to a finished record, so they mostly are what comes last.
    members = islice(values.items(), _ATTRIBUTES - 1, None)
    last, _ = next(members, (None, None))
    if last == _LAST_ATTRIBUTE:
        found = dict(members)
        if RECORD_ATTRIBUTES.isdisjoint(found):
            return found
    return {key: values[key] for key in values if key not in RECORD_ATTRIBUTES}


def exception_of(record: logging.LogRecord) -> ExceptionInfo | None:
    """Returns the record's exception, if it really has one."""
    info: Any = vars(record).get("exc_info")
    if is_a(info, BaseException):
        return _exception_info(info, part_of(info, "__traceback__"))
    parts = elements(info) if is_a(info, tuple) else []
    if len(parts) != 3 or not is_a(parts[1], BaseException):  # noqa: PLR2004 - as sys.exc_info has it
        return None
    return _exception_info(parts[1], parts[2])


def _exception_info(exception: BaseException, traceback: Any) -> ExceptionInfo:
    return type(exception), exception, traceback if is_a(traceback, TracebackType) else None


def part_of(exception: BaseException, name: str) -> Any:
    """Returns what BaseException itself says, whatever the exception's class does."""
    return BaseException.__dict__[name].__get__(exception)


def _is_large(exception: BaseException) -> bool:
    """Says whether it has more causes and sub-exceptions than a trace has room for.

    The standard library reads all of them, though it shows few: for thousands this takes seconds.
    """
    seen: set[int] = set()
    left: list[Any] = [exception]
    while left and len(seen) <= MAX_EXCEPTIONS:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        left += [part_of(each, "__cause__"), part_of(each, "__context__")]
        if is_a(each, _GROUP):
            left += _MEMBERS.__get__(each)[: MAX_EXCEPTIONS + 1]
    return len(seen) > MAX_EXCEPTIONS


def _last_of_many(info: ExceptionInfo) -> str:
    kind, exception, innermost = info
    frames = "".join(traceback.format_tb(innermost, -MAX_FRAMES))
    said = f"{exception_name(kind)}: {text(exception)}"
    many = f"{CUT_MARK} of more than {MAX_EXCEPTIONS} exceptions, the last:"
    return f"{many}\nTraceback (most recent call last):\n{frames}{said}"


def message_of(record: logging.LogRecord, redaction: Redactor | Unredacted) -> str:
    """Returns the message; where its arguments do not fit, the message, a marker and them."""
    message: Any = record.__dict__.get("msg")
    try:
        if type(message) is not str and is_a(message, Mapping):
            return structured_message(redaction.value(message))
        made: Any = record.getMessage()
        return made if type(made) is str else text(made)
    except Exception as error:  # noqa: BLE001 - message and arguments may raise anything
        reason = f"{type(error).__name__}: {text(error)}"
        return f"{text(message)} <unformattable: {reason}> {_arguments(record)}"


def structured_message(message: Mapping[object, object]) -> str:
    """Returns the text of a message that is a mapping: what it calls its event, else all of it."""
    for key in ("event", "message", "msg"):
        named = message.get(key)
        if isinstance(named, str):
            return text(named)
    return encode(message).decode()


def exception_name(kind: type[BaseException]) -> str:
    """Returns the dotted name of an exception's class; builtins without their module."""
    module, name = text(getattr(kind, "__module__", "")), text(getattr(kind, "__qualname__", "?"))
    return name if module in ("", "builtins") else f"{module}.{name}"


def _arguments(record: logging.LogRecord) -> str:
    return encode(vars(record).get("args")).decode()


def integer(value: Any, maximum: int = MAX_INT, minimum: int = 0) -> int | None:
    """Returns ``value`` if it is an integer within bounds."""
    if not is_a(value, int) or is_a(value, bool):
        return None
    number = int.__pos__(value)
    return number if minimum <= number <= maximum else None


class _Remembered(dict["tuple[Any, ...]", bytes]):
    """Remembers what ``encoded`` makes of texts and integers; raises TypeError for other values.

    What equals one of those is known by it, as 20.0 by 20. It takes half the time of
    ``lru_cache``, which reckons with types and with age.
    """

    def __init__(self, encoded: Callable[..., bytes]) -> None:
        super().__init__()
        self._encoded = encoded

    def __missing__(self, values: tuple[Any, ...]) -> bytes:
        if not _UNCHANGING.issuperset(map(type, values)):
            raise TypeError
        if len(self) >= SITES:
            self.clear()
        made = self[values] = self._encoded(*values)
        return made


def _beginning(  # noqa: PLR0917 - the columns of a record
    level: Any,
    number: Any,
    logger: Any,
    file: Any,
    line: Any,
    function: Any,
    process: Any,
    process_name: Any,
) -> bytes:
    fields = {
        "level": bounded(level, MAX_NAME),
        "level_number": integer(number, minimum=-MAX_INT),
        "logger": bounded(logger, MAX_NAME),
        "file": bounded(file, MAX_FILE),
        "line": integer(line),
        "function": bounded(function, MAX_NAME),
        "process_id": integer(process),
        "process_name": bounded(process_name, MAX_NAME),
    }
    return b"{" + _encoded_members(fields)


def _execution(thread: Any, thread_name: Any, task_name: Any) -> bytes:
    fields = {
        "thread_id": integer(thread, MAX_THREAD_ID),
        "thread_name": bounded(thread_name, MAX_NAME),
        "task_name": bounded(task_name, MAX_NAME),
    }
    return _encoded_members(fields)


_beginnings, _executions = _Remembered(_beginning), _Remembered(_execution)


def _encoded_members(fields: dict[str, Any]) -> bytes:
    """Returns the members of a JSON object, each before a comma; None is left out."""
    members = encode_own({key: value for key, value in fields.items() if value is not None})[1:-1]
    return members and members + b","


class LogRecordFormatter(BaseJsonFormatter):
    """Formats a record as the data of our ``log_record`` schema; extras become ``attributes``.

    Args:
        redactor: Finds secrets; the handler has its own, which its option ``redact`` makes.
    """

    def __init__(self, redactor: Redactor | None = None) -> None:
        super().__init__()  # its options make other fields than the schema has
        self._redaction = redactor or Unredacted()

    def format(self, record: logging.LogRecord) -> str:
        """Returns the data as JSON text."""
        return encode(self.fields(record)).decode()

    def fields(self, record: logging.LogRecord, message: str | None = None) -> dict[str, Any]:
        """Returns the data; what the record does not have is left out.

        Args:
            record: The record.
            message: The message, where another formatter has made it.
        """
        fields: dict[str, Any] = json.loads(self.encoded(record, message))
        return fields

    def encoded(self, record: logging.LogRecord, message: str | None = None) -> bytes:
        """Returns ``fields`` as JSON."""
        return b"".join(self.parts(record, message))

    def parts(self, record: logging.LogRecord, message: str | None = None) -> tuple[bytes, bytes]:
        """Returns ``encoded`` in two parts, of which the first is the same for many records.

        It says which line has logged, and in which process; it is remembered.
        """
        values = record.__dict__
        if message is None:
            message = message_of(record, self._redaction)
        try:
            beginning = _beginnings[_PLACE(values)]
            runs_in = (*_RUNS_IN(values), values.get("taskName"))
            execution = _executions[runs_in]
        except Exception:  # noqa: BLE001 - some are missing, or may change, or are hostile
            beginning = _beginning(*map(values.get, _PLACE_NAMES))
            execution = _execution(*map(values.get, (*_RUNS_IN_NAMES, "taskName")))
        said = bounded(message, MAX_MESSAGE, self._redaction.text)
        parts = [execution, b'"message":', encode_own(said)]
        attributes = self._attributes(record)
        if attributes is not None:
            parts += b',"attributes":', encode_own(attributes)
        more = self._more(values, record)
        if more:
            parts += b",", _encoded_members(more)[:-1]
        parts.append(b"}")
        return beginning, b"".join(parts)

    def _more(self, values: dict[str, Any], record: logging.LogRecord) -> dict[str, Any]:
        """Returns what few records have: a stack, an exception, a trace."""
        said: dict[str, Any] = {}
        stack_info = values.get("stack_info")
        if stack_info is not None:
            said["stack_info"] = bounded_end(stack_info, MAX_STACK_INFO, self._redaction.text)
        if values.get("exc_info") is not None or values.get("exc_text") is not None:
            said |= self._exception(record)
        trace = current_trace()
        if trace is not None:
            said |= trace._asdict()
        return said

    def stack_trace(self, record: logging.LogRecord, limit: int) -> str | None:
        """Returns the traceback with its causes, or the text that another handler left of it.

        Args:
            record: The record.
            limit: UTF-16 units that it may have; of a longer one the end is kept.
        """
        left = vars(record).get("exc_text")
        trace = text("" if left is None else left) or self._traceback(record)
        return bounded_end(trace, limit, self._redaction.text)

    def _traceback(self, record: logging.LogRecord) -> str | None:
        info = exception_of(record)
        if info is None:
            return None
        try:
            if _is_large(info[1]):
                return _last_of_many(info)
            return logging.Formatter.formatException(self, info)
        except Exception as error:  # noqa: BLE001 - an exception's own methods may raise anything
            return unprintable(info[1], error)

    def _exception(self, record: logging.LogRecord) -> dict[str, str]:
        info = exception_of(record)
        redact = self._redaction.text
        said = {
            "exception_type": bounded(exception_name(info[0]), MAX_NAME) if info else None,
            "exception_message": bounded(info[1], MAX_EXCEPTION_MESSAGE, redact) if info else None,
            "stack_trace": self.stack_trace(record, MAX_STACK_TRACE),
        }
        return {key: value for key, value in said.items() if value is not None}

    def _attributes(self, record: logging.LogRecord) -> str | None:
        values = extras(record)
        message: Any = record.__dict__.get("msg")
        if type(message) is not str:
            members = _members(message)
            values |= {(f"msg.{key}" if key in values else key): members[key] for key in members}
        if "schema" in values and is_schema_uri(values["schema"]):
            # The record is an event of its own, which this entity goes with.
            values = {key: values[key] for key in values if key not in EVENT_EXTRAS}
        if not values:
            return None
        encoded = encode_within(self._redaction.value(values), MAX_ATTRIBUTES)
        return (encoded or encode({CUT_MARK: f"{len(values)} more"})).decode()


def _members(message: Any) -> dict[Any, Any]:
    """Returns the members of a message that is a mapping."""
    if not is_a(message, Mapping):
        return {}
    try:
        return dict(message)
    except Exception as error:  # noqa: BLE001 - a hostile mapping; the extras stay
        return {"msg": unprintable(message, error)}
