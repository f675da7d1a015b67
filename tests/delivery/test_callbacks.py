"""Callbacks: what they are told, and that nothing they do can hurt a delivery."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Emitter, SnowplowHandler, Tracker
from tests.delivery.support import balanced, logging_to, numbered, numbers, until, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging.testing import FaultyCollector
    from tests.delivery.conftest import MakeCollector

QUICK: dict[str, Any] = {"flush_interval": 0.01, "max_retry_delay": 0.02}
EMITTERS = pytest.mark.parametrize("emitter_class", [Emitter, AsyncEmitter])


@EMITTERS
@pytest.mark.parametrize("method", ["post", "get"])
def test_on_success(collector: FaultyCollector, emitter_class: type[Emitter], method: str) -> None:
    """``on_success`` gets the payloads that were delivered, each once."""
    delivered: list[dict[str, Any]] = []
    emitter = emitter_class(collector.url, method=method, on_success=delivered.extend)
    tracker = Tracker("namespace", emitter)
    event_ids = [tracker.track_unstruct_event(numbered(n)) for n in range(5)]
    emitter.close()
    assert [payload["eid"] for payload in delivered] == event_ids
    seen = [{k: v for k, v in event.items() if k != "stm"} for event in collector.events()]
    assert delivered == seen


@EMITTERS
def test_on_failure(make_collector: MakeCollector, emitter_class: type[Emitter]) -> None:
    """``on_failure`` gets how many went and the payloads that did not, at each failure."""
    collector = make_collector(503, 503)
    calls: list[tuple[int, list[int]]] = []
    emitter = emitter_class(
        collector.url, batch_size=3, max_retry_delay=0.02,
        on_failure=lambda sent, unsent: calls.append((sent, numbers(unsent))),
    )  # fmt: skip
    tracker = Tracker("namespace", emitter)
    for number in range(3):
        tracker.track_unstruct_event(numbered(number))
    assert emitter.flush(10)
    assert calls == [(0, [0, 1, 2])] * 2
    emitter.close()


def test_on_failure_of_rejected_events(make_collector: MakeCollector) -> None:
    """``on_failure`` and ``on_drop`` are both told of events that the collector refuses."""
    collector = make_collector(otherwise=400)
    failures: list[tuple[int, list[int]]] = []
    drops: list[tuple[str, list[int]]] = []
    emitter = Emitter(
        collector.url, batch_size=2,
        on_failure=lambda sent, unsent: failures.append((sent, numbers(unsent))),
        on_drop=lambda reason, payloads: drops.append((reason, numbers(payloads))),
    )  # fmt: skip
    tracker = Tracker("namespace", emitter)
    for number in range(2):
        tracker.track_unstruct_event(numbered(number))
    assert failures == [(0, [0, 1])]
    assert drops == [("rejected", [0, 1])]


@pytest.mark.parametrize("overflow", ["drop_newest", "drop_oldest"])
def test_on_drop_of_a_full_queue(make_collector: MakeCollector, overflow: str) -> None:
    """``on_drop`` is told which events found no room, and at the end which were given up."""
    collector = make_collector(otherwise=503)
    drops: list[tuple[str, list[int]]] = []
    emitter = AsyncEmitter(
        collector.url, queue_size=3, overflow=overflow, flush_interval=30,
        on_drop=lambda reason, payloads: drops.append((reason, numbers(payloads))),
    )  # fmt: skip
    tracker = Tracker("namespace", emitter)
    for number in range(5):
        tracker.track_unstruct_event(numbered(number))
    lost, kept = ([3, 4], [0, 1, 2]) if overflow == "drop_newest" else ([0, 1], [2, 3, 4])
    assert drops == [("queue_full", [number]) for number in lost]
    emitter.close(timeout=0)
    until(lambda: emitter.stats().pending == 0, "the last attempt to end")
    assert emitter.stats().dropped_by_reason == {"queue_full": 2, "shutdown": 3}
    assert drops[2:] == [("shutdown", kept)]


ACTIONS = ["raise", "flush", "close", "log", "track", "stats", "repr", "exit"]


class Meddler:
    """A callback that does one thing, the first few times that it is called."""

    def __init__(self, action: str) -> None:
        self._action = action
        self._times = 0
        self.emitter: Emitter | None = None

    def __call__(self, *arguments: object) -> None:
        assert self.emitter is not None
        self._times += 1
        if self._times > 5:
            return
        emitter = self.emitter
        tracker = Tracker("callback", emitter)
        actions: dict[str, Callable[[], object]] = {
            "raise": lambda: int("no number"),
            "flush": lambda: emitter.flush(5),
            "close": lambda: emitter.close(5),
            "log": lambda: logging.getLogger("tests.callback").error("called"),
            "track": lambda: tracker.track_unstruct_event(numbered(1_000 + self._times)),
            "stats": emitter.stats,
            "repr": lambda: repr(emitter),
            "exit": lambda: sys.exit("from a callback"),
        }
        actions[self._action]()


@EMITTERS
@pytest.mark.parametrize("callback", ["on_success", "on_failure", "on_drop"])
@pytest.mark.parametrize("action", ACTIONS)
def test_meddling_callback(
    make_collector: MakeCollector,
    emitter_class: type[Emitter],
    callback: str,
    action: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A callback may raise, flush, close, log and track: nothing is lost, nothing stands still."""
    collector = make_collector(503, 200, 400)
    meddler = Meddler(action)
    options: dict[str, Any] = {callback: meddler}
    emitter = meddler.emitter = emitter_class(collector.url, batch_size=2, **QUICK, **options)
    tracker = Tracker("namespace", emitter)

    def track() -> bool:
        for number in range(20):
            tracker.track_unstruct_event(numbered(number))
        return emitter.flush(10)

    assert within(20, track)
    within(10, emitter.close)
    until(lambda: emitter.stats().pending == 0, "what the callbacks tracked")
    stats = emitter.stats()
    assert balanced(stats)
    assert stats.delivered == len(collector.events()) == len(set(collector.event_ids()))
    own = [number for number in numbers(collector.events()) if number < 1_000]
    assert len(own) + stats.dropped_by_reason.get("rejected", 0) >= 20
    assert stats.accepted >= 20 + (action == "track")
    errors = capsys.readouterr().err
    assert ("ValueError" in errors) == (action == "raise")


