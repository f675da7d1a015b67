"""What a relay holds: from where it has read an entry to where Redis has forgotten it.

The law: an entry is held until Redis has acknowledged what became of it. What Redis does not do
now is done later, and meanwhile the entry stays ours.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging._redis import FAILURES, described
from snowplow_logging._sender import Callbacks
from snowplow_logging.payload import body_of, sequence_of
from snowplow_logging.relay.entry import FIELD, Dead

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snowplow_logging._batch import Drop, Outcome
    from snowplow_logging.payload import Payload
    from snowplow_logging.relay.stream import Stream
    from snowplow_logging.relay.tally import Tally

REFUSALS = ("rejected", "oversize")
"""Reasons for which the collector has refused an event; for any other it may yet be sent."""


class Held(NamedTuple):
    """An entry in work."""

    id: bytes
    size: int


class Ledger(Callbacks):
    """Gets the outcome of deliveries, and has Redis know it.

    Args:
        stream: Where outcomes go.
        tally: Counts them.
        window: How many entries are held at most.
        window_bytes: How many bytes of events, at most, but for those of one more read.
    """

    def __init__(self, stream: Stream, tally: Tally, window: int, window_bytes: int) -> None:
        super().__init__(None, None, None)
        self._stream = stream
        self._tally = tally
        self._window = window
        self._window_bytes = window_bytes
        # The lock guards everything below.
        self._changed = threading.Condition()
        self._held: dict[int, Held] = {}  # by the sequence of their payloads
        self._ids: set[bytes] = set()  # of them, and of those that only Redis must be told of
        self._bytes = 0
        self._delivered: list[bytes] = []  # Redis does not know it yet, as of the next
        self._dead: list[Dead] = []

    def room(self) -> int:
        """Returns how many entries may be read."""
        with self._changed:
            return self._window - len(self._ids) if self._bytes < self._window_bytes else 0

    def wait_for_room(self, seconds: float) -> None:
        """Waits until something is settled, at most so long."""
        with self._changed:
            _ = self._changed.wait(seconds)

    def ids(self) -> list[bytes]:
        """Returns the entries that are held."""
        with self._changed:
            return [*self._ids]

    def hold(self, sequence: int, entry_id: bytes, size: int) -> None:
        """Notes that the payload with this sequence will be that of an entry."""
        with self._changed:
            self._held[sequence] = Held(entry_id, size)
            self._ids.add(entry_id)
            self._bytes += size

    def set_aside(self, dead: list[Dead]) -> None:
        """Notes entries that cannot be sent."""
        with self._changed:
            self._dead += dead
            self._ids.update(each.id for each in dead)
        _ = self.settle()

    def outcome(self, outcome: Outcome) -> None:
        """Takes what became of a batch."""
        with self._changed:
            self._delivered += [self._release(payload).id for payload in outcome.delivered]
            for drop in outcome.dropped:
                if drop.reason in REFUSALS:
                    detail = outcome.error or ""
                    self._dead += [self._buried(p, drop.reason, detail) for p in drop.payloads]
            self._changed.notify_all()
        _ = self.settle()

    def drops(self, drops: Iterable[Drop]) -> None:
        """Leaves what was given up for other reasons where it is: pending in Redis."""

    def settle(self) -> bool:
        """Tells Redis what it does not know yet, or notes why not; returns whether it knows all."""
        with self._changed:
            delivered, self._delivered = self._delivered, []
            dead, self._dead = self._dead, []
        try:
            if delivered:
                self._stream.acknowledge(delivered)
                self._forget(delivered)
                with self._tally.changing() as counts:
                    counts.acknowledged += len(delivered)
                delivered = []
            if dead:
                self._stream.set_aside(dead)
                self._forget([each.id for each in dead])
                with self._tally.changing() as counts:
                    counts.dead.update(each.reason for each in dead)
                    counts.dead_detail = dead[-1].detail
                dead = []
        except FAILURES as error:
            self._tally.redis_failed(described(error))
            return False
        else:
            return True
        finally:
            with self._changed:
                self._delivered += delivered
                self._dead += dead

    def _release(self, payload: Payload) -> Held:
        held = self._held.pop(sequence_of(payload))
        self._bytes -= held.size
        return held

    def _buried(self, payload: Payload, reason: str, detail: str) -> Dead:
        return Dead(self._release(payload).id, {FIELD: body_of(payload) + b"}"}, reason, detail)

    def _forget(self, ids: list[bytes]) -> None:
        with self._changed:
            self._ids.difference_update(ids)
            self._changed.notify_all()
