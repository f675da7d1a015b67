"""Faults that a test switches on: what is sent meanwhile arrives after, and once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging.testing import (
    GARBAGE,
    HANG,
    RESET,
    RESET_MIDWAY,
    Answer,
    FaultyCollector,
    Rule,
    at_most,
    closed_port,
    redirect,
    sometimes,
)
from tests.collector.support import TP2, body, event, post

from .support import log_error

if TYPE_CHECKING:
    from snowplow_logging import SnowplowHandler
    from snowplow_logging.testing import SnowplowCollector

pytestmark = [
    pytest.mark.usefixtures("snowplow_handler"),
    pytest.mark.snowplow_handler(max_retry_delay=0.1),
]

BUSY = Answer(429, {"Retry-After": "1"})


def statuses(collector: SnowplowCollector) -> list[int]:
    """Returns the statuses of all answers."""
    return [answer.status for answer in collector.answers]


def test_first_requests_that_fail(snowplow_collector: SnowplowCollector) -> None:
    """As many as are told; what is queued is sent before the block ends."""
    with snowplow_collector.failing(503, times=2):
        log_error("in an outage")
    assert statuses(snowplow_collector) == [503, 503, 200]
    assert snowplow_collector.one().data["message"] == "in an outage"


@pytest.mark.parametrize(
    "fault", [500, BUSY, RESET, GARBAGE, HANG], ids=["500", "429", "reset", "garbage", "hang"]
)
def test_outage(
    snowplow_collector: SnowplowCollector, snowplow_handler: SnowplowHandler, fault: Rule
) -> None:
    """While it lasts nothing arrives, and nothing is lost; when it is over, all is well."""
    with snowplow_collector.failing(fault):
        log_error("in an outage")
        snowplow_collector.wait_for_requests(1)
        assert not snowplow_handler.flush(timeout=0)
        assert requests.get(f"{snowplow_collector.url}/micro/all", timeout=10).json()["total"] == 0
    assert snowplow_handler.flush(timeout=10)
    assert snowplow_collector.all() == {"total": 1, "good": 1, "bad": 0}
    stats = snowplow_handler.stats()
    assert (stats.delivered, stats.dropped) == (1, 0)


def test_nobody_listens(
    snowplow_collector: SnowplowCollector, snowplow_handler: SnowplowHandler
) -> None:
    """Connections are refused, also those that there were; then the same address answers."""
    log_error("before")
    assert snowplow_handler.flush()
    with snowplow_collector.refusing():
        with pytest.raises(requests.ConnectionError):
            _ = requests.get(f"{snowplow_collector.url}/health", timeout=5)
        log_error("meanwhile")
        assert not snowplow_handler.flush(timeout=0.1)
    assert snowplow_handler.flush(timeout=10)
    assert snowplow_collector.all() == {"total": 2, "good": 2, "bad": 0}


def test_answer_that_is_cut_off(snowplow_collector: SnowplowCollector) -> None:
    """The events have arrived, which the head of the answer says; a body need not follow."""
    with snowplow_collector.failing(RESET_MIDWAY):
        log_error("once")
        assert snowplow_collector.one().data["message"] == "once"
        with pytest.raises(requests.RequestException):
            _ = post(snowplow_collector.url, body(event()))
    assert statuses(snowplow_collector) == [200, 200]
    assert snowplow_collector.all() == {"total": 2, "good": 2, "bad": 0}


@pytest.mark.parametrize(
    ("slow", "seconds"), [(Answer(delay=0.2), 0.2), (Answer(drip=0.001), 0.1)], ids=["late", "drip"]
)
def test_slow_answers(snowplow_collector: SnowplowCollector, slow: Answer, seconds: float) -> None:
    """They are the collector's own, and say what it says."""
    with snowplow_collector.failing(slow):
        began = time.monotonic()
        assert post(snowplow_collector.url, body(event())).text == "ok"
        assert post(snowplow_collector.url, b"x" * 2_200_000).status_code == 413
        assert time.monotonic() - began >= 2 * seconds
    assert snowplow_collector.all()["total"] == 1


def test_connection_that_is_closed_while_idle(
    snowplow_collector: SnowplowCollector, snowplow_handler: SnowplowHandler
) -> None:
    """A connection that ends without announcement, as load balancers end it, costs no event."""
    with snowplow_collector.failing(Answer(hang_up=True)):
        for number in range(3):
            log_error(f"on connection {number}")
            assert snowplow_handler.flush(timeout=10)
    assert len({request.connection for request in snowplow_collector.requests}) == 3
    assert snowplow_collector.all() == {"total": 3, "good": 3, "bad": 0}


