"""A line → the event that its record would have become through the handler. Pure.

The law: ``record.RecordMapper``'s three rules hold here, too. What a line says of its record is in
the same fields of the same event, within the same bounds, and with the same secrets removed. Where
a line says less than a record knows, those fields are left out.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging._json import encode, encode_within
from snowplow_logging._options import LOG_RECORD
from snowplow_logging._parsers import entities
from snowplow_logging._text import CUT_MARK, bounded, bounded_end
from snowplow_logging.formatter import (
    MAX_ATTRIBUTES,
    MAX_EXCEPTION_MESSAGE,
    MAX_FILE,
    MAX_INT,
    MAX_MESSAGE,
    MAX_NAME,
    MAX_STACK_INFO,
    MAX_STACK_TRACE,
    MAX_THREAD_ID,
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
from snowplow_logging.ship.formats import FORMATS, detected, flattened, unwrapped, with_mapping
from snowplow_logging.ship.levels import level_of
from snowplow_logging.ship.times import milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snowplow_logging.redaction import Redactor
    from snowplow_logging.ship.formats import Format

    Read = Callable[[Any], Any]

MAX_PLANS = 2_000  # shapes of lines that are remembered
CRITICAL = 50
_DESCRIBED = '{"schema":"iglu:'  # how the text of a SelfDescribingJson begins
_EVENT = ("schema", "data", "contexts")


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


class Plan(NamedTuple):
    """What to do with lines that have the same members.

    Args:
        format: The name of their format.
        roots: Objects among them whose members are looked at.
        fields: What each member says, how it is read, and whether it stays if it cannot be.
        extras: The members that are attributes.
        event: The names of schema, data and contexts, if there may be an event.
    """

    format: str
    roots: frozenset[str]
    fields: tuple[tuple[str, str, Read, bool], ...]
    extras: tuple[str, ...]
    event: tuple[str, str, str] | None


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
        self._format = format_
        self._formats = {name: with_mapping(FORMATS[name], mapping or {}) for name in FORMATS}
        self._schema = schema
        self._exceptions_as_errors = exceptions == "application_error"
        self._record_entity = record_entity
        self._redaction = redactor or Unredacted()
        self._entities = [self._entity(context) for context in contexts]
        self._plans: dict[tuple[str | None, ...], Plan] = {}

    def format_of(self, line: dict[str, Any]) -> str:
        """Returns the name of a line's format."""
        return self._plan(self._format, line).format

    def mapped(self, line: dict[str, Any]) -> Mapped:
        """Returns what ``line`` becomes.

        Raises:
            TypeError, ValueError: It names a schema, but its data or contexts are none.
        """
        line, plan = self._planned(line)
        said: dict[str, Any] = {}
        extras = {key: line[key] for key in plan.extras}
        for target, key, read, stays in plan.fields:
            value = line[key]
            if value is None:
                continue
            found = None if target in said else read(value)
            if found is not None:
                said[target] = found
            elif stays:
                extras[key] = value
        level = said.pop("level", None)
        if level is not None:
            name, number = level
            if name is not None:
                said["level"] = _name(name)
            if number is not None:
                _ = said.setdefault("level_number", number)
        created_ms = said.pop("time", None)
        return Mapped(self._event(said, extras, plan), created_ms, said.get("level_number", 0))

    def _planned(self, line: dict[str, Any]) -> tuple[dict[str, Any], Plan]:
        plan = self._plan(self._format, line)
        if not plan.roots:
            return line, plan
        flat = flattened(unwrapped(line) if plan.format == "loguru" else line, plan.roots)
        return flat, self._plan(plan.format, flat)

    def _plan(self, name: str | None, line: dict[str, Any]) -> Plan:
        # Looked up by all names in their order: a logging call makes the same ones each time.
        shape = (name, *line)
        plan = self._plans.get(shape)
        if plan is None:
            plan = _plan_of(name or detected(line), self._formats, line)
            if len(self._plans) < MAX_PLANS:
                self._plans[shape] = plan
        return plan

    def _event(self, said: dict[str, Any], extras: dict[str, Any], plan: Plan) -> Event | None:
        named = self._named(said, extras, plan)
        if named is not None:
            return self._with_entity(named, said, extras)
        if "stack_trace" in said or "exception_type" in said:
            trace = traces.read(said.get("stack_trace", ""))
            if self._exceptions_as_errors:
                error = self._application_error(said, extras, trace)
                return self._with_entity(
                    Event(APPLICATION_ERROR, encode(error), []), said, extras, trace
                )
            said = _with_exception(said, trace)
        if self._schema is None:
            return None
        return Event(self._schema, encode(self._log_record(said, extras)), self._entities)

    def _named(self, said: dict[str, Any], extras: dict[str, Any], plan: Plan) -> Event | None:
        """Returns the event that a line names; its members are no extras then."""
        if plan.event is not None and is_schema_uri(extras.get(plan.event[0])):
            schema, data, contexts = (extras.pop(name, None) for name in plan.event)
            own = [] if contexts is None else [self._entity(each) for each in entities(contexts)]
            data = self._redaction.value(extras if data is None else data)
            return Event(schema, encoded_data(data), own)
        message: Any = said.get("message")
        if type(message) is str and message.startswith(_DESCRIBED):
            try:
                described = SelfDescribingJson(**json.loads(message))
            except (TypeError, ValueError, RecursionError):
                return None
            return Event(described.schema, encoded_data(self._redaction.value(described.data)), [])
        return None

    def _with_entity(
        self,
        event: Event,
        said: dict[str, Any],
        extras: dict[str, Any],
        trace: traces.Trace | None = None,
    ) -> Event:
        carried = [*event.entities, *self._entities]
        if self._record_entity:
            said = said if trace is None else _with_exception(said, trace)
            data = self._log_record(said, extras)
            carried.append(encode({"schema": self._schema or LOG_RECORD, "data": data}))
        return event._replace(entities=carried)

    def _log_record(self, said: dict[str, Any], extras: dict[str, Any]) -> dict[str, Any]:
        redact = self._redaction.text
        message = self._message(said, extras)
        data = {**said, "message": bounded(message, MAX_MESSAGE, redact)}
        for name, bound, limit in _LONG_TEXTS:
            if name in data:
                data[name] = bound(data[name], limit, redact)
        if extras:
            encoded = encode_within(self._redaction.value(extras), MAX_ATTRIBUTES)
            cut = encoded or encode({CUT_MARK: f"{len(extras)} more"})
            data["attributes"] = cut.decode()
        return data

    def _message(self, said: dict[str, Any], extras: dict[str, Any]) -> str:
        """Returns the message; of a line that is all members, what these call it."""
        message: Any = said.get("message")
        if type(message) is str and message:
            return message
        if type(message) is dict:
            members = cast("dict[str, Any]", message)
            extras |= {(f"msg.{key}" if key in extras else key): members[key] for key in members}
        elif message:
            return encode(message).decode()
        everything: Any = extras
        return structured_message(self._redaction.value(everything)) if extras else ""

    def _application_error(
        self, said: dict[str, Any], extras: dict[str, Any], trace: traces.Trace
    ) -> dict[str, Any]:
        redact = self._redaction.text
        thread = said.get("thread_id")
        error: dict[str, Any] = {
            "programmingLanguage": trace.language,
            "message": bounded(self._message(said, extras), MAX_ERROR_MESSAGE, redact),
            "threadName": said.get("thread_name"),
            "threadId": integer(thread),
            "isFatal": said.get("level_number", 0) >= CRITICAL,
            "exceptionName": bounded(said.get("exception_type") or trace.name, MAX_ERROR_NAME),
            "stackTrace": bounded_end(said.get("stack_trace"), MAX_ERROR_TRACE, redact),
            "causeStackTrace": bounded_end(trace.cause, MAX_ERROR_TRACE, redact),
            "fileName": bounded(trace.file or said.get("file"), MAX_ERROR_NAME),
            "lineNumber": integer(trace.line if trace.file else said.get("line")),
        }
        return {key: value for key, value in error.items() if value is not None}

    def _entity(self, entity: SelfDescribingJson) -> bytes:
        return encoded_entity(entity.schema, self._redaction.value(entity.data))


