"""The event and the entities of one event: out of their wrappers, held against their schemas."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from referencing.exceptions import Unresolvable

from snowplow_logging.collector import problems, protocol
from snowplow_logging.collector.problems import Report
from snowplow_logging.collector.strict_json import JsonError, parse, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging.collector.problems import Problem
    from snowplow_logging.collector.registry import Registry
    from snowplow_logging.collector.strict_json import Json

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_MAX_PADDING = 2


@dataclass(frozen=True)
class Described:
    """A self-describing JSON: data and the URI of their schema."""

    schema: str
    data: Json

    def to_json(self) -> dict[str, Json]:
        """The form in which it travels."""
        return {"schema": self.schema, "data": self.data}


@dataclass
class Contents:
    """What the wrappers of one event held, as far as it can be read.

    Attributes:
        event: The self-describing event.
        entities: The entities.
    """

    event: Described | None = None
    entities: list[Described] = field(default_factory=list[Described])

    @property
    def described(self) -> list[Described]:
        """The event, if there is one, and the entities."""
        return [self.event, *self.entities] if self.event else self.entities


class _WrongError(Exception):
    """Stops the reading of one wrapper."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def read(parameters: Mapping[str, str]) -> tuple[Contents, list[Problem]]:
    """Reads ``ue_pr``, ``ue_px``, ``co`` and ``cx``.

    Args:
        parameters: The wire fields of one event.

    Returns:
        What is in them, and what is wrong with them.
    """
    contents = Contents()
    found: list[Problem] = []
    for key in protocol.SELF_DESCRIBING_KEYS:
        if key not in parameters:
            continue
        try:
            if key in {"ue_pr", "ue_px"}:
                contents.event = _event(key, parameters[key])
            else:
                contents.entities += _entities(key, parameters[key])
        except _WrongError as error:
            found.append(error.problem)
    return contents, found


def unwrap(
    parameters: Mapping[str, str], registry: Registry, now: str
) -> tuple[Contents, list[Problem]]:
    """Reads the event and its entities, and holds them against their schemas.

    Args:
        parameters: The wire fields of one event.
        registry: Where schemas are looked for.
        now: The time, ISO 8601, for the record of a failed look-up.

    Returns:
        What can be read, and what is wrong.
    """
    contents, found = read(parameters)
    if contents.event:
        found += _check(contents.event, "unstruct_event", registry, now)
    for index, entity in enumerate(contents.entities):
        found += _check(entity, f"contexts[{index}]", registry, now)
    return contents, found


def decode_base64(text: str) -> str:
    """The text behind base64 of either alphabet, padded or not.

    Raises:
        ValueError: It is not base64, or not of UTF-8.
    """
    digits = text.rstrip("=")
    standard = digits.replace("-", "+").replace("_", "/") + "=" * (-len(digits) % 4)
    try:
        decoded = binascii.a2b_base64(standard)
    except ValueError:
        decoded = b""
    # What does not belong there is left out in silence: then some bytes are missing.
    is_whole = len(decoded) == len(digits) * 3 // 4 and len(digits) % 4 != 1
    if not is_whole or len(text) - len(digits) > _MAX_PADDING:
        raise ValueError(_not_base64(text, digits))
    try:
        return decoded.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"base64 of bytes that are not UTF-8: {error.reason} at byte {error.start}"
        raise ValueError(message) from None


def _not_base64(text: str, digits: str) -> str:
    if _BASE64.fullmatch(text):
        return f"not base64: {len(digits)} digits cannot be, in {shorten(text)}"
    wrong = next((character for character in text if not _BASE64.fullmatch(character)), "=")
    return f"not base64: {shorten(wrong)} does not belong there, in {shorten(text)}"


def _event(key: str, text: str) -> Described:
    data = _wrapped(key, text, protocol.UNSTRUCT_EVENT_VERSIONS, protocol.UNSTRUCT_EVENT)
    reports = _described_reports(data, "$")
    if reports:
        raise _WrongError(problems.invalid_data(key, protocol.UNSTRUCT_EVENT, reports))
    return _described(data)


def _entities(key: str, text: str) -> list[Described]:
    data = _wrapped(key, text, protocol.CONTEXTS_VERSIONS, protocol.CONTEXTS)
    if not isinstance(data, list):
        report = Report("$", "type", "expected array", shorten(data), ("array",))
        raise _WrongError(problems.invalid_data(key, protocol.CONTEXTS, [report]))
    reports = [
        report
        for index, item in enumerate(data)
        for report in _described_reports(item, f"$[{index}]")
    ]
    if reports:
        raise _WrongError(problems.invalid_data(key, protocol.CONTEXTS, reports))
    return [_described(item) for item in data]


def _wrapped(key: str, text: str, schemas: frozenset[str], criterion: str) -> Json:
    """The data of the wrapper in the parameter ``key``."""
    try:
        value = parse(decode_base64(text) if key.endswith("x") else text)
    except JsonError as error:
        raise _WrongError(problems.not_json(key, text, str(error))) from None
    except ValueError as error:
        raise _WrongError(problems.not_json(key, text, str(error))) from None
    if not isinstance(value, dict) or "schema" not in value or "data" not in value:
        expectation = f'expected an object with "schema" and "data", got {shorten(value)}'
        raise _WrongError(
            problems.not_self_describing(key, value, "INVALID_DATA_PAYLOAD", expectation)
        )
    schema = value["schema"]
    if not isinstance(schema, str) or not protocol.IGLU_URI.fullmatch(schema):
        expectation = f"$.schema: expected {criterion}, got {shorten(schema)}"
        raise _WrongError(problems.not_self_describing(key, value, "INVALID_IGLUURI", expectation))
    if schema not in schemas:
        raise _WrongError(problems.other_schema(key, schema, criterion))
    return value["data"]


def _described_reports(value: Json, path: str) -> list[Report]:
    if not isinstance(value, dict):
        return [Report(path, "type", "expected object", shorten(value), ("object",))]
    reports: list[Report] = []
    missing = [name for name in ("schema", "data") if name not in value]
    if missing:
        message = f"expected the properties {', '.join(missing)}, which are missing"
        reports.append(Report(path, "required", message, targets=("schema", "data")))
    unknown = [name for name in value if name not in {"schema", "data"}]
    if unknown:
        names = ", ".join(shorten(name) for name in unknown)
        message = "expected no properties but schema, data"
        reports.append(Report(path, "additionalProperties", message, names))
    schema = value.get("schema", protocol.UNSTRUCT_EVENT)
    if not isinstance(schema, str) or not protocol.IGLU_URI.fullmatch(schema):
        message = f"expected an Iglu URI such as {protocol.IGLU_URI_EXAMPLE}"
        reports.append(Report(f"{path}.schema", "pattern", message, shorten(schema)))
    return reports


def _described(value: Json) -> Described:
    """The self-describing JSON in a value that has been found to be one."""
    item = value if isinstance(value, dict) else {}
    return Described(str(item.get("schema")), item.get("data"))


def _check(item: Described, place: str, registry: Registry, now: str) -> list[Problem]:
    found = registry.look_up(item.schema)
    if found.schema is None:
        return [problems.unknown_schema(place, item.schema, found.places, now)]
    try:
        reports = found.schema.reports(item.data)
    except (Unresolvable, RecursionError) as error:
        return [problems.unusable_schema(place, item.schema, str(error))]
    return [problems.invalid_data(place, item.schema, reports)] if reports else []
