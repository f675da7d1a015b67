"""Signal handlers that raise, exits that overlap with logging, and servers with odd answers."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from snowplow_logging import AsyncEmitter, Emitter, Tracker, flush_on_return
from snowplow_logging.testing import Answer, FaultyCollector, redirect
from tests.delivery.support import balanced, data_of, numbered, numbers, run, until

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.delivery.conftest import MakeCollector

INTERRUPTED = """
import logging, random, signal, sys
from snowplow_logging import AsyncEmitter, Emitter, SelfDescribingJson, Tracker
from snowplow_logging._transport import Answer

sent = []

class Simple:
    # Within requests, a signal handler that raises can leave locks behind.

    def send(self, batch, timeout):
        sent.extend(batch)
        return Answer(200)

    def close(self):
        pass

class TimeIsUp(BaseException):
    pass

armed = []

def raise_it(*_):
    if armed:
        armed.clear()
        raise TimeIsUp

def track_until_interrupted(tracker):
    while armed:  # what is raised in a finaliser, Python ignores
        tracker.track_unstruct_event(event)

logging.raiseExceptions = False
kind = {"AsyncEmitter": AsyncEmitter, "Emitter": Emitter}[sys.argv[2]]
options = {"flush_interval": 0.005, "overflow": "drop_oldest", "queue_size": 50}
if kind is Emitter:
    options |= {"batch_size": 7, "transport": Simple}
event = SelfDescribingJson("iglu:com.acme/a/jsonschema/1-0-0", {})
signal.signal(signal.SIGALRM, raise_it)
emitters = []
for round in range(60):
    emitters.append(kind(sys.argv[1], **options))
    tracker = Tracker("t", emitters[-1])
    for _ in range(4):
        armed.append(True)
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.003))
            track_until_interrupted(tracker)
        except TimeIsUp:
            pass
    tracker.track_unstruct_event(event)
    assert emitters[-1].flush(10), emitters[-1].stats()
    stats = emitters[-1].stats()
    assert stats.accepted == stats.delivered + stats.dropped, stats
    assert not stats.pending, stats
    emitters[-1].close()
print(sum(emitter.stats().delivered for emitter in emitters), len(sent))
"""


@pytest.mark.parametrize("kind", ["AsyncEmitter", "Emitter"])
def test_signal_handlers_that_raise(collector: FaultyCollector, kind: str) -> None:
    """Wherever they raise, the account balances then, and what comes after is delivered."""
    ended = run(INTERRUPTED, collector.url, kind, seconds=90)
    assert ended.returncode == 0, ended.stderr
    delivered, sent = map(int, ended.stdout.split())
    # An interrupted request may have arrived, though its answer has not been read.
    assert len(collector.event_ids()) + sent >= delivered > 0


THREAD_IN_CHILD = """
import logging, multiprocessing, sys, threading, time
from snowplow_logging import SnowplowHandler

def log_for_a_while():
    for number in range(20):
        logging.getLogger("shop").info("thread %d", number)
        time.sleep(0.02)

def work(url):
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.addHandler(SnowplowHandler(url, flush_interval=30))
    logger.info("child")
    threading.Thread(target=log_for_a_while).start()

if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=work, args=(sys.argv[1],))
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""


