"""What processes do: they end in many ways, fork, and import us without noticing."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.delivery.faulty_collector import HANG, Answer, FaultyCollector, closed_port
from tests.delivery.support import ROOT, data_of, run

if TYPE_CHECKING:
    from tests.delivery.conftest import MakeCollector

LOG = """
import logging, os, signal, sys, threading, time
from snowplow_logging import AsyncEmitter, Emitter, SelfDescribingJson, SnowplowHandler, Tracker

handler = SnowplowHandler(sys.argv[1], **eval(sys.argv[2] if len(sys.argv) > 2 else "{}"))
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)
"""
TEN = LOG + "for number in range(10): logger.info('record %d', number)\n"
ROOT_TOO = "logging.getLogger().setLevel(logging.DEBUG); logging.getLogger().addHandler(handler)\n"

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def messages(collector: FaultyCollector) -> list[str]:
    """Returns the messages of all that arrived."""
    return [data_of(event)["message"] for event in collector.events()]


TEN_MESSAGES = [f"record {number}" for number in range(10)]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise KeyError('x')", 1),
        ("logging.shutdown()", 0),
        ("logging.shutdown(); logging.shutdown()", 0),
        ("handler.close()", 0),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(4)); os.kill(os.getpid(), 15)", 4),
        ("threading.Thread(target=time.sleep, args=(0.05,)).start()", 0),
        ("logging.getLogger().addHandler(handler); logging.getLogger().setLevel(1)", 0),
        ("logger.removeHandler(handler); del handler", 0),
    ],
)
def test_what_is_queued_arrives_at_the_end(
    collector: FaultyCollector, end: str, status: int
) -> None:
    """However the interpreter ends, what was logged before arrives, once."""
    ended = run(TEN + end, collector.url)
    assert ended.returncode == status, ended.stderr
    assert messages(collector) == TEN_MESSAGES
    assert "snowplow_logging" not in ended.stderr


def test_records_during_the_end_arrive(collector: FaultyCollector) -> None:
    """What exit handlers log arrives, or is told to be lost where logging has ended before."""
    script = (
        "import atexit\n"
        "atexit.register(lambda: logger.info('after logging'))\n"
        f"{LOG}\n"
        "atexit.register(lambda: logger.info('before logging'))\n"
        "logger.info('first')\n"
    )
    ended = run(script, collector.url)
    assert ended.returncode == 0, ended.stderr
    arrived = messages(collector)
    assert arrived[:2] == ["first", "before logging"]
    assert arrived[2:] == ["after logging"] or "1 of 3 events lost" in ended.stderr


def test_emitter_without_handler_drains_at_exit(collector: FaultyCollector) -> None:
    """Events of an AsyncEmitter that nobody flushed arrive when the interpreter ends."""
    ended = run(
        LOG + "tracker = Tracker('x', AsyncEmitter(sys.argv[1]))\n"
        "event = SelfDescribingJson('iglu:com.acme/a/jsonschema/1-0-0', {})\n"
        "for _ in range(9): tracker.track_unstruct_event(event)\n",
        collector.url,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(set(collector.event_ids())) == 9


@pytest.mark.parametrize("trouble", ["refused", "hanging", "failing", "hanging root"])
def test_end_while_the_collector_is_down(make_collector: MakeCollector, trouble: str) -> None:
    """With the collector down, a process ends in time and says how many were lost, and why."""
    if trouble == "refused":
        url = f"http://127.0.0.1:{closed_port()}"
    else:
        url = make_collector(otherwise=503 if trouble == "failing" else HANG).url
    script = LOG + (ROOT_TOO if "root" in trouble else "") + TEN.removeprefix(LOG)
    if "root" in trouble:
        script = script.replace("logger.addHandler(handler)\n", "", 1)
    began = time.monotonic()
    ended = run(script, url, "{'shutdown_timeout': 1, 'flush_interval': 0.01}")
    assert ended.returncode == 0, ended.stderr
    assert time.monotonic() - began < 6
    assert re.search(r"snowplow_logging: http://\S+: 10 ", ended.stderr), ended.stderr
    assert "last error" in ended.stderr or trouble.startswith("hanging")


def test_end_while_an_emitter_in_the_main_thread_fails() -> None:
    """An Emitter whose collector is down does not hold the end up either."""
    script = (
        "import sys; from snowplow_logging import *\n"
        "tracker = Tracker('x', Emitter(sys.argv[1], shutdown_timeout=1))\n"
        "tracker.track_unstruct_event(SelfDescribingJson('iglu:a/b/jsonschema/1-0-0', {}))\n"
    )
    began = time.monotonic()
    ended = run(script, f"http://127.0.0.1:{closed_port()}")
    assert time.monotonic() - began < 6
    assert ended.returncode == 0
    assert "1 of 1 events lost" in ended.stderr


def test_ends_of_many_handlers_share_their_time() -> None:
    """Five emitters whose collector is down end together within one shutdown_timeout."""
    script = (
        "import sys; from snowplow_logging import *\n"
        "kept = [AsyncEmitter(sys.argv[1], shutdown_timeout=1) for _ in range(5)]\n"
        "event = SelfDescribingJson('iglu:a/b/jsonschema/1-0-0', {})\n"
        "for emitter in kept: Tracker('x', emitter).track_unstruct_event(event)\n"
    )
    began = time.monotonic()
    ended = run(script, f"http://127.0.0.1:{closed_port()}")
    assert time.monotonic() - began < 4.5
    assert ended.stderr.count("1 of 1 events lost") == 5


def test_slow_collector_gets_its_time(make_collector: MakeCollector) -> None:
    """A collector that needs a moment for its answer loses nothing at the end."""
    collector = make_collector(otherwise=Answer(delay=0.5))
    ended = run(TEN, collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert messages(collector) == TEN_MESSAGES


FORK = """
def child_of(action):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        action()
        status = 0 if handler.flush(10) else 7
        handler.close()
    finally:
        os._exit(status)

