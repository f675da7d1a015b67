"""Putting an event takes no lock where it need not, and nothing is forgotten for that."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Tracker
from snowplow_logging._clock import Clock
from snowplow_logging._transport import Answer
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


@pytest.fixture
def _hasty() -> Iterator[None]:
    """Threads take turns as often as they can, so that what can overlap does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def slowly() -> float:
    """Tells the time; who puts is interrupted there, for as long as workers take to go to rest."""
    if threading.current_thread().name.startswith("putting"):
        time.sleep(0.002)
    return time.monotonic()


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
        clock=Clock(monotonic=slowly),
        **more,
    )
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
        with counting.changed:
            enough = 3 * (number + 1)
            assert counting.changed.wait_for(lambda: counting.arrived >= enough, 20), number  # noqa: B023
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
            seen.extend(payload.event_id.decode() for payload in batch)
            return super().send(batch, timeout)

    noting = Noting()
    emitter = AsyncEmitter("http://127.0.0.1:9", transport=lambda: noting, flush_interval=0.01)
    tracker = Tracker("n", emitter)
    texts = ["x" * (5_000 if number % 7 == 0 else 10) for number in range(300)]
    put = [tracker.track_unstruct_event(numbered(0, text=text)) for text in texts]
    assert emitter.flush(20)
    assert seen == put
    emitter.close()