def test_redirect(snowplow_collector: SnowplowCollector, snowplow_handler: SnowplowHandler) -> None:
    """The events arrive where they are sent to."""
    with snowplow_collector.failing(redirect(f"/{TP2}"), times=1):
        log_error("led on")
    assert statuses(snowplow_collector) == [308, 200]
    assert snowplow_collector.all()["good"] == 1
    assert snowplow_handler.stats().retried == 0


def test_requests_that_are_too_large(
    snowplow_collector: SnowplowCollector, snowplow_handler: SnowplowHandler
) -> None:
    """413 over a size: batches are halved until what is too large stands alone."""
    with snowplow_collector.failing(at_most(3_000)):
        for number in range(8):
            log_error(f"small {number}")
        log_error("large", stackTrace="x" * 4_000)
        assert snowplow_handler.flush(timeout=10)
    assert snowplow_collector.all()["good"] == 8
    assert snowplow_handler.stats().dropped_by_reason == {"oversize": 1}


def test_failing_at_random(
    snowplow_collector: SnowplowCollector, snowplow_handler: SnowplowHandler
) -> None:
    """The same choices for the same seed; whatever they are, each event arrives once."""
    with snowplow_collector.failing(sometimes(0.5, seed=7)):
        for number in range(10):
            log_error(f"event {number}")
            assert snowplow_handler.flush(timeout=10)
    draws = sometimes(0.5, seed=7)
    expected = [draws(request) for request in snowplow_collector.requests]
    assert [answer == 503 for answer in statuses(snowplow_collector)] == [
        answer == 503 for answer in expected
    ]
    assert 503 in expected
    assert snowplow_collector.all() == {"total": 10, "good": 10, "bad": 0}


def test_only_events_meet_a_fault(snowplow_collector: SnowplowCollector) -> None:
    """Questions are answered, and faults in faults come one after the other."""
    url = snowplow_collector.url
    with snowplow_collector.failing(500):
        assert snowplow_collector.all()["total"] == 0
        assert requests.get(f"{url}/health", timeout=10).status_code == 200
        assert requests.options(f"{url}/{TP2}", timeout=10).status_code == 200
        assert post(url, body(event())).status_code == 500
        with snowplow_collector.failing(501, times=1):
            assert post(url, body(event())).status_code == 501
            assert post(url, body(event())).status_code == 500
        assert requests.get(f"{url}/i?e=pv&p=web&tv=1&eid=1", timeout=10).status_code == 500
    assert post(url, body(event())).status_code == 200
    assert statuses(snowplow_collector) == [500, 501, 500, 500, 200]
    assert snowplow_collector.all()["total"] == 1
    with pytest.raises(AssertionError, match=r"waited 0 s for 9 requests; there came \['POST"):
        snowplow_collector.wait_for_requests(9, timeout=0)


def test_bodies_of_unknown_length(snowplow_collector: SnowplowCollector) -> None:
    """What cannot be read is refused, and says why."""
    answer = requests.post(f"{snowplow_collector.url}/{TP2}", iter([b"{", b"}"]), timeout=10)
    assert (answer.status_code, answer.text) == (411, "Length Required\n")


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"data": 5}', b'{"data": [1]}', b"\xff"])
def test_requests_without_events(snowplow_collector: SnowplowCollector, content: bytes) -> None:
    """A body that is no batch is passed on, and found bad there."""
    assert post(snowplow_collector.url, content).status_code == 200
    assert snowplow_collector.requests[0].events == []
    assert snowplow_collector.all() == {"total": 1, "good": 0, "bad": 1}


def test_upstream_that_is_gone() -> None:
    """It is a bad gateway, for events and for questions; and an address is demanded of it."""
    upstream = f"http://127.0.0.1:{closed_port()}"
    with FaultyCollector(upstream=upstream) as collector:
        for answer in (
            post(collector.url, body(event())),
            requests.get(f"{collector.url}/micro/all", timeout=10),
        ):
            assert answer.status_code == 502
            assert answer.text.startswith(f"{upstream}: ")
        assert collector.accepted == 0
    wrong: list[Any] = ["", "127.0.0.1:9090", "ftp://a.b"]
    for url in wrong:
        with pytest.raises(ValueError, match="expected an address such as"):
            _ = FaultyCollector(upstream=url)


def test_upstream_that_speaks_no_http() -> None:
    """It is a bad gateway, too; one that sends events for ever is left to the asker."""
    with (
        FaultyCollector(GARBAGE) as upstream,
        FaultyCollector(upstream=upstream.url) as collector,
    ):
        assert post(collector.url, body(event())).status_code == 502
        answer = requests.get(
            f"{collector.url}/micro/live?a=é",
            headers={"Accept": "text/event-stream"},
            timeout=10,
            allow_redirects=False,
        )
        assert answer.headers["Location"] == f"{upstream.url}/micro/live?a=%C3%A9"