def _plan_of(name: str, formats: Mapping[str, Format], line: dict[str, Any]) -> Plan:
    """Decides on all lines that have the members of ``line``."""
    format_ = formats[name]
    level = partial(level_of, python=format_.python)
    fields = tuple(
        (target, key, _READERS.get(target, level), key not in format_.dropped)
        for target, keys in format_.fields.items()
        if target not in _EVENT
        for key in dict.fromkeys(keys)
        if key in line
    )
    used = {key for _, key, _, _ in fields} | {*format_.dropped}
    extras = tuple(key for key in line if key not in used)
    schema, data, contexts = (
        next((key for key in format_.fields[each] if key in line), "") for each in _EVENT
    )
    event = (schema, data, contexts) if schema else None
    roots = format_.roots if name == "loguru" else format_.roots & line.keys()
    return Plan(name, frozenset(roots), fields, extras, event)


def _with_exception(said: dict[str, Any], trace: traces.Trace) -> dict[str, Any]:
    """Returns what a line says, with what its traceback says of the exception."""
    known = {"exception_type": _name(trace.name), "exception_message": trace.message}
    return {**{key: value for key, value in known.items() if value}, **said}


@lru_cache(maxsize=4_096)
def _known(value: str, limit: int) -> str | None:
    return bounded(value, limit)


def _text_up_to(limit: int) -> Read:
    """Returns what reads names, which are few and come again and again."""

    def read(value: Any) -> str | None:
        if type(value) is not str:
            return None
        return _known(value, limit) if len(value) <= limit else bounded(value, limit)

    return read


def _whole_up_to(maximum: int, minimum: int = 0) -> Read:
    def read(value: Any) -> int | None:
        if type(value) is str and value.isascii() and value.isdecimal() and len(value) < 20:  # noqa: PLR2004 - more digits than any has
            value = int(value)
        return value if type(value) is int and minimum <= value <= maximum else None

    return read


def _hexadecimal(digits: int) -> Read:
    written = re.compile(f"[0-9a-f]{{{digits}}}", re.ASCII)
    return lambda value: value if type(value) is str and written.fullmatch(value) else None


def _anything(value: Any) -> Any:
    return value


_name = _text_up_to(MAX_NAME)
_READERS: dict[str, Read] = {
    "time": milliseconds_of,
    "message": _anything,
    "level_number": _whole_up_to(MAX_INT, -MAX_INT),
    "file": _text_up_to(MAX_FILE),
    "line": _whole_up_to(MAX_INT),
    "process_id": _whole_up_to(MAX_INT),
    "thread_id": _whole_up_to(MAX_THREAD_ID),
    "stack_trace": traces.text_of,
    "stack_info": traces.text_of,
    "exception_message": traces.text_of,
    "trace_id": _hexadecimal(32),
    "span_id": _hexadecimal(16),
    **dict.fromkeys(
        ("logger", "function", "process_name", "thread_name", "task_name", "exception_type"), _name
    ),
}
_LONG_TEXTS = (
    ("exception_message", bounded, MAX_EXCEPTION_MESSAGE),
    ("stack_trace", bounded_end, MAX_STACK_TRACE),
    ("stack_info", bounded_end, MAX_STACK_INFO),
)
