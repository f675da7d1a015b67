"""Hurts of logging calls inside logging calls: finalisers, texts and filters that log."""

from __future__ import annotations

import gc
import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging import SnowplowHandler
from tests.delivery.support import LOG, balanced, logging_to, messages, run, within

if TYPE_CHECKING:
    from snowplow_logging.testing import FaultyCollector

FOUND_BY_WORKERS = pytest.mark.xfail(
    strict=True, reason="the guard takes what a finaliser logs there for the delivery's own"
)
RECURSION = pytest.mark.xfail(
    strict=True, reason="a RecursionError ends here, so each level has both handlers call again"
)
ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"


def test_11_gc_re_entrancy(collector: FaultyCollector) -> None:
    """A finaliser logged while its thread held the queue's lock (sentry-python#803, loguru#712).

    Objects that log when the garbage collector finds them stop nobody and lose nothing.
    """
    handler = SnowplowHandler(collector.url, batch_size=7, flush_interval=0.01)
    found_by_workers: list[object] = []  # the next test is about those
    with logging_to(handler) as logger:

        class Logging:
            def __init__(self) -> None:
                self.itself = self

            def __del__(self) -> None:
                if threading.current_thread().name.startswith("snowplow-logging-worker"):
                    found_by_workers.append(None)
                else:
                    logger.info("found")

        def produce() -> None:
            for _ in range(500):
                Logging()
                logger.info("made")

        thresholds = gc.get_threshold()
        gc.set_threshold(5)
        try:
            threads = [threading.Thread(target=produce, daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()
        finally:
            gc.set_threshold(*thresholds)
        gc.collect()
        assert within(15, lambda: handler.flush(10))
        found = 2_000 - len(found_by_workers)
        assert Counter(messages(collector)) == {"made": 2_000, "found": found}


@FOUND_BY_WORKERS
def test_11_gc_re_entrancy_in_a_worker(collector: FaultyCollector) -> None:
    """What a finaliser logs arrives, too, where a worker runs it in the midst of a delivery."""
    handler = SnowplowHandler(collector.url, session=collecting_session)
    with logging_to(handler) as logger:

        class Logging:
            def __init__(self) -> None:
                self.itself = self

            def __del__(self) -> None:
                logger.info("found")

        gc.disable()
        try:
            Logging()
            logger.info("made")
            assert handler.flush(10)
        finally:
            gc.enable()
        assert handler.flush(10)
        assert messages(collector) == ["made", "found"]


def collecting_session() -> requests.Session:
    """Returns a session in which each answer makes the garbage collector run."""

    def collect(*_: Any, **__: Any) -> None:
        gc.collect()

    session = requests.Session()
    session.hooks["response"].append(collect)
    return session


# One finaliser a call, at the first line that runs in it, then at the second, and so on.
AT_EVERY_LINE = """
class Logging:
    def __del__(self):
        logger.info("from a finaliser")

def finalise_at(line):
    left = [line]
    def trace(frame, event, argument):
        if frame.f_code.co_filename != __file__:
            left[0] -= 1
            if left[0] == 0:
                Logging()  # dies here and now, as what the garbage collector finds
        return trace
    began = time.monotonic()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    if time.monotonic() - began > 9:
        sys.exit(f"line {line}: the call ended by its deadline alone")
    return left[0] <= 0

line, __file__ = 1, finalise_at.__code__.co_filename
while finalise_at(line):
    line += 1
assert handler.flush(20)
print(line - 1, handler.stats().dropped)
"""


@pytest.mark.parametrize(
    ("call", "lines"),
    [
        ("logger.info('made')", 100),
        ("handler.flush()", 50),
        ("handler.stats()", 10),
        ("(handler.close(), logger.info('made'))", 200),
    ],
)
def test_33_finaliser_inside_event_set_and_queue_put(
    collector: FaultyCollector, call: str, lines: int
) -> None:
    """``Event.set`` and ``queue.Queue.put`` deadlock when a finaliser that logs runs inside them.

    Here one runs at each line in turn that a call executes, in our code, in logging's and in
    threading's; the call never waits for its deadline, and all that was logged arrives, once.
    """
    script = f"{LOG}call = lambda: {call}\nlogger.info('first'){AT_EVERY_LINE}"
    options = "{'flush_interval': 0.001, 'shutdown_timeout': 10}"
    ended = run(script, collector.url, options, seconds=100)
    assert (ended.returncode, "lost" in ended.stderr) == (0, False), ended.stderr
    finalised, dropped = map(int, ended.stdout.split())
    assert finalised > lines
    assert dropped == 0
    assert Counter(messages(collector))["from a finaliser"] == finalised
    assert len(set(collector.event_ids())) == len(collector.events())


def test_12_formatting_inside_emit_re_enters_logging(collector: FaultyCollector) -> None:
    """Arguments, filters and formatters that log themselves met the lock of their own record.

    What they log arrives, and so does the record.
    """

    class Chatty:
        def __init__(self, text: str) -> None:
            self._text = text

        def __str__(self) -> str:
            logger.info("from %s", self._text)
            return self._text

    class Formatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            if record.getMessage() == "plain":
                logger.info("from the formatter")
            return super().format(record)

    def from_filter(record: logging.LogRecord) -> bool:
        if record.msg == "plain":
            logger.info("from the filter")
        return True

    handler = SnowplowHandler(collector.url, queue_size=20_000)
    handler.setFormatter(Formatter())
    handler.addFilter(from_filter)
    with logging_to(handler) as logger:
        within(10, lambda: logger.info("hello %s", Chatty("an argument")))
        within(10, lambda: logger.info("extra", extra={"who": Chatty("an extra")}))
        within(10, lambda: logger.info("plain"))
        assert handler.flush(10)
        assert set(messages(collector)) == {
            "from an argument", "hello an argument", "from an extra", "extra",
            "from the filter", "from the formatter", "plain",
        }  # fmt: skip
    assert balanced(handler.stats())


ENDLESS = """
class Endless:
    def __str__(self):
        logger.info("%s", self)
        return "endless"

signal.alarm(5)  # ends what does not end by itself
try:
    logger.info("%s", Endless())
except RecursionError:
    pass
logger.info("after")
assert handler.flush(10)
"""


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param("", id="alone"),
        pytest.param("logger.addHandler(logging.StreamHandler())\n", marks=RECURSION, id="console"),
    ],
)
def test_12_formatting_that_logs_itself_for_ever(collector: FaultyCollector, beside: str) -> None:
    """An argument whose text logs that argument again ends soon, as with the handlers of logging.

    Where another handler stands by ours, its RecursionError may reach the application.
    """
    options = "{'queue_size': 500, 'overflow': 'drop_oldest', 'flush_interval': 300}"
    ended = run(LOG + beside + ENDLESS, collector.url, options)
    assert ended.returncode == 0, ended.stderr[-1_000:]
    assert messages(collector)[-1] == "after"


def test_29_handle_error_lets_recursion_error_through(
    collector: FaultyCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    """``Handler.handleError`` shows the arguments of a record, and re-raises a RecursionError.

    A record that can neither be sent nor shown is counted, and the logging call returns.
    """

    class Recursing:
        def __repr__(self) -> str:
            return repr(self)

    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        logger.info("%s", Recursing(), extra={"schema": ORDER, "data": "no object"})
        logger.info("after")
        assert handler.flush(10)
    assert messages(collector) == ["after"]
    assert handler.stats().dropped_by_reason == {"unmappable": 1}
    assert "<Recursing>" in capsys.readouterr().err
