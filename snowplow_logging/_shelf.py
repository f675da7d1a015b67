"""What an emitter knows of its events on disk, as a plain data structure: no lock, no disk.

The law: an event on disk that has not been settled is in memory as well (queued, or under way),
or it is counted as on disk alone; never both. Only the latter are read. As nobody can look at
the disk and book what is there in one moment, what is just being written is not taken for read,
nor what was settled since the reading began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from snowplow_logging.payload import sequence_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snowplow_logging._batch import Batch
    from snowplow_logging.payload import Payload

OWN = 0
"""Stands for the segment that an emitter writes itself, whatever its number is on disk."""

START = -(2**61)
"""Comes before the sequence number of every payload."""


@dataclass(eq=False)
class Held:
    """A segment of the spool that this emitter alone may read.

    Attributes:
        segment: Its number.
        alone: How many of its events are on disk alone.
        after: None of those has a sequence number up to this one.
        in_memory: Sequence numbers of those that are in memory as well.
        unbooked: Sequence numbers of those that are being written, or were a moment ago.
    """

    segment: int
    alone: int = 0
    after: int = START
    in_memory: set[int] = field(default_factory=set[int])
    unbooked: set[int] = field(default_factory=set[int])

    @property
    def is_empty(self) -> bool:
        """Whether all its events are settled."""
        return not self.alone and not self.in_memory

    def writes(self, payloads: Iterable[Payload]) -> None:
        """Notes that events are being written; ``booked`` ends that."""
        self.unbooked.update(map(sequence_of, payloads))

    def booked(self, payloads: Iterable[Payload]) -> None:
        """Notes that what became of events that were written is known."""
        self.unbooked.difference_update(map(sequence_of, payloads))

    def wrote(self, payloads: Iterable[Payload]) -> None:
        """Notes that events in memory are on disk, too."""
        self.in_memory.update(map(sequence_of, payloads))

    def put_back(self, payloads: Sequence[Payload]) -> None:
        """Notes that events are on disk alone from now on."""
        if payloads:
            sequences = list(map(sequence_of, payloads))
            self.in_memory.difference_update(sequences)
            self.alone += len(sequences)
            self.after = min(self.after, min(sequences) - 1)


class Shelf:
    """The segments that this emitter holds."""

    def __init__(self) -> None:
        self.own = Held(OWN)
        self._others: list[Held] = []  # what others have left, the oldest first
        self._left: dict[int, int] = {}  # events by segment, of what was let go at a close
        self.is_reading = False  # one at a time, so that nothing is read twice, or missed
        self._settled: set[tuple[Held, int]] = set()  # since the reading began

    @property
    def alone(self) -> int:
        """Events on disk alone."""
        return sum(held.alone for held in self._held)

    @property
    def left(self) -> int:
        """Events that were left on disk at a close, for whoever sends them."""
        return sum(self._left.values())

    @property
    def on_disk(self) -> int:
        """Events on disk."""
        return self.left + sum(held.alone + len(held.in_memory) for held in self._held)

    @property
    def has_others(self) -> bool:
        """Whether there are segments that others have left."""
        return bool(self._others)

    @property
    def has_drained(self) -> bool:
        """Whether a segment that others have left is empty."""
        return any(held.is_empty for held in self._others)

    @property
    def oldest(self) -> Held | None:
        """The segment to read from; None: nothing is on disk alone."""
        return next((held for held in self._held if held.alone), None)

    def is_before(self, sequence: int) -> bool:
        """Whether an event up to a sequence number may be on disk alone."""
        return any(held.alone and held.after < sequence for held in self._held)

    def settled(self, held: Held, payloads: Iterable[Payload]) -> None:
        """Notes that events are delivered or dropped."""
        sequences = set(map(sequence_of, payloads))
        held.in_memory -= sequences
        if self.is_reading:
            self._settled.update((held, sequence) for sequence in sequences)

    def read(
        self, batch: Batch, payloads: Sequence[Payload] | None
    ) -> tuple[list[Payload], int, int]:
        """Notes what was read for ``batch``; None: the disk has failed.

        Returns:
            What of it is not in memory already; how many events must have been taken from the
            file by others, as there is nothing left to read; how many more there were than known.
        """
        settled, self._settled = self._settled, set()
        self.is_reading = False
        held = batch.held
        if held is None or payloads is None:
            return [], 0, 0
        if not payloads:
            lost = min(batch.expected, held.alone)
            held.alone -= lost
            return [], lost, 0
        if held.after == batch.after:  # else something older was put back meanwhile
            held.after = sequence_of(payloads[-1])
        known = held.in_memory | held.unbooked
        known |= {sequence for each, sequence in settled if each is held}
        new = [p for p in payloads if sequence_of(p) not in known]
        held.wrote(new)
        more = max(0, len(new) - held.alone)
        held.alone += more - len(new)
        return new, 0, more

    def adopt(self, segment: int, count: int) -> int:
        """Takes over a segment; returns how many of its events are new to this emitter."""
        self._others.append(Held(segment, count))
        left = self._left.pop(segment, 0)
        known = min(count, left)
        if left > known:
            self._left[segment] = left - known
        return count - known

    def drained(self) -> list[int]:
        """Lets go of segments of others that are empty; returns their numbers."""
        empty = [held for held in self._others if held.is_empty]
        self._others = [held for held in self._others if held not in empty]
        return [held.segment for held in empty]

    def let_go(self, own: int) -> None:
        """Lets go of all segments; the emitter's own has the number ``own`` on disk."""
        for held in self._held:
            if held.alone:
                segment = held.segment or own
                self._left[segment] = self._left.get(segment, 0) + held.alone
        self._forget()

    def lose(self) -> int:
        """Forgets everything, as the file is lost; returns how many events were on it alone."""
        lost, unbooked = self.alone, self.own.unbooked
        self._forget()
        self.own.unbooked = unbooked
        return lost

    @property
    def _held(self) -> list[Held]:
        return [*self._others, self.own]

    def _forget(self) -> None:
        self.own, self._others = Held(OWN), []
