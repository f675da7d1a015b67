"""What each member of a line says, found once for all lines that have the same members. Pure.

The law: a member is taken for a field only if its value can be one; else it is an attribute.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging._text import bounded
from snowplow_logging.formatter import MAX_FILE, MAX_INT, MAX_NAME, MAX_THREAD_ID
from snowplow_logging.ship.formats import FORMATS, detected, flattened, unwrapped, with_mapping
from snowplow_logging.ship.levels import level_of
from snowplow_logging.ship.times import milliseconds_of
from snowplow_logging.ship.traces import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snowplow_logging.ship.formats import Format

    Read = Callable[[Any], Any]

MAX_PLANS = 2_000  # shapes of lines that are remembered
EVENT = ("schema", "data", "contexts")


class Said(NamedTuple):
    """What a line says.

    Args:
        fields: What the fields of ``formats.TARGETS`` are.
        extras: All other members.
        event: The names of schema, data and contexts among these, if there may be an event.
    """

    fields: dict[str, Any]
    extras: dict[str, Any]
    event: tuple[str, str, str] | None


class Plan(NamedTuple):
    """What to do with lines that have the same members.

    Args:
        format: The name of their format.
        roots: Objects among them whose members are looked at.
        fields: What each member says, how it is read, and whether it stays if it cannot be.
        extras: The members that are attributes.
        event: As in ``Said``.
    """

    format: str
    roots: frozenset[str]
    fields: tuple[tuple[str, str, Read, bool], ...]
    extras: tuple[str, ...]
    event: tuple[str, str, str] | None


class Reader:
    """Reads what lines say.

    Args:
        format_: The name of their format; None: each line's own is detected.
        mapping: Fields that are elsewhere, such as ``{"level": "severity"}``.
    """

    def __init__(self, format_: str | None, mapping: Mapping[str, str]) -> None:
        self._format = format_
        self._formats = {name: with_mapping(FORMATS[name], mapping) for name in FORMATS}
        self._plans: dict[tuple[str | None, ...], Plan] = {}

    def format_of(self, line: dict[str, Any]) -> str:
        """Returns the name of a line's format."""
        return self._plan(self._format, line).format

    def said(self, line: dict[str, Any]) -> Said:
        """Returns what a line says."""
        plan = self._plan(self._format, line)
        if plan.roots:
            inside = unwrapped(line) if plan.format == "loguru" else line
            line = flattened(inside, plan.roots)
            plan = self._plan(plan.format, line)
        fields: dict[str, Any] = {}
        extras = {key: line[key] for key in plan.extras}
        for target, key, read, stays in plan.fields:
            value = line[key]
            if value is None:
                continue
            found = None if target in fields else read(value)
            if found is not None:
                fields[target] = found
            elif stays:
                extras[key] = value
        if "level" in fields:
            name, number = fields.pop("level")
            if name is not None:
                fields["level"] = read_name(name)
            if number is not None:
                _ = fields.setdefault("level_number", number)
        return Said(fields, extras, plan.event)

    def _plan(self, name: str | None, line: dict[str, Any]) -> Plan:
        # Looked up by all names in their order: a logging call makes the same ones each time.
        shape = (name, *line)
        plan = self._plans.get(shape)
        if plan is None:
            plan = _plan_of(name or detected(line), self._formats, line)
            if len(self._plans) < MAX_PLANS:
                self._plans[shape] = plan
        return plan


def _plan_of(name: str, formats: Mapping[str, Format], line: dict[str, Any]) -> Plan:
    """Decides on all lines that have the members of ``line``."""
    format_ = formats[name]
    level = partial(level_of, python=format_.python)
    fields = tuple(
        (target, key, _READERS.get(target, level), key not in format_.dropped)
        for target, keys in format_.fields.items()
        if target not in EVENT
        for key in dict.fromkeys(keys)
        if key in line
    )
    used = {key for _, key, _, _ in fields} | {*format_.dropped}
    extras = tuple(key for key in line if key not in used)
    schema, data, contexts = (
        next((key for key in format_.fields[each] if key in line), "") for each in EVENT
    )
    event = (schema, data, contexts) if schema else None
    roots = format_.roots if name == "loguru" else format_.roots & line.keys()
    return Plan(name, frozenset(roots), fields, extras, event)


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


read_name = _text_up_to(MAX_NAME)
_READERS: dict[str, Read] = {
    "time": milliseconds_of,
    "message": _anything,
    "level_number": _whole_up_to(MAX_INT, -MAX_INT),
    "file": _text_up_to(MAX_FILE),
    "line": _whole_up_to(MAX_INT),
    "process_id": _whole_up_to(MAX_INT),
    "thread_id": _whole_up_to(MAX_THREAD_ID),
    "stack_trace": text_of,
    "stack_info": text_of,
    "exception_message": text_of,
    "trace_id": _hexadecimal(32),
    "span_id": _hexadecimal(16),
    **dict.fromkeys(
        ("logger", "function", "process_name", "thread_name", "task_name", "exception_type"),
        read_name,
    ),
}
