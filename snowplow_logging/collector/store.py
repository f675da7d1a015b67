"""The verdicts: the last ones, and the number of all.

Law: after ``add`` everybody sees the whole request, or nothing of it. What is kept is bounded by
the number of events and by their bytes. Documents are not kept: they are made when asked for.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging.collector.batch import batch_of
from snowplow_logging.collector.tables import Filter, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from snowplow_logging.collector.judge import Verdict
    from snowplow_logging.collector.kept import Kept

DEFAULT_MAX_EVENTS = 10_000
MAX_BYTES = 268_435_456  # of all that is kept: a few bad requests may be huge

_MAX_DIGITS = 18  # of a number that SQLite takes


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
        file: Where they are kept, so that they survive; None keeps them in memory.
        max_bytes: How much is kept, about; the oldest events go first, the last one stays.

    Raises:
        ValueError: ``max_events`` is less than 1, or the file cannot be used.
    """

    def __init__(
        self,
        max_events: int = DEFAULT_MAX_EVENTS,
        file: str | Path | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Opens the file; it holds what it held before."""
        if max_events < 1:
            message = f"max_events: expected at least 1, got {max_events}"
            raise ValueError(message)
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._changed = threading.Condition()  # its lock guards all that follows
        self._tables = tables = Tables(file)
        self._resets = 0
        self._listeners: list[Callable[[], None]] = []
        weakref.finalize(self, tables.database.close)

    def __repr__(self) -> str:
        """Shows the counts."""
        counts = self.counts()
        return f"<Store {counts.good} good, {counts.bad} bad>"

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Adds the verdicts on one request, all at once.

        Raises:
            sqlite3.Error: They cannot be written; then none of them is there.
        """
        batch = batch_of(verdicts, self._max_events)
        with self._changed:
            with self._tables.transaction():
                self._tables.insert(batch)
                self._tables.trim(self._max_events, self._max_bytes)
            self._changed.notify_all()
        self._tell()

    def reset(self) -> Counts:
        """Forgets everything; returns the counts, which are zero."""
        with self._changed:
            with self._tables.transaction():
                self._tables.clear()
            self._resets += 1
            counts = self._counts()
            self._changed.notify_all()
        self._tell()
        return counts

    def close(self) -> None:
        """Lets another collector have the file; what is in it can still be read."""
        with self._changed:
            self._tables.release()

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
        with self._changed:
            self._changed.wait_for(lambda: self._counts().reach(total, good, bad), timeout)
            return self._counts()

    def find(self, wanted: Filter, limit: int | None = None) -> Iterator[Kept]:
        """The events that fit, newest first, at most ``limit``; each is read at its turn."""
        condition, arguments = wanted.to_sql()
        below = self.last() + 1
        count = 0
        while limit is None or count < limit:
            with self._changed:
                found = self._tables.find(f"{condition} AND seq < ?", [*arguments, below])
            if found is None:
                return
            below = found.seq
            count += 1
            yield found

    def get(self, key: str) -> Kept | None:
        """The event with this number or ``event_id``, the newest if there are several."""
        is_number = key.isascii() and key.isdigit() and len(key) <= _MAX_DIGITS
        number = int(key) if is_number else 0
        event_id = key.lower().encode("utf-8", "replace").decode("utf-8")
        with self._changed:
            return self._tables.find("(seq = ? OR event_id = ?)", [number, event_id])

    def rows(self, after: int, before: int | None, limit: int) -> list[str]:
        """The rows with numbers between two others, newest first, at most ``limit``, as JSON."""
        with self._changed:
            below = self._tables.state.last + 1 if before is None else before
            return self._tables.rows(after, below, limit, newest=True)

    def next_rows(self, after: int, limit: int) -> tuple[list[str], int]:
        """The first ``limit`` rows behind ``after``, newest first, and the number of the last."""
        with self._changed:
            last = self._tables.state.last
            first = max(after + 1, self._tables.first() or last + 1)
            rows = self._tables.rows(after, last + 1, limit, newest=False)
            return rows, first + len(rows) - 1 if rows else last

    def first(self) -> int | None:
        """The number of the oldest event that is kept."""
        with self._changed:
            return self._tables.first()

    def last(self) -> int:
        """The number of the last event that came; 0 before the first."""
        with self._changed:
            return self._tables.state.last

    def is_before_reset(self, seq: int) -> bool:
        """Whether the event with this number was forgotten by a reset."""
        with self._changed:
            return 0 < seq <= self._tables.state.last_at_reset

    def listen(self, listener: Callable[[], None]) -> None:
        """Has ``listener`` called after each change, in the thread that makes it."""
        with self._changed:
            self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Has ``listener`` called no more."""
        with self._changed:
            self._listeners.remove(listener)

    def _tell(self) -> None:
        with self._changed:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def _counts(self) -> Counts:
        good, bad, _, _ = self._tables.state
        return Counts(good + bad, good, bad, self._resets)
