"""Putting an event takes no lock where it need not, and nothing is forgotten for that."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Tracker
from snowplow_logging._clock import Clock
from snowplow_logging._transport import Answer
from snowplow_logging.payload import as_dict
from tests.delivery.support import balanced, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snowplow_logging.payload import Payload

ROUNDS = 400


class Counting:
    """A transport that counts, and says when; the account would look into the inbox itself."""

    def __init__(self) -> None:
        self.arrived = 0
        self.changed = threading.Condition()

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        with self.changed:
            self.arrived += len(batch)
            self.changed.notify_all()
        return Answer(200)

    def close(self) -> None:
        pass

    def wait_for(self, count: int) -> bool:
        """Waits until so many have arrived; says whether it was in time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.arrived >= count, 20)


class Slow(Counting):
    """Says when a request has begun, and ends it when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.leave = threading.Event(), threading.Event()

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        self.entered.set()
        assert self.leave.wait(20)
        return super().send(batch, timeout)


@pytest.fixture
def _hasty() -> Iterator[None]:
    """Threads take turns as often as they can, so that what can overlap does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Slowly(list[Any]):
    """Who puts is interrupted just before, for as long as workers take to go to rest."""

    def __iadd__(self, event: Any, /) -> Any:  # type: ignore[misc] # __add__ may return a list
        if threading.current_thread().name.startswith("putting"):
            time.sleep(0.002)
        return super().__iadd__(event)


@pytest.mark.usefixtures("_hasty")
@pytest.mark.parametrize("more", [{}, {"thread_count": 3}, {"spool": True}], ids=str)
def test_nothing_waits_for_the_next(more: dict[str, Any], tmp_path: Any) -> None:
    """What several threads put at once goes out although nobody puts anything after it."""
    counting = Counting()
    if more.get("spool"):
        more = {"spool": tmp_path / "spool.db", "durability": "events", "spool_interval": 0.01}
    emitter = AsyncEmitter(
        "http://127.0.0.1:9",
        transport=lambda: counting,
        flush_interval=0.001,
        **more,
    )
    emitter._outbox._inbox.entries = Slowly()
    tracker = Tracker("n", emitter)
    barrier = threading.Barrier(3)

    def put(count: int) -> None:
        for number in range(ROUNDS):
            _ = barrier.wait(20)
            time.sleep(0.0005 * (number % 4) * count)
            for _ in range(count):
                _ = tracker.track_unstruct_event(numbered(number))
            _ = barrier.wait(20)

    threads = [threading.Thread(target=put, args=(n,), name=f"putting {n}") for n in (1, 2)]
    for thread in threads:
        thread.start()
    for number in range(ROUNDS):
        _ = barrier.wait(20)
        assert counting.wait_for(3 * (number + 1)), number
        _ = barrier.wait(20)
    for thread in threads:
        thread.join(20)
    emitter.close()
    assert counting.arrived == 3 * ROUNDS
    assert balanced(emitter.stats())


def test_an_account_of_what_has_just_been_put() -> None:
    """The account, and what flush promises, know of the last event at once."""
    counting = Counting()
    emitter = AsyncEmitter("http://127.0.0.1:9", transport=lambda: counting, flush_interval=60)
    tracker = Tracker("n", emitter)
    for number in range(1, 2_501):
        _ = tracker.track_unstruct_event(numbered(number))
        if number % 50 == 0:
            assert emitter.stats().accepted == number
    assert emitter.flush(20)
    assert emitter.stats().delivered == counting.arrived == 2_500
    emitter.close()


def test_large_events_and_small_ones_keep_their_order() -> None:
    """What goes through the inbox and what goes by it leave in the order in which they came."""
    seen: list[str] = []

    class Noting(Counting):
        def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
            seen.extend(as_dict(payload)["eid"] for payload in batch)
            return super().send(batch, timeout)

    noting = Noting()
    emitter = AsyncEmitter("http://127.0.0.1:9", transport=lambda: noting, flush_interval=0.01)
    tracker = Tracker("n", emitter)
    texts = ["x" * (5_000 if number % 7 == 0 else 10) for number in range(300)]
    put = [tracker.track_unstruct_event(numbered(0, text=text)) for text in texts]
    assert emitter.flush(20)
    assert seen == put
    emitter.close()