def wait(pids):
    for pid in pids:
        deadline = time.monotonic() + 15
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                sys.exit("a child stands still")
            time.sleep(0.01)
        if ended[1]:
            sys.exit(f"a child ended with {ended[1]}")
"""


@needs_fork
def test_fork(collector: FaultyCollector) -> None:
    """A child delivers its own records, and the parent alone those queued before the fork."""
    script = LOG + FORK + """
for n in range(20): logger.info("parent %d", n)
def log(c): return lambda: [logger.info("child %d", c * 10 + n) for n in range(10)]
pids = [child_of(log(c)) for c in range(4)]
logger.info("parent 20")
wait(pids)
"""  # fmt: skip
    ended = run(script, collector.url, "{'flush_interval': 30}")
    assert (ended.returncode, ended.stderr) == (0, "")
    expected = [f"parent {n}" for n in range(21)] + [f"child {n}" for n in range(40)]
    assert Counter(messages(collector)) == Counter(expected)
    assert len(set(collector.event_ids())) == 61


@needs_fork
def test_fork_while_threads_log(collector: FaultyCollector) -> None:
    """Children forked in the midst of logging and delivering work, and nothing comes twice."""
    script = LOG + FORK + """
stop = threading.Event()
counts = [0, 0, 0]
def produce(t):
    while not stop.is_set() and counts[t] < 3000:
        logger.info("parent %d/%d", t, counts[t])
        counts[t] += 1
        time.sleep(0.0005)
threads = [threading.Thread(target=produce, args=(t,)) for t in range(3)]
for thread in threads: thread.start()
pids = []
for c in range(12):
    pids.append(child_of(lambda: logger.info("child %d", c)))
    time.sleep(0.01)
wait(pids)
stop.set()
for thread in threads: thread.join()
handler.flush(10)
print(sum(counts))
"""  # fmt: skip
    ended = run(script, collector.url, "{'batch_size': 5, 'flush_interval': 0.01}")
    assert (ended.returncode, ended.stderr) == (0, "")
    arrived = Counter(messages(collector))
    assert set(arrived.values()) == {1}
    assert {text for text in arrived if "child" in text} == {f"child {n}" for n in range(12)}
    assert len(arrived) == int(ended.stdout) + 12


@needs_fork
def test_child_that_ends_by_itself(collector: FaultyCollector) -> None:
    """A child that leaves the script normally drains, as its parent does."""
    script = LOG + """
