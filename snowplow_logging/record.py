"""Log record → event. Pure: no clock, no lock, no queue.

The law: a record becomes an event by the first of three rules that fits it.
1. It names a schema (or its message is a ``SelfDescribingJson``): it is that event.
2. It has an exception: it is the standard ``application_error/1-0-2``.
3. Else it is a ``log_record``.
"""

from __future__ import annotations

import json
import logging
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.core import BaseJsonFormatter

from snowplow_logging._json import encode
from snowplow_logging._options import LOG_RECORD
from snowplow_logging._parsers import entities
from snowplow_logging._text import bounded, is_a, text
from snowplow_logging.formatter import (
    EVENT_EXTRAS,
    MAX_STACK_TRACE,
    LogRecordFormatter,
    Unredacted,
    exception_name,
    exception_of,
    extras,
    integer,
    message_of,
    part_of,
)
from snowplow_logging.scope import scoped_entities
from snowplow_logging.self_describing_json import (
    SelfDescribingJson,
    encoded_data,
    encoded_entity,
    is_schema_uri,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import TypeAlias

    from snowplow_logging.redaction import Redactor

APPLICATION_ERROR = "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
MAX_ERROR_MESSAGE = 2_048
MAX_ERROR_NAME = 1_024
MAX_ERROR_TRACE = 8_192
SCOPED_ENTITIES = 256  # of scopes, that are remembered as redacted


Event: TypeAlias = "tuple[str, bytes, Sequence[bytes]]"
"""What a record becomes: a schema, data as JSON, entities as self-describing JSON each."""
Parts: TypeAlias = "tuple[str, bytes, bytes, Sequence[bytes]]"
"""The same, with its data in two parts: what many events have in common, and the rest."""


class RecordMapper:
    """Maps records to events.

    Args:
        schema: Schema of plain records; None: they are no events.
        exceptions: ``"application_error"``, or ``"log_record"`` to turn rule 2 off.
        record_entity: Whether events by rules 1 and 2 carry the ``log_record`` as an entity.
        contexts: Entities of every event.
        redactor: Finds secrets in all of it; None leaves them.
    """

    def __init__(
        self,
        *,
        schema: str | None = LOG_RECORD,
        exceptions: str = "application_error",
        record_entity: bool = False,
        contexts: Sequence[SelfDescribingJson] = (),
        redactor: Redactor | None = None,
    ) -> None:
        self._schema = schema
        self._exceptions_as_errors = exceptions == "application_error"
        self._record_entity = record_entity
        self._redacts = redactor is not None
        self._redaction = redactor or Unredacted()
        self.redact = self._redaction.text
        self._entities = tuple(map(self._encoded_entity, contexts))
        self._log_record = LogRecordFormatter(redactor)
        self._scoped = lru_cache(SCOPED_ENTITIES)(self._redacted_entity)

    def event(
        self, record: logging.LogRecord, formatter: logging.Formatter | None = None
    ) -> Event | None:
        """Returns the event that ``record`` becomes, or None where plain records are not sent.

        Args:
            record: The record.
            formatter: Makes the message; or all data, if it is one of python-json-logger's.

        Raises:
            TypeError, ValueError: The record names a schema, but its ``data`` is neither
                object nor array, or its ``contexts`` are no entities.
        """
        parts = self.parts(record, formatter)
        if parts is None:
            return None
        schema, beginning, rest, carried = parts
        return schema, beginning + rest, carried

    def parts(self, record: logging.LogRecord, formatter: logging.Formatter | None) -> Parts | None:
        """Returns ``event``, with what its data have in common with many others by itself."""
        scoped = scoped_entities()
        carried = (*self._entities, *map(self._scoped, scoped)) if scoped else self._entities
        named = None
        values = record.__dict__
        message, schema = values.get("msg"), values.get("schema")
        if schema is not None or type(message) is not str:
            named = _named_event(record, values, message, schema)
        if named is not None:
            schema, data, contexts = named
            if contexts is not None:
                carried = (*map(self._encoded_entity, entities(contexts)), *carried)
            if self._redacts:
                data = self._redaction.value(data)
            encoded = encoded_data(data)
            if self._record_entity:
                carried = self._with_record(carried, record)
            return schema, b"", encoded, carried
        if self._redacts:
            record = self._redacted(record)
        has_any = values.get("exc_info") is not None or values.get("exc_text") is not None
        if has_any and self._exceptions_as_errors and _has_exception(record):
            error = self._application_error(record, self._message(record, formatter))
            if self._record_entity:
                carried = self._with_record(carried, record)
            return APPLICATION_ERROR, b"", encode(error), carried
        if self._schema is None:
            return None
        return self._schema, *self._plain_data(record, formatter), carried

    def _redacted(self, record: logging.LogRecord) -> logging.LogRecord:
        """Returns the record, or a copy without the arguments that its message names as secret."""
        values = record.__dict__
        given: Any = values.get("args")
        arguments = self._redaction.arguments(values.get("msg"), given)
        return record if arguments is given else _changed(record, {"args": arguments})

    def _with_record(
        self, carried: tuple[bytes, ...], record: logging.LogRecord
    ) -> tuple[bytes, ...]:
        """Returns an event's entities, with the record itself."""
        data = self._log_record.encoded(self._redacted(record))
        schema = encode(self._schema or LOG_RECORD)
        return (*carried, b'{"schema":%s,"data":%s}' % (schema, data))

    def _plain_data(
        self, record: logging.LogRecord, formatter: logging.Formatter | None
    ) -> tuple[bytes, bytes]:
        if formatter is None:
            return self._log_record.parts(record)
        if isinstance(formatter, BaseJsonFormatter) and type(formatter) is not LogRecordFormatter:
            # Read again, because what users' encoders write need not be JSON (NaN, say).
            return b"", self._encoded_data(json.loads(self._formatted(record, formatter)))
        return self._log_record.parts(record, self._message(record, formatter))

    def _formatted(self, record: logging.LogRecord, formatter: BaseJsonFormatter) -> str:
        """Returns what a formatter makes; where it raises, what it makes of what can be said."""
        try:
            made = formatter.format(record)
        except Exception:  # noqa: BLE001 - arguments that do not fit, values that it cannot encode
            total = copy(formatter)
            vars(total)["jsonify_log_record"] = _jsonify
            said: dict[str, Any] = {
                "exc_info": None,
                "exc_text": self._log_record.stack_trace(record, MAX_STACK_TRACE),
            }
            if not is_a(vars(record).get("msg"), dict):
                said |= {"msg": message_of(record, self._redaction), "args": None}
            made = total.format(_changed(record, said))
        return text(made).removeprefix(formatter.prefix)

    def _application_error(self, record: logging.LogRecord, message: str) -> dict[str, Any]:
        values = vars(record)
        info = exception_of(record)
        error: dict[str, Any] = {
            "programmingLanguage": "PYTHON",
            "message": bounded(message, MAX_ERROR_MESSAGE, self._redaction.text),
            "threadName": bounded(values.get("threadName"), MAX_ERROR_NAME),
            "isFatal": (integer(values.get("levelno"), 2**63) or 0) >= logging.CRITICAL,
            # On Linux a thread's ident is an address, mostly beyond what the schema takes.
            "threadId": integer(values.get("thread")),
            "stackTrace": self._log_record.stack_trace(record, MAX_ERROR_TRACE),
        }
        if info is not None:
            error["exceptionName"] = bounded(exception_name(info[0]), MAX_ERROR_NAME)
            error["causeStackTrace"] = self._cause(info[1])
            error |= _place(info[2])
        else:
            error |= {
                "fileName": bounded(values.get("pathname"), MAX_ERROR_NAME),
                "lineNumber": integer(values.get("lineno")),
            }
        return {key: value for key, value in error.items() if value is not None}

    def _cause(self, exception: BaseException) -> str | None:
        cause = part_of(exception, "__cause__")
        if cause is None and not part_of(exception, "__suppress_context__"):
            cause = part_of(exception, "__context__")
        if cause is None:
            return None
        record = logging.LogRecord("", 0, "", 0, "", None, cause)
        return self._log_record.stack_trace(record, MAX_ERROR_TRACE)

    def _message(self, record: logging.LogRecord, formatter: logging.Formatter | None) -> str:
        """Returns the message, by ``formatter`` if that makes a text; without the traceback."""
        if formatter is None or isinstance(formatter, BaseJsonFormatter):
            return message_of(record, self._redaction)
        bare = {"exc_info": None, "exc_text": None, "stack_info": None}
        try:
            secret = self._redaction.keyed(extras(record))
            return text(formatter.format(_changed(record, bare | secret)))
        except Exception:  # noqa: BLE001 - wrong arguments raise here, and have a marker there
            return message_of(record, self._redaction)

    def _redacted_entity(self, encoded: bytes) -> bytes:
        entity = SelfDescribingJson(**json.loads(encoded))
        return self._encoded_entity(entity)

    def _encoded_entity(self, entity: SelfDescribingJson) -> bytes:
        return encoded_entity(entity.schema, self._redaction.value(entity.data))

    def _encoded_data(self, data: object) -> bytes:
        return encoded_data(self._redaction.value(data) if self._redacts else data)


def _jsonify(data: object) -> str:
    return encode(data).decode()


def _changed(record: logging.LogRecord, changes: Mapping[str, Any]) -> logging.LogRecord:
    """Returns a copy of its own class: the application's factory is not ours to call."""
    changed = copy(record)
    vars(changed).update(changes)
    return changed


def _has_exception(record: logging.LogRecord) -> bool:
    left = vars(record).get("exc_text")
    return exception_of(record) is not None or (left is not None and text(left) != "")


def _named_event(
    record: logging.LogRecord, values: dict[str, Any], message: Any, schema: Any
) -> tuple[str, Any, Any] | None:
    """Returns schema, data and contexts of a record that names a schema."""
    if type(message) is not str and is_a(message, SelfDescribingJson):
        return str.__str__(message.schema), message.data, values.get("contexts")
    if schema is None or not is_schema_uri(schema):
        return None
    data = values.get("data")
    if data is None:
        others = extras(record)
        data = {key: others[key] for key in others if key not in EVENT_EXTRAS}
    return schema if type(schema) is str else text(schema), data, values.get("contexts")


def _place(traceback: TracebackType | None) -> dict[str, Any]:
    """Returns file, line and class of the code that raised."""
    if traceback is None:
        return {}
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    owner = str(getattr(code, "co_qualname", "")).rpartition(".")[0]  # from Python 3.11 on
    return {
        "fileName": bounded(code.co_filename, MAX_ERROR_NAME),
        "lineNumber": traceback.tb_lineno,
        "className": bounded(owner, MAX_ERROR_NAME) if owner and "<" not in owner else None,
    }
