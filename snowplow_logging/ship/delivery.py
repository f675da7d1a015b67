"""Events → the collector, and which of them are settled.

The law: nothing is given up but what no collector could take. While the collector cannot be
reached, or refuses, everything waits, and so does whoever reads.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from snowplow_logging._losses import Losses
from snowplow_logging._options import YEARS, AsyncEmitterOptions
from snowplow_logging.emitter import AsyncEmitter
from snowplow_logging.handler import _tracker as new_tracker
from snowplow_logging.payload import milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging._stats import Stats
    from snowplow_logging.record import Event

LINE_BYTES = 1_000  # that the event of a line takes, beside what the line says
MOST_BYTES = 12_000_000  # of lines and their events that may be under way
REFUSALS = {code: True for code in range(400, 500) if code != 413}  # noqa: PLR2004 - too large, which is halved
_NEVER_FULL = {"overflow": "drop_newest", "queue_size": 2**40, "queue_bytes": 2**40}
T = TypeVar("T")


class Delivery(Generic[T]):
    """Delivers events, and gives back marks that were set between them.

    Args:
        endpoint: The collector.
        options: The handler's options, resolved.
        skip_refused: Whether what a collector refuses is given up, as the handler does.

    Raises:
        ValueError: An option takes no such value.
    """

    def __init__(self, endpoint: str, options: Mapping[str, Any], *, skip_refused: bool) -> None:
        given = {name: options[name] for name in AsyncEmitterOptions.__annotations__}
        given |= _NEVER_FULL  # reading stops before
        given["max_age"] = YEARS
        if "spool" in given:
            given["spool"] = None  # what is not delivered is still in the files
        if not skip_refused and endpoint.partition("://")[0] in ("http", "https", endpoint):
            given["custom_retry_codes"] = REFUSALS | options["custom_retry_codes"]
        self._emitter = _QuietEmitter(endpoint, **given)
        self._tracker = new_tracker(self._emitter, {**options})
        self._marks: deque[tuple[int, int, T]] = deque()  # sequence, bytes, mark
        self._bytes = 0
        self._progress = (-1, time.monotonic())  # events that were settled, and when

    @property
    def endpoint(self) -> str:
        """Where events go, fit to be shown."""
        return self._emitter.endpoint

    @property
    def is_full(self) -> bool:
        """Whether so much is under way that no more should be read."""
        return self._bytes >= MOST_BYTES

    @property
    def is_done(self) -> bool:
        """Whether all that was marked is settled."""
        return not self._marks

    def track(self, event: Event, created_ms: int | None, severity: int, event_id: str) -> None:
        """Queues an event; without a time it is of now."""
        now = time.time_ns() // 1_000_000 if created_ms is None else milliseconds(created_ms)
        _ = self._tracker.track(*event, now, severity, event_id=event_id.encode())

    def mark(self, mark: T, lines: int, size: int) -> None:
        """Sets a mark behind all that was tracked so far.

        Args:
            mark: The mark.
            lines: How many lines are between it and the last one.
            size: How many bytes these have.
        """
        size += lines * LINE_BYTES
        self._bytes += size
        self._marks.append((self._emitter.last_sequence, size, mark))

    def settled(self, seconds: float = 0.0) -> list[T]:
        """Returns marks before which nothing is under way any more, and forgets them.

        Args:
            seconds: How long to wait for the first one.
        """
        marks: list[T] = []
        while self._marks and self._emitter.is_settled(self._marks[0][0], seconds):
            _, size, mark = self._marks.popleft()
            self._bytes -= size
            marks.append(mark)
            seconds = 0.0
        return marks

    def stuck(self) -> float:
        """Returns for how many seconds nothing has been settled, though something waits."""
        stats, now = self.stats(), time.monotonic()
        settled = stats.delivered + stats.dropped
        if settled != self._progress[0] or not stats.pending:
            self._progress = (settled, now)
        return now - self._progress[1]

    def hurry(self, seconds: float) -> None:
        """Sends what waits for its batch to fill, for at most so long."""
        _ = self._emitter.flush(seconds)

    def stats(self) -> Stats:
        """Returns the account."""
        return self._emitter.stats()

    def close(self) -> None:
        """Ends; what is under way is left, to be sent by who reads those lines again."""
        self._emitter.close(0.0)


class _QuietEmitter(AsyncEmitter):
    """Says nothing of losses, since those are shown otherwise."""

    @property
    def last_sequence(self) -> int:
        """The sequence number of the newest event."""
        return self._outbox.last_sequence

    def is_settled(self, sequence: int, seconds: float) -> bool:
        """Waits until nothing up to ``sequence`` is under way; says whether it was in time."""
        return self._outbox.wait_settled(sequence, self._clock.monotonic() + seconds)

    def _renew(self) -> None:
        super()._renew()
        self._losses = _Silence(self.endpoint)


class _Silence(Losses):
    def report(self, stats: Stats, now: float, *, last: bool = False) -> None:
        """Says nothing."""
