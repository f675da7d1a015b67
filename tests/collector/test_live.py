"""The stream of rows: what it says, when, and what a client that does not read costs."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from snowplow_logging.collector import LocalCollector
from snowplow_logging.collector.changes import Changes
from snowplow_logging.collector.live import Live
from snowplow_logging.collector.store import Store
from tests.program import Program

from .support import body, event, post

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from http.client import HTTPResponse

    from snowplow_logging.collector.store import Counts

SECONDS = 30


class Message(NamedTuple):
    """One message of the stream."""

    kind: str
    id: int
    data: Any

    @property
    def seqs(self) -> list[int]:
        """The numbers of its rows."""
        return [row["seq"] for row in self.data["rows"]]


@pytest.fixture
def fresh() -> Iterator[LocalCollector]:
    """A collector whose numbers begin at 1."""
    with LocalCollector(port=0) as collector:
        yield collector


@contextmanager
def stream(
    collector: LocalCollector, query: str = "", seen: str | None = None
) -> Generator[Iterator[Message], None, None]:
    """The messages of ``/micro/live``, as they come."""
    connection = HTTPConnection("127.0.0.1", collector.port, timeout=SECONDS)
    headers = {} if seen is None else {"Last-Event-ID": seen}
    connection.request("GET", f"/micro/live{query}", headers=headers)
    # Closes the connection too: it has no length, so that it cannot be used again.
    with connection.getresponse() as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield _messages(answer)
    connection.close()


def _messages(answer: HTTPResponse) -> Iterator[Message]:
    fields: dict[str, str] = {}
    for line in answer:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        fields[name] = value
        if not name and "data" in fields:
            yield Message(fields["event"], int(fields["id"]), json.loads(fields["data"]))
        if not name:
            fields = {}


def rows_until(messages: Iterator[Message], seq: int) -> list[Message]:
    """The messages up to the one with the row ``seq``."""
    found: list[Message] = []
    while not found or seq not in found[-1].seqs:
        found.append(next(messages))
    return found


def test_rows_come_as_events_are_sent(fresh: LocalCollector) -> None:
    """The counts at once, then each new row with its number as the message's id."""
    post(fresh.url, body(event()))
    with stream(fresh) as messages:
        counts = {"total": 1, "good": 1, "bad": 0}
        assert next(messages) == ("rows", 1, {**counts, "first": 1, "rows": []})
        post(fresh.url, body(event(), event(eid="x")))
        message = next(messages)
        assert (message.kind, message.id) == ("rows", 3)
        counts = {"total": 3, "good": 2, "bad": 1}
        assert message.data == {**counts, "first": 1, "rows": fresh.events()[:2]}


@pytest.mark.parametrize(("query", "seen"), [("?after=2", None), ("?after=0", "2")])
def test_a_client_goes_on_where_it_was(fresh: LocalCollector, query: str, seen: str | None) -> None:
    """What its browser says of the last message wins over the address."""
    post(fresh.url, body(*(event() for _ in range(4))))
    with stream(fresh, query, seen) as messages:
        assert next(messages).seqs == [4, 3]


def test_many_rows_come_in_bounded_messages(fresh: LocalCollector) -> None:
    """Each is there once, in order, newest first within a message."""
    post(fresh.url, body(*(event() for _ in range(1200))))
    with stream(fresh, "?after=0") as messages:
        found = rows_until(messages, 1200)
    assert [len(message.seqs) for message in found] == [500, 500, 200]
    assert [message.id for message in found] == [500, 1000, 1200]
    assert [seq for message in found for seq in message.seqs[::-1]] == list(range(1, 1201))


def test_a_burst_of_requests_is_few_messages(fresh: LocalCollector) -> None:
    """Since each message is followed by a pause, in which events gather."""
    with stream(fresh) as messages:
        next(messages)
        with requests.Session() as session:
            for _ in range(50):
                headers = {"Content-Type": "application/json"}
                url = f"{fresh.url}/com.snowplowanalytics.snowplow/tp2"
                session.post(url, data=body(event()), headers=headers, timeout=SECONDS)
        found = rows_until(messages, 50)
    assert sum(len(message.seqs) for message in found) == 50
    assert len(found) < 50


