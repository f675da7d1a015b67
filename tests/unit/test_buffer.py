"""Tests of the bounded queue, against a simple model of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from snowplow_logging._buffer import OVERFLOWS, REQUEST_OVERHEAD, Buffer, Overflow
from snowplow_logging.payload import STM_BYTES, Payload, body_of, finished, sequence_of, severity_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def payload(sequence: int, size: int = 10, severity: int = 20) -> Payload:
    """Returns a payload of ``size`` bytes."""
    return (sequence, 0.0, finished(b"x" * size, 0, severity))


def buffer(
    size: int = 5,
    max_bytes: int = 1_000,
    overflow: Overflow = "drop_newest",
    batch_size: int = 3,
    batch_bytes: int = 2_000,
) -> Buffer:
    """Returns a small buffer."""
    return Buffer(
        size=size,
        max_bytes=max_bytes,
        overflow=overflow,
        batch_size=batch_size,
        batch_bytes=batch_bytes,
    )


def sequences(payloads: Sequence[Payload]) -> list[int]:
    """Returns the sequence numbers of payloads."""
    return [sequence_of(p) for p in payloads]


def drained(of: Buffer) -> list[int]:
    """Returns the sequence numbers of all that a buffer holds, in the order of leaving."""
    left: list[int] = []
    while batch := of.take():
        left += sequences(batch)
    return left


class BufferMachine(RuleBasedStateMachine):
    """Does to a buffer and to a plain list whatever can be done, and compares."""

    overflow: Overflow = "drop_newest"

    def __init__(self) -> None:
        super().__init__()
        self.sequence = 0
        self.accepted: list[Payload] = []
        self.queued: list[Payload] = []
        self.dropped: list[Payload] = []
        self.taken: list[Payload] = []
        self.sent: list[Payload] = []

    @initialize(
        size=st.integers(1, 8),
        max_bytes=st.integers(20, 200),
        batch_size=st.integers(1, 5),
        room=st.integers(0, 200),
    )
    def set_up(self, size: int, max_bytes: int, batch_size: int, room: int) -> None:
        self.size, self.max_bytes, self.batch_size, self.room = size, max_bytes, batch_size, room
        self.buffer = buffer(size, max_bytes, self.overflow, batch_size, room + REQUEST_OVERHEAD)

    def bytes(self) -> int:
        return sum(len(body_of(p)) for p in self.queued)

    def fits(self, size: int, without: Sequence[Payload] = ()) -> bool:
        less = sum(len(body_of(p)) for p in without)
        few_enough = len(self.queued) - len(without) < self.size
        return few_enough and self.bytes() - less + size <= self.max_bytes

    def victims(self, newcomer: Payload) -> list[Payload] | None:
        """Returns what must go for a payload, by the rule; None: it does not get in."""
        if self.overflow == "drop_oldest":
            candidates = list(self.queued)
        elif self.overflow == "drop_lowest_severity":
            less = [p for p in self.queued if severity_of(p) < severity_of(newcomer)]
            candidates = sorted(less, key=lambda p: (severity_of(p), sequence_of(p)))
        else:
            candidates = []
        for count in range(len(candidates) + 1):
            if self.fits(len(body_of(newcomer)), candidates[:count]):
                return candidates[:count]
        return None

    @rule(size=st.integers(1, 80) | st.integers(1, 300), severity=st.sampled_from([10, 20, 30, 40]))
    def put(self, size: int, severity: int) -> None:
        self.sequence += 1
        newcomer = payload(self.sequence, size, severity)
        self.accepted.append(newcomer)
        assert self.buffer.has_room(size) == self.fits(size)
        victims = self.victims(newcomer)

        dropped = self.buffer.put(newcomer)

        if victims is None:
            assert dropped == [newcomer]
        else:
            assert dropped == victims
            self.queued.append(newcomer)
        self.queued = [p for p in self.queued if p not in dropped]
        self.dropped += dropped

    @rule()
    def take(self) -> None:
        expected: list[Payload] = []
        size = 0
        for waiting in self.queued[: self.batch_size]:
            size += len(body_of(waiting)) + STM_BYTES
            if expected and size > self.room:
                break
            expected.append(waiting)

        assert self.buffer.take() == expected

        self.queued = self.queued[len(expected) :]
        self.taken += expected

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        """Gives back some of what was taken, in any order."""
        some = data.draw(st.lists(st.sampled_from(self.taken), unique=True))
        over = max(0, len(self.queued) + len(some) - self.size)

        self.buffer.put_back(some)

        self.queued = sorted(self.queued + some)
        self.taken = [p for p in self.taken if p not in some]
        assert len(self.buffer) <= self.size + over

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Ends the way of some of what was taken."""
        some = data.draw(st.lists(st.sampled_from(self.taken), unique=True))
        self.taken = [p for p in self.taken if p not in some]
        self.sent += some

    @rule(back=st.integers(0, 10))
    def take_until(self, back: int) -> None:
        until = self.sequence - back
        expected = [p for p in self.queued if sequence_of(p) <= until]

        assert self.buffer.take_until(until) == expected

        self.queued = self.queued[len(expected) :]
        self.dropped += expected

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "buffer"):
            return
        assert len(self.buffer) == len(self.queued)
        assert self.buffer.oldest == (self.queued[0] if self.queued else None)
        enough_bytes = self.bytes() + len(self.queued) * STM_BYTES >= self.room
        assert self.buffer.has_batch == (len(self.queued) >= self.batch_size or enough_bytes)
        everywhere = [*self.queued, *self.dropped, *self.taken, *self.sent]
        assert sorted(everywhere) == self.accepted


