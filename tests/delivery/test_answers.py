"""What a collector's answer makes of events: delivered, tried again, split or given up."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from snowplow_logging import AsyncEmitter, Emitter, Tracker
from snowplow_logging.testing import (
    GARBAGE,
    HANG,
    RESET,
    RESET_MIDWAY,
    Answer,
    AnswerLike,
    FaultyCollector,
    Request,
    closed_port,
    redirect,
)
from tests.delivery.support import balanced, numbered, numbers, until, within

if TYPE_CHECKING:
    from tests.delivery.conftest import MakeCollector

REDIRECTS = [301, 302, 303, 307, 308]
QUICK: dict[str, Any] = {"flush_interval": 0.01, "max_retry_delay": 0.02}


def track(emitter: Emitter, count: int = 1) -> list[str]:
    """Tracks numbered events; returns their ids."""
    tracker = Tracker("namespace", emitter)
    return [tracker.track_unstruct_event(numbered(number)) for number in range(count)]


def ids(payloads: list[dict[str, Any]]) -> list[str]:
    """Returns the ids of payloads that a callback got."""
    return [payload["eid"] for payload in payloads]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 226, 299])
def test_2xx_is_success(make_collector: MakeCollector, status: int) -> None:
    """Every 2xx is a delivery."""
    collector = make_collector(otherwise=status)
    emitter = Emitter(collector.url)
    track(emitter)
    assert (emitter.stats().delivered, len(collector.requests)) == (1, 1)


@pytest.mark.parametrize("method", ["post", "get"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 399])
def test_3xx_that_leads_nowhere_is_success(
    make_collector: MakeCollector, status: int, method: str
) -> None:
    """Every 3xx without a Location is a delivery."""
    collector = make_collector(otherwise=redirect(None, status))
    emitter = Emitter(collector.url, method=method)
    track(emitter)
    assert (emitter.stats().delivered, len(collector.requests)) == (1, 1)


@pytest.mark.parametrize("copied", [False, True], ids=["bare Location", "query in Location"])
@pytest.mark.parametrize("status", REDIRECTS)
def test_redirect_of_get_keeps_the_query(
    make_collector: MakeCollector, status: int, *, copied: bool
) -> None:
    """A redirected GET carries its event once, whether or not the Location has its query."""

    def answer(request: Request) -> AnswerLike:
        if request.path == "/to":
            return 200
        query = "?" + urlsplit(request.target).query if copied else ""
        return redirect(f"/to{query}", status)

    collector = make_collector(otherwise=answer)
    emitter = Emitter(collector.url, method="get")
    event_ids = track(emitter)
    assert collector.event_ids() == event_ids
    before, after = collector.requests
    assert after.events == before.events
    assert sorted(after.target.partition("?")[2].split("&")) == sorted(
        before.target.partition("?")[2].split("&")
    )


@pytest.mark.parametrize("status", [400, 503])
def test_final_answer_of_redirects_judges(make_collector: MakeCollector, status: int) -> None:
    """What the last of a chain of redirects answers is the verdict."""
    collector = make_collector(redirect("/a/b", 302), redirect("/c/d", 307), otherwise=status)
    emitter = Emitter(collector.url)
    track(emitter)
    stats = emitter.stats()
    assert stats.delivered == 0
    assert (stats.dropped, stats.pending) == ((1, 0) if status == 400 else (0, 1))
    assert [request.path for request in collector.requests[1:]] == ["/a/b", "/c/d"]
    emitter.close(timeout=0)


def test_redirect_loop_is_a_failure(make_collector: MakeCollector) -> None:
    """A loop of redirects ends soon, and nothing counts as delivered until it is repaired."""
    collector = make_collector(otherwise=redirect("/a/b", 302))
    emitter = Emitter(collector.url)
    event_ids = track(emitter)
    stats = emitter.stats()
    assert (stats.delivered, stats.pending) == (0, 1)
    assert 1 < len(collector.requests) < 50
    collector.answer()
    assert emitter.flush(10)
    assert collector.event_ids() == event_ids


class AsIfEncrypted(HTTPAdapter):
    """Sends what is addressed to https by http, as a proxy that ends TLS does."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://")
        return super().send(request, *args, **kwargs)