def test_a_reset_is_told(fresh: LocalCollector) -> None:
    """And the rows after it follow."""
    post(fresh.url, body(event()))
    with stream(fresh) as messages:
        next(messages)
        fresh.reset()
        assert next(messages) == ("reset", 1, {"total": 0, "good": 0, "bad": 0})
        post(fresh.url, body(event()))
        assert rows_until(messages, 2)[-1].data["total"] == 1


@pytest.mark.parametrize("seen", ["1", "99"])
def test_who_missed_a_reset_is_told_when_it_comes_back(fresh: LocalCollector, seen: str) -> None:
    """Also where the collector was started anew meanwhile."""
    post(fresh.url, body(event(), event()))
    fresh.reset()
    post(fresh.url, body(event()))
    with stream(fresh, seen=seen) as messages:
        assert next(messages).kind == "reset"
        assert next(messages).seqs == [3]


def _threads(port: int) -> list[str]:
    """The threads of the collector at this port."""
    return [thread.name for thread in threading.enumerate() if str(port) in thread.name]


def test_an_open_stream_does_not_hold_up_the_end() -> None:
    """It ends with the collector, and says so by its end."""
    with LocalCollector(port=0) as collector, stream(collector) as messages:
        next(messages)
        collector.close()
        assert list(messages) == []
        assert not _threads(collector.port)


def test_a_client_that_does_not_read_does_not_hold_up_others() -> None:
    """Nor the end of the collector, though rows by the megabyte wait for it."""
    with LocalCollector(port=0) as collector, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", collector.port))
        client.sendall(b"GET /micro/live?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(16).startswith(b"HTTP/1.1 200")
        for _ in range(10):
            post(collector.url, body(*(event(eid="x" * 300) for _ in range(500))))
        with stream(collector, "?after=0") as messages:
            rows_until(messages, 5000)
        assert collector.all()["total"] == 5000
        collector.close()
        assert not _threads(collector.port)


def test_a_silent_stream_says_that_it_is_there() -> None:
    """So that nobody between takes it for dead."""
    store = Store()
    changes = Changes(store)

    async def listen() -> list[bytes]:
        messages = Live(store, changes, heartbeat=0.01).messages(None)
        found = [await anext(messages) for _ in range(4)]
        changes.close()
        return found

    retry, counts, *silence = asyncio.run(listen())
    assert retry == b"retry: 1000\n\n"
    assert counts.startswith(b"event: rows\nid: 0\ndata: ")
    assert silence == [b": still here\n\n"] * 2


def test_idle_clients_cost_little() -> None:
    """A hundred of them, who see nothing, take next to no time."""
    command = [sys.executable, "-m", "snowplow_logging", "collector", "--port", "0", "--quiet"]
    with ExitStack() as stack:
        process = stack.enter_context(Program[str](command, stdout=subprocess.PIPE, text=True))
        stack.callback(process.terminate)
        assert process.stdout
        port = int(process.stdout.readline().rpartition(":")[2])
        for _ in range(100):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET /micro/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(16).startswith(b"HTTP/1.1 200")
        before = sum(psutil.Process(process.pid).cpu_times()[:2])
        time.sleep(1)
        assert sum(psutil.Process(process.pid).cpu_times()[:2]) - before < 0.2


def test_waiting_ends_with_the_server() -> None:
    """Whatever its deadline, and from whichever thread it is closed."""
    store = Store()
    changes = Changes(store)
    began = asyncio.Event()

    def never(counts: Counts) -> bool:
        began.set()
        return counts.total > 0

    async def wait() -> Counts:
        waiting = asyncio.create_task(changes.wait_until(never, 600))
        await began.wait()
        threading.Thread(target=changes.close).start()
        return await asyncio.wait_for(waiting, SECONDS)

    assert asyncio.run(wait()).total == 0
    store.reset()  # nobody listens any more


def test_a_change_after_the_end_of_the_loop_does_no_harm() -> None:
    """A store outlives its server."""
    store = Store()
    changes = Changes(store)

    async def look() -> None:
        changes.next()

    asyncio.run(look())
    assert store.reset().resets == 1
