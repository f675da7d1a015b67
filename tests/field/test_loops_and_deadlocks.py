"""Hurts of handlers that wait for themselves, feed themselves or never wake up again."""

from __future__ import annotations

import logging
import logging.config
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging import AsyncEmitter, Emitter, SnowplowHandler, Tracker
from snowplow_logging.testing import HANG, Answer, FaultyCollector, closed_port
from tests.delivery.support import (
    LOG,
    balanced,
    data_of,
    delivery_threads,
    dict_config,
    logging_to,
    messages,
    numbered,
    root_handler,
    run,
    until,
    within,
)

if TYPE_CHECKING:
    from tests.delivery.conftest import MakeCollector

RECONFIGURE = """
import logging, logging.config, sys
from snowplow_logging import SnowplowHandler
handler = SnowplowHandler(sys.argv[1], flush_interval=300, shutdown_timeout=300)
logging.root.setLevel("DEBUG")
logging.root.addHandler(handler)
logging.getLogger("shop").info("hello")
"""


@pytest.mark.parametrize(
    "again",
    [
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False})",
        "logging.basicConfig(force=True)",
    ],
)
def test_01_dictconfig_deadlock(collector: FaultyCollector, again: str) -> None:
    """The worker's urllib3 asked for logging's lock, with which dictConfig waited for the worker.

    See opentelemetry-python#3193, #4635, watchtower#141, logtail-python#42. A configuration that
    closes a handler with pending events goes on as soon as they are delivered, not at a deadline.
    """
    ended = run(RECONFIGURE + again + "\nprint(handler.stats().delivered)", collector.url)
    assert (ended.returncode, ended.stderr, ended.stdout.strip()) == (0, "", "1")
    assert messages(collector) == ["hello"]


def test_01_dictconfig_deadlock_with_a_finaliser(collector: FaultyCollector) -> None:
    """A thread inside the outbox may wait for logging's lock while dictConfig closes handlers."""
    handler = SnowplowHandler(collector.url)
    root = logging.getLogger()
    before = list(root.handlers)
    root.handlers = [handler]
    emitter = handler._owned
    assert emitter is not None
    inside, configuring = threading.Event(), threading.Event()

    def finalise() -> None:
        with emitter._outbox._lock:
            inside.set()
            assert configuring.wait(20)
            logging.getLogger("never.seen.before").info("from a finaliser")

    thread = threading.Thread(target=finalise, daemon=True)
    thread.start()
    assert inside.wait(20)

    class Signalling(logging.Handler):
        """Is closed by dictConfig, too, which then holds logging's lock."""

        def flush(self) -> None:
            configuring.set()

    signalling = Signalling()
    config = {"version": 1, "disable_existing_loggers": False}
    try:
        within(20, lambda: logging.config.dictConfig(config))
        thread.join(20)
        assert not thread.is_alive()
    finally:
        root.handlers = before
        signalling.close()
        handler.close()


@pytest.mark.usefixtures("restored_logging")
def test_01_dictconfig_while_the_collector_hangs(make_collector: MakeCollector) -> None:
    """Reconfiguring while a request hangs ends within the handler's deadline."""
    collector = make_collector(otherwise=HANG)
    options: dict[str, Any] = {"endpoint": collector.url, "flush_interval": 0.01}
    logging.config.dictConfig(dict_config(**options, shutdown_timeout=1))
    old = root_handler()
    logging.getLogger("shop").debug("hello")
    assert collector.wait_for_requests(1)
    within(10, lambda: logging.config.dictConfig(dict_config(**options, shutdown_timeout=0)))
    collector.release()
    until(lambda: old.stats().pending == 0, "the last attempt")
    assert balanced(old.stats())


@pytest.mark.usefixtures("restored_logging")
def test_02_self_feeding_loop(make_collector: MakeCollector) -> None:
    """What urllib3 logs of a delivery was shipped, too, and caused the next one, without end.

    See watchtower#65, #93, opentelemetry-python#4261, #4585. With root at DEBUG, the delivery's
    own logs stay out, and the application's own of the same libraries come in.
    """
    collector, elsewhere = make_collector(503), make_collector()
    handler = SnowplowHandler(collector.url, batch_size=1, flush_interval=0.01)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("shop").info("first")
    assert collector.wait_for(1)
    requests.get(f"{elsewhere.url}/stock", timeout=5)
    assert handler.flush(10)
    arrived = [data_of(event) for event in collector.events()]
    of_urllib3 = [data for data in arrived if data["logger"].startswith("urllib3")]
    assert any("/stock" in data["message"] for data in of_urllib3)
    assert not [data for data in of_urllib3 if str(collector.port) in data["message"]]
    assert not [data for data in of_urllib3 if "tp2" in data["message"]]
    assert handler.stats().accepted == len(arrived) == 1 + len(of_urllib3)
    assert len(collector.requests) <= 2 + len(arrived)


