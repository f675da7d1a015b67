"""Reads files as ``ship`` does, in the tests' own process, and remembers what it read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowplow_logging.ship.files import Files
from snowplow_logging.ship.found import absolute
from snowplow_logging.ship.lines import parsed
from snowplow_logging.ship.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.ship.logfile import Chunk

PATIENCE = 20.0  # seconds
POLL = 0.02  # seconds


class Reader:
    """Reads files, and remembers what it read.

    Args:
        state: The path of its state.
        patterns: What it reads.
        options: As ``Files`` takes them.
    """

    def __init__(self, state: Path, *patterns: object, **options: Any) -> None:
        given: dict[str, Any] = {"follow": False, "again": False, "poll": POLL, **options}
        self.complaints: list[str] = []
        self._state = State(state)
        self._files = Files(
            absolute(map(str, patterns)),
            self._state,
            max_line=10_000,
            complain=lambda path, reason: self.complaints.append(f"{Path(path).name}: {reason}"),
            **given,
        )
        self._chunks: Iterator[Chunk | None] = iter(self._files)
        self.read: list[int] = []
        self.ids: set[str] = set()

    def all(self) -> list[int]:
        """Reads to the end; returns the numbers in all lines."""
        for chunk in self._chunks:
            self._take(chunk)
        self.close()
        return self.read

    def until(self, *wanted: int) -> None:
        """Reads until lines with these numbers have come."""
        deadline = time.monotonic() + PATIENCE
        while not {*wanted} <= {*self.read}:
            assert time.monotonic() < deadline, f"{wanted} of {self.read}: {self.complaints}"
            self._take(next(self._chunks))

    def idle(self, seconds: float = 3 * POLL) -> list[int]:
        """Reads for a while, in which it looks for files twice; returns all numbers so far."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._take(next(self._chunks))
        return self.read

    def close(self) -> None:
        """Ends."""
        self._files.close()
        self._state.close()

    def _take(self, chunk: Chunk | None) -> None:
        if chunk is None:
            time.sleep(0.01)
            return
        if not chunk.is_whole:
            return
        said = [parsed(each, 10**6) for each in chunk.lines.lines]
        self.read += [each["n"] for each in said if each is not None]
        self.ids.add(chunk.file.seed)
        self._state.save({chunk.file.id: chunk.lines.end})
