"""The fixtures with a Snowplow Micro elsewhere, which shows events some time after it took them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from snowplow_logging.collector import LocalCollector
from snowplow_logging.testing import OK, Answer, FaultyCollector, closed_port
from snowplow_logging.testing._upstream import Upstream
from tests.program import Program

from .conftest import STRICT
from .support import outcome, outcome_of_workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.testing import Request

LATE = 0.2  # seconds

SUITE = """
import requests
from snowplow_logging import AsyncEmitter, SelfDescribingJson, Tracker

pytestmark = pytest.mark.usefixtures("snowplow_handler")

def test_good(snowplow_collector):
    log_error("one", lineNumber=1)
    log_error("two", lineNumber=2)
    assert [event.data["message"] for event in snowplow_collector.good()] == ["two", "one"]
    assert snowplow_collector.one({"lineNumber": 1}, schema=ERROR).data["message"] == "one"
    assert snowplow_collector.all() == {"total": 2, "good": 2, "bad": 0}

def test_what_is_left():
    log_error("nobody asks for this")

def test_bad(snowplow_collector):
    log_error("wrong", lineNumber="1")
    (bad,) = snowplow_collector.bad()
    assert bad.reasons == [f'{ERROR}: $.lineNumber: expected integer or null, got "1"']
    with pytest.raises(AssertionError, match="expected no bad event; 1 arrived"):
        snowplow_collector.assert_no_bad()

def test_tracker(snowplow_collector):
    emitter = AsyncEmitter(snowplow_collector.url)
    data = {"programmingLanguage": "PYTHON", "message": "tracked"}
    event_id = Tracker("name", emitter).track_self_describing_event(SelfDescribingJson(ERROR, data))
    assert snowplow_collector.event(event_id).data == data
    emitter.close()

def test_whoever_sends_without_us(snowplow_collector, micro_url):
    requests.get(f"{micro_url}/i?e=pv&p=web&tv=js&url=http://a.b/c", timeout=10)
    assert snowplow_collector.one(page_url="http://a.b/c").data == {}
    requests.get(f"{micro_url}/i?e=pp&p=web&tv=js", timeout=10)
    snowplow_collector.wait_for(2)

def test_fault(snowplow_collector):
    with snowplow_collector.failing(503, times=1):
        log_error("again")
    snowplow_collector.one({"message": "again"})
    assert [answer.status for answer in snowplow_collector.answers] == [503, 200]

def test_reset(snowplow_collector):
    log_error("before")
    snowplow_collector.reset()
    log_error("after")
    assert [event.data["message"] for event in snowplow_collector.good()] == ["after"]

@pytest.fixture
def micro_url():
    import os
    return os.environ["SNOWPLOW_MICRO_URL"]
"""
PASSED = SUITE.count("\ndef test_")

APART = """
@pytest.mark.parametrize("number", range(12))
def test_own(snowplow_collector, snowplow_handler, number):
    log_error(f"of {number}")
    assert snowplow_collector.one().data["message"] == f"of {number}"
    assert snowplow_collector.all() == {"total": 1, "good": 1, "bad": 0}
"""


@pytest.fixture(scope="module")
def command() -> Iterator[str]:
    """The address of a collector that runs as a process of its own."""
    command = [sys.executable, "-m", "snowplow_logging", "collector", "--port", "0", "--quiet"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with Program[str](command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            (url,) = re.findall(r"http://\S+", process.stdout.readline())
            yield url
        finally:
            process.terminate()


@pytest.fixture
def late_micro(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyCollector]:
    """A collector that shows what it took only after a moment; the fixtures are told of it."""
    timers: list[threading.Timer] = []
    with LocalCollector(port=0) as local:
        upstream = Upstream(local.url)

        def rule(request: Request) -> Answer:
            asked = request.method, request.target, request.headers, request.body
            if request.asks:
                return upstream.ask(*asked)
            timers.append(threading.Timer(LATE, upstream.ask, asked))
            timers[-1].start()
            return OK

        with FaultyCollector(otherwise=rule) as front:
            monkeypatch.setenv("SNOWPLOW_MICRO_URL", front.url)
            yield front
        for timer in timers:
            timer.join()


def test_with_a_collector_in_another_process(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A suite passes with it as it does without."""
    monkeypatch.setenv("SNOWPLOW_MICRO_URL", command)
    outcome(pytester, SUITE).assert_outcomes(passed=PASSED)


@pytest.mark.usefixtures("late_micro")
def test_with_events_that_show_late(pytester: pytest.Pytester) -> None:
    """The same suite passes: it is waited until what was sent is there, good or bad."""
    outcome(pytester, SUITE).assert_outcomes(passed=PASSED)


def test_workers_share_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Tests of different workers do not see each other's events."""
    monkeypatch.setenv("SNOWPLOW_MICRO_URL", command)
    outcome_of_workers(pytester, APART).assert_outcomes(passed=12)


def test_events_that_never_show(pytester: pytest.Pytester, late_micro: FaultyCollector) -> None:
    """A wait has an end, and is not repeated for events that are one bad request."""
    _ = pytester.makeini(f"{STRICT}snowplow_timeout = 0.8\n")
    source = """
    import requests

    def test_two_events_that_are_one_request(snowplow_collector):
        body = {"schema": "iglu:unknown/payload_data/jsonschema/1-0-4", "data": [{}, {}]}
        url = snowplow_collector.url
        requests.post(f"{url}/com.snowplowanalytics.snowplow/tp2", json=body, timeout=10)
        assert snowplow_collector.all() == {"total": 1, "good": 0, "bad": 1}
        requests.get(f"{url}/micro/mark", timeout=10)
        (bad,) = snowplow_collector.bad()
        assert bad.id is bad.schema is None
    """
    outcome(pytester, source).assert_outcomes(passed=1)
    asked = [request.path for request in late_micro.requests]
    assert asked[asked.index("/micro/mark") + 1 :] == ["/micro/all", "/micro/bad", "/micro/all"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"http://127.0.0.1:{closed_port()}", "no Micro answers at http://127.0.0.1:*: *refused*"),
        ("micro:9090", "expected an address such as http://127.0.0.1:9090, got 'micro:9090'"),
    ],
    ids=["refused", "no address"],
)
def test_no_micro_there(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    """The variable is named, and what is wrong with it."""
    monkeypatch.setenv("SNOWPLOW_MICRO_URL", url)
    result = outcome(pytester, "def test_uses_it(snowplow_handler): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"SNOWPLOW_MICRO_URL: {message}"])


def test_another_server_there(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers, but not as Micro does, is shown."""
    with FaultyCollector(otherwise=Answer(404, body=b"nothing here")) as server:
        monkeypatch.setenv("SNOWPLOW_MICRO_URL", server.url)
        result = outcome(pytester, "def test_uses_it(snowplow_handler): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no Micro answers at *: */micro/reset answers 404 nothing here"])