@pytest.mark.parametrize("end", ["", "logging.shutdown()", "handler.acquire(); handler.close()"])
def test_02_guard_behind_the_lock_of_the_handler(collector: FaultyCollector, end: str) -> None:
    """A guard inside ``emit`` came too late: the worker waited for the lock of who waited for it.

    ``logging.shutdown`` holds the handler's lock while it flushes; one record stays one request.
    """
    script = LOG + "logger.propagate = False; logger.removeHandler(handler)\n"
    script += "logging.root.setLevel('DEBUG'); logging.root.addHandler(handler)\n"
    script += "logging.getLogger('mine').info('hello')\n" + end
    ended = run(script, collector.url, "{'flush_interval': 300, 'shutdown_timeout': 300}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert messages(collector) == ["hello"]
    assert len(collector.requests) == 1


@pytest.mark.parametrize("trouble", ["refused", "hanging", "failing"])
def test_07_flush_never_returns(make_collector: MakeCollector, trouble: str) -> None:
    """A flush waited until the server came back (posthog-python#308; the seed's sync_flush).

    It says False in time, to several threads at once, loses nothing, and says True when all
    has arrived.
    """
    port = closed_port()
    collector = make_collector(otherwise=HANG if trouble == "hanging" else 503)
    url = f"http://127.0.0.1:{port}" if trouble == "refused" else collector.url
    handler = SnowplowHandler(url, shutdown_timeout=1, max_retry_delay=0.1)
    with logging_to(handler) as logger:
        logger.info("hello")
        said: list[bool] = []
        threads = [
            threading.Thread(target=lambda: said.append(handler.flush(0.2)), daemon=True)
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert said == [False] * 3
        assert within(10, handler.flush) is False
        assert handler.stats().pending == 1
        if trouble == "refused":
            collector.close()
            collector = make_collector(port=port)
        collector.answer()
        collector.release()
        assert within(20, lambda: handler.flush(15)) is True
    assert messages(collector) == ["hello"]


def test_07_flush_while_others_log(make_collector: MakeCollector) -> None:
    """A flush waits for what was there when it began, not for what comes meanwhile."""
    collector = make_collector(otherwise=Answer(delay=0.02))
    emitter = Emitter(collector.url, batch_size=1_000, flush_interval=1_000)
    tracker = Tracker("n", emitter)
    _ = tracker.track_unstruct_event(numbered(0))
    done = threading.Event()

    def produce() -> None:
        number = 1
        while not done.is_set() and number < 5_000:
            _ = tracker.track_unstruct_event(numbered(number))
            number += 1

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        assert within(30, lambda: emitter.flush(30))
    finally:
        done.set()
        thread.join(30)
    assert emitter.flush(30)
    emitter.close()


@pytest.mark.usefixtures("restored_logging")
def test_14_handler_dead_after_reconfiguration(make_collector: MakeCollector) -> None:
    """After a second dictConfig handlers were silent, or the first one's threads stayed.

    Reconfiguring with events pending and root at DEBUG loses none and stops nobody.
    """
    collector = make_collector(503)
    before = len(delivery_threads())

    def configure() -> None:
        for number in range(5):
            logging.config.dictConfig(dict_config(endpoint=collector.url, flush_interval=0.01))
            for each in range(20):
                logging.getLogger("shop").debug("record %d", 20 * number + each)

    within(30, configure)
    assert within(15, lambda: root_handler().flush(10))
    expected = [f"record {number}" for number in range(100)]
    assert [text for text in messages(collector) if text.startswith("record")] == expected
    assert len(collector.events()) == 100
    assert len(delivery_threads()) == before + 1


@pytest.mark.parametrize("pause", [0, 0.05], ids=["full batches", "a trickle"])
def test_20_busy_queue_starves_sending(collector: FaultyCollector, pause: float) -> None:
    """Senders that waited for a pause, or restarted their interval at each record, never sent.

    While three threads log, as fast as they can or more often than the interval, events arrive
    again and again.
    """
    emitter = AsyncEmitter(
        collector.url,
        batch_size=5_000 if pause else 500,  # a trickle does not fill one within our patience
        flush_interval=0.3,
        overflow="drop_oldest",
    )
    tracker = Tracker("n", emitter)
    done = threading.Event()
    produced = [0, 0, 0]

    def produce(thread: int) -> None:
        while not done.wait(pause):
            _ = tracker.track_unstruct_event(numbered(produced[thread]))
            produced[thread] += 1

    threads = [threading.Thread(target=produce, args=(n,), daemon=True) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            seen, made = len(collector.requests), sum(produced)
            assert collector.wait_for_requests(seen + 1)
            until(lambda made=made: sum(produced) > made, "the producers")  # type: ignore[misc]
    finally:
        done.set()
        for thread in threads:
            thread.join(20)
    assert within(40, lambda: emitter.flush(30))
    stats = emitter.stats()
    assert balanced(stats)
    assert stats.accepted == sum(produced)
    emitter.close()


@pytest.mark.usefixtures("restored_logging")
def test_28_handler_closed_but_attached(collector: FaultyCollector) -> None:
    """A later dictConfig of the application's closed a handler that it left on its logger.

    Seen with datasette and Scrapy. The handler opens again with the next record.
    """
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        logger.info("before")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        assert messages(collector) == ["before"]
        assert delivery_threads() == []
        logger.info("after")
        assert collector.wait_for(2)  # of itself, without a flush
        assert messages(collector) == ["before", "after"]


def test_28_handler_closed_but_attached_at_exit(collector: FaultyCollector) -> None:
    """What comes after such a dictConfig arrives at the exit, though logging forgot the handler."""
    script = LOG + "import logging.config\nlogger.info('before')\n"
    script += "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False})\n"
    ended = run(script + "logger.info('after')", collector.url, "{'flush_interval': 300}")
    assert ended.returncode == 0, ended.stderr
    assert "lost" not in ended.stderr
    assert messages(collector) == ["before", "after"]
