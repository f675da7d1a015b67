"""Hurts at the end of a process, and at the import that begins it."""

from __future__ import annotations

import json
import re
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.testing import HANG, Answer, FaultyCollector, closed_port
from tests.delivery.support import LOG, messages, run

if TYPE_CHECKING:
    from tests.delivery.conftest import MakeCollector

TEN = LOG + "for number in range(10): logger.info('record %d', number)\n"
TEN_MESSAGES = [f"record {number}" for number in range(10)]
ROOT_TOO = "logging.getLogger().setLevel(logging.DEBUG); logging.getLogger().addHandler(handler)\n"


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
def test_05_events_lost_at_exit(collector: FaultyCollector, end: str, status: int) -> None:
    """What was queued at the exit was lost (logstash-async#33, google-cloud-logging#21).

    However the interpreter ends, what was logged before arrives, once.
    """
    ended = run(TEN + end, collector.url)
    assert ended.returncode == status, ended.stderr
    assert messages(collector) == TEN_MESSAGES
    assert "snowplow_logging" not in ended.stderr


def test_05_records_logged_during_the_exit(collector: FaultyCollector) -> None:
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


def test_05_emitter_without_handler_drains_at_exit(collector: FaultyCollector) -> None:
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
def test_06_exit_hangs_when_the_server_is_down(make_collector: MakeCollector, trouble: str) -> None:
    """The exit waited for a server that was down (opentelemetry-python#4043, #3309).

    The process ends in time, and says how many events were lost, and why.
    """
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
    told = re.findall(r"http://\S+: (\d+) (?:of 10 events lost|events are under)", ended.stderr)
    assert sum(map(int, told)) == 10, ended.stderr
    assert "last error" in ended.stderr or trouble.startswith("hanging")


def test_06_exit_of_an_emitter_in_the_main_thread() -> None:
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


def test_06_exits_of_many_handlers_share_their_time() -> None:
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


def test_05_delivered_before_and_at_exit(collector: FaultyCollector) -> None:
    """A worker that has delivered before goes on at the exit, without a word of a warning."""
    ended = run(TEN + "assert handler.flush(10); logger.info('last')", collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert messages(collector) == [*TEN_MESSAGES, "last"]


def test_05_slow_collector_gets_its_time(make_collector: MakeCollector) -> None:
    """A collector that needs a moment for its answer loses nothing at the end."""
    collector = make_collector(otherwise=Answer(delay=0.5))
    ended = run(TEN, collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert messages(collector) == TEN_MESSAGES


# No system has a stack of so many bytes to give, so each start of a thread fails.
NO_THREADS = "import threading; threading.stack_size(2**46)\n"
LATE = """
import atexit, logging
def late():
    logging.getLogger("shop").info("late")
    logging.getLogger("shop").info("later")
atexit.register(late)
"""


@pytest.mark.parametrize("hook", ["before ours", "after ours"])
@pytest.mark.parametrize("threads", ["", NO_THREADS], ids=["threads", "no threads"])
def test_08_no_new_thread_at_interpreter_shutdown(
    collector: FaultyCollector, threads: str, hook: str
) -> None:
    """From Python 3.12 on no thread can be started at exit (opentelemetry-python#4752).

    What exit handlers log first of all arrives, sent by the thread that exits, with no word of
    an error; on every Python, as here the system refuses threads.
    """
    ended = run(
        LOG + LATE + threads if hook == "before ours" else LATE + LOG + threads, collector.url
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert messages(collector) == ["late", "later"]


def test_08_no_new_thread_at_all(collector: FaultyCollector) -> None:
    """Where a system refuses threads in the midst of life, flush sends, and a line says so."""
    script = (
        TEN.replace(LOG, LOG + NO_THREADS) + "print(handler.flush(10), handler.stats().pending)"
    )
    ended = run(script, collector.url)
    assert (ended.returncode, ended.stdout.strip()) == (0, "True 0")
    assert re.fullmatch(NO_WORKER, ended.stderr)
    assert messages(collector) == TEN_MESSAGES


NO_WORKER = (
    r"snowplow_logging: no thread can deliver: can't .*; "
    r"events wait for a flush, a close or the exit\n"
)
GO_ON = """
def go_on():
    threading.main_thread().join()
    logger.info("first")
    time.sleep(0.1)
    logger.info("second")
threading.Thread(target=go_on).start()
"""


def test_08_no_new_thread_after_the_main_thread(collector: FaultyCollector) -> None:
    """Python 3.12 starts no thread once the main one has ended, though others go on for long.

    The exit, which waits for them, delivers what they log, and a line says so.
    """
    ended = run(LOG + GO_ON, collector.url)
    assert (ended.returncode, messages(collector)) == (0, ["first", "second"])
    assert re.fullmatch(NO_WORKER if sys.version_info[:2] == (3, 12) else "", ended.stderr)


SUDDEN = """
from snowplow_logging import drain_on_signal, flush, flush_on_return
import asyncio

@flush_on_return(timeout=10)
def answer(): logger.info("hello")

@flush_on_return
async def answer_later(): logger.info("hello")
"""


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("answer(); os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("asyncio.run(answer_later()); os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("drain_on_signal(); logger.info('hello'); os.kill(os.getpid(), 15); time.sleep(60)", -15),
        ("logger.info('hello'); flush(10); os._exit(3)", 3),
    ],
    ids=["Lambda freezes", "Lambda freezes, async", "SIGTERM", "os._exit"],
)
def test_19_lambda_sigterm_os_exit(collector: FaultyCollector, end: str, status: int) -> None:
    """Processes that freeze, are ended by a signal or leave by ``os._exit`` run no exit hook.

    With the one line that each of them takes, what was logged has arrived by then.
    """
    ended = run(LOG + SUDDEN + end, collector.url, "{'flush_interval': 300}")
    assert (ended.returncode, ended.stderr) == (status, "")
    assert messages(collector) == ["hello"]


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


def test_13_side_effects_at_import() -> None:
    """Importing trackers configured logging or started threads (snowplow-python-tracker#373).

    After ``import requests``, importing us makes no thread, socket, handler or variable.
    """
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


def test_13_side_effects_at_import_beyond_those_of_requests() -> None:
    """Importing us alone does no more than ``import requests`` does."""
    ours, theirs = effects("snowplow_logging"), effects("requests")
    assert set(ours.pop("sockets")) <= set(theirs.pop("sockets"))
    assert ours.pop("handlers") <= theirs.pop("handlers")
    assert ours == theirs
    assert (ours["threads"], ours["environment"], ours["root"]) == (0, True, True)
