"""Schemas from registries by HTTP: found, remembered, and what is said when they are not."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from snowplow_logging.collector import LocalCollector
from snowplow_logging.collector.registry import Registry
from snowplow_logging.collector.repositories import HttpRepository, RepositoryError

from .iglu_server import IgluServer
from .support import ERROR, body, event, post, write_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "com.acme/order_placed/jsonschema/1-0-0"
NUMBER = {"type": "object", "properties": {"total": {"type": "number"}}}
KEY = "SNOWPLOW_LOGGING_IGLU_API_KEY"


@pytest.fixture
def server() -> Iterator[IgluServer]:
    """A registry that has one schema."""
    with IgluServer() as registry:
        registry.add(PATH, **NUMBER)
        yield registry


def test_an_event_is_held_against_a_schema_of_a_registry(server: IgluServer) -> None:
    """It is asked once, however many events there are, and serves the schema on."""
    with LocalCollector(port=0, schemas=[server.url]) as collector:
        events = [event({"total": number}, f"iglu:{PATH}") for number in (1, 2, "3")]
        post(collector.url, body(*events))
        post(collector.url, body(*events))
        assert collector.all() == {"total": 6, "good": 4, "bad": 2}
        assert '$.total: expected number, got "3"' in collector.bad()[0]["errors"][0]
        assert server.requests == [(f"/schemas/{PATH}", None)]


def test_what_is_on_this_machine_is_not_asked_for(server: IgluServer, tmp_path: Path) -> None:
    """Neither the package's own schemas, nor those in a folder."""
    write_schema(tmp_path, {"type": "object"})
    registry = Registry([tmp_path, server.url])
    assert registry.find(ERROR)
    assert registry.find(f"iglu:{PATH}")
    assert server.requests == []
    assert registry.is_remote
    assert repr(registry).endswith(f"pipeline, {server.url}>")


@pytest.mark.parametrize("prefix", ["/schemas", "/api/schemas"])
def test_a_server_s_api_has_the_same_layout(prefix: str) -> None:
    """Its address may end with a slash, or with ``schemas``."""
    with IgluServer(prefix) as server:
        server.add(PATH)
        for url in (server.url, f"{server.url}/", f"{server.url}/schemas"):
            assert HttpRepository(url).find(PATH)
        assert HttpRepository(server.url).find(PATH.replace("1-0-0", "1-0-1")) is None


