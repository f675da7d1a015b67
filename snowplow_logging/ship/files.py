"""Reads files to their end, or as they grow.

The law: a file that is followed is left when no name leads to it any more and it has been read to
its end. So what a rotation moves away is read first, and nothing is read twice under two names.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging.ship.found import of_stdin, scan
from snowplow_logging.ship.logfile import PIPE, LogFile
from snowplow_logging.ship.recognition import Recognition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from snowplow_logging.ship.found import Found, Version
    from snowplow_logging.ship.lines import Position
    from snowplow_logging.ship.logfile import Chunk
    from snowplow_logging.ship.state import State

MOST_OPEN = 500  # files at a time; systems often allow a process 1024
POLL = 0.5  # seconds between two looks at what files there are
# Seconds without a change after which a file is left that ...
REMOVED = 5.0  # ... has no name any more
RENAMED = 60.0  # ... has a name that no pattern matches
IDLE = 3_600.0  # ... is as it was; it is opened again when it changes


class Followed:
    """A file that is open.

    Attributes:
        file: It.
        found: As it was seen last.
        is_due: Whether there may be something to read.
        is_there: Whether a pattern matches its name.
    """

    def __init__(self, file: LogFile, found: Found) -> None:
        self.file = file
        self.found = found
        self.is_due = True
        self.is_there = True

    @property
    def is_over(self) -> bool:
        """Whether nobody will write to it any more."""
        if self.is_there:
            return self.file.is_pipe or self.file.is_compressed
        return self.found.is_quiet(RENAMED if self.found.status.st_nlink else REMOVED)

    @property
    def is_idle(self) -> bool:
        """Whether it need not be kept open."""
        return self.is_there and self.found.is_quiet(IDLE)


class Left(NamedTuple):
    """A file that was read to its end, and closed.

    Args:
        version: As it was then.
        position: How far it was read.
    """

    version: Version | None
    position: Position | None


_NEVER_READ = Left(None, None)


class Files:
    """Reads all files that some patterns match.

    Args:
        patterns: Absolute paths, which may have wildcards; ``-`` is stdin.
        state: What is known of them.
        follow: Whether to go on with what is written later.
        again: Whether to begin anew with what is known.
        max_line: Bytes that a line may have.
        complain: Gets a path, and what is wrong with it.
        poll: Seconds between two looks at what files there are.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        state: State,
        *,
        follow: bool,
        again: bool,
        max_line: int,
        complain: Callable[[str, str], None],
        poll: float = POLL,
    ) -> None:
        self._patterns = patterns
        self._recognition = Recognition(state, max_line)
        self._follow = follow and {*patterns} != {PIPE}
        self._again = again
        self._max_line = max_line
        self._complain = complain
        self._poll = poll
        self._complained: set[str] = set()
        self._there: dict[str, Found] = {}  # by identity
        self._open: dict[str, Followed] = {}  # by identity
        self._left: dict[str, Left] = {}  # by identity
        self._read_bytes = 0  # of files that were left
        self.total_bytes = 0
        self.can_repeat = PIPE not in patterns  # of a pipe nothing can be read again

    @property
    def read_bytes(self) -> int:
        """Bytes on the disk that were read, of ``total_bytes``."""
        return self._read_bytes + sum(each.file.read_bytes for each in self._open.values())

    def __iter__(self) -> Iterator[Chunk | None]:
        """Yields lines, of the oldest file first; None where there is nothing at the moment."""
        there = scan(self._patterns, self._note)
        self._there = {**there, **self._recognition.rotated(self._patterns, there)}
        if not self._follow:
            self.total_bytes = sum(found.status.st_size for found in self._there.values())
        if PIPE in self._patterns:
            yield from self._to_the_end(Followed(LogFile(PIPE, self._max_line), of_stdin()))
        if self._follow:
            self._meet_new()
            self._again = False
            yield from self._as_they_grow()
        for found in self._oldest_first():
            file = self._met(found)
            if file is not None:
                yield from self._to_the_end(Followed(file, found))

    def close(self) -> None:
        """Closes all files."""
        for each in self._open.values():
            each.file.close()

    def _to_the_end(self, followed: Followed) -> Iterator[Chunk | None]:
        self._open[followed.file.identity] = followed
        while not followed.file.is_at_end:
            chunk = self._taken(followed, to_end=True)
            if chunk is not None or not followed.file.is_at_end:
                yield chunk
        self._leave(followed)

    def _as_they_grow(self) -> Iterator[Chunk | None]:
        next_look = time.monotonic() + self._poll
        while True:
            nothing = True
            for each in [each for each in self._open.values() if each.is_due]:
                for chunk in self._read_of(each):
                    nothing = False
                    yield chunk
            if nothing:
                yield None
            if time.monotonic() >= next_look:
                self._look()
                next_look = time.monotonic() + self._poll

    def _read_of(self, followed: Followed) -> Iterator[Chunk]:
        """Yields the lines of a block, all of them, so that it need not be kept."""
        while (chunk := self._next_of(followed)) is not None:
            yield chunk
            if not followed.file.has_lines:
                return

    def _next_of(self, followed: Followed) -> Chunk | None:
        is_over = followed.is_over
        chunk = self._taken(followed, to_end=is_over)
        if followed.file.is_at_end:
            followed.is_due = False
            if is_over or followed.is_idle or not followed.file.is_intact:
                self._leave(followed)
        return chunk

    def _taken(self, followed: Followed, *, to_end: bool) -> Chunk | None:
        file = followed.file
        try:
            chunk = file.take(to_end=to_end)
            return chunk and chunk._replace(is_whole=chunk.is_whole or followed.is_over)
        except OSError as error:
            self._note(file.path, error)
            file.is_at_end = True
            return None

    def _look(self) -> None:
        """Looks which files are new, have grown, were truncated or are gone."""
        self._there = scan(self._patterns, self._note)
        self._left = {each: self._left[each] for each in self._left if each in self._there}
        for identity, each in [*self._open.items()]:
            there = self._there.get(identity)
            before = each.found
            now = there or before._replace(status=each.file.status())
            changed = now.version != before.version
            each.found, each.is_there, each.file.path = now, there is not None, now.path
            each.is_due = each.is_due or changed or not each.is_there
        self._meet_new()

    def _meet_new(self) -> None:
        for found in self._oldest_first():
            identity = found.identity
            left = self._left.get(identity, _NEVER_READ)
            if identity in self._open or left.version == found.version:
                continue
            if not found.is_regular:
                self._note(found.path, OSError("it is a pipe: redirect it to stdin, which is -"))
                continue
            if len(self._open) >= MOST_OPEN and not self._has_made_room():
                return  # all of them are being read
            file = self._met(found, left.position)
            if file is not None:
                self._open[file.identity] = Followed(file, found)

    def _has_made_room(self) -> bool:
        """Closes the file that has been quiet for the longest time, if any has been."""
        quiet = [each for each in self._open.values() if each.is_there and not each.is_due]
        for each in sorted(quiet, key=lambda each: each.found.status.st_mtime_ns)[:1]:
            self._leave(each)
        return bool(quiet)

    def _oldest_first(self) -> list[Found]:
        return sorted(self._there.values(), key=lambda each: each.status.st_mtime_ns)

    def _met(self, found: Found, reached: Position | None = None) -> LogFile | None:
        """Opens a file at its place; None where it must wait, or cannot be read."""
        try:
            file = LogFile(found.path, self._max_line)
            if file.is_pipe:
                self.can_repeat = False
                return file
            if self._is_placed(file, found, reached):
                return file
        except OSError as error:
            self._left[found.identity] = Left(found.version, reached)
            self._note(found.path, error)
        return None

    def _is_placed(self, file: LogFile, found: Found, reached: Position | None) -> bool:
        """Goes to where a file was left; says whether it can be read on."""
        placed = False
        try:
            is_other = file.identity != found.identity  # it has just been rotated
            if not self._follow or not (is_other or not self._recognition.can_tell(file, found)):
                self._recognition.place(file, found, self._there, reached, again=self._again)
                placed = True
        finally:
            if not placed:
                file.close()
        return placed

    def _leave(self, followed: Followed) -> None:
        file = followed.file
        self._read_bytes += file.read_bytes
        if file.is_intact:  # else it was truncated, and begins anew
            self._left[file.identity] = Left(followed.found.version, file.position)
        del self._open[file.identity]
        file.close()

    def _note(self, path: str, error: OSError) -> None:
        """Complains of each path once; what is followed may come to be."""
        is_to_come = self._follow and isinstance(error, FileNotFoundError)
        if path not in self._complained and not is_to_come:
            self._complained.add(path)
            self._complain(path, error.strerror or str(error))
