"""The verdicts, kept in memory: the last ones, and the number of all."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from snowplow_logging.collector.judge import Verdict

DEFAULT_MAX_EVENTS = 10_000
MAX_BYTES = 268_435_456  # of all documents together: a few bad requests may be huge


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
        self._lock = threading.Lock()  # guards all that follows
        self._verdicts: deque[Verdict] = deque()
        self._bytes = 0
        self._good = 0
        self._bad = 0

    def __repr__(self) -> str:
        """Shows the counts."""
        counts = self.counts()
        return f"<Store {counts['good']} good, {counts['bad']} bad>"

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Adds the verdicts of one request, all at once."""
        with self._lock:
            for verdict in verdicts:
                self._verdicts.append(verdict)
                self._bytes += _size(verdict)
                self._good += verdict.good
                self._bad += not verdict.good
            while len(self._verdicts) > self._max_events or self._is_heavy():
                self._bytes -= _size(self._verdicts.popleft())

    def reset(self) -> dict[str, int]:
        """Forgets everything; returns the counts, which are zero."""
        with self._lock:
            self._verdicts.clear()
            self._bytes = self._good = self._bad = 0
            return self._counts()

    def counts(self) -> dict[str, int]:
        """How many came since the last reset, kept or not: ``total``, ``good``, ``bad``."""
        with self._lock:
            return self._counts()

    def find(self, matches: Callable[[Verdict], bool], limit: int | None = None) -> list[Verdict]:
        """The verdicts that match, newest first, at most ``limit``."""
        with self._lock:
            newest_first = list(reversed(self._verdicts))
        found = [verdict for verdict in newest_first if matches(verdict)]
        return found if limit is None else found[: max(0, limit)]

    def _is_heavy(self) -> bool:
        return self._bytes > MAX_BYTES and len(self._verdicts) > 1

    def _counts(self) -> dict[str, int]:
        return {"total": self._good + self._bad, "good": self._good, "bad": self._bad}


def _size(verdict: Verdict) -> int:
    return sum(map(len, verdict.document))
