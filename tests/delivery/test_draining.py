"""Draining on demand, at a function's end and on a signal, in processes of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Emitter, Tracker, drain_on_signal, flush, flush_on_return
from snowplow_logging.testing import HANG, FaultyCollector
from tests.delivery.support import ROOT, data_of, numbered, numbers
from tests.program import Program

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.delivery.conftest import MakeCollector

APPLICATION = """
import logging, signal, sys, threading, time
from snowplow_logging import SnowplowHandler, drain_on_signal

logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(SnowplowHandler(sys.argv[1], flush_interval=60, shutdown_timeout=2))
{before}
drain_on_signal()
drain_on_signal()
for number in range(10):
    logger.info("record %d", number)
print("ready", flush=True)
{after}
time.sleep(60)
"""
TEN = [f"record {number}" for number in range(10)]


@contextmanager
def application(url: str, before: str = "", after: str = "") -> Generator[subprocess.Popen[str]]:
    """Runs the application and waits until it has logged ten records."""
    with Program[str](
        [sys.executable, "-c", APPLICATION.format(before=before, after=after), url],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def messages(collector: FaultyCollector) -> list[str]:
    return [data_of(event)["message"] for event in collector.events()]


@pytest.mark.parametrize(
    ("before", "after", "status", "then"),
    [
        ("", "", -signal.SIGTERM, []),
        ("", "while True: pass", -signal.SIGTERM, []),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))", "", 7, []),
        (
            "stop = threading.Event(); signal.signal(signal.SIGTERM, lambda *_: stop.set())",
            "stop.wait(); logger.info('last'); sys.exit(3)",
            3,
            ["last"],
        ),
        (
            "",
            "threading.Thread(target=time.sleep, args=(60,)).start(); sys.exit()",
            -signal.SIGTERM,
            [],
        ),
    ],
    ids=["asleep", "busy", "handler that exits", "handler that sets a flag", "at its end"],
)
def test_signal(
    collector: FaultyCollector, before: str, after: str, status: int, then: list[str]
) -> None:
    """What is queued arrives, and the process ends as it would have without us."""
    with application(collector.url, before, after) as process:
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (status, "")
    assert messages(collector) == TEN + then


def test_signal_that_was_ignored(collector: FaultyCollector) -> None:
    """A process that ignores the signal goes on."""
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    with application(collector.url, ignore, "sys.stdin.readline(); sys.exit(5)") as process:
        process.terminate()
        _, errors = process.communicate("go on\n", timeout=20)
    assert (process.returncode, errors) == (5, "")
    assert messages(collector) == TEN


def test_signal_while_the_collector_hangs(make_collector: MakeCollector) -> None:
    """The process ends of the signal within shutdown_timeout, and says what is lost."""
    collector = make_collector(otherwise=HANG)
    with application(collector.url) as process:
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert "10 events are under way without an answer" in errors


def test_second_signal(make_collector: MakeCollector) -> None:
    """A second signal ends a process that drains at once."""
    collector = make_collector(otherwise=HANG)
    with application(collector.url) as process:
        process.terminate()
        assert collector.wait_for_requests(1)
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (-signal.SIGTERM, "")


def test_signal_in_another_thread() -> None:
    """Outside of the main thread, where Python sets no signal handlers, it says so."""
    errors: list[ValueError] = []

    def call() -> None:
        try:
            drain_on_signal()
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(20)
    assert "main thread" in str(errors[0])


def test_flush_of_the_process(make_collector: MakeCollector) -> None:
    """One call flushes all emitters, and says of all whether they made it."""
    first, second = make_collector(), make_collector()
    emitters = [
        AsyncEmitter(first.url, flush_interval=60),
        Emitter(second.url, batch_size=9),
    ]
    tracker = Tracker("t", emitters)
    tracker.track_unstruct_event(numbered(1))
    assert flush(10)
    assert (numbers(first.events()), numbers(second.events())) == ([1], [1])
    second.answer(otherwise=503)
    tracker.track_unstruct_event(numbered(2))
    assert not flush(0.5)
    assert numbers(first.events()) == [1, 2]
    second.answer()
    assert flush(10)
    for emitter in emitters:
        emitter.close()


def test_functions_that_flush_at_their_end(collector: FaultyCollector) -> None:
    """However a decorated function ends, what it has logged has arrived then."""
    emitter = AsyncEmitter(collector.url, flush_interval=60)
    tracker = Tracker("t", emitter)

    @flush_on_return
    def returns(number: int) -> int:
        tracker.track_unstruct_event(numbered(number))
        return number

    @flush_on_return(timeout=10)
    def raises() -> None:
        tracker.track_unstruct_event(numbered(2))
        raise KeyError

    @flush_on_return(timeout=10)
    async def coroutine(**more: Any) -> Any:
        await asyncio.sleep(0)
        tracker.track_unstruct_event(numbered(more["number"]))
        return more

    assert returns(1) == 1
    assert numbers(collector.events()) == [1]
    with pytest.raises(KeyError):
        raises()
    assert numbers(collector.events()) == [1, 2]
    assert asyncio.run(coroutine(number=3)) == {"number": 3}
    assert numbers(collector.events()) == [1, 2, 3]
    assert (returns.__name__, coroutine.__name__) == ("returns", "coroutine")
    emitter.close()