def encrypted_session() -> requests.Session:
    """Returns a session in which https needs no certificates."""
    session = requests.Session()
    session.mount("https://", AsIfEncrypted())
    return session


@pytest.mark.parametrize("status", REDIRECTS)
def test_downgrade_is_not_followed(make_collector: MakeCollector, status: int) -> None:
    """A redirect from https to http delivers nothing, for everybody could read the events."""
    clear = make_collector()
    collector = make_collector(otherwise=redirect(f"{clear.url}/a/b", status))
    emitter = Emitter(f"https://127.0.0.1:{collector.port}", session=encrypted_session)
    track(emitter)
    assert (emitter.stats().delivered, emitter.stats().pending) == (0, 1)
    assert clear.requests == []
    assert "redirects from https" in (emitter.stats().last_error or "")
    emitter.close(timeout=0)


def test_upgrade_is_followed(make_collector: MakeCollector) -> None:
    """A collector that redirects http to https loses nothing."""
    safe = make_collector()
    collector = make_collector(
        otherwise=redirect(f"https://127.0.0.1:{safe.port}/com.acme/tp2", 301)
    )
    emitter = Emitter(collector.url, session=encrypted_session)
    event_ids = track(emitter)
    assert safe.event_ids() == event_ids


@pytest.mark.parametrize(
    "location", ["ftp://127.0.0.1/a", "http://[", "http://127.0.0.1:x/", "mailto:a@b"]
)
def test_redirect_to_no_collector(make_collector: MakeCollector, location: str) -> None:
    """A redirect to something that is no web address is a failed delivery."""
    collector = make_collector(otherwise=redirect(location, 302))
    emitter = Emitter(collector.url)
    track(emitter)
    assert (emitter.stats().delivered, emitter.stats().pending) == (0, 1)
    emitter.close(timeout=0)


def test_credentials_stay_at_their_origin(make_collector: MakeCollector) -> None:
    """User and password of the endpoint go to its own origin, and to no other."""
    other = make_collector()
    collector = make_collector(redirect("/a/b", 307), redirect(f"{other.url}/c/d", 307))
    emitter = Emitter(collector.url.replace("//", "//anna:s%3Acret@"))
    event_ids = track(emitter)
    assert [request.headers.get("authorization") for request in collector.requests] == [
        "Basic YW5uYTpzOmNyZXQ="
    ] * 2
    assert "authorization" not in other.requests[0].headers
    assert other.event_ids() == event_ids


@pytest.mark.parametrize("fault", [RESET, RESET_MIDWAY, GARBAGE, HANG], ids=lambda a: a.fault)
@pytest.mark.parametrize("method", ["post", "get"])
def test_fault_of_the_network_is_retried(
    make_collector: MakeCollector, fault: Answer, method: str
) -> None:
    """Whatever the network does is a failed delivery, repeated until the server is well again."""
    faults = [Answer(503, fault="reset_midway")] * 3 if fault is RESET_MIDWAY else [fault] * 3
    collector = make_collector(*faults)
    failures: list[int] = []
    emitter = AsyncEmitter(
        collector.url, method=method, request_timeout=0.1, **QUICK,
        on_failure=lambda sent, unsent: failures.append(sent),
    )  # fmt: skip
    event_ids = track(emitter)
    until(lambda: emitter.stats().delivered == 1, "the delivery")
    assert collector.requests[-1].events[0]["eid"] == event_ids[0]
    assert failures
    assert set(failures) == {0}
    emitter.close()


