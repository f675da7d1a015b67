"""One log file, or a pipe: its lines, and whether it is still the file that it was.

The law: a file is read on only if what stands before that place is what was read there. So a file
that was truncated, or another one that got its inode, begins anew.
"""

from __future__ import annotations

import gzip
import io
import os
import platform
import select
import stat
import sys
import uuid
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, cast

from snowplow_logging.ship.lines import PRINT_BYTES, Position, Splitter, print_of

if TYPE_CHECKING:
    from snowplow_logging.ship.lines import Lines

PIPE = "-"
BLOCK = 256 * 1024  # bytes that are read at once
PATIENCE = 0.1  # seconds that a read of a pipe waits
_GZIP = b"\x1f\x8b"


class Chunk(NamedTuple):
    """Lines of a file.

    Args:
        file: The file.
        lines: The lines.
        is_whole: Whether the last line is at its end; else more of it may come.
    """

    file: LogFile
    lines: Lines
    is_whole: bool


class LogFile:
    """A file, open for reading at its beginning.

    Args:
        path: Where it is; ``-`` is stdin.
        max_line: Bytes that a line may have.

    Raises:
        OSError: It cannot be read.
    """

    def __init__(self, path: str, max_line: int) -> None:
        self.path = path
        self.id = 0  # in the state, if it is there
        self.is_at_end = False
        self.is_intact = True  # what was read of it is still there
        self._max_line = max_line
        self._splitter = Splitter(Position(), max_line)
        self._raw = self._stream = _opened(path)
        status = os.fstat(self._raw.fileno())
        self.identity = f"{status.st_dev}:{status.st_ino}"
        self.is_pipe = not stat.S_ISREG(status.st_mode)
        try:
            beginning = b"" if self.is_pipe else self._beginning()
        except OSError:
            self.close()
            raise
        first, end, _ = beginning.partition(b"\n")
        self.has_first_line = bool(end) or len(beginning) == PRINT_BYTES
        self.first = print_of(first)
        # Copies on other machines, and other files that begin alike, have ids of their own.
        inode = uuid.uuid4().hex if self.is_pipe else str(status.st_ino)
        self.seed = _seed(platform.node().encode(), inode.encode(), first)

    @property
    def is_compressed(self) -> bool:
        """Whether it is compressed by gzip."""
        return self._stream is not self._raw

    @property
    def position(self) -> Position:
        """How far lines have been taken."""
        return self._splitter.position

    @property
    def read_bytes(self) -> int:
        """How much has been read of what is on the disk."""
        return self._splitter.offset if self.is_pipe else self._raw.tell()

    @property
    def has_lines(self) -> bool:
        """Whether the next lines have been read already."""
        return self._splitter.is_ready

    def status(self) -> os.stat_result:
        """Returns what the system says of it."""
        return os.fstat(self._raw.fileno())

    def go_on_from(self, position: Position) -> bool:
        """Goes to where it was left; says whether it is the file that was left there."""
        self._splitter = Splitter(position, self._max_line)
        return self._is_as_read()

    def begins_with(self, position: Position) -> bool:
        """Says whether all before ``position`` is as in the file that this is of; goes there."""
        checksum, left = 0, position.offset
        _ = self._stream.seek(0)
        while left and (block := self._read(min(left, BLOCK))):
            checksum, left = zlib.crc32(block, checksum), left - len(block)
        return not left and checksum == position.checksum and self.go_on_from(position)

    def take(self, *, to_end: bool) -> Chunk | None:
        """Returns the next lines; None where there are none, or none yet.

        Args:
            to_end: Whether a last line without a line end is wanted, too.

        Raises:
            OSError: It cannot be read.
        """
        self.is_at_end = False
        while (lines := self._splitter.take()) is None:
            if self.is_pipe and not _is_ready(self._raw):
                return None
            # A few calls of the system more for each block, but no race with who truncates.
            self.is_intact = self.is_pipe or self.is_compressed or self._is_as_read()
            block = self._read(BLOCK) if self.is_intact else b""
            if not block:
                self.is_at_end = True
                rest = self._splitter.take_rest() if to_end and self.is_intact else None
                return Chunk(self, rest, is_whole=False) if rest else None
            self._splitter.feed(block)
        return Chunk(self, lines, is_whole=True)

    def close(self) -> None:
        """Closes it."""
        self._stream.close()
        self._raw.close()

    def _beginning(self) -> bytes:
        if self._raw.read(len(_GZIP)) == _GZIP:
            _ = self._raw.seek(0)
            self._stream = cast("io.FileIO", gzip.GzipFile(fileobj=self._raw))
        beginning = self._read_at(0, PRINT_BYTES)
        _ = self._stream.seek(0)
        return beginning

    def _is_as_read(self) -> bool:
        """Says whether what stands before the place that is read next is what was read there."""
        position, rest = self._splitter.position, self._splitter.rest
        last = position.last
        if print_of(self._read_at(position.offset - last.size, last.size)) != last:
            return False
        return self._read_at(self._splitter.offset - len(rest), len(rest)) == rest

    def _read_at(self, offset: int, size: int) -> bytes:
        _ = self._stream.seek(offset)
        found = b""
        while len(found) < size and (block := self._read(size - len(found))):
            found += block
        return found

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size) or b""
        except (EOFError, zlib.error) as error:
            raise OSError(f"damaged, or cut short ({error})") from None


def event_id(seed: str, offset: int, line: bytes) -> str:
    """Returns the id of a line's event, which is the same each time that the line is read.

    It is a UUID of version 8: a checksum of the line, the file, and the place in it. So what comes
    again after a crash is recognised as a duplicate, and no two lines are mistaken for one.
    """
    return f"{zlib.crc32(line):08x}-{seed}-{offset:012x}"


def _seed(*parts: bytes) -> str:
    digest = sha256(b"\0".join(parts)).hexdigest()
    return f"{digest[:4]}-8{digest[4:7]}-{'89ab'[int(digest[7], 16) % 4]}{digest[8:11]}"


def _opened(path: str) -> io.FileIO:
    if path == PIPE:
        return io.FileIO(sys.stdin.fileno(), closefd=False)
    return io.FileIO(path)


def _is_ready(raw: io.FileIO) -> bool:
    """Waits a moment for a pipe; says whether it has something, or is at its end."""
    if os.name == "nt":  # where only sockets can be waited for
        return True
    return bool(select.select([raw], [], [], PATIENCE)[0])
