"""An outbox that has a spool: it decides, under the same lock, what is written and read when.

The law: an accepted payload is in exactly one of the places that ``_outbox.py`` names, in the
second queue, or on disk alone. What is on disk stays there until it is delivered or dropped. No
call here touches the disk.
"""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from snowplow_logging._batch import Batch, Drop
from snowplow_logging._outbox import Outbox
from snowplow_logging._shelf import Shelf
from snowplow_logging.payload import queued_at_of, sequence_of, size_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging._batch import Stop
    from snowplow_logging._buffer import Buffer
    from snowplow_logging._clock import Clock
    from snowplow_logging._retry import Breaker
    from snowplow_logging.payload import Payload

REST = 5.0  # seconds for which a disk that has failed is left alone
READ_PATIENCE = 1.0  # seconds to wait for somebody else's reading


class SpooledOutbox(Outbox):
    """Adds to ``Outbox`` what is on disk.

    Args:
        buffer: Where payloads wait that are in memory alone.
        breaker: As of ``Outbox``.
        clock: As of ``Outbox``.
        written: Where payloads wait that are on disk as well, if ``every`` one is written.
        every: Whether each payload is written before it is sent, or only what has waited longer
            than it should.
        interval: Seconds that a payload waits, at most, until it is written.
        options: As of ``Outbox``.
    """

    def __init__(
        self,
        buffer: Buffer,
        breaker: Breaker,
        clock: Clock,
        *,
        written: Buffer,
        every: bool,
        interval: float,
        **options: float,
    ) -> None:
        super().__init__(buffer, breaker, clock, **options)
        self._every = every
        self._interval = interval
        # The outbox's lock guards these, too.
        self._written = written
        self._shelf = Shelf()
        self._writing = threading.Condition(self._lock)  # something may have to be written
        self._told = False  # that it presses
        self._rests_until = 0.0  # the disk has failed, and is left alone
        self._read_last = False  # the batch before this one came from the disk

    def take_to_write(self, stop: Stop, until: float) -> Batch | None:
        """Waits for what is to be written; None: not before ``until``, or ``stop`` is requested."""
        with self._changing():
            while not stop.requested:
                now = self._clock.monotonic()
                delay = self._writing_delay(now)
                if delay == 0:
                    return self._begin_writing()
                if now >= until or self._shelf.has_drained:
                    return None
                self._wait(self._writing, delay, until - now)
            return None

    def take_rest(self, sequence: int) -> Batch | None:
        """Returns what is left in memory alone up to ``sequence``, to be written."""
        with self._changing():
            self._reclaim()
            return self._begin_writing() if super()._is_queued(sequence) else None

    def take_before(self, deadline: float, sequence: int) -> Batch | None:
        """Waits as ``Outbox`` does; also returns what must be written before it can be sent."""
        with self._changing():
            self._reclaim()
            if self._every and not self._rests() and super()._is_queued(sequence):
                return self._begin_writing()
        return super().take_before(deadline, sequence)

    def take_oldest(self, deadline: float = math.inf) -> Batch | None:
        """Returns an order to read the oldest events, not to send them; None: there are none.

        Args:
            deadline: Until when it waits at most for somebody else's reading.
        """
        with self._changing():
            deadline = min(deadline, self._clock.monotonic() + READ_PATIENCE)
            while self._shelf.is_reading and (rest := deadline - self._clock.monotonic()) > 0:
                self._clock.wait(self._writing, rest)
            if self._shelf.is_reading or not self._shelf.alone:
                return None
            return self._begin_reading(ticket=-1)

    def wait_for_writing(self, deadline: float) -> None:
        """Waits until others have written, or not, what they have in hand."""
        with self._lock:
            thread = threading.get_ident()
            while any(b.task == "write" and b.thread != thread for b in self._in_flight):
                remaining = deadline - self._clock.monotonic()
                if remaining <= 0:
                    return
                self._clock.wait(self._settled, remaining)

    def wrote(self, batch: Batch, *, kept: bool) -> None:
        """Books that a batch was written, or could not be."""
        with self._changing():
            self._in_flight.remove(batch)
            own = self._shelf.own
            own.booked(batch.payloads)
            if not kept:
                self._buffer.put_back(batch.payloads)
                self._rests_until = self._clock.monotonic() + REST
            elif self._every and self._written.has_room(sum(map(size_of, batch.payloads))):
                own.wrote(batch.payloads)
                self._written.put_back(batch.payloads)
            else:
                own.put_back(batch.payloads)
            self._wake_all()

    def unwritten(self) -> list[Batch]:
        """Returns what is under way from memory alone, to be written; ``also_wrote`` ends that."""
        with self._changing():
            found = [b for b in self._in_flight if b.task == "send" and b.held is None]
            for batch in found:
                self._shelf.own.writes(batch.all)
            return found

    def also_wrote(self, batch: Batch, *, kept: bool) -> bool:
        """Books that a batch under way is on disk, or not; says if it is, but need not be.

        It need not be if it has come back meanwhile. Then it is to be deleted, and booked again.
        """
        with self._changing():
            own = self._shelf.own
            if kept and batch not in self._in_flight:
                return True
            own.booked(batch.all)
            if kept:
                batch.held = own
                own.wrote(batch.all)
            return False

    def read(self, batch: Batch, payloads: Sequence[Payload] | None) -> Batch | None:
        """Books what was read for ``batch``; returns what is to be sent of it.

        Args:
            batch: The order to read.
            payloads: What the disk has; None: it has failed.
        """
        with self._changing():
            self._in_flight.remove(batch)
            self._wake_all()
            new, lost, more = self._shelf.read(batch, payloads)
            self._take_over(more)
            self._lose(lost)
            if payloads is None:
                self._rests_until = self._clock.monotonic() + REST
            if not new:
                self._breaker.gave_up(batch.ticket)
                return None
            oldest_allowed = self._clock.monotonic() - self._max_age
            fresh = [p for p in new if queued_at_of(p) >= oldest_allowed]
            expired = [p for p in new if queued_at_of(p) < oldest_allowed]
            found = replace(batch, payloads=fresh, expired=expired, task="send")
            self._in_flight.append(found)
            return found

    def adopt(self, segment: int, count: int) -> None:
        """Takes over events that others have left on disk."""
        with self._changing():
            self._take_over(self._shelf.adopt(segment, count))
            self._wake_all()

    @property
    def oldest(self) -> tuple[int, int] | None:
        """The segment with the oldest events on disk alone, and what they come after."""
        with self._lock:
            held = self._shelf.oldest
            return None if held is None else (held.segment, held.after)

    @property
    def has_others(self) -> bool:
        """Whether there are events that others have left on disk."""
        with self._lock:
            return self._shelf.has_others

    def drained(self) -> list[int]:
        """Lets go of segments of others that are empty; returns their numbers."""
        with self._changing():
            return self._shelf.drained()

    def lose(self) -> None:
        """Goes on with what is in memory, as the file is lost."""
        with self._changing():
            for batch in self._in_flight:
                batch.held = None
            self._buffer.put_back(self._written.take_until(self.last_sequence))
            self._lose(self._shelf.lose())
            self._wake_all()

    def let_go(self, own: int) -> bool:
        """Leaves what is on disk to others, if that is all there is; says whether it did."""
        with self._changing():
            is_used = self._shelf.own.unbooked or any(batch.held for batch in self._in_flight)
            if is_used or self._in_memory():
                return False
            self._shelf.let_go(own)
            return True

    def begin_flush(self) -> int:
        """Makes all that is queued due, to be written as well."""
        with self._lock:
            self._writing.notify_all()
            return super().begin_flush()

    def abandon(self, sequence: int) -> Sequence[Drop]:
        """Gives up what is in memory alone up to ``sequence``."""
        with self._changing():
            self._shelf.own.put_back(self._written.take_until(self.last_sequence))
            return super().abandon(sequence)

    def _wake_for_new(self, *, was_empty: bool) -> None:
        super()._wake_for_new(was_empty=was_empty)
        # One wake-up starts the interval's wait, one says that it presses.
        if was_empty or (not self._told and self._presses()):
            self._told = True
            self._writing.notify()

    def _put_parked(self) -> None:
        if self._parked:
            self._writing.notify()
        super()._put_parked()

    def _presses(self) -> bool:
        return self._buffer.has_batch if self._every else self._buffer.is_filling

    def _writing_delay(self, now: float) -> float | None:
        oldest = self._buffer.oldest
        if oldest is None:
            return None
        if now < self._rests_until:
            return self._rests_until - now
        if self._presses() or (self._every and self._flushing):
            return 0
        wait = self._interval / 2  # the other half is left for the writing
        if not (self._every or self._breaker.is_open):
            wait += self._flush_interval
        return max(0.0, queued_at_of(oldest) + wait - now)

    def _begin_writing(self) -> Batch:
        self._told = False
        batch = Batch(self._take(self._buffer), [], -1, threading.get_ident(), "write")
        self._shelf.own.writes(batch.payloads)
        self._in_flight.append(batch)
        return batch

    def _delay(self, now: float) -> float | None:
        delays = [self._delay_of(self._source(), now), self._reading_delay(now)]
        return min((delay for delay in delays if delay is not None), default=None)

    def _source(self) -> Buffer:
        """Returns where payloads wait that may be sent."""
        in_memory_alone = self._rests() and not len(self._written)
        return self._written if self._every and not in_memory_alone else self._buffer

    def _reading_delay(self, now: float) -> float | None:
        if self._shelf.is_reading or not self._shelf.alone:
            return None
        rest = self._rest(now, hurried=any(map(self._shelf.is_before, self._flushing)))
        return None if rest is None else max(rest, self._rests_until - now)

    def _begin(self) -> Batch:
        now = self._clock.monotonic()
        source = self._source()
        is_turn = not (self._read_last and self._delay_of(source, now) == 0)
        self._read_last = is_turn and self._reading_delay(now) == 0
        if self._read_last:
            return self._begin_reading(self._breaker.begin())
        batch = self._begin_from(source)
        batch.held = self._shelf.own if source is self._written else None
        return batch

    def _begin_reading(self, ticket: int) -> Batch:
        held = self._shelf.oldest
        batch = Batch([], [], ticket, threading.get_ident(), "read", held)
        if held is not None:
            self._shelf.is_reading = True
            batch.after, batch.expected = held.after, held.alone
        self._in_flight.append(batch)
        self._work.notify()  # others go on from memory
        return batch

    def _restore(self, batch: Batch) -> None:
        if batch.task == "read":
            self._shelf.is_reading = False
        elif batch.held is not None:
            batch.held.put_back(batch.all)
        else:
            self._shelf.own.booked(batch.all)
            super()._restore(batch)

    def _take_back(self, batch: Batch, unsent: list[Payload]) -> list[Payload]:
        if batch.held is None:
            return super()._take_back(batch, [self._own(payload) for payload in unsent])
        batch.held.put_back(unsent)
        left = set(map(sequence_of, unsent))
        self._shelf.settled(batch.held, [p for p in batch.all if sequence_of(p) not in left])
        return []

    def _own(self, payload: Payload) -> Payload:
        """Counts what others have left among our own, if the file that it was on is lost."""
        if sequence_of(payload) > 0:
            return payload
        self._sequence += 1
        return (self._sequence, *payload[1:])

    def _lose(self, count: int) -> None:
        if count:
            self._account.dropped["spool_lost"] += count

    def _take_over(self, count: int) -> None:
        self._account.accepted += count
        self._account.adopted += count

    def _rests(self) -> bool:
        return self._clock.monotonic() < self._rests_until

    def _in_memory(self) -> int:
        return len(self._buffer) + len(self._written)

    def _is_queued(self, sequence: int) -> bool:
        if super()._is_queued(sequence) or self._shelf.is_before(sequence):
            return True
        oldest = self._written.oldest
        return oldest is not None and sequence_of(oldest) <= sequence

    def _pending(self) -> int:
        on_disk_alone = self._shelf.alone + self._shelf.left
        return super()._pending() + len(self._written) + on_disk_alone

    def _on_disk(self) -> int:
        return self._shelf.on_disk

    def _recount(self, in_flight: set[int]) -> None:
        super()._recount(in_flight)
        self._written.recount(in_flight)

    def _wake_all(self) -> None:
        super()._wake_all()
        self._writing.notify_all()