def test_reset_after_the_status_line(make_collector: MakeCollector) -> None:
    """A status that has reached us counts, whatever becomes of the answer's body."""
    collector = make_collector(RESET_MIDWAY)
    emitter = Emitter(collector.url)
    event_ids = track(emitter)
    emitter.flush(5)
    assert set(collector.event_ids()) == set(event_ids)
    assert emitter.stats().delivered == 1


@pytest.mark.parametrize("emitter_class", [Emitter, AsyncEmitter])
def test_refused_until_the_server_comes(
    make_collector: MakeCollector, emitter_class: type[Emitter]
) -> None:
    """Events tracked while nobody listens arrive, in order, once somebody does."""
    port = closed_port()
    emitter = emitter_class(f"http://127.0.0.1:{port}", **QUICK)
    event_ids = track(emitter, 5)
    assert not emitter.flush(0.1)
    assert balanced(emitter.stats())
    assert emitter.stats().pending == 5
    collector = make_collector(port=port)
    assert emitter.flush(15)
    assert collector.event_ids() == event_ids
    emitter.close()


def test_kept_connection_that_has_ended_is_no_failure(make_collector: MakeCollector) -> None:
    """A collector that closes idle connections costs neither an event nor a failure."""
    collector = make_collector(otherwise=Answer(hang_up=True))
    failures: list[object] = []
    emitter = Emitter(
        collector.url, on_failure=lambda sent, unsent: failures.append((sent, unsent))
    )
    event_ids = track(emitter, 10)
    assert collector.event_ids() == event_ids
    assert failures == []


def test_connection_is_kept(collector: FaultyCollector) -> None:
    """One connection serves all requests of a worker."""
    emitter = Emitter(collector.url)
    track(emitter, 10)
    assert len({request.connection for request in collector.requests}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422, 451])
