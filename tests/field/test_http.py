"""Hurts of the wire: poisoned batches, false deliveries and delays that outlast an outage."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Emitter, SnowplowHandler, Tracker
from snowplow_logging._clock import Clock
from snowplow_logging._retry import FIRST_RETRY_DELAY
from snowplow_logging.testing import HANG, Answer, AnswerLike, Request, at_most, redirect
from tests.delivery.support import balanced, logging_to, messages, numbered, numbers, until

if TYPE_CHECKING:
    import threading

    from tests.delivery.conftest import MakeCollector

REDIRECTS = [301, 302, 303, 307, 308]


def test_15_oversize_poison(make_collector: MakeCollector) -> None:
    """A batch that was too large was sent again for ever (logstash-async#31, watchtower#46).

    It is halved until the event that is too large stands alone; that one is dropped, and told.
    """
    collector = make_collector(otherwise=at_most(4_000))
    dropped: list[tuple[str, list[int]]] = []
    emitter = Emitter(
        collector.url,
        batch_size=20,
        on_drop=lambda reason, lost: dropped.append((reason, numbers(lost))),
    )
    tracker = Tracker("namespace", emitter)
    for number in range(20):
        text = "x" * (5_000 if number == 13 else 10)
        _ = tracker.track_unstruct_event(numbered(number, text=text))
    assert numbers(collector.events()) == [number for number in range(20) if number != 13]
    assert dropped == [("oversize", [13])]
    stats = emitter.stats()
    assert (stats.delivered, stats.dropped_by_reason) == (19, {"oversize": 1})
    assert len(collector.requests) < 2 * 20


def test_15_oversize_record(make_collector: MakeCollector) -> None:
    """A record of 10 MB, which no collector takes, is cut where it shows, and spoils nothing."""
    collector = make_collector(otherwise=at_most(1_000_000))
    handler = SnowplowHandler(collector.url, flush_interval=30)
    with logging_to(handler) as logger:
        logger.info("before")
        logger.info("x" * 10_000_000, extra={"also": ["y" * 1_000_000] * 5})
        logger.info("after")
        assert handler.flush(10)
    before, poisoned, after = messages(collector)
    assert (before, after) == ("before", "after")
    assert poisoned.startswith("xxx")
    assert "cut" in poisoned[-10:]
    assert len(collector.requests) == 1


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same origin", "other origin"])
@pytest.mark.parametrize("status", REDIRECTS)
def test_26_redirect_followed_with_get(
    make_collector: MakeCollector, status: int, *, elsewhere: bool
) -> None:
    """A 302 was followed with GET, whose 200 passed for the delivery: all was lost, silently.

    Here as in the tracker, OpenTelemetry and logstash-async the new address answers 200 to a GET,
    but takes events by POST alone. Method and body are kept, whatever the redirect's code.
    """
    second = make_collector()
    first = make_collector() if elsewhere else second
    target = f"{second.url if elsewhere else ''}/com.acme/tp2"
    first.answer(redirect(target, status))
    emitter = Emitter(first.url)
    event_id = Tracker("namespace", emitter).track_unstruct_event(numbered(1))
    before, after = first.requests[0], second.requests[-1]
    assert (after.method, after.path) == ("POST", "/com.acme/tp2")
    assert after.body == before.body
    assert after.headers["content-type"] == before.headers["content-type"]
    assert second.event_ids() == [event_id]
    assert emitter.stats().delivered == 1


@pytest.mark.parametrize("status", REDIRECTS)
def test_26_redirect_to_a_page_that_takes_no_events(
    make_collector: MakeCollector, status: int
) -> None:
    """Where the new address refuses what a GET would have been granted, nothing is delivered."""

    def answer(request: Request) -> AnswerLike:
        if request.path == "/login":
            return 200 if request.method == "GET" else 405
        return redirect("/login", status)

    collector = make_collector(otherwise=answer)
    emitter = Emitter(collector.url)
    _ = Tracker("namespace", emitter).track_unstruct_event(numbered(1))
    assert {request.method for request in collector.requests} == {"POST"}
    stats = emitter.stats()
    assert (stats.delivered, stats.dropped_by_reason) == (0, {"rejected": 1})


SPEED = 20  # how many times as fast the time of an emitter goes


class FastClock:
    """A time that goes fast, and notes how long the emitter wanted to wait each time."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.clock = Clock(monotonic=self._monotonic, wait=self._wait)

    def _monotonic(self) -> float:
        return time.monotonic() * SPEED

    def _wait(self, condition: threading.Condition, seconds: float | None) -> None:
        if seconds is not None:
            self.waits.append(seconds)
        _ = condition.wait(None if seconds is None else seconds / SPEED)


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("probes", [0, 2])
def test_31_retry_delay_doubled_by_every_batch(
    make_collector: MakeCollector, workers: int, probes: int
) -> None:
    """A delay that each failed batch doubled was at its cap at once: 30 s after an outage of 3 s.

    All batches that fail in one outage count as one failure: no rest is longer than the number
    of probes since then warrants, however many workers there are.
    """
    collector = make_collector(otherwise=HANG)
    time_of = FastClock()
    options: dict[str, Any] = {"flush_interval": 0.01, "max_retry_delay": 600, "batch_size": 1}
    emitter = AsyncEmitter(
        collector.url, thread_count=workers, clock=time_of.clock, request_timeout=600, **options
    )
    tracker = Tracker("namespace", emitter)
    for number in range(40):
        _ = tracker.track_unstruct_event(numbered(number))
    assert collector.wait_for_requests(workers)
    del time_of.waits[:]
    collector.answer(*[503] * probes)
    collector.release()  # ends those that hang, without an answer: the outage
    assert collector.wait_for(40)
    until(lambda: emitter.stats().pending == 0, "the account")
    assert sorted(set(numbers(collector.events()))) == list(range(40))
    # The connections that ended were new, so each worker's request was one attempt.
    assert len(collector.requests) == workers + probes + 40
    assert max(time_of.waits) <= FIRST_RETRY_DELAY * 2**probes
    assert emitter.stats().retried == workers + probes
    emitter.close()


def test_31_one_probe_at_a_time(make_collector: MakeCollector) -> None:
    """While a collector is down, it gets few requests, however many events wait."""
    collector = make_collector(otherwise=Answer(503))
    emitter = AsyncEmitter(
        collector.url, thread_count=4, batch_size=1, flush_interval=0.01, max_retry_delay=30
    )
    tracker = Tracker("namespace", emitter)
    for number in range(200):
        _ = tracker.track_unstruct_event(numbered(number))
    assert collector.wait_for_requests(3)
    until(lambda: emitter.stats().pending == 200, "all to be pending")
    assert len(collector.requests) < 20
    emitter.close(timeout=0)
    until(lambda: emitter.stats().pending == 0, "the last probe")
    assert emitter.stats().dropped_by_reason == {"shutdown": 200}
    assert balanced(emitter.stats())