@EMITTERS
def test_flush_in_a_callback_of_many_threads(
    make_collector: MakeCollector, emitter_class: type[Emitter]
) -> None:
    """Threads that track while callbacks flush never stop each other, as in the seed they could."""
    collector = make_collector(*[503, 200] * 20)
    meddler = Meddler("flush")
    emitter = meddler.emitter = emitter_class(
        collector.url, batch_size=5, on_success=meddler, on_failure=meddler, **QUICK
    )
    tracker = Tracker("namespace", emitter)

    def produce() -> None:
        for number in range(50):
            tracker.track_unstruct_event(numbered(number))

    threads = [threading.Thread(target=produce, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert within(20, lambda: emitter.flush(15))
    assert len(set(collector.event_ids())) == len(collector.event_ids()) == 400
    within(10, emitter.close)


def test_callback_that_logs_to_its_own_handler(collector: FaultyCollector) -> None:
    """A callback that logs to the handler that calls it starts no loop."""
    calls: list[int] = []

    def log(events: list[dict[str, Any]]) -> None:
        calls.append(len(events))
        logging.getLogger("tests.delivery").info("delivered %d", len(events))

    handler = SnowplowHandler(collector.url, on_success=log, flush_interval=0.01)
    with logging_to(handler) as logger:
        logger.info("one")
        until(lambda: calls, "the callback")
        assert handler.flush(5)
        assert calls == [1]
    assert handler.stats().accepted == 1
