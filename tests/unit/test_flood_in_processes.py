"""Tests of flood control in processes of their own: at a fork, at exit, as the docs show it."""

from __future__ import annotations

import json
import os
import re
from inspect import signature

import pytest

from snowplow_logging.flood import FloodFilter
from snowplow_logging.testing import FaultyCollector
from tests.delivery.support import ROOT, data_of, run


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_starts_anew() -> None:
    """Also where another thread was inside at the moment of the fork."""
    ended = run("""
import logging, os, sys, threading
from snowplow_logging.flood import FloodFilter
flood = FloodFilter(0.0001, 1)
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(message)s"))
handler.addFilter(flood)
logging.basicConfig(level="INFO", handlers=[handler])
def log(name, times):
    for _ in range(times):
        logging.info(name)
log("parent", 4)
entered, leave = threading.Event(), threading.Event()
def hold():
    with flood._lock:
        entered.set()
        leave.wait()
thread = threading.Thread(target=hold)
thread.start()
entered.wait()
sys.stdout.flush()
if os.fork() == 0:
    log("child", 3)
    flood.report()
    print("child", flood.suppressed, flush=True)
    os._exit(0)
os.wait()
leave.set()
thread.join()
print("parent", flood.suppressed)
""")
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [
        "parent", "child", "suppressed 2 records like this one: child", "child 2", "parent 3",
        "suppressed 3 records like this one: parent",
    ]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_hooks_of_a_fork_log() -> None:
    """An application's hook runs before ours; in the child nobody is left to release the lock."""
    ended = run("""
import logging, os, sys, threading
from snowplow_logging.flood import FloodFilter
def log():
    for _ in range(3):
        logging.info("again")
os.register_at_fork(after_in_child=log)
flood = FloodFilter(0.0001, 1)
handler = logging.StreamHandler(sys.stdout)
handler.addFilter(flood)
logging.basicConfig(level="INFO", handlers=[handler], format="%(message)s")
entered, leave = threading.Event(), threading.Event()
def hold():
    with flood._lock:
        entered.set()
        leave.wait()
thread = threading.Thread(target=hold)
thread.start()
entered.wait()
if os.fork() == 0:
    log()
    print("held back", flood.suppressed, flush=True)
    os._exit(0)
os.wait()
leave.set()
thread.join()
log()
""")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        *["again"] * 4, "held back 2", "again", "suppressed 2 records like this one: again",
    ]  # fmt: skip


def test_at_exit_the_rest_is_delivered() -> None:
    """A process that simply ends has its report delivered; configured by dictConfig."""
    with FaultyCollector() as collector:
        ended = run(
            """
import logging.config, sys
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"flood": {"()": "snowplow_logging.flood.FloodFilter", "rate": 1, "burst": "2"}},
    "handlers": {"snowplow": {
        "class": "snowplow_logging.SnowplowHandler",
        "endpoint": sys.argv[1],
        "filters": ["flood"],
    }},
    "root": {"level": "INFO", "handlers": ["snowplow"]},
})
for _ in range(100):
    logging.info("again")
print(logging.getLogger().handlers[0].filters[0])
""",
            collector.url,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == "<FloodFilter 1/s, burst 2, 98 suppressed>\n"
        messages = [data_of(event)["message"] for event in collector.events()]
    assert messages == ["again", "again", "suppressed 98 records like this one: again"]


def test_what_the_docs_show() -> None:
    """The configuration on the page gives the report on the page."""
    page = (ROOT / "docs" / "flood.md").read_text(encoding="utf-8")
    configuration, shown = re.findall(r"```(?:python|json)\n(.*?)```", page, re.DOTALL)
    report = json.loads(shown)
    log = """
import sys
for host in range(148):
    logging.getLogger(sys.argv[1]).error("no connection to %s", host)
"""
    with FaultyCollector() as collector:
        script = configuration.replace("https://collector.acme.com", collector.url) + log
        ended = run(script, report["logger"])
        assert (ended.returncode, ended.stderr) == (0, "")
        sent = [data_of(event) for event in collector.events()]
    made = sent.pop()
    number = str(148 - len(sent))  # on a slow machine more than the burst
    assert len(sent) >= 50
    wanted = {key: value.replace("98", number) for key, value in report.items()}
    assert {key: made[key] for key in report} == wanted
    assert re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE) == [
        (name, f"{parameter.default:g}" if name in {"rate", "interval"} else str(parameter.default))
        for name, parameter in signature(FloodFilter).parameters.items()
        if name != "clock"
    ]