@pytest.mark.parametrize("overflow", OVERFLOWS)
def test_it_does_as_its_model(overflow: Overflow) -> None:
    """Under every policy, bounds, order and account are those of a simple model."""
    machine = type("Machine", (BufferMachine,), {"overflow": overflow})

    run_state_machine_as_test(
        machine, settings=settings(max_examples=40, stateful_step_count=40, deadline=None)
    )


@pytest.mark.parametrize(
    ("overflow", "lost", "left"),
    [
        ("drop_newest", [6], [1, 2, 3, 4, 5]),
        ("block", [6], [1, 2, 3, 4, 5]),
        ("drop_oldest", [1], [2, 3, 4, 5, 6]),
        ("drop_lowest_severity", [2], [1, 3, 4, 5, 6]),
    ],
)
def test_who_goes(overflow: Overflow, lost: list[int], left: list[int]) -> None:
    """Each policy has its own loser; of the least severe it is the oldest."""
    full = buffer(overflow=overflow)
    for sequence, severity in enumerate([30, 10, 10, 20, 20], 1):
        assert full.put(payload(sequence, severity=severity)) == []

    assert sequences(full.put(payload(6, severity=30))) == lost
    assert drained(full) == left


def test_equals_do_not_push_each_other_out() -> None:
    """A payload no more severe than what waits is itself the one that goes."""
    full = buffer(size=1, overflow="drop_lowest_severity")
    _ = full.put(payload(1, severity=20))

    assert sequences(full.put(payload(2, severity=20))) == [2]
    assert sequences(full.put(payload(3, severity=10))) == [3]
    assert sequences(full.put(payload(4, severity=21))) == [1]


def test_nobody_goes_in_vain() -> None:
    """A payload that does not get in costs no other its place."""
    full = buffer(max_bytes=100, overflow="drop_lowest_severity")
    _ = full.put(payload(1, 10, severity=10))
    _ = full.put(payload(2, 85, severity=40))

    assert sequences(full.put(payload(3, 50, severity=30))) == [3]
    assert drained(full) == [1, 2]


@pytest.mark.parametrize("overflow", OVERFLOWS)
def test_a_payload_larger_than_all_room(overflow: Overflow) -> None:
    """A payload that can never fit goes itself."""
    full = buffer(max_bytes=100, overflow=overflow)
    _ = full.put(payload(1, 50, severity=10))

    assert sequences(full.put(payload(2, 101, severity=50))) == [2]
    assert drained(full) == [1]


def test_put_back_in_any_order() -> None:
    """What several workers give back in any order leaves in its first order."""
    filled = buffer(batch_size=2, size=6)
    for sequence in range(1, 7):
        _ = filled.put(payload(sequence))
    batches = [filled.take(), filled.take()]

    for batch in reversed(batches):
        filled.put_back(reversed(batch))

    assert drained(filled) == [1, 2, 3, 4, 5, 6]


def test_put_back_of_a_later_batch() -> None:
    """What is given back finds its place among older payloads that wait."""
    filled = buffer(batch_size=2, size=6)
    for sequence in range(1, 7):
        _ = filled.put(payload(sequence))
    first, second = filled.take(), filled.take()

    filled.put_back(first)
    filled.put_back(second)

    assert drained(filled) == [1, 2, 3, 4, 5, 6]


def test_put_back_may_exceed_the_bounds() -> None:
    """What was in before is taken back though its place was given away, and nothing is added."""
    full = buffer(size=2)
    for sequence in (1, 2):
        _ = full.put(payload(sequence))
    taken = full.take()
    for sequence in (3, 4):
        _ = full.put(payload(sequence))

    full.put_back(taken)

    assert len(full) == 4
    assert sequences(full.put(payload(5))) == [5]
    assert drained(full) == [1, 2, 3, 4]


def test_a_batch_of_one_may_exceed_a_request() -> None:
    """A payload larger than a request is a batch of its own, rather than none."""
    filled = buffer(batch_bytes=REQUEST_OVERHEAD + 50)
    for sequence, size in enumerate([60, 10, 10], 1):
        _ = filled.put(payload(sequence, size))

    assert sequences(filled.take()) == [1]
    assert filled.has_batch
    assert sequences(filled.take()) == [2]


def test_an_empty_buffer() -> None:
    """Of an empty buffer nothing can be taken."""
    empty = buffer()

    assert (len(empty), empty.oldest, empty.has_batch) == (0, None, False)
    assert empty.take() == []
    assert empty.take_until(100) == []
