"""Data that were logged → the schema that we propose for them.

Law: every datum that was seen is valid under the proposal, and every field is bounded, with
room to spare. What cannot be told from data is not guessed: no enums, no patterns.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from snowplow_logging.schema import rules

if TYPE_CHECKING:
    from snowplow_logging.collector.strict_json import Json
    from snowplow_logging.schema.walk import Schema

META_SCHEMA = (
    "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
)
LENGTHS = (16, 32, 64, 128, 255, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_535)
ITEMS = (10, 100, 1_000, 10_000)
UNKNOWN_LENGTH = 255
INT32, INT64 = 2**31 - 1, 2**63 - 1
LEAST_POWER, MOST_POWER = 9, 308  # numbers are bounded by powers of ten: a double has no more

_FORMATS = {
    "date-time": re.compile(
        r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-][01]\d:[0-5]\d)", re.ASCII
    ),
    "uuid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
}
_KINDS: dict[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip
_FLAT_LIST = re.compile(r"\[\n\s+([^\[\]{}]*?)\n\s+\]")
_BREAK = re.compile(r",\n\s+")


class Proposal:
    """The schema that is proposed for one URI.

    Args:
        uri: The Iglu URI that the records name.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._shape = _Shape()

    def add(self, data: Json) -> None:
        """Takes the data of one more event or entity into account."""
        self._shape.add(data)

    def schema(self) -> Schema:
        """The schema."""
        identity = dict(
            zip(
                ("vendor", "name", "format", "version"),
                self.uri.removeprefix("iglu:").split("/"),
                strict=True,
            )
        )
        seen = f"Proposed from {self._shape.count} records; say here what happens then"
        head: Schema = {"$schema": META_SCHEMA, "description": seen, "self": {**identity}}
        return head | self._shape.schema()

    def text(self) -> str:
        """The schema's text, laid out as people write it."""
        text = json.dumps(self.schema(), indent=2, ensure_ascii=False)
        text = text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate is no text
        return _FLAT_LIST.sub(_on_one_line, text) + "\n"

    def notes(self) -> list[str]:
        """What a person must decide, since data cannot tell."""
        unknown = [f"{name}: {why}" for name, why in self._shape.unknown("")]
        odd = [flaw.message for flaw in rules.flaws(self.schema())]
        return [f"{self.uri}: {text}" for text in unknown + odd]


class _Shape:
    """What was seen in one place of the data."""

    def __init__(self) -> None:
        self.count = 0
        self.kinds: Counter[str] = Counter()
        self.members: dict[str, _Shape] = {}
        self._items: _Shape | None = None
        self._longest = 0
        self._most_items = 0
        self._low: float = 0
        self._high: float = 0
        self._formats = set(_FORMATS)

    def add(self, value: Json) -> None:
        self.count += 1
        self.kinds[_KINDS.get(type(value), "null")] += 1
        if isinstance(value, str):
            self._longest = max(self._longest, len(value))
            self._formats = {name for name in self._formats if _FORMATS[name].fullmatch(value)}
        elif isinstance(value, (int, float)):
            self._low, self._high = min(self._low, value), max(self._high, value)
        elif isinstance(value, dict):
            for name, member in value.items():
                self.members.setdefault(name, _Shape()).add(member)
        elif isinstance(value, list):
            self._most_items = max(self._most_items, len(value))
            self._items = self._items or _Shape()
            for item in value:
                self._items.add(item)

    def schema(self, *, optional: bool = False) -> Schema:
        """The schema of this place, with null where that was seen or may be."""
        kinds = [kind for kind in self.kinds if kind != "null"] or ["string"]
        if "number" in kinds and "integer" in kinds:
            kinds.remove("integer")
        named = [*kinds, "null"] if optional or self.kinds["null"] else kinds
        schema: Schema = {"type": [*named] if len(named) > 1 else named[0]}
        for kind in kinds:
            schema |= self._bounds(kind)
        return schema

    def unknown(self, path: str) -> list[tuple[str, str]]:
        """The places of which nothing but null or an empty array was seen."""
        found: list[tuple[str, str]] = []
        if set(self.kinds) == {"null"}:
            found.append((path, "only null was seen; a string is a guess"))
        if self._items is not None:
            if self._items.count:
                found += self._items.unknown(f"{path}[]")
            else:
                found.append((path, "only empty arrays were seen; strings in it are a guess"))
        for name, member in self.members.items():
            found += member.unknown(f"{path}.{name}" if path else name)
        return found

    def _bounds(self, kind: str) -> Schema:
        if kind == "string":
            return self._text()
        if kind == "integer":
            return {"minimum": _least(self._low), "maximum": _most(self._high)}
        if kind == "number":
            low = -_power(-self._low) if self._low < 0 else 0
            return {"minimum": low, "maximum": _power(self._high)}
        if kind == "array":
            items = (self._items or _Shape()).schema()
            return {"items": items, "maxItems": _roomy(self._most_items, ITEMS)}
        return self._object() if kind == "object" else {}

    def _text(self) -> Schema:
        if not self.kinds["string"]:
            return {"maxLength": UNKNOWN_LENGTH}
        for name in self._formats:  # at most one: they exclude each other
            return {"format": name, "maxLength": _step(self._longest, LENGTHS)}
        return {"maxLength": _roomy(self._longest, LENGTHS)}

    def _object(self) -> Schema:
        objects = self.kinds["object"]
        properties: dict[str, Json] = {}
        must: list[Json] = []
        for name, member in self.members.items():
            is_required = member.count == objects and not member.kinds["null"]
            must += [name] if is_required else []
            seen = f"Logged in {member.count} of {objects} records; say here what it means"
            properties[name] = {**member.schema(optional=not is_required), "description": seen}
        required: Schema = {"required": must} if must else {}
        return {"properties": properties, **required, "additionalProperties": False}


def _on_one_line(match: re.Match[str]) -> str:
    return f"[{_BREAK.sub(', ', match[1])}]"


def _step(seen: int, steps: tuple[int, ...]) -> int:
    """The first of ``steps`` that is enough, or a power of two beyond them."""
    return next((step for step in steps if seen <= step), 1 << seen.bit_length())


def _roomy(seen: int, steps: tuple[int, ...]) -> int:
    """A step that is enough for twice as much, if the steps go as far."""
    return _step(max(seen, min(2 * seen, steps[-1])), steps)


def _least(seen: float) -> int:
    if seen >= 0:
        return 0
    return next((-size - 1 for size in (INT32, INT64) if seen >= -size - 1), -_power(-seen))


def _most(seen: float) -> int:
    return next((size for size in (INT32, INT64) if seen <= size), _power(seen))


def _power(seen: float) -> int:
    """The power of ten that is enough; a number beyond all of them itself."""
    whole = math.ceil(seen)
    power: int = 10 ** min(max(len(str(whole)), LEAST_POWER), MOST_POWER)
    return max(power, whole)
