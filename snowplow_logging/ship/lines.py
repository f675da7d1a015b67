"""Bytes → lines → what they say. Pure.

The law: every byte that goes in belongs to exactly one line that comes out, whose place is known;
of a line that is too long only the beginning is kept. Whatever a line holds, it says something,
says nothing, or is refused for a reason.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, NamedTuple, cast
from zlib import crc32

try:
    import orjson
except ImportError:  # an extra: the standard library's parser does the same, slower
    orjson = None  # type: ignore[assignment]

CHUNK_LINES = 500
PRINT_BYTES = 1_024  # of a line, that its print is made of

_loads: Any = json.loads if orjson is None else orjson.loads


class MalformedError(ValueError):
    """A line that is no record; the message says why, without its contents."""


class Print(NamedTuple):
    """What a line is known again by: the size and a digest of its end."""

    size: int
    digest: str


def print_of(content: bytes) -> Print:
    """Returns the print of what ends with ``content``."""
    kept = content[-PRINT_BYTES:]
    return Print(len(kept), blake2b(kept, digest_size=8).hexdigest())


_NOTHING = print_of(b"")


class Position(NamedTuple):
    """A place in a file, between two lines.

    Args:
        offset: Bytes before it.
        lines: Lines before it.
        checksum: CRC-32 of all bytes before it.
        last: The print of the last line before it.
    """

    offset: int = 0
    lines: int = 0
    checksum: int = 0
    last: Print = _NOTHING


class Lines(NamedTuple):
    """Some lines that stand one after another.

    Args:
        lines: Each without its line end; of one that is too long, the beginning.
        begin: Where the first one begins.
        end: Where the last one ends.
    """

    lines: list[bytes]
    begin: Position
    end: Position


class Splitter:
    """Makes lines of blocks.

    Args:
        position: Where the first block begins.
        max_bytes: How long a line may be.
    """

    def __init__(self, position: Position, max_bytes: int) -> None:
        self.position = position
        self.rest = b""  # the beginning of a line whose end has not come yet
        self._ready: list[bytes] = []
        self._max_bytes = max_bytes
        self._cut: bytes | None = None  # the beginning of a line that is too long already
        self._passed = position  # all of that line so far

    @property
    def offset(self) -> int:
        """How far blocks have been fed."""
        return self._passed.offset + sum(map(len, self._ready)) + len(self._ready) + len(self.rest)

    @property
    def is_ready(self) -> bool:
        """Whether ``take`` has lines to return."""
        return bool(self._ready)

    def feed(self, block: bytes) -> None:
        """Takes the next block."""
        *self._ready, self.rest = (self.rest + block).split(b"\n")

    def take(self) -> Lines | None:
        """Returns the next lines; None where a block is needed first."""
        if not self._ready:
            self._pass_over_long()
            return None
        if self._cut is not None:
            return self._taken([self._cut], self._ready.pop(0) + b"\n")
        lines = self._ready[:CHUNK_LINES]
        del self._ready[:CHUNK_LINES]
        return self._taken(lines, b"\n".join(lines) + b"\n")

    def take_rest(self) -> Lines | None:
        """Returns the last line, which has no end."""
        rest, self.rest = self.rest, b""
        if self._cut is None:
            return self._taken([rest], rest) if rest else None
        return self._taken([self._cut], rest)

    def _pass_over_long(self) -> None:
        """Forgets all but the beginning of a line that is too long."""
        if len(self.rest) <= self._max_bytes:
            return
        # A file that was truncated while its writer went on begins with a hole.
        kept = self.rest.lstrip(b"\0") if self._cut is None else b""
        if self._cut is None and len(kept) > self._max_bytes:
            self._cut, kept = kept[: self._max_bytes + 1], b""
        passed = self.rest[: len(self.rest) - len(kept)]
        self._passed = _moved(self._passed, passed, 0)
        self.rest = kept

    def _taken(self, lines: list[bytes], raw: bytes) -> Lines:
        begin = self.position
        self.position = self._passed = _moved(self._passed, raw, len(lines))
        self._cut = None
        return Lines(lines, begin, self.position)


def _moved(position: Position, raw: bytes, lines: int) -> Position:
    last = raw[raw.rfind(b"\n", 0, -1) + 1 :]
    return Position(
        position.offset + len(raw),
        position.lines + lines,
        crc32(raw, position.checksum),
        print_of(last),
    )


def parsed(line: bytes, max_bytes: int) -> dict[str, Any] | None:
    """Returns what a line says; None of an empty one.

    Raises:
        MalformedError: It is no JSON object.
    """
    if len(line) > max_bytes:
        raise MalformedError(f"longer than {max_bytes} bytes")
    try:
        value = _loads(line)
    except (ValueError, RecursionError):
        value = _leniently(line)
    if type(value) is dict:
        return cast("dict[str, Any]", value)
    if value is None and not line.strip(b" \t\r\n\0\xef\xbb\xbf"):
        return None
    raise MalformedError(f"JSON, but no object: {_kind(value)}")


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "an array"
    return "a text" if isinstance(value, str) else "a single value"


def _leniently(line: bytes) -> Any:
    """Returns what a line says that is not quite JSON, as far as it can be read.

    Python's parser takes NaN, numbers of any size and lone surrogates, which Python's loggers
    write. Bytes that are no UTF-8 become U+FFFD. A byte-order mark, and the zeros that a crash or
    a truncation leaves, go.
    """
    text = line.decode("utf-8", "replace").strip("\0\ufeff \t\r\n")
    if not text:
        return None
    try:
        return json.loads(text)
    except RecursionError:
        raise MalformedError("JSON that nests too deep") from None
    except json.JSONDecodeError as error:
        raise MalformedError(f"no JSON: {error.msg} at column {error.colno}") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise MalformedError(f"no JSON that can be read: {error}") from None
