"""Applications that signal, collect garbage, mutate and redirect at the worst moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging import AsyncEmitter, Emitter, SnowplowHandler, Tracker
from snowplow_logging._http import HttpTransport
from snowplow_logging.testing import HANG, Answer, FaultyCollector, redirect
from tests.delivery.support import (
    balanced,
    logging_to,
    numbered,
    numbers,
    run,
    until,
    within,
)

if TYPE_CHECKING:
    from tests.delivery.conftest import MakeCollector

MUTATION = """
from snowplow_logging._json import encode
items = []
class Evil:
    def __str__(self):
        items.clear()
        return "evil"
items += [Evil()] + [f"text {n}" * 10 for n in range(1000)]
assert encode({"items": items}).startswith(b'{"items":[')
print("alive")
"""

INTERRUPTION = """
import logging, signal, sys, threading
from snowplow_logging import SnowplowHandler

class TimeIsUp(BaseException):
    pass

def raise_it(*_):
    raise TimeIsUp

handler = SnowplowHandler(sys.argv[1], queue_size=100_000)
logger = logging.getLogger("interrupted")
logger.addHandler(handler)
logger.setLevel("INFO")
signal.signal(signal.SIGALRM, raise_it)
for _ in range(60):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0007)
        while True:
            logger.info("again")
    except TimeIsUp:
        pass
thread = threading.Thread(target=logger.info, args=("from another thread",), daemon=True)
thread.start()
thread.join(10)
print("stuck" if thread.is_alive() else "another thread logged")
"""


def test_data_that_changes_while_it_is_encoded() -> None:
    """Data that its own methods change meanwhile does not crash the interpreter."""
    assert "alive" in run(MUTATION).stdout


def test_signal_handlers_that_raise(collector: FaultyCollector) -> None:
    """A signal handler that raises in a logging call leaves no lock behind for others."""
    assert "another thread logged" in run(INTERRUPTION, collector.url).stdout


@pytest.mark.parametrize("option", ["session", "transport"])
def test_factories_that_raise(collector: FaultyCollector, option: str) -> None:
    """A factory that raises is a failed delivery; once it works, what waited is delivered."""
    broken = [True]

    def make() -> Any:
        if broken[0]:
            msg = "no certificate"
            raise FileNotFoundError(msg)
        url = f"{collector.url}/com.snowplowanalytics.snowplow/tp2"
        return requests.Session() if option == "session" else HttpTransport(url)

    options: dict[str, Any] = {option: make, "flush_interval": 0.01, "max_retry_delay": 0.05}
    emitter = AsyncEmitter(collector.url, **options)
    _ = Tracker("n", emitter).track_unstruct_event(numbered(1))
    until(lambda: "no certificate" in str(emitter.stats().last_error), "the failure")
    broken[0] = False
    assert emitter.flush(20)
    assert numbers(collector.events()) == [1]
    assert balanced(emitter.stats())
    emitter.close()


def test_a_flush_cut_short_blames_nobody(make_collector: MakeCollector) -> None:
    """A time-out that the caller of flush has shortened does not count as an outage."""
    collector = make_collector(HANG)
    emitter = Emitter(collector.url, batch_size=10, shutdown_timeout=5)
    _ = Tracker("n", emitter).track_unstruct_event(numbered(1))
    assert not emitter.flush(0.2)
    collector.release()
    assert not emitter._outbox._breaker.is_open
    assert emitter.flush(20)
    emitter.close()


def test_get_requests_respect_the_deadline(make_collector: MakeCollector) -> None:
    """A flush of many single requests ends at its deadline, and loses none of the rest."""
    collector = make_collector(otherwise=Answer(delay=0.05))
    emitter = Emitter(collector.url, method="get", batch_size=500)
    tracker = Tracker("n", emitter)
    for number in range(100):
        _ = tracker.track_unstruct_event(numbered(number))
    assert not within(20, lambda: emitter.flush(0.3))
    stats = emitter.stats()
    assert balanced(stats)
    assert 0 < stats.delivered < 100
    assert emitter.flush(30)
    assert sorted(numbers(collector.events())) == list(range(100))
    emitter.close()


@pytest.mark.parametrize(
    ("payload", "named"),
    [({}, "missing"), ({"e": "ue", "p": "srv", "tv": "x", "nope": "1"}, "unknown")],
)
def test_payloads_that_would_spoil_a_request(payload: dict[str, str], named: str) -> None:
    """A payload that the pipeline would refuse, neighbours included, is refused at once."""
    with pytest.raises(ValueError, match=named):
        Emitter("https://collector.acme.com").input(payload)


def test_payload_that_is_too_long(collector: FaultyCollector) -> None:
    """A payload over the limit of an event is dropped as oversize, and counted."""
    emitter = Emitter(collector.url)
    emitter.input({"e": "ue", "p": "srv", "tv": "x", "ue_pr": "x" * 500_000})
    assert emitter.stats().dropped_by_reason == {"oversize": 1}
    assert collector.requests == []


def test_redirects_of_a_session_with_credentials(make_collector: MakeCollector) -> None:
    """What a session of the application's says to its collector is said to no other host."""
    other = make_collector()
    elsewhere = f"http://localhost:{other.port}/com.snowplowanalytics.snowplow/tp2"
    collector = make_collector(otherwise=redirect(elsewhere, 307))
    session = requests.Session()
    session.auth = ("user", "secret")
    session.headers["X-Api-Key"] = "key"
    emitter = Emitter(collector.url, session=session, batch_size=10, shutdown_timeout=0.3)
    _ = Tracker("n", emitter).track_unstruct_event(numbered(1))
    assert not emitter.flush(0.3)
    assert other.requests == []
    assert "redirects" in str(emitter.stats().last_error)
    emitter.close()
    session.close()


def test_credentials_of_the_endpoint_with_a_session(collector: FaultyCollector) -> None:
    """User and password of the endpoint are sent with a session of the application's, too."""
    session = requests.Session()
    url = collector.url.replace("http://", "http://user:secret@")
    emitter = Emitter(url, session=session)
    _ = Tracker("n", emitter).track_unstruct_event(numbered(1))
    assert collector.requests[0].headers["authorization"].startswith("Basic ")
    assert "secret" not in repr(emitter)
    session.close()


def test_tasks_that_a_callback_starts_are_heard(collector: FaultyCollector) -> None:
    """What a task logs is sent, even if a callback of a delivery has started the task."""
    handler = SnowplowHandler(emitter=Emitter(collector.url, on_success=lambda _: start()))
    tasks: list[asyncio.Task[None]] = []
    with logging_to(handler) as logger:

        async def later() -> None:
            logger.info("from the task")

        def start() -> None:
            if not tasks:
                tasks.append(asyncio.get_running_loop().create_task(later()))

        async def main() -> None:
            logger.info("first")
            await tasks[0]

        asyncio.run(main())
    assert handler.stats().accepted == 2


def test_what_a_full_batch_leaves_behind_is_not_forgotten(make_collector: MakeCollector) -> None:
    """While one worker waits for an answer, another watches over what is less than a batch."""
    collector = make_collector(HANG)
    emitter = AsyncEmitter(collector.url, thread_count=2, batch_size=2, flush_interval=0.05)
    tracker = Tracker("n", emitter)
    for number in range(3):
        _ = tracker.track_unstruct_event(numbered(number))
    assert collector.wait_for(1)
    collector.release()
    assert emitter.flush(20)
    assert sorted(numbers(collector.events())) == [0, 1, 2]
    emitter.close()
