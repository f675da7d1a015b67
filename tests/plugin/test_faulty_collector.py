"""The collector that misbehaves does so as it is told."""

from __future__ import annotations

import pytest
import requests

from snowplow_logging.testing import (
    GARBAGE,
    HANG,
    RESET,
    Answer,
    FaultyCollector,
    at_most,
    closed_port,
    redirect,
)


def test_script_then_rule() -> None:
    """Answers come in the order of the script, and then by the rule."""
    with FaultyCollector(500, Answer(429, {"Retry-After": "7"}), otherwise=at_most(3)) as collector:
        answers = [requests.post(collector.url, b"x" * n, timeout=5) for n in (1, 1, 3, 4)]
        assert [answer.status_code for answer in answers] == [500, 429, 200, 413]
        assert answers[1].headers["Retry-After"] == "7"
        collector.answer(404)
        assert requests.get(collector.url, timeout=5).status_code == 404
        assert requests.get(collector.url, timeout=5).status_code == 200


def test_records_requests() -> None:
    """Requests are recorded as they came, and their events read."""
    with FaultyCollector(503) as collector:
        requests.get(f"{collector.url}/i?eid=1&e=ue", timeout=5)
        requests.post(f"{collector.url}/a/b", b'{"data": [{"eid": "2"}, {"eid": "3"}]}', timeout=5)
        first, second = collector.requests
        assert (first.method, first.path, first.events) == ("GET", "/i", [{"eid": "1", "e": "ue"}])
        assert second.body.startswith(b'{"data"')
        assert second.headers["content-length"] == str(len(second.body))
        assert collector.event_ids() == ["2", "3"]
        assert collector.wait_for(2, 0)
        assert not collector.wait_for(3, 0.01)
        assert collector.wait_for_requests(2, 0)


@pytest.mark.parametrize("fault", [RESET, GARBAGE, HANG], ids=lambda a: a.fault)
def test_faults(fault: Answer) -> None:
    """A fault is an exception for the client, and the next request is served."""
    with FaultyCollector(fault) as collector:
        with pytest.raises((requests.ConnectionError, requests.Timeout)):
            requests.get(f"{collector.url}/i?eid=1", timeout=0.2)
        assert requests.get(collector.url, timeout=5).text == "ok"
        assert len(collector.requests) == 2
        assert collector.events() == []


def test_loop_of_redirects() -> None:
    """A redirect to itself is a loop."""
    with (
        FaultyCollector(otherwise=redirect("/")) as collector,
        pytest.raises(requests.TooManyRedirects),
    ):
        requests.post(collector.url, b"x", timeout=5)


def test_port_is_closed_and_can_be_opened() -> None:
    """Nobody listens on a closed port, until a collector is started there."""
    port = closed_port()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}", timeout=5)
    for _ in range(2):
        with FaultyCollector(port=port) as collector:
            assert requests.get(collector.url, timeout=5).status_code == 200
