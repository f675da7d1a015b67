"""The one place with a lock: every decision on queued payloads is made here, none is acted on.

The law: a payload that was accepted is in exactly one of four places, and moves between them
under the lock alone: the buffer, a batch in flight, delivered, or dropped for a reason.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging._guard import is_delivering
from snowplow_logging._stats import Account, Stats
from snowplow_logging.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snowplow_logging._buffer import Buffer
    from snowplow_logging._clock import Clock
    from snowplow_logging._retry import Breaker

FLUSH_RETRY_DELAY = 0.25  # seconds between attempts while somebody waits in flush or close


class Drop(NamedTuple):
    """Payloads that were given up, and why."""

    reason: str
    payloads: Sequence[Payload]


@dataclass(frozen=True, eq=False)
class Batch:
    """Payloads that one worker has taken to send, and those that had grown too old for it."""

    payloads: list[Payload]
    expired: list[Payload]
    ticket: int


@dataclass
class Outcome:
    """What became of a batch: each of its payloads is in one of the first three.

    Attributes:
        delivered: What the collector has taken.
        dropped: What was given up, by reason.
        unsent: What is to be tried again.
        requests: How many requests were answered, or failed; not those that were cut short.
        failed: Whether the collector could not be reached, or asked to try again.
        error: What the last failed request failed of.
        retry_after: Seconds that the collector asks to be left alone.
    """

    delivered: list[Payload] = field(default_factory=list["Payload"])
    dropped: list[Drop] = field(default_factory=list["Drop"])
    unsent: list[Payload] = field(default_factory=list["Payload"])
    requests: int = 0
    failed: bool = False
    error: str | None = None
    retry_after: float = 0.0


class Stop:
    """Tells one generation of workers to end; set and read under the outbox's lock."""

    requested = False