logger.info("before")
pid = os.fork()
logger.info("child" if pid == 0 else "parent")
if pid: os.waitpid(pid, 0)
"""  # fmt: skip
    ended = run(script, collector.url, "{'flush_interval': 30}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert Counter(messages(collector)) == Counter(["before", "child", "parent"])


@needs_fork
def test_grandchild_and_emitters_of_the_caller(collector: FaultyCollector) -> None:
    """Forks of forks and Emitters in the caller's thread keep to what is their own."""
    script = LOG + """
tracker = Tracker("x", Emitter(sys.argv[1], batch_size=50))
def track(name):
    tracker.track_unstruct_event(SelfDescribingJson("iglu:a/b/jsonschema/1-0-0", {"message": name}))
track("parent")
for name in ("child", "grandchild"):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        break
    track(name)
"""  # fmt: skip
    ended = run(script, collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert Counter(messages(collector)) == Counter(["parent", "child", "grandchild"])


@needs_fork
def test_multiprocessing(collector: FaultyCollector) -> None:
    """Workers of a multiprocessing pool deliver what they log when they flush."""
    script = LOG + """
import multiprocessing
def work(n):
    logger.info("task %d", n)
    return handler.flush(10)
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(all(pool.map(work, range(12))))
"""  # fmt: skip
    ended = run(script, collector.url)
    assert (ended.returncode, ended.stderr, ended.stdout.strip()) == (0, "", "True")
    assert Counter(messages(collector)) == Counter(f"task {n}" for n in range(12))


EFFECTS = """
import json, logging, os, sys, threading
sockets = []
sys.addaudithook(lambda event, _: sockets.append(event) if event.startswith("socket.") else None)
{before}
environment, threads = dict(os.environ), threading.enumerate()
handlers, hooks = len(logging._handlerList), (sys.excepthook, threading.excepthook)
root = logging.root.level, logging.root.handlers[:]
del sockets[:]
import {module}
print(json.dumps({{
    "sockets": sockets,
    "threads": len(threading.enumerate()) - len(threads),
    "handlers": len(logging._handlerList) - handlers,
    "root": root == (logging.root.level, logging.root.handlers),
    "environment": environment == dict(os.environ),
    "hooks": hooks == (sys.excepthook, threading.excepthook),
    "log record": logging.getLogRecordFactory() is logging.LogRecord,
    "logger": logging.getLoggerClass() is logging.Logger,
}}))
"""


def effects(module: str, before: str = "") -> dict[str, Any]:
    """Returns what importing ``module`` changes in a new process, once ``before`` has run."""
    ended = run(EFFECTS.format(before=before, module=module))
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_import_has_no_effects() -> None:
    """After ``import requests``, importing us makes no thread, socket, handler or variable."""
    assert effects("snowplow_logging", before="import requests") == {
        "sockets": [],
        "threads": 0,
        "handlers": 0,
        "root": True,
        "environment": True,
        "hooks": True,
        "log record": True,
        "logger": True,
    }


def test_import_by_itself_has_at_most_the_effects_of_requests() -> None:
    """Importing us alone does no more than ``import requests`` does."""
    ours, theirs = effects("snowplow_logging"), effects("requests")
    assert set(ours.pop("sockets")) <= set(theirs.pop("sockets"))
    assert ours.pop("handlers") <= theirs.pop("handlers")
    assert ours == theirs
    assert (ours["threads"], ours["environment"], ours["root"]) == (0, True, True)


def test_import_takes_no_optional_part() -> None:
    """Importing us loads neither the collector nor what only extras bring."""
    loaded = set(run("import sys, snowplow_logging; print(*sys.modules)").stdout.split())
    assert "snowplow_logging" in loaded
    extras = {"starlette", "uvicorn", "jsonschema", "rich", "asyncio", "multiprocessing"}
    parts = {f"snowplow_logging.{name}" for name in ("collector", "demo", "cli")}
    assert not loaded & (extras | parts)


def imported_in(module: str) -> int:
    """Returns how many µs the import of ``module`` takes, with all that it imports."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    (line,) = [each for each in ended.stderr.splitlines() if each.endswith(f"| {module}")]
    return int(line.split("|")[1])


def test_import_time() -> None:
    """The import takes at most 1.2 times as long as ``import requests``."""
    rounds = [(imported_in("snowplow_logging"), imported_in("requests")) for _ in range(7)]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    assert ours <= 1.2 * theirs, f"{ours / 1e3:.1f} ms, requests {theirs / 1e3:.1f} ms"