def test_child_whose_threads_work_on(collector: FaultyCollector) -> None:
    """A child of multiprocessing ends with its last thread, and so does the delivery."""
    ended = run(THREAD_IN_CHILD, collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    messages = [data_of(event)["message"] for event in collector.events()]
    assert sorted(messages) == sorted(["child", *(f"thread {n}" for n in range(20))])


LOGGED_DURING_EXIT = """
import sys, threading
from snowplow_logging import AsyncEmitter, SelfDescribingJson, Tracker

event = SelfDescribingJson("iglu:com.acme/a/jsonschema/1-0-0", {})
last = []

def while_the_second_is_closed(_):
    last.append(first.track_unstruct_event(event))

first = Tracker("first", AsyncEmitter(sys.argv[1], flush_interval=30))
second = Tracker("second", AsyncEmitter(
    sys.argv[2], flush_interval=30, on_success=while_the_second_is_closed))
first.track_unstruct_event(event)
second.track_unstruct_event(event)
"""


def test_events_during_the_exit(make_collector: MakeCollector) -> None:
    """What comes for an emitter that the exit has closed already arrives, too."""
    first, second = make_collector(), make_collector(otherwise=Answer(delay=0.3))
    ended = run(LOGGED_DURING_EXIT, first.url, second.url)
    assert ended.returncode == 0, ended.stderr
    assert len(first.event_ids()) == 2


UNWRITABLE = """
import sys
from snowplow_logging import AsyncEmitter, Emitter, SelfDescribingJson, Tracker

def fail(*_):
    raise KeyError("callback")

event = SelfDescribingJson("iglu:com.acme/a/jsonschema/1-0-0", {})
emitters = [kind(sys.argv[1], on_success=fail, on_drop=fail) for kind in (AsyncEmitter, Emitter)]
sys.stderr = open("/dev/full", "w") if sys.argv[2] == "full" else sys.stderr
if sys.argv[2] == "closed":
    sys.stderr.close()
for _ in range(3):
    Tracker("t", emitters).track_unstruct_event(event)
    assert all(emitter.flush(10) for emitter in emitters)
print(*(emitter.stats().delivered for emitter in emitters))
sys.stderr = None
"""


@pytest.mark.parametrize("stderr", ["full", "closed"])
def test_callbacks_that_raise_where_nobody_can_be_told(
    collector: FaultyCollector, stderr: str
) -> None:
    """Neither tracking nor delivery fails because a traceback cannot be written."""
    ended = run(UNWRITABLE, collector.url, stderr)
    assert (ended.returncode, ended.stdout) == (0, "3 3\n")


@contextmanager
def raw_server(answers: list[bytes]) -> Generator[str]:
    """A server that gives each request on its one connection the next of some raw answers."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            for answer in answers:
                content = b""
                while not content.endswith(b"]}"):
                    received = connection.recv(65_536)
                    if not received:
                        return
                    content += received
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread.join(20)


def test_interim_answers() -> None:
    """After 103 (Early Hints) comes the answer that counts, and belongs to this request."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    answers = [
        hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        hints + hints + b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ]
    with raw_server(answers) as url:
        emitter = Emitter(url)
        outcomes: list[tuple[int, int]] = []
        for number in range(3):
            Tracker("t", emitter).track_unstruct_event(numbered(number))
            stats = emitter.stats()
            outcomes.append((stats.delivered, stats.dropped))
    assert outcomes == [(1, 0), (1, 1), (2, 1)]


def test_redirects_share_a_deadline(make_collector: MakeCollector) -> None:
    """Five slow redirects take no longer than one slow answer may."""
    collector = make_collector()
    hop = Answer(
        308, {"Location": collector.url + "/com.snowplowanalytics.snowplow/tp2"}, delay=0.4
    )
    collector.answer(otherwise=hop)
    emitter = Emitter(collector.url, request_timeout=1, shutdown_timeout=1)
    Tracker("t", emitter).track_unstruct_event(numbered(1))
    assert len(collector.requests) <= 4  # of six that five redirects would be
    collector.answer(otherwise=redirect(None))
    assert emitter.flush(10)


def test_emitter_that_stands_in_for_another(make_collector: MakeCollector) -> None:
    """What a callback gives another emitter is sent at once, and no less than elsewhere."""
    broken, backup = make_collector(otherwise=403), make_collector()
    spare = Emitter(backup.url)
    emitter = AsyncEmitter(
        broken.url,
        flush_interval=0.01,
        on_drop=lambda _, payloads: spare.input(payloads[0]),
    )
    Tracker("t", emitter).track_unstruct_event(numbered(7))
    until(lambda: spare.stats().delivered, "the other emitter")
    assert numbers(backup.events()) == [7]
    emitter.close()
    assert balanced(emitter.stats())


def test_generators_do_not_flush_on_return() -> None:
    """A generator function returns before it runs, so it is refused."""

    def generator() -> Generator[int]:
        yield 1

    with pytest.raises(TypeError, match="generator"):
        flush_on_return(generator)


@pytest.mark.parametrize("timeout", [float("inf"), 1e300, 10**400])
def test_endless_timeouts(collector: FaultyCollector, timeout: float) -> None:
    """A flush may be told to wait for ever."""
    emitter = AsyncEmitter(collector.url)
    Tracker("t", emitter).track_unstruct_event(numbered(1))
    assert emitter.flush(timeout)
    emitter.close()