class Outbox:
    """Takes payloads in, hands them out in batches, and keeps the account.

    Args:
        buffer: Where payloads wait.
        breaker: Says when a request may begin.
        clock: The time.
        flush_interval: Seconds that a payload waits for a batch to fill.
        max_age: Seconds after which a payload is no longer tried.
        block_timeout: Seconds that ``put`` waits for room; 0: it never waits.
    """

    def __init__(
        self,
        buffer: Buffer,
        breaker: Breaker,
        clock: Clock,
        *,
        flush_interval: float,
        max_age: float,
        block_timeout: float,
    ) -> None:
        self._buffer = buffer
        self._breaker = breaker
        self._clock = clock
        self._flush_interval = flush_interval
        self._max_age = max_age
        self._block_timeout = block_timeout
        # The lock guards everything below, the buffer and the breaker.
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)  # a batch may be due
        self._settled = threading.Condition(self._lock)  # pending shrank
        self._account = Account()
        self._sequence = 0
        self._in_flight: list[Batch] = []
        self._flushing: list[int] = []  # the last sequence that each flush under way waits for
        self._abandoned = 0  # payloads up to this sequence are not tried again
        self._parked: deque[Callable[[], list[Drop]]] = deque()  # left by re-entrant calls

    @property
    def is_entered(self) -> bool:
        """Whether this very thread is inside: a finaliser or a signal handler asks.

        A plain lock would deadlock then, a re-entrant one lets it into half-made changes. So
        what it wants is left to who is inside, or comes next.
        """
        return self._lock._is_owned()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 - as Condition asks

    @property
    def last_sequence(self) -> int:
        """The sequence number of the newest payload."""
        return self._sequence

    def put(self, body: bytes, created_ms: int, severity: int) -> list[Drop]:
        """Accepts an event; returns what was dropped for it."""
        if self.is_entered:
            self._parked.append(partial(self._put, body, created_ms, severity))
            return []
        with self._lock:
            if self._block_timeout and not is_delivering():
                self._wait_for_room(len(body))
            return [*self._put(body, created_ms, severity), *self._put_parked()]

    def put_parked(self) -> list[Drop]:
        """Accepts what re-entrant calls have left; returns what was dropped for it."""
        with self._lock:
            return self._put_parked()

    def refuse(self, reason: str) -> None:
        """Counts an event that is dropped before it is queued."""
        if self.is_entered:
            self._parked.append(partial(self._refuse, reason))
            return
        with self._lock:
            _ = self._refuse(reason)

    def take(self, stop: Stop) -> Batch | None:
        """Waits for a batch; None once ``stop`` is requested."""
        with self._lock:
            while not stop.requested:
                delay = self._delay(self._clock.monotonic())
                if delay == 0:
                    return self._begin()
                self._clock.wait(self._work, delay)
            return None

    def take_before(self, deadline: float, sequence: int) -> Batch | None:
        """Waits until ``deadline`` for a batch; None where nothing up to ``sequence`` is queued."""
        with self._lock:
            while (oldest := self._buffer.oldest) is not None and oldest.sequence <= sequence:
                now = self._clock.monotonic()
                remaining = deadline - now
                if remaining <= 0:
                    return None
                delay = self._delay(now)
                if delay == 0:
                    return self._begin()
                self._clock.wait(self._work, remaining if delay is None else min(delay, remaining))
            return None

    def take_due(self) -> Batch | None:
        """Returns a batch if one is due, without waiting."""
        with self._lock:
            return self._begin() if self._delay(self._clock.monotonic()) == 0 else None

    def settle(self, batch: Batch, outcome: Outcome) -> list[Drop]:
        """Books what became of ``batch``; returns what is dropped only now."""
        with self._lock:
            now = self._clock.monotonic()
            self._in_flight.remove(batch)
            given_up = [p for p in outcome.unsent if p.sequence <= self._abandoned]
            drops = [Drop("expired", batch.expired), Drop("shutdown", given_up), *outcome.dropped]
            drops = [drop for drop in drops if drop.payloads]
            again = [p for p in outcome.unsent if p.sequence > self._abandoned]
            self._buffer.put_back(again)
            self._book(outcome, drops, len(again))
            if outcome.failed:
                self._breaker.failed(batch.ticket, now, outcome.retry_after)
            elif outcome.requests:
                self._breaker.succeeded()
            else:
                self._breaker.gave_up(batch.ticket)
            drops += self._put_parked()
            self._work.notify_all()
            self._settled.notify_all()
            return drops

    def begin_flush(self) -> int:
        """Makes all that is queued due; returns the last sequence there is."""
        with self._lock:
            self._flushing.append(self._sequence)
            self._work.notify_all()
            return self._sequence

    def end_flush(self, sequence: int) -> None:
        """Ends what ``begin_flush`` began."""
        with self._lock:
            self._flushing.remove(sequence)

    def wait_settled(self, sequence: int, deadline: float) -> bool:
        """Waits until nothing up to ``sequence`` is pending; False: not before ``deadline``."""
        with self._lock:
            while self._is_pending(sequence):
                remaining = deadline - self._clock.monotonic()
                if remaining <= 0:
                    return False
                self._clock.wait(self._settled, remaining)
            return True

    def abandon(self, sequence: int) -> list[Drop]:
        """Gives up all that is queued up to ``sequence``; in flight it has its last attempt."""
        with self._lock:
            self._abandoned = max(self._abandoned, sequence)
            given_up = self._buffer.take_until(sequence)
            if not given_up:
                return []
            self._account.dropped["shutdown"] += len(given_up)
            self._settled.notify_all()
            return [Drop("shutdown", given_up)]

    def request_stop(self, stop: Stop) -> bool:
        """Ends the workers of ``stop`` if nothing is queued; says whether it did."""
        with self._lock:
            stop.requested = not len(self._buffer)
            self._work.notify_all()
            return stop.requested

    def stats(self) -> Stats:
        """Returns the account of this moment."""
        with self._lock:
            in_flight = sum(len(b.payloads) + len(b.expired) for b in self._in_flight)
            return self._account.snapshot(len(self._buffer) + in_flight)

    def _put(self, body: bytes, created_ms: int, severity: int) -> list[Drop]:
        had_batch = self._buffer.has_batch
        payload = Payload(self._sequence + 1, body, created_ms, severity, self._clock.monotonic())
        dropped = self._buffer.put(payload)
        self._sequence += 1
        self._account.accepted += 1
        queued = len(self._buffer)
        self._account.high_water = max(self._account.high_water, queued)
        # One wake-up starts the flush interval's wait, one says that a batch is full.
        if queued == 1 or (not had_batch and self._buffer.has_batch):
            self._work.notify()
        if not dropped:
            return []
        self._account.dropped["queue_full"] += len(dropped)
        return [Drop("queue_full", dropped)]

    def _refuse(self, reason: str) -> list[Drop]:
        self._account.accepted += 1
        self._account.dropped[reason] += 1
        return []

    def _put_parked(self) -> list[Drop]:
        drops: list[Drop] = []
        while self._parked:
            drops += self._parked.popleft()()
        return drops

    def _wait_for_room(self, size: int) -> None:
        deadline = self._clock.monotonic() + self._block_timeout
        while not self._buffer.has_room(size) and self._buffer.can_ever_hold(size):
            remaining = deadline - self._clock.monotonic()
            if remaining <= 0:
                return
            self._clock.wait(self._settled, remaining)

    def _delay(self, now: float) -> float | None:
        """Returns the seconds until a batch may be taken; None: not before a notification."""
        oldest = self._buffer.oldest
        if oldest is None:
            return None
        rest = self._breaker.delay(now)
        if rest is None:
            return None
        if any(oldest.sequence <= sequence for sequence in self._flushing):
            return min(rest, max(0.0, self._breaker.failed_at + FLUSH_RETRY_DELAY - now))
        if self._buffer.has_batch:
            return rest
        return max(rest, oldest.queued_at + self._flush_interval - now, 0.0)

    def _begin(self) -> Batch:
        oldest_allowed = self._clock.monotonic() - self._max_age
        taken = self._buffer.take()
        fresh = [p for p in taken if p.queued_at >= oldest_allowed]
        expired = [p for p in taken if p.queued_at < oldest_allowed]
        batch = Batch(fresh, expired, self._breaker.begin() if fresh else 0)
        self._in_flight.append(batch)
        if len(self._buffer):
            self._work.notify()  # somebody must watch over what is left
        return batch

    def _is_pending(self, sequence: int) -> bool:
        oldest = self._buffer.oldest
        if oldest is not None and oldest.sequence <= sequence:
            return True
        return any(
            payload.sequence <= sequence
            for batch in self._in_flight
            for payload in (*batch.payloads[:1], *batch.expired[:1])
        )

    def _book(self, outcome: Outcome, drops: list[Drop], retried: int) -> None:
        account = self._account
        account.delivered += len(outcome.delivered)
        account.retried += retried
        account.requests += outcome.requests
        for drop in drops:
            account.dropped[drop.reason] += len(drop.payloads)
        if outcome.error is not None:
            account.last_error = outcome.error
        if outcome.delivered:
            account.last_delivery = self._clock.wall()
