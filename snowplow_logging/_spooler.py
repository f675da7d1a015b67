"""Acts on what the outbox decides of the disk: writes, reads, takes over, clears up.

The law: whatever the disk does, each batch comes back to the outbox. One thread of the pool does
nothing else, so that a collector that hangs keeps no event from the disk.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from snowplow_logging._disk import Kept
from snowplow_logging._shelf import OWN
from snowplow_logging.payload import queued_at_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging._batch import Batch, Stop
    from snowplow_logging._clock import Clock
    from snowplow_logging._disk import Disk
    from snowplow_logging._sender import Sender
    from snowplow_logging._spooled import SpooledOutbox

SECONDS_BETWEEN_ROUNDS = 5.0
KEEP_PATIENCE = 2.0  # seconds that a close gives the disk, beyond what it gives the collector


class Spooler:
    """Moves an emitter's events to disk, and from there.

    Args:
        outbox: Decides.
        disk: Keeps them.
        sender: Drops what is too old, or too much.
        clock: The time.
        batch_size: The most events that are read at once.
        batch_bytes: The most bytes in a request that is read at once.
        max_age: Seconds after which an event is no longer kept.
        report: Tells of losses.
    """

    def __init__(
        self,
        outbox: SpooledOutbox,
        disk: Disk,
        sender: Sender,
        clock: Clock,
        *,
        batch_size: int,
        batch_bytes: int,
        max_age: float,
        report: Callable[[], None],
    ) -> None:
        self.disk = disk
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._batch_size = batch_size
        self._batch_bytes = batch_bytes
        self._max_age = max_age
        self._report = report
        self._running = threading.Lock()  # held while a thread of the pool does this

    def run(self, stop: Stop) -> None:
        """Writes what must be written, and makes a round now and then, until ``stop``."""
        with self._running:
            due = self._clock.monotonic()
            while not stop.requested:
                batch = self._outbox.take_to_write(stop, due)
                if batch is not None:
                    _ = self._write(batch)
                    self._report()
                if batch is None or self._clock.monotonic() >= due:
                    self._make_a_round()
                    due = self._clock.monotonic() + SECONDS_BETWEEN_ROUNDS
        self.let_go()

    def ready(self, batch: Batch) -> Batch | None:
        """Returns what is to be sent of ``batch``; None: it was to be written, or is empty."""
        if batch.task == "write":
            _ = self._write(batch)
            return None
        return self._read(batch) if batch.task == "read" else batch

    def keep_rest(self, sequence: int) -> None:
        """Writes what is in memory alone up to ``sequence``, also what is under way."""
        deadline = self._clock.monotonic() + KEEP_PATIENCE
        self._outbox.wait_for_writing(deadline)
        while (batch := self._outbox.take_rest(sequence)) is not None:
            if not self._write(batch, deadline) or self._clock.monotonic() >= deadline:
                return
        for batch in self._outbox.unwritten():
            kept = self.disk.write(batch.all) is Kept.YES
            if self._outbox.also_wrote(batch, kept=kept):
                self.disk.delete(OWN, batch.all)
                _ = self._outbox.also_wrote(batch, kept=False)

    def let_go(self) -> None:
        """Leaves what is on disk to others, unless something is still under way."""
        if self._running.acquire(blocking=False):
            try:
                if self._outbox.oldest is not None:  # then a file that is lost is found so now
                    self.disk.look_after()
                if self._outbox.let_go(self.disk.own):
                    self.disk.release()
            finally:
                self._running.release()

    def _write(self, batch: Batch, deadline: float = math.inf) -> bool:
        kept = Kept.NO
        try:
            kept = self.disk.write(batch.payloads)
            while kept is Kept.FULL and self._make_room(deadline):
                kept = self.disk.write(batch.payloads)
            if kept is Kept.FULL:
                self.disk.complain("it is full with the events of others; raise spool_bytes")
        finally:
            self._outbox.wrote(batch, kept=kept is Kept.YES)
        return kept is Kept.YES

    def _read(self, batch: Batch) -> Batch | None:
        if batch.held is None:  # the file is lost
            return self._outbox.read(batch, [])
        segment, after = batch.held.segment, batch.after
        payloads, found = None, None
        try:
            payloads = self.disk.read(segment, after, self._batch_size, self._batch_bytes)
        finally:
            found = self._outbox.read(batch, payloads)
        return found

    def _make_room(self, deadline: float) -> bool:
        """Drops the oldest events on disk; False: there are none."""
        batch = self._outbox.take_oldest(deadline)
        if batch is None:
            return False
        found = self._read(batch)
        if found is not None:
            self._sender.give_up(found, "spool_full")
        return True

    def _make_a_round(self) -> None:
        drained = self._outbox.drained()
        if drained:
            self.disk.end(drained)
        if not self._outbox.has_others:
            adopted = self.disk.adopt()
            if adopted is not None:
                self._outbox.adopt(*adopted)
        while self._is_expired() and (batch := self._outbox.take_oldest()) is not None:
            found = self._read(batch)
            if found is None:
                break
            self._sender.put_back(found)
        self.disk.look_after()
        self._report()

    def _is_expired(self) -> bool:
        """Says whether the oldest event on disk is too old."""
        oldest = self._outbox.oldest
        found = self.disk.read(*oldest, 1, 0) if oldest else None
        allowed = self._clock.monotonic() - self._max_age
        return found is not None and min(map(queued_at_of, found), default=allowed) < allowed
