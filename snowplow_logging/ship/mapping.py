"""A line → the event that its record would have become through the handler. Pure.

The law: ``record.RecordMapper``'s three rules hold here, too. What a line says of its record is in
the same fields of the same event, within the same bounds, and with the same secrets removed. Where
a line says less than a record knows, those fields are left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging._json import encode, encode_within
from snowplow_logging._options import LOG_RECORD
from snowplow_logging._parsers import entities
from snowplow_logging._text import CUT_MARK, bounded, bounded_end
from snowplow_logging.formatter import (
    MAX_ATTRIBUTES,
    MAX_EXCEPTION_MESSAGE,
    MAX_MESSAGE,
    MAX_STACK_INFO,
    MAX_STACK_TRACE,
    Unredacted,
    integer,
    structured_message,
)
from snowplow_logging.record import (
    APPLICATION_ERROR,
    MAX_ERROR_MESSAGE,
    MAX_ERROR_NAME,
    MAX_ERROR_TRACE,
    Event,
)
from snowplow_logging.self_describing_json import (
    SelfDescribingJson,
    encoded_data,
    encoded_entity,
    is_schema_uri,
)
from snowplow_logging.ship import traces
from snowplow_logging.ship.fields import Reader, read_name
from snowplow_logging.ship.lines import MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowplow_logging.redaction import Redactor
    from snowplow_logging.ship.fields import Said

CRITICAL = 50
NO_EVENT = "it names a schema, but its data is no object or array, or its contexts are no entities"
_DESCRIBED = '{"schema":"iglu:'  # how the text of a SelfDescribingJson begins


class Mapped(NamedTuple):
    """What a line becomes.

    Args:
        event: The event; None where plain records are not sent.
        created_ms: When it was logged, in ms since epoch, if the line says so.
        severity: The number of its level; 0 where it has none.
    """

    event: Event | None
    created_ms: int | None
    severity: int


class LineMapper:
    """Maps lines to events.

    Args:
        format_: The name of their format; by default each line's own is detected.
        mapping: Fields that are elsewhere, such as ``{"level": "severity"}``.
        schema: Schema of plain records; None: they are no events.
        exceptions: ``"application_error"``, or ``"log_record"``.
        record_entity: Whether events with another schema carry the ``log_record``.
        contexts: Entities of every event.
        redactor: Finds secrets; None leaves them.
    """

    def __init__(
        self,
        *,
        format_: str | None = None,
        mapping: Mapping[str, str] | None = None,
        schema: str | None = LOG_RECORD,
        exceptions: str = "application_error",
        record_entity: bool = False,
        contexts: Sequence[SelfDescribingJson] = (),
        redactor: Redactor | None = None,
    ) -> None:
        self._reader = Reader(format_, mapping or {})
        self._schema = schema
        self._exceptions_as_errors = exceptions == "application_error"
        self._record_entity = record_entity
        self._redaction = redactor or Unredacted()
        self._entities = [self._entity(context) for context in contexts]

    def format_of(self, line: dict[str, Any]) -> str:
        """Returns the name of a line's format."""
        return self._reader.format_of(line)

    def mapped(self, line: dict[str, Any]) -> Mapped:
        """Returns what ``line`` becomes.

        Raises:
            MalformedError: It names a schema, but its data or contexts are none.
        """
        said = self._reader.said(line)
        created_ms = said.fields.pop("time", None)
        try:
            named = self._named(said)
        except (TypeError, ValueError):  # which quote what may be secret
            raise MalformedError(NO_EVENT) from None
        self._settle_message(said)
        event = self._plain(said) if named is None else self._with_entity(named, said)
        return Mapped(event, created_ms, said.fields.get("level_number", 0))

    def _named(self, said: Said) -> Event | None:
        """Returns the event that a line names; its members are no extras then."""
        extras, redact = said.extras, self._redaction.value
        if said.event is not None and is_schema_uri(extras.get(said.event[0])):
            schema, data, contexts = (extras.pop(name, None) for name in said.event)
            own = [] if contexts is None else entities(contexts)
            encoded = encoded_data(redact(extras if data is None else data))
            return schema, encoded, [self._entity(each) for each in own]
        message: Any = said.fields.get("message")
        if type(message) is str and message.startswith(_DESCRIBED):
            try:
                described = SelfDescribingJson(**json.loads(message))
            except (TypeError, ValueError, RecursionError):
                return None
            return described.schema, encoded_data(redact(described.data)), []
        return None

    def _settle_message(self, said: Said) -> None:
        """Makes the message a text; of a line that is all members it is what these call it."""
        message: Any = said.fields.get("message")
        if type(message) is str and message:
            return
        extras: Any = said.extras
        if type(message) is dict:
            members = cast("dict[str, Any]", message)
            extras |= {(f"msg.{key}" if key in extras else key): members[key] for key in members}
        elif message:
            said.fields["message"] = encode(message).decode()
            return
        named = structured_message(self._redaction.value(extras)) if extras else ""
        said.fields["message"] = named

    def _plain(self, said: Said) -> Event | None:
        fields = said.fields
        if "stack_trace" in fields or "exception_type" in fields:
            trace = traces.read(fields.get("stack_trace", ""))
            error = self._application_error(fields, trace)
            known = {"exception_type": read_name(trace.name), "exception_message": trace.message}
            for name, value in known.items():
                if value:
                    _ = fields.setdefault(name, value)
            if self._exceptions_as_errors:
                return self._with_entity((APPLICATION_ERROR, encode(error), []), said)
        if self._schema is None:
            return None
        return self._schema, encode(self._log_record(said)), self._entities

    def _with_entity(self, event: Event, said: Said) -> Event:
        schema, encoded, own = event
        carried = [*own, *self._entities]
        if self._record_entity:
            data = self._log_record(said)
            carried.append(encode({"schema": self._schema or LOG_RECORD, "data": data}))
        return schema, encoded, carried

    def _log_record(self, said: Said) -> dict[str, Any]:
        data = dict(said.fields)
        for name, bound, limit in _TEXTS:
            if name in data:
                data[name] = bound(data[name], limit, self._redaction.text)
        if said.extras:
            encoded = encode_within(self._redaction.value(said.extras), MAX_ATTRIBUTES)
            cut = encoded or encode({CUT_MARK: f"{len(said.extras)} more"})
            data["attributes"] = cut.decode()
        return data

    def _application_error(self, fields: dict[str, Any], trace: traces.Trace) -> dict[str, Any]:
        redact = self._redaction.text
        error: dict[str, Any] = {
            "programmingLanguage": trace.language,
            "message": bounded(fields["message"], MAX_ERROR_MESSAGE, redact),
            "threadName": fields.get("thread_name"),
            "threadId": integer(fields.get("thread_id")),
            "isFatal": fields.get("level_number", 0) >= CRITICAL,
            "exceptionName": bounded(fields.get("exception_type") or trace.name, MAX_ERROR_NAME),
            "stackTrace": bounded_end(fields.get("stack_trace"), MAX_ERROR_TRACE, redact),
            "causeStackTrace": bounded_end(trace.cause, MAX_ERROR_TRACE, redact),
            "fileName": bounded(trace.file or fields.get("file"), MAX_ERROR_NAME),
            "lineNumber": integer(trace.line if trace.file else fields.get("line")),
        }
        return {key: value for key, value in error.items() if value is not None}

    def _entity(self, entity: SelfDescribingJson) -> bytes:
        return encoded_entity(entity.schema, self._redaction.value(entity.data))


_TEXTS = (
    ("message", bounded, MAX_MESSAGE),
    ("exception_message", bounded, MAX_EXCEPTION_MESSAGE),
    ("stack_trace", bounded_end, MAX_STACK_TRACE),
    ("stack_info", bounded_end, MAX_STACK_INFO),
)