def test_the_key_goes_with_each_request(
    server: IgluServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes from the environment, and shows nowhere."""
    monkeypatch.setenv(KEY, "s3cret")
    registry = Registry([server.url])
    assert registry.find(f"iglu:{PATH}")
    assert server.requests[0][1] == "s3cret"
    assert "s3cret" not in repr(registry) + repr(vars(registry))


def test_the_key_does_not_follow_a_redirect_to_somebody_else(server: IgluServer) -> None:
    """The schema does."""
    with IgluServer() as first:
        first.redirect = server.url
        assert HttpRepository(first.url, api_key="s3cret").find(PATH)
        assert first.requests[0][1] == "s3cret"
        assert server.requests == [(f"/schemas/{PATH}", None)]


def test_a_schema_that_is_published_later_is_found(server: IgluServer) -> None:
    """That it was not there is remembered for a while only."""
    late = PATH.replace("1-0-0", "1-0-1")
    forgetful = Registry([server.url], missing_ttl=0)
    patient = Registry([server.url], missing_ttl=600)
    for registry in (forgetful, patient, forgetful, patient):
        assert registry.find(f"iglu:{late}") is None
    assert len(server.requests) == 3
    server.add(late)
    assert forgetful.find(f"iglu:{late}")
    assert patient.find(f"iglu:{late}") is None


def test_an_unknown_schema_names_where_it_was_looked_for(server: IgluServer) -> None:
    """In words, and in the bad row."""
    with LocalCollector(port=0, schemas=[server.url]) as collector:
        post(collector.url, body(event({}, "iglu:com.acme/nothing/jsonschema/1-0-0")))
        reason, row = collector.bad()[0]["errors"]
        assert f"the standard schemas of a pipeline, {server.url}; to add it" in reason
        history = json.loads(row)["data"]["failure"]["messages"][0]["error"]["lookupHistory"]
        assert [place["repository"] for place in history][-1] == server.url
        assert history[-1]["errors"] == [{"error": "NotFound"}]


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (500, b"", "it answers 500 Internal Server Error"),
        (403, b"", "it answers 403 Forbidden"),
        (None, b"{", "what it has there is of no use: not JSON"),
        (None, b"[]", "what it has there is of no use: expected a JSON object, got"),
        (None, b"{}", r"what it has there is of no use: \$schema: expected"),
        (None, b"\xff", "what it has there is of no use: 'utf-8'"),
        (None, b" " * 1_100_000, "what it has there is larger than 1048576 bytes"),
    ],
)
def test_an_answer_of_no_use_is_told(
    server: IgluServer, status: int | None, text: bytes, reason: str
) -> None:
    """With what was wrong with it."""
    server.status, server.text = status, text
    with pytest.raises(RepositoryError, match=reason):
        HttpRepository(server.url).find(PATH)


def test_a_registry_that_breaks_makes_its_events_bad_and_no_others(server: IgluServer) -> None:
    """And the bad row says so; it is asked once for all events of the request."""
    server.status = 503
    with LocalCollector(port=0, schemas=[server.url]) as collector:
        answer = post(collector.url, body(event(), *[event({}, f"iglu:{PATH}")] * 3))
        assert answer.text == "ok"
        assert collector.all() == {"total": 4, "good": 1, "bad": 3}
        reason, row = collector.bad()[0]["errors"]
        assert f"{server.url} (it answers 503 Service Unavailable)" in reason
        history = json.loads(row)["data"]["failure"]["messages"][0]["error"]["lookupHistory"]
        expected = {"error": "RepoFailure", "message": "it answers 503 Service Unavailable"}
        assert history[-1]["errors"] == [expected]
        assert len(server.requests) == 1


def test_a_registry_in_trouble_is_left_alone_for_a_while(server: IgluServer) -> None:
    """Or else a request that names many schemas would wait for each of them."""
    server.status = 500
    resting, restless = HttpRepository(server.url), HttpRepository(server.url, rest=0)
    for version in ("1-0-0", "1-0-1", "1-0-2"):
        for repository in (resting, restless):
            with pytest.raises(RepositoryError, match="it answers 500"):
                repository.find(PATH.replace("1-0-0", version))
    assert len(server.requests) == 4
    server.status = None
    assert restless.find(PATH)


def test_a_registry_that_is_not_there_is_told() -> None:
    """At the event that needs it, not at the start."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with pytest.raises(RepositoryError, match=r"it cannot be reached: .*refused"):
            HttpRepository(f"http://127.0.0.1:{port}").find(PATH)


def test_a_registry_that_is_silent_or_slow_is_waited_for_a_while_only(server: IgluServer) -> None:
    """Also one that sends its answer byte by byte."""
    server.open.clear()
    with pytest.raises(RepositoryError, match=r"it gives no answer within 0\.05 s"):
        HttpRepository(server.url, timeout=0.05).find(PATH)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_drip, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(RepositoryError, match=r"it gives no answer within 0\.2 s"):
            HttpRepository(url, timeout=0.2).find(PATH)
        thread.join()


def _drip(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with suppress(OSError):  # the other side has had enough
            while True:
                connection.sendall(b" ")
                time.sleep(0.01)


def test_others_are_answered_while_a_registry_is_waited_for(server: IgluServer) -> None:
    """It holds up those alone who need it."""
    server.open.clear()
    with LocalCollector(port=0, schemas=[server.url]) as collector:
        waiting = threading.Thread(
            target=lambda: post(collector.url, body(event({"total": 1}, f"iglu:{PATH}")))
        )
        waiting.start()
        deadline = time.monotonic() + 30
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        post(collector.url, body(event()))
        assert collector.all()["total"] == 1
        server.open.set()
        waiting.join()
        assert collector.all() == {"total": 2, "good": 2, "bad": 0}


@pytest.mark.parametrize(
    "url",
    ["http://", "https://user:s3cret@acme.com", "http://acme.com?apikey=s3cret", "http://a:b/"],
)
def test_an_address_that_is_none_is_refused_at_construction(url: str) -> None:
    """Its secrets are not shown."""
    with pytest.raises(ValueError, match="schemas: expected the address of a registry") as caught:
        Registry([url])
    assert "s3cret" not in str(caught.value)
