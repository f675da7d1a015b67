"""The one place with a lock: every decision on queued payloads is made here, none is acted on.

The law: a payload that was accepted is in exactly one of four places, and moves between them
under the lock alone: the buffer, a batch in flight, delivered, or dropped for a reason.

Before that it may be in the inbox. Whoever enters takes in what is there, before all else.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging._batch import Batch, Drop
from snowplow_logging._guard import forking, is_delivering
from snowplow_logging._inbox import EACH, SMALL, Inbox
from snowplow_logging._stats import Account, Stats
from snowplow_logging.payload import queued_at_of, sequence_of, size_of_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from snowplow_logging._batch import Outcome, Stop
    from snowplow_logging._buffer import Buffer
    from snowplow_logging._clock import Clock
    from snowplow_logging._retry import Breaker
    from snowplow_logging.payload import Draft, Payload

FLUSH_RETRY_DELAY = 0.25  # seconds between attempts while somebody waits in flush or close
_NOTHING: Sequence[Drop] = ()


class Parked(NamedTuple):
    """A call that could not enter, and who made it."""

    process: int
    method: Callable[..., None]
    args: tuple[object, ...]


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
        self._now = clock.monotonic
        self._flush_interval = flush_interval
        self._max_age = max_age
        self._block_timeout = block_timeout
        # The lock guards everything below, the buffer and the breaker.
        self._lock = threading.RLock()
        self._is_owned: Callable[[], bool] = cast("Any", self._lock)._is_owned  # noqa: SLF001 - as Condition asks
        self._work = threading.Condition(self._lock)  # a batch may be due
        self._settled = threading.Condition(self._lock)  # pending shrank
        self._account = Account()
        self._sequence = 0
        self._in_flight: list[Batch] = []
        self._flushing: list[int] = []  # the last sequence that each flush under way waits for
        self._abandoned = 0  # payloads up to this sequence are not tried again
        self._parked: deque[Parked] = deque()
        self._is_batch_told = False  # whether a worker has been told that there is a full batch
        self._inbox = Inbox()
        self._is_attended = False  # whether workers have come, to look into the inbox
        self._dropped: list[Payload] = []  # for others; nobody could be told yet

    @property
    def is_entered(self) -> bool:
        """Whether this very thread is inside, or is about to fork.

        If it is inside, a finaliser or a signal handler asks. A plain lock would deadlock then, a
        re-entrant one lets it into half-made changes. If it forks, a hook asks, perhaps in the
        child, where nobody may be left to release the lock. So what they want is parked, for
        who is inside or comes next.
        """
        return self._is_owned() or forking.is_here()

    @property
    def last_sequence(self) -> int:
        """The sequence number of the newest payload."""
        if self.is_entered:
            return self._sequence
        with self._changing():
            return self._sequence

    def put(self, draft: Draft) -> Sequence[Drop] | None:
        """Accepts an event; returns what was dropped for it, and for others meanwhile.

        Returns:
            The drops; None: a worker will look soon, and nothing else is to be done.
        """
        inbox = self._inbox
        if inbox.many and draft[-1] <= SMALL and not forking.threads:
            entries = inbox.entries
            entries += (self._now(), draft)
            if len(entries) < (inbox.many if self._is_batch_told else inbox.few):
                return None
            return self.put_parked()
        if forking.threads and forking.is_here():
            self._park(Outbox._put, draft)
            return _NOTHING
        if self._is_owned():  # who is inside, or comes next, takes it in
            inbox.entries += (self._now(), draft)
            return _NOTHING
        with self._lock:
            try:
                if self._block_timeout and not is_delivering():
                    self._wait_for_room(size_of_draft(draft))
                self._put(draft)
                self._put_parked()
                return self._untold()
            except BaseException:  # only a signal handler raises here
                self._repair()
                raise

    def put_parked(self) -> Sequence[Drop]:
        """Accepts what waits in the inbox, or parked; returns what was dropped for it."""
        if not (self._parked or self._inbox.entries or self._dropped) or self.is_entered:
            return _NOTHING
        with self._changing():
            self._put_parked()
            return self._untold()

    def inherit(self, parent: Outbox) -> None:
        """Takes, in a forked child, what was parked in it before this outbox was there."""
        self._parked += [call for call in parent._parked if call.process == os.getpid()]

    def refuse(self, reason: str) -> None:
        """Counts an event that is dropped before it is queued."""
        if self.is_entered:
            self._park(Outbox._refuse, reason)
            return
        with self._changing():
            self._refuse(reason)

    def take(self, stop: Stop) -> Batch | None:
        """Waits for a batch; None once ``stop`` is requested."""
        with self._changing():
            while not stop.requested:
                self._is_attended = True
                delay = self._delay(self._clock.monotonic())
                if delay == 0:
                    return self._begin()
                self._wait(self._work, delay)
            self._leave()
            return None

    def take_before(self, deadline: float, sequence: int) -> Batch | None:
        """Waits until ``deadline`` for a batch; None where nothing up to ``sequence`` is queued."""
        with self._changing():
            self._reclaim()
            while self._is_queued(sequence):
                now = self._clock.monotonic()
                remaining = deadline - now
                if remaining <= 0:
                    return None
                delay = self._delay(now)
                if delay == 0:
                    return self._begin()
                self._wait(self._work, delay, remaining)
            return None

    def take_due(self) -> Batch | None:
        """Returns a batch if one is due, without waiting."""
        with self._changing():
            self._reclaim()
            return self._begin() if self._delay(self._clock.monotonic()) == 0 else None

    def settle(self, batch: Batch, outcome: Outcome) -> list[Drop]:
        """Books what became of ``batch``; returns what is dropped only now."""
        with self._changing():
            now = self._clock.monotonic()
            self._in_flight.remove(batch)
            given_up = self._take_back(batch, outcome.unsent)
            drops = [Drop("expired", batch.expired), Drop("shutdown", given_up), *outcome.dropped]
            drops = [drop for drop in drops if drop.payloads]
            self._book(outcome, drops, len(outcome.unsent) - len(given_up))
            if outcome.failed:
                self._breaker.failed(batch.ticket, now, outcome.retry_after)
            elif outcome.requests:
                self._breaker.succeeded()
            else:
                self._breaker.gave_up(batch.ticket)
            self._put_parked()
            drops += self._untold()
            self._wake_all()
            return drops

    def begin_flush(self) -> int:
        """Makes all that is queued due; returns the last sequence there is."""
        with self._changing():
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

    def abandon(self, sequence: int) -> Sequence[Drop]:
        """Gives up all that is queued up to ``sequence``; in flight it has its last attempt."""
        with self._changing():
            self._abandoned = max(self._abandoned, sequence)
            self._note_high_water()
            given_up = self._buffer.take_until(sequence)
            if not given_up:
                return self._untold()
            self._is_batch_told = False
            self._account.dropped["shutdown"] += len(given_up)
            self._settled.notify_all()
            return [Drop("shutdown", given_up), *self._untold()]

    def request_stop(self, stop: Stop) -> bool:
        """Ends the workers of ``stop`` if nothing is in memory; says whether it did."""
        with self._changing():
            self._leave()
            # One that has ended, or could not begin, is never taken for one that goes on.
            stop.requested = stop.requested or not self._in_memory()
            self._wake_all()
            return stop.requested

    def stats(self) -> Stats:
        """Returns the account of this moment."""
        if self.is_entered:  # in the midst of a change, what is not settled is pending
            account = self._account
            return account.snapshot(account.accepted - account.settled, self._on_disk())
        with self._changing():
            self._note_high_water()
            return self._account.snapshot(self._pending(), self._on_disk())

    def _put(self, draft: Draft) -> None:
        self._inbox.entries += (self._now(), draft)
        self._take_in()
        if self._is_attended:
            self._inbox.open_for(self._buffer)

    def _take_in(self) -> None:
        """Takes what is in the inbox into the buffer; at once, if there is room for all of it.

        A signal handler that raises comes before or after a change, since what changes calls
        nothing; where it comes between the buffer's and ours, ``_repair`` makes ours.
        """
        if not self._inbox.entries:
            return
        was_empty = not self._buffer.count
        times, drafts = self._inbox.contents()
        if self._buffer.extend(drafts, times, self._sequence + 1):
            self._booked(len(drafts))
        else:
            for moment, draft in zip(times, drafts, strict=True):
                dropped = self._buffer.put((self._sequence + 1, moment, draft))
                self._booked(1)
                if dropped:
                    self._account.dropped["queue_full"] += len(dropped)
                    self._dropped += dropped
        self._adjust_inbox()
        self._wake_for_new(was_empty=was_empty)

    def _leave(self) -> None:
        """Has the next event be told, as workers end; any that are left come back."""
        self._is_attended = False
        self._inbox.close()
        self._take_in()

    def _adjust_inbox(self) -> None:
        """Has the limits of an open inbox be right for what is in the buffer now."""
        if self._inbox.many:
            self._inbox.open_for(self._buffer)
            if len(self._inbox.entries) >= self._inbox.few:  # somebody saw the limits before
                self._take_in()

    def _booked(self, number: int) -> None:
        """Books that the first of the inbox were taken in."""
        self._sequence += number
        self._account.accepted += number
        del self._inbox.entries[: EACH * number]

    def _untold(self) -> Sequence[Drop]:
        """Returns what was dropped for others, of which somebody can be told now."""
        if not self._dropped:
            return _NOTHING
        dropped, self._dropped = self._dropped, []
        self._is_batch_told = self._is_batch_told and self._buffer.has_batch
        return [Drop("queue_full", dropped)]

    def _wake_for_new(self, *, was_empty: bool) -> None:
        """Wakes who must know of what was taken in."""
        # One wake-up starts the flush interval's wait, one says that a batch is full.
        if not self._is_batch_told and (was_empty or self._buffer.has_batch):
            self._is_batch_told = self._buffer.has_batch
            self._work.notify()

    def _wait(
        self, condition: threading.Condition, delay: float | None, most: float | None = None
    ) -> None:
        """Waits for ``delay`` seconds, or until it is told; None: the latter, or ``most``."""
        if delay is None:
            self._inbox.close()
            seconds = most
        else:
            seconds = delay if most is None else min(delay, most)
        if delay is not None or not self._inbox.entries:
            self._clock.wait(condition, seconds)
        self._take_in()

    def _refuse(self, reason: str) -> None:
        self._account.accepted += 1
        self._account.dropped[reason] += 1

    @contextmanager
    def _changing(self) -> Generator[None]:
        """Holds the lock, and makes good what a signal handler that raises leaves half-made."""
        with self._lock:
            try:
                self._take_in()
                yield
                self._take_in()
                self._adjust_inbox()
            except BaseException:
                self._repair()
                raise

    def _repair(self) -> None:
        self._recount({sequence_of(p) for batch in self._in_flight for p in batch.all})
        self._is_batch_told = False
        newest = self._buffer.newest
        if newest > self._sequence:  # taken in, and not booked
            self._booked(newest - self._sequence)
        account = self._account
        there = account.settled + self._pending()
        if there < account.accepted:  # what was between two places is nowhere now
            account.dropped["interrupted"] += account.accepted - there
        account.accepted = max(account.accepted, there)

    def _reclaim(self) -> None:
        """Takes back what this thread has begun to send and was interrupted in by an exception."""
        if is_delivering():
            return  # it is in the midst of it
        thread = threading.get_ident()
        for batch in [each for each in self._in_flight if each.thread == thread]:
            self._in_flight.remove(batch)
            self._restore(batch)
            self._breaker.gave_up(batch.ticket)

    def _note_high_water(self) -> None:
        """To be called before anything leaves the buffer, which only grows otherwise."""
        self._account.high_water = max(self._account.high_water, len(self._buffer))

    def _take(self, buffer: Buffer) -> list[Payload]:
        self._note_high_water()
        self._is_batch_told = False
        taken = buffer.take()
        if not len(buffer):
            self._inbox.close()  # the next one that comes has to find somebody
            self._take_in()
        return taken

    def _restore(self, batch: Batch) -> None:
        """Puts back what was taken and not dealt with at all."""
        self._buffer.put_back(batch.all)

    def _take_back(self, batch: Batch, unsent: list[Payload]) -> list[Payload]:  # noqa: ARG002 - see SpooledOutbox
        """Puts back what was not sent, to be tried again; returns what is given up instead."""
        self._buffer.put_back([p for p in unsent if sequence_of(p) > self._abandoned])
        return [p for p in unsent if sequence_of(p) <= self._abandoned]

    def _recount(self, in_flight: set[int]) -> None:
        self._buffer.recount(in_flight)

    def _pending(self) -> int:
        return len(self._buffer) + sum(map(len, self._in_flight))

    def _in_memory(self) -> int:
        return len(self._buffer)

    def _on_disk(self) -> int:
        return 0

    def _wake_all(self) -> None:
        for condition in (self._work, self._settled):
            condition.notify_all()

    def _put_parked(self) -> None:
        while self._parked:
            call = self._parked.popleft()
            call.method(self, *call.args)

    def _park(self, method: Callable[..., None], *args: object) -> None:
        self._parked.append(Parked(os.getpid(), method, args))

    def _wait_for_room(self, size: int) -> None:
        deadline = self._clock.monotonic() + self._block_timeout
        self._take_in()
        while not self._buffer.has_room(size) and self._buffer.can_ever_hold(size):
            remaining = deadline - self._clock.monotonic()
            if remaining <= 0:
                return
            self._clock.wait(self._settled, remaining)
            self._take_in()

    def _delay(self, now: float) -> float | None:
        """Returns the seconds until a batch may be taken; None: not before a notification."""
        return self._delay_of(self._buffer, now)

    def _delay_of(self, buffer: Buffer, now: float) -> float | None:
        oldest = buffer.oldest
        if oldest is None:
            return None
        if any(sequence_of(oldest) <= sequence for sequence in self._flushing):
            return self._rest(now, hurried=True)
        rest = self._rest(now)
        if rest is None or buffer.has_batch:
            return rest
        return max(rest, queued_at_of(oldest) + self._flush_interval - now)

    def _rest(self, now: float, *, hurried: bool = False) -> float | None:
        """Returns for how long the collector is left alone; None: until the probe is answered."""
        rest = self._breaker.delay(now)
        if rest is None or not hurried:
            return rest
        return min(rest, max(0.0, self._breaker.failed_at + FLUSH_RETRY_DELAY - now))

    def _begin(self) -> Batch:
        return self._begin_from(self._buffer)

    def _begin_from(self, buffer: Buffer) -> Batch:
        oldest_allowed = self._clock.monotonic() - self._max_age
        taken = self._take(buffer)
        expired: list[Payload] = []
        fresh = taken
        if min(map(queued_at_of, taken), default=oldest_allowed) < oldest_allowed:
            expired = [p for p in taken if queued_at_of(p) < oldest_allowed]
            fresh = [p for p in taken if queued_at_of(p) >= oldest_allowed]
        ticket = self._breaker.begin() if fresh else 0
        batch = Batch(fresh, expired, ticket, threading.get_ident())
        self._in_flight.append(batch)
        if len(buffer):
            self._work.notify()  # somebody must watch over what is left
        return batch

    def _is_queued(self, sequence: int) -> bool:
        oldest = self._buffer.oldest
        return oldest is not None and sequence_of(oldest) <= sequence

    def _is_pending(self, sequence: int) -> bool:
        return self._is_queued(sequence) or any(
            sequence_of(payload) <= sequence
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