def test_4xx_is_given_up(make_collector: MakeCollector, status: int) -> None:
    """An answer that would be the same the next time drops the events as rejected."""
    collector = make_collector(otherwise=status)
    dropped: list[tuple[str, list[str]]] = []
    emitter = Emitter(
        collector.url, on_drop=lambda reason, lost: dropped.append((reason, ids(lost)))
    )
    event_ids = track(emitter)
    assert emitter.stats().dropped_by_reason == {"rejected": 1}
    assert dropped == [("rejected", event_ids)]
    assert str(status) in (emitter.stats().last_error or "")
    assert len(collector.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_passing_failure_is_retried(make_collector: MakeCollector, status: int) -> None:
    """An answer that may pass is tried again until the events are delivered."""
    collector = make_collector(status, status, status)
    emitter = AsyncEmitter(collector.url, **QUICK)
    event_ids = track(emitter)
    assert collector.wait_for(1)
    assert collector.event_ids() == event_ids
    until(lambda: emitter.stats().pending == 0, "the account")
    assert emitter.stats().retried == 3
    emitter.close()


def test_custom_retry_codes(make_collector: MakeCollector) -> None:
    """``custom_retry_codes`` retries a code that is given up, and gives up one that is retried."""
    collector = make_collector(403, 500)
    emitter = AsyncEmitter(collector.url, custom_retry_codes={403: True, 500: False}, **QUICK)
    track(emitter)
    until(lambda: emitter.stats().pending == 0, "the verdict")
    assert emitter.stats().dropped_by_reason == {"rejected": 1}
    assert len(collector.requests) == 2
    emitter.close()


def test_retry_differs_by_stm_alone(make_collector: MakeCollector) -> None:
    """What is sent again is byte-identical but for ``stm``, which never goes back."""
    collector = make_collector(503, RESET, 500)
    emitter = AsyncEmitter(collector.url, **QUICK)
    track(emitter)
    assert collector.wait_for(1)
    bodies: list[bytes] = []
    stamps: list[int] = []
    for request in collector.requests:
        stm = json.loads(request.body)["data"][0]["stm"]
        stamps.append(int(stm))
        bodies.append(request.body.replace(f'"stm":"{stm}"'.encode(), b'"stm":""'))
    assert len(bodies) >= 4
    assert len(set(bodies)) == 1
    assert stamps == sorted(stamps)
    emitter.close()


def test_failure_in_the_midst_of_halving(make_collector: MakeCollector) -> None:
    """Where a part of a split batch fails, what went is not sent again."""
    collector = make_collector(413, 200, 503)
    failures: list[Any] = []
    emitter = Emitter(
        collector.url, batch_size=4, on_failure=lambda n, unsent: failures.append((n, len(unsent)))
    )
    event_ids = track(emitter, 4)
    assert failures == [(2, 2)]
    assert emitter.flush(10)
    assert collector.event_ids() == event_ids


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(make_collector: MakeCollector, status: int) -> None:
    """Whoever asks to be left alone for a second gets no request before."""
    collector = make_collector(Answer(status, {"Retry-After": "1"}))
    emitter = AsyncEmitter(collector.url, flush_interval=0.01)
    track(emitter)
    assert collector.wait_for_requests(1)
    track(emitter, 3)
    assert collector.wait_for(4)
    first, second = collector.requests[:2]
    assert second.at - first.at >= 0.9
    emitter.close()


@pytest.mark.parametrize(
    "value", ["soon", "-5", "nan", "inf", "1e400", "Thu, 01 Jan 1970 00:00:00 GMT", ""]
)
def test_odd_retry_after(make_collector: MakeCollector, value: str) -> None:
    """A Retry-After that says nothing, the past or eternity does not hold events up for ever."""
    collector = make_collector(Answer(503, {"Retry-After": value}))
    emitter = AsyncEmitter(collector.url, **QUICK)
    track(emitter)
    assert collector.wait_for(1, 5)
    until(lambda: emitter.stats().delivered == 1, "the account")
    within(5, emitter.close)


def test_parts_of_get(make_collector: MakeCollector) -> None:
    """Of a batch by GET whose third request fails, two events are sent and the rest is not."""
    collector = make_collector(200, 200, 503)
    calls: list[tuple[int, list[int]]] = []
    delivered: list[int] = []
    emitter = Emitter(
        collector.url, method="get", batch_size=5,
        on_success=lambda events: delivered.extend(numbers(events)),
        on_failure=lambda sent, unsent: calls.append((sent, numbers(unsent))),
    )  # fmt: skip
    event_ids = track(emitter, 5)
    assert (calls, delivered) == ([(2, [2, 3, 4])], [0, 1])
    assert emitter.flush(10)
    assert delivered == [0, 1, 2, 3, 4]
    assert collector.event_ids() == event_ids


@pytest.mark.parametrize("method", ["post", "get"])
def test_answer_that_drips_ends_in_time(make_collector: MakeCollector, method: str) -> None:
    """A collector that answers byte by byte holds no ``close`` up beyond its deadline."""
    collector = make_collector(otherwise=Answer(drip=0.3))
    emitter = AsyncEmitter(collector.url, method=method, request_timeout=0.5, flush_interval=0.01)
    track(emitter)
    assert collector.wait_for_requests(1)
    began = time.monotonic()
    within(10, lambda: emitter.close(timeout=0.5))
    assert time.monotonic() - began < 5
    assert balanced(emitter.stats())


def test_flush_of_an_emitter_whose_collector_drips(make_collector: MakeCollector) -> None:
    """A collector that answers byte by byte holds no ``flush`` in the caller's thread up."""
    collector = make_collector(otherwise=Answer(drip=0.2))
    emitter = Emitter(collector.url, batch_size=10, request_timeout=0.5)
    track(emitter)
    began = time.monotonic()
    within(15, lambda: emitter.flush(timeout=0.5))
    assert time.monotonic() - began < 4
    assert balanced(emitter.stats())
    emitter.close(timeout=0)
