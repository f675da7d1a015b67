"""JSON that keeps where each value stood, so that a finding can name its line.

Law: whatever the text, the outcome is a ``Document`` or a ``SourceError`` with a line.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from snowplow_logging.collector.strict_json import MAX_LEVELS, shorten

if TYPE_CHECKING:
    from snowplow_logging.collector.strict_json import Json

Pointer: TypeAlias = "tuple[str | int, ...]"
"""The keys and indexes that lead to a value from the root, which is ``()``."""

_SPACE = re.compile(r"[ \t\n\r]*")


class SourceError(ValueError):
    """The text is not JSON.

    Args:
        message: Why.
        line: Where, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Span(NamedTuple):
    """Where a value stands in its text.

    Args:
        key: Offset of its key; its own in an array and at the root.
        start: Offset of its first character.
        end: Offset behind its last one.
    """

    key: int
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A JSON text that has been read.

    Attributes:
        text: The text.
        value: What it says.
        spans: Where each value in it stands.
    """

    text: str
    value: Json
    spans: dict[Pointer, Span] = field(repr=False)

    def line(self, pointer: Pointer, *, key: bool = False) -> int:
        """The line, from 1, of a value, or of its key; where there is none, of what would hold it.

        Args:
            pointer: What leads to the value.
            key: Whether its key is meant.
        """
        while pointer not in self.spans:
            pointer = pointer[:-1]
        span = self.spans[pointer]
        return bisect_right(self._line_starts, span.key if key else span.start)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]


def read(text: str) -> Document:
    """Reads ``text``.

    Raises:
        SourceError: It is no JSON, names a key twice in one object, or nests too deep.
    """
    reader = _Reader(text)
    start = reader.space(0)
    value, end = reader.value(start, (), start)
    end = reader.space(end)
    if end != len(text):
        raise reader.error(f"expected the end of the file, got {shorten(text[end:], 20)}", end)
    return Document(text, value, reader.spans)


class _Reader:
    """One reading of one text; texts, numbers and literals are left to the standard library."""

    def __init__(self, text: str) -> None:
        self.spans: dict[Pointer, Span] = {}
        self._text = text
        self._scalars = json.JSONDecoder(parse_constant=_refuse, parse_float=_float)

    def error(self, message: str, offset: int) -> SourceError:
        return SourceError(message, self._text.count("\n", 0, offset) + 1)

    def space(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        return match.end() if match else offset

    def value(self, offset: int, pointer: Pointer, key: int) -> tuple[Json, int]:
        if len(pointer) >= MAX_LEVELS:
            raise self.error(f"expected at most {MAX_LEVELS} levels of JSON", offset)
        first = self._text[offset : offset + 1]
        value: Json
        if first == "{":
            value, end = self._object(offset, pointer)
        elif first == "[":
            value, end = self._array(offset, pointer)
        else:
            value, end = self._scalar(offset)
        self.spans[pointer] = Span(key, offset, end)
        return value, end

    def _scalar(self, offset: int) -> tuple[Json, int]:
        try:
            return self._scalars.raw_decode(self._text, offset)
        except json.JSONDecodeError as error:
            if error.pos == offset:
                raise self.error(f"expected a value, got {self._next(offset)}", offset) from None
            raise self.error(f"not JSON: {error.msg}", error.pos) from None
        except ValueError as error:  # a number or a constant, refused below or by Python itself
            raise self.error(f"not JSON: {error}", offset) from None

    def _object(self, offset: int, pointer: Pointer) -> tuple[dict[str, Json], int]:
        members: dict[str, Json] = {}
        offset = self.space(offset + 1)
        while self._text[offset : offset + 1] != "}" or members:
            if self._text[offset : offset + 1] != '"':
                raise self.error(f"expected a key in quotes, got {self._next(offset)}", offset)
            name, end = self._scalar(offset)
            if not isinstance(name, str) or name in members:
                message = f"the key {shorten(name)} stands more than once in one object"
                raise self.error(message, offset)
            start = self.space(self._skip(end, ":"))
            members[name], end = self.value(start, (*pointer, name), offset)
            offset = self.space(end)
            if self._text[offset : offset + 1] == "}":
                break
            offset = self.space(self._skip(offset, ",", "}"))
        return members, offset + 1

    def _array(self, offset: int, pointer: Pointer) -> tuple[list[Json], int]:
        items: list[Json] = []
        offset = self.space(offset + 1)
        while self._text[offset : offset + 1] != "]" or items:
            item, end = self.value(offset, (*pointer, len(items)), offset)
            items.append(item)
            offset = self.space(end)
            if self._text[offset : offset + 1] == "]":
                break
            offset = self.space(self._skip(offset, ",", "]"))
        return items, offset + 1

    def _skip(self, offset: int, *expected: str) -> int:
        """The offset behind the first of ``expected``; the others are what could stand there."""
        offset = self.space(offset)
        if self._text[offset : offset + 1] == expected[0]:
            return offset + 1
        raise self.error(f"expected {' or '.join(expected)}, got {self._next(offset)}", offset)

    def _next(self, offset: int) -> str:
        found = self._text[offset : offset + 1]
        return shorten(found) if found else "the end of the file"


def _refuse(name: str) -> Json:
    message = f"{name} is no JSON value"
    raise ValueError(message)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        message = f"the number {shorten(text, 20)} does not fit a double"
        raise ValueError(message)
    return number
