"""What is true of the events of one process, kept apart from the engine that is tested."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging._spooled import SpooledOutbox
from snowplow_logging.payload import body_of, sequence_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowplow_logging._batch import Batch
    from snowplow_logging._outbox import Outbox
    from snowplow_logging._sender import Sender
    from snowplow_logging._spooler import Spooler
    from snowplow_logging.payload import Payload
    from tests.machine.crew import Hand
    from tests.machine.disk import FakeDisk


class Said(NamedTuple):
    """What the collector does with a request.

    Args:
        status: What it answers; None: nothing at all.
        retry_after: Seconds that it asks to be left alone.
        took: Seconds until the answer comes.
        lost: Whether it takes the events, but its answer is lost.
        raises: Whether the transport raises instead of saying that there was no answer.
    """

    status: int | None = 200
    retry_after: float = 0.0
    took: float = 0.0
    lost: bool = False
    raises: bool = False


class Event(NamedTuple):
    """An event that was put."""

    body: bytes
    severity: int
    put_at: float


def fate(status: int | None, custom: Mapping[int, bool]) -> str:
    """Returns what the README promises of an answer, told apart from how the engine judges."""
    if status is None:
        return "again"
    if status < 400:
        return "delivered"
    if status in custom:
        return "again" if custom[status] else "rejected"
    if status == 413:
        return "split"
    return "again" if status in (408, 425, 429) or status >= 500 else "rejected"


def body_with(number: int, size: int) -> bytes:
    """Returns the bytes of an event that says its number, of about ``size``."""
    return b'{"n":"%d","x":"%s"' % (number, b"x" * max(0, size - 16))


def number_of(body: bytes) -> int:
    """Returns the number of an event."""
    return int(body[6 : body.index(b'"', 6)])


@dataclass(eq=False)
class Process:
    """One process's events: each is pending, delivered, or dropped for a reason.

    Attributes:
        outbox: The engine's account of them.
        sender: Who sends them.
        spooler: Who has them on disk.
        batches: What its workers have in hand.
        events: All that were put, by number.
        pending: Those that are not delivered or dropped.
        delivered: Those for which an answer said so.
        told: Those of which ``on_success`` was told.
        dropped: Of which ``on_drop`` was told, with the reason.
        refused: What was dropped before it was an event.
        answers: The last answer that each got, where it was not delivered.
        newest_sent: The last sequence that was delivered.
        overtaking: Whether several workers have had batches since nothing was pending.
        was_closed: Whether anybody has closed the emitter.
        left: Those pending that were on disk at a close, and are anybody's to send.
        before: What had become of events that were on disk all the same, as the disk had failed
            to delete them, and that were then taken over as new ones.
    """

    outbox: Outbox
    sender: Sender
    spooler: Spooler | None
    batches: list[tuple[Batch, Hand]] = field(default_factory=list[tuple["Batch", "Hand"]])
    events: dict[int, Event] = field(default_factory=dict[int, "Event"])
    pending: set[int] = field(default_factory=set[int])
    delivered: set[int] = field(default_factory=set[int])
    told: set[int] = field(default_factory=set[int])
    dropped: dict[int, str] = field(default_factory=dict[int, str])
    refused: Counter[str] = field(default_factory=Counter[str])
    answers: dict[int, str] = field(default_factory=dict[int, str])
    newest_sent: int = 0
    overtaking: bool = False
    was_closed: bool = False
    left: set[int] = field(default_factory=set[int])
    before: Counter[str] = field(default_factory=Counter[str])
    _seen: tuple[int, int, int] = (0, 0, 0)  # count, bytes and put-backs, one step ago

    def put(self, number: int, event: Event) -> None:
        """Notes an event that is being put."""
        self.events[number] = event
        self.pending.add(number)

    def answered(self, batch: Sequence[Payload], verdict: str) -> list[str]:
        """Notes an answer that reached us; returns what is wrong with the request."""
        numbers = [number_of(body_of(payload)) for payload in batch]
        if verdict == "split" and len(batch) == 1:
            verdict = "oversize"
        if verdict != "delivered":
            self.answers.update(dict.fromkeys(numbers, verdict))
            return []
        wrong = [f"{n} is delivered again, or after it was dropped" for n in numbers
                 if n not in self.pending]  # fmt: skip
        self.pending.difference_update(numbers)
        self.delivered.update(numbers)
        return wrong + self._out_of_order([sequence_of(payload) for payload in batch])

    def _out_of_order(self, sequences: list[int]) -> list[str]:
        sent = [self.newest_sent, *sequences]
        self.newest_sent = sent[-1]
        return [] if self.overtaking or sent == sorted(set(sent)) else [f"{sent} are out of order"]

    def gone(self, reason: str, numbers: list[int], now: float, max_age: float) -> list[str]:
        """Notes what ``on_drop`` was told; returns what is wrong with it."""
        wrong: list[str] = []
        for number in numbers:
            if number not in self.pending:
                wrong.append(f"{number} is dropped as {reason}, but is not pending")
            expected = {
                "rejected": self.answers.get(number) == "rejected",
                "oversize": self.answers.get(number) == "oversize",
                "expired": now - self.events[number].put_at > max_age,
                "shutdown": self.was_closed,
                "queue_full": True,
                "spool_full": self.spooler is not None,
            }
            if not expected.get(reason):
                wrong.append(f"{number} is dropped as {reason} without cause")
            self.dropped[number] = reason
        self.pending.difference_update(numbers)
        return wrong

    def parked(self) -> list[tuple[Any, ...]]:
        """Returns the arguments of the calls that were made from within the engine, and wait."""
        calls: Any = self.outbox._parked
        return [call.args for call in calls]

    def in_flight(self) -> list[int]:
        """Returns the numbers of what is in the hands of workers."""
        batches = self.outbox._in_flight
        return [number_of(body_of(p)) for b in batches for p in (*b.payloads, *b.expired)]

    def queued(self) -> list[int]:
        """Returns the numbers of what is in the buffer, or the buffers."""
        buffers = [self.outbox._buffer]
        if isinstance(self.outbox, SpooledOutbox):
            buffers.append(self.outbox._written)
        queues = [queue for buffer in buffers for queue in buffer._queues.values()]
        return [number_of(body_of(waiting)) for queue in queues for waiting in queue]

    def on_disk_alone(self) -> list[int]:
        """Returns the numbers of what is on disk, and not in memory."""
        if not isinstance(self.outbox, SpooledOutbox):
            return []
        in_memory = {*self.queued(), *self.in_flight()}
        segments = [held.segment for held in self.outbox._shelf._held]
        rows = [self.disk.rows(segment).values() for segment in segments]
        numbers = [number_of(body_of(payload)) for found in rows for payload in found]
        return [number for number in numbers if number not in in_memory]

    @property
    def disk(self) -> FakeDisk:
        """The process's disk."""
        return cast("FakeDisk", cast("Spooler", self.spooler).disk)

    def adopt(self, events: dict[int, Event]) -> None:
        """Notes that it takes over events that somebody has left on disk."""
        settled = events.keys() & self.events.keys() - self.left
        self.before.update(self.dropped.pop(number, "delivered") for number in settled)
        self.delivered -= settled
        self.told -= settled
        self.left.difference_update(events)
        self.pending.update(events)
        self.events.update(events)

    def lose(self) -> None:
        """Notes that its file is lost."""
        in_memory = {*self.queued(), *self.in_flight()}
        numbers = {number_of(body_of(payload)) for payload in self.disk.lost()} - in_memory
        self.pending.difference_update(numbers)
        self.dropped.update(dict.fromkeys(numbers, "spool_lost"))

    def problems(self, queue_size: int, queue_bytes: int) -> list[str]:
        """Returns where the engine's account differs from what is true."""
        stats = self.outbox.stats()
        places = [*self.queued(), *self.in_flight(), *self.on_disk_alone(), *self.left]
        self.overtaking = self.spooler is not None or (self.overtaking and bool(places))
        calls = self.parked()
        parked = [number_of(body_of((0, 0.0, what))) for (what,) in calls if type(what) is not str]
        refused = self.refused - Counter(what for (what,) in calls if type(what) is str)
        before = self.before - Counter(delivered=self.before["delivered"])
        untold = {number_of(body_of(payload)) for payload in self.outbox._dropped}
        reasons = (
            Counter(self.dropped.values()) + refused + before + Counter(queue_full=len(untold))
        )
        taken_in = len(self.events) + self.refused.total() - len(calls) + self.before.total()
        delivered = len(self.delivered) + self.before["delivered"]
        facts = {
            "balance": stats.accepted == stats.delivered + stats.dropped + stats.pending,
            "dropped is the sum": stats.dropped == sum(stats.dropped_by_reason.values()),
            "accepted is what was put": stats.accepted == taken_in,
            "delivered is what was answered so": stats.delivered == delivered,
            "on_success was told of each": self.told == self.delivered,
            "on_drop was told of each": +Counter(stats.dropped_by_reason) == reasons,
            "pending is what is left": stats.pending == len(places),
            "each is in one place": sorted([*places, *parked]) == sorted(self.pending - untold),
            "sequences are unique": self._sequences_are_unique(),
            "the queue is bounded": self._is_bounded(self._put_backs(), queue_size, queue_bytes),
        }
        return [f"not true: {fact}; {stats}" for fact, true in facts.items() if not true]

    def _sequences_are_unique(self) -> bool:
        waiting = [w for queue in self.outbox._buffer._queues.values() for w in queue]
        taken = [p for batch in self.outbox._in_flight for p in (*batch.payloads, *batch.expired)]
        sequences = [sequence for sequence, _, _ in (*waiting, *taken)]
        return len(sequences) == len(set(sequences))

    def _put_backs(self) -> int:
        """Returns how often something has come back: not sent, or not written."""
        refused = 0 if self.spooler is None else self.disk.refused
        return self.outbox.stats().retried + refused

    def _is_bounded(self, put_backs: int, queue_size: int, queue_bytes: int) -> bool:
        """Says whether the queue is within its bounds, or is over them by put-backs alone."""
        queues = self.outbox._buffer._queues.values()
        payloads = [waiting for queue in queues for waiting in queue]
        count, size = len(payloads), sum(len(body_of(p)) for p in payloads)
        count_before, size_before, before = self._seen
        self._seen = (count, size, put_backs)
        no_more = count <= count_before and size <= size_before
        return (count <= queue_size and size <= queue_bytes) or put_backs > before or no_more