@pytest.mark.parametrize("looks", [False, True], ids=["", "with a look at the account each time"])
@pytest.mark.parametrize("size", [2, 10, 100, 1_000])
def test_a_full_batch_leaves_when_it_is_full(size: int, looks: bool) -> None:  # noqa: FBT001
    """It waits neither for one more event nor for the flush interval."""
    counting = Counting()
    emitter = AsyncEmitter(
        "http://127.0.0.1:9", transport=lambda: counting, flush_interval=60, batch_size=size
    )
    tracker = Tracker("n", emitter)
    for batch in range(1, 4):
        for _ in range(size):
            _ = tracker.track_unstruct_event(numbered(batch))
            if looks:
                _ = emitter.stats()
        assert counting.wait_for(batch * size)
    emitter.close()


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_signal_handlers_that_log_in_the_midst_of_the_account() -> None:
    """Who takes in what a handler has left wakes a worker for it."""
    counting = Counting()
    emitter = AsyncEmitter("http://127.0.0.1:9", transport=lambda: counting, flush_interval=0.01)
    tracker = Tracker("n", emitter)
    handled: list[str] = []

    def handle(*_: object) -> None:
        handled.append(tracker.track_unstruct_event(numbered(len(handled))))

    def send() -> None:
        for _ in range(200):
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.002)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        sending = threading.Thread(target=send)
        sending.start()
        while sending.is_alive():
            _ = emitter.stats()
    finally:
        _ = signal.signal(signal.SIGUSR1, before)
    assert len(handled) > 20
    handled.append(tracker.track_unstruct_event(numbered(0)))  # finds what came last of all
    assert counting.wait_for(len(handled))
    emitter.close()


def test_what_waits_is_no_work_for_the_garbage_collector() -> None:
    """After two looks at most it follows none of what is queued, however much that is."""
    counting = Counting()
    emitter = AsyncEmitter("http://127.0.0.1:9", transport=lambda: counting, flush_interval=60)
    tracker = Tracker("n", emitter)
    for number in range(100):
        _ = tracker.track_unstruct_event(numbered(number), [numbered(number)])
    assert emitter.stats().pending == 100
    for _ in range(2):
        _ = gc.collect()
    (queue,) = emitter._outbox._buffer._queues.values()
    assert len(queue) == 100
    assert not any(gc.is_tracked(payload) or gc.is_tracked(payload[2]) for payload in queue)
    emitter.close()


def test_where_no_thread_could_be_started(capsys: pytest.CaptureFixture[str]) -> None:
    """Each event tries again to start them, so none waits longer than the system's lack lasts."""
    counting = Counting()
    emitter = AsyncEmitter("http://127.0.0.1:9", transport=lambda: counting, flush_interval=0.01)
    tracker = Tracker("n", emitter)
    before = threading.stack_size(1 << 46)
    try:
        for number in range(3):
            _ = tracker.track_unstruct_event(numbered(number))
    finally:
        _ = threading.stack_size(before)
    assert "no thread can deliver: can't start new thread" in capsys.readouterr().err
    assert counting.arrived == 0
    _ = tracker.track_unstruct_event(numbered(3))
    assert counting.wait_for(4)
    emitter.close()


def test_a_close_where_no_thread_could_be_started() -> None:
    """What comes meanwhile does not have the workers taken for alive: a later event starts them."""
    slow = Slow()
    emitter = AsyncEmitter("http://127.0.0.1:9", transport=lambda: slow, flush_interval=0.01)
    tracker = Tracker("n", emitter)
    closing = threading.Thread(target=emitter.close)
    before = threading.stack_size(1 << 46)
    try:
        _ = tracker.track_unstruct_event(numbered(0))
        _ = threading.stack_size(before)
        closing.start()
        assert slow.entered.wait(20)
        _ = threading.stack_size(1 << 46)
        _ = tracker.track_unstruct_event(numbered(1))
    finally:
        _ = threading.stack_size(before)
        slow.leave.set()
    closing.join(20)
    _ = tracker.track_unstruct_event(numbered(2))
    assert slow.wait_for(3)
    emitter.close()


def test_what_waited_in_the_inbox_has_waited() -> None:
    """Its flush interval, and its age, begin where it was put, not where a worker looked."""
    now = 1_000.0
    slow = Slow()
    emitter = AsyncEmitter(
        "http://127.0.0.1:9", transport=lambda: slow, flush_interval=60, batch_size=10,
        clock=Clock(monotonic=lambda: now),
    )  # fmt: skip
    tracker = Tracker("n", emitter)
    for number in range(10):
        _ = tracker.track_unstruct_event(numbered(number))
    assert slow.entered.wait(20)
    for number in range(15):
        now += 1.0
        _ = tracker.track_unstruct_event(numbered(number))
    now += 100.0
    slow.leave.set()
    assert slow.wait_for(25)
    emitter.close()


def test_blocking_waits_whoever_comes() -> None:
    """With ``overflow="block"`` threads wait for room, and a large event does for small ones."""
    counting = Counting()
    emitter = AsyncEmitter(
        "http://127.0.0.1:9", transport=lambda: counting, flush_interval=0.01,
        overflow="block", block_timeout=20, queue_size=20, queue_bytes=200_000,
    )  # fmt: skip
    tracker = Tracker("n", emitter)

    def put() -> None:
        for number in range(50):
            text = "x" * (100_000 if number % 10 == 0 else 10)
            _ = tracker.track_unstruct_event(numbered(number, text=text))

    threads = [threading.Thread(target=put) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert emitter.flush(20)
    assert (emitter.stats().dropped, counting.arrived) == (0, 16 * 50)
    emitter.close()
