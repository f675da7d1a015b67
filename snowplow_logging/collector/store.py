"""The verdicts, kept in memory: the last ones, and the number of all."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging.collector.rows import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from snowplow_logging.collector.judge import Verdict
    from snowplow_logging.collector.rows import Row

DEFAULT_MAX_EVENTS = 10_000
MAX_BYTES = 268_435_456  # of all documents together: a few bad requests may be huge


@dataclass(frozen=True)
class Kept:
    """A verdict that is kept.

    Attributes:
        seq: Its number: one more than that of the event before, never the same again.
        verdict: It.
        row: It, as a line of a table.
    """

    seq: int
    verdict: Verdict
    row: Row


class Counts(NamedTuple):
    """How many events came since the last reset, kept or not, and how often it was reset."""

    total: int
    good: int
    bad: int
    resets: int

    def to_json(self) -> dict[str, int]:
        """The numbers of events."""
        return {"total": self.total, "good": self.good, "bad": self.bad}

    def reach(self, total: int, good: int, bad: int) -> bool:
        """Whether so many came, at least."""
        return self.total >= total and self.good >= good and self.bad >= bad


class Store:
    """Keeps the last verdicts; may be used from any thread.

    Args:
        max_events: How many are kept, good and bad together; the oldest go first.

    Raises:
        ValueError: ``max_events`` is less than 1.
    """

    def __init__(self, max_events: int = DEFAULT_MAX_EVENTS) -> None:
        """Starts empty."""
        if max_events < 1:
            message = f"max_events: expected at least 1, got {max_events}"
            raise ValueError(message)
        self._max_events = max_events
        self._changed = threading.Condition()  # its lock guards all that follows
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self._good = 0
        self._bad = 0
        self._last = 0
        self._last_at_reset = 0
        self._resets = 0
        self._listeners: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        """Shows the counts."""
        counts = self.counts()
        return f"<Store {counts.good} good, {counts.bad} bad>"

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Adds the verdicts of one request, all at once."""
        with self._changed:
            for verdict in verdicts:
                self._last += 1
                self._kept.append(Kept(self._last, verdict, row_of(self._last, verdict)))
                self._bytes += _size(verdict)
                self._good += verdict.good
                self._bad += not verdict.good
            while len(self._kept) > self._max_events or self._is_heavy():
                self._bytes -= _size(self._kept.popleft().verdict)
            self._changed.notify_all()
        self._tell()

    def reset(self) -> Counts:
        """Forgets everything; returns the counts, which are zero."""
        with self._changed:
            self._kept.clear()
            self._bytes = self._good = self._bad = 0
            self._resets += 1
            self._last_at_reset = self._last
            counts = self._counts()
            self._changed.notify_all()
        self._tell()
        return counts

    def counts(self) -> Counts:
        """How many came since the last reset."""
        with self._changed:
            return self._counts()

    def wait(self, total: int, good: int, bad: int, timeout: float) -> Counts:
        """Waits until so many came, at least; returns the counts of then.

        Args:
            total: Good and bad ones together.
            good: Good ones.
            bad: Bad ones.
            timeout: Seconds after which it waits no longer.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            self._changed.wait_for(
                lambda: self._counts().reach(total, good, bad), deadline - time.monotonic()
            )
            return self._counts()

    def find(self, matches: Callable[[Verdict], bool], limit: int | None = None) -> list[Verdict]:
        """The verdicts that match, newest first, at most ``limit``."""
        found = [kept.verdict for kept in reversed(self._snapshot()) if matches(kept.verdict)]
        return found if limit is None else found[: max(0, limit)]

    def rows(self, after: int, before: int | None, limit: int) -> list[Row]:
        """The rows with numbers between two others, newest first, at most ``limit``."""
        rows = (
            kept.row
            for kept in reversed(self._snapshot())
            if kept.seq > after and (before is None or kept.seq < before)
        )
        return [row for row, _ in zip(rows, range(limit), strict=False)]

    def next_rows(self, after: int, limit: int) -> list[Row]:
        """The first ``limit`` rows behind the number ``after``, newest first."""
        rows = (kept.row for kept in self._snapshot() if kept.seq > after)
        return [row for row, _ in zip(rows, range(limit), strict=False)][::-1]

    def first(self) -> int | None:
        """The number of the oldest event that is kept."""
        with self._changed:
            return self._kept[0].seq if self._kept else None

    def last(self) -> int:
        """The number of the last event that came; 0 before the first."""
        with self._changed:
            return self._last

    def is_before_reset(self, seq: int) -> bool:
        """Whether the event with this number was forgotten by a reset."""
        with self._changed:
            return 0 < seq <= self._last_at_reset

    def get(self, key: str) -> Kept | None:
        """The event with this number or ``event_id``, the newest if there are several."""
        kept = reversed(self._snapshot())
        return next((item for item in kept if key in {str(item.seq), item.verdict.event_id}), None)

    def listen(self, listener: Callable[[], None]) -> None:
        """Has ``listener`` called after each change, in the thread that makes it."""
        with self._changed:
            self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Has ``listener`` called no more."""
        with self._changed:
            self._listeners.remove(listener)

    def _snapshot(self) -> list[Kept]:
        with self._changed:
            return list(self._kept)

    def _tell(self) -> None:
        with self._changed:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def _is_heavy(self) -> bool:
        return self._bytes > MAX_BYTES and len(self._kept) > 1

    def _counts(self) -> Counts:
        return Counts(self._good + self._bad, self._good, self._bad, self._resets)


def _size(verdict: Verdict) -> int:
    return sum(map(len, verdict.document))
