"""What is written to a stream, and what becomes of Redis's errors."""

from __future__ import annotations

import time
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging._redis import RedisTransport
from snowplow_logging._redis_url import parse
from snowplow_logging.payload import body_of, finished
from snowplow_logging.testing import closed_port
from tests.relay.servers import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from snowplow_logging._transport import Answer

BATCH = [
    (number, 0.0, finished(b'{"e":"ue","p":"srv","tv":"x","eid":"%d"' % number, 0, 20))
    for number in range(3)
]
TIMEOUT = 5.0


@pytest.fixture(name="own")
def _own(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may spoil."""
    with RedisServer(tmp_path) as server:
        yield server


class NoRedis(StreamRequestHandler):
    """Answers as web servers do to what they do not understand."""

    def handle(self) -> None:
        _ = self.rfile.readline()
        _ = self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def send(url: str, timeout: float = TIMEOUT) -> Answer:
    """Sends the batch, and closes the transport."""
    transport = RedisTransport(parse(url))
    try:
        return transport.send(BATCH, timeout)
    finally:
        transport.close()


def test_entries(redis: RedisServer, client: Any) -> None:
    """Each event is an entry, in their order: a JSON object, with no ``stm``."""
    assert send(redis.url) == (200, None, 0.0)
    assert [fields for _, fields in client.xrange("snowplow")] == [
        {b"event": body_of(payload) + b"}"} for payload in BATCH
    ]


def test_maxlen(redis: RedisServer, client: Any) -> None:
    """The stream is trimmed, more or less, unless ``maxlen`` is 0."""
    for _ in range(200):
        assert send(f"{redis.url}?stream=short&maxlen=10").status == 200
    assert 10 <= client.xlen("short") < 200
    for _ in range(100):
        assert send(f"{redis.url}?stream=long&maxlen=0").status == 200
    assert client.xlen("long") == 300


def test_a_connection_that_redis_has_closed(redis: RedisServer, client: Any) -> None:
    """Connections are kept; one that is closed meanwhile is replaced, and nothing is lost."""
    transport = RedisTransport(parse(redis.url))
    assert transport.send(BATCH, TIMEOUT).status == 200
    before = client.info("stats")["total_connections_received"]
    assert transport.send(BATCH, TIMEOUT).status == 200
    assert client.info("stats")["total_connections_received"] == before
    assert client.client_kill_filter(_type="normal", skipme=True) == 1
    assert transport.send(BATCH, TIMEOUT).status == 200
    transport.close()
    assert client.xlen("snowplow") == 3 * len(BATCH)


def test_nobody_answers(own: RedisServer) -> None:
    """No connection, no answer in time, something else that answers: each will be tried again."""
    with TCPServer(("127.0.0.1", 0), NoRedis) as other:
        Thread(target=other.handle_request).start()
        answers = {
            "ConnectionError": send(f"redis://127.0.0.1:{closed_port()}"),
            "InvalidResponse": send(f"redis://127.0.0.1:{other.server_address[1]}"),
        }
    own.pause()
    began = time.monotonic()
    answers["TimeoutError"] = send(own.url, 0.2)
    assert time.monotonic() - began < 5
    own.resume()
    for kind, answer in answers.items():
        assert answer.status is None
        assert (answer.error or "").startswith(f"{kind}: ")


def test_a_state_that_may_change(own: RedisServer) -> None:
    """What Redis cannot do now will be tried again, and its words are the error."""
    with own.client() as client:
        client.config_set("maxmemory", 1)
        assert_tried_again(send(own.url), "OutOfMemoryError: ", "maxmemory")
        client.config_set("maxmemory", 0)
        client.replicaof("127.0.0.1", closed_port())
        assert_tried_again(send(own.url), "ReadOnlyError: ", "read only replica")
        client.replicaof("NO", "ONE")
        client.acl_setuser("low", enabled=True, passwords=["+p"], commands=["+@all", "-xadd"])
        address = own.url.replace("//", "//low:p@")
        assert_tried_again(send(address), "NoPermissionError: ", "xadd")
        client.config_set("requirepass", "p")
        assert_tried_again(send(own.url), "AuthenticationError: ", "Authentication required")
        wrong = own.url.replace("//", "//:s3cret@")
        assert_tried_again(send(wrong), "AuthenticationError: ", "invalid username-password pair")
        assert send(own.url.replace("//", "//:p@")).status == 200
        assert client.xlen("snowplow") == len(BATCH)  # of the others nothing was written


def assert_tried_again(answer: Answer, begins: str, says: str) -> None:
    assert answer.status is None
    assert answer.error is not None
    assert answer.error.startswith(begins)
    assert says in answer.error
    assert not [secret for secret in ("s3cret", "eid", "srv") if secret in answer.error]


def test_a_redis_that_loads_its_data(own: RedisServer, tmp_path: Path) -> None:
    """While Redis reads its data in, it is not there yet."""
    with own.client() as client:
        client.eval("for i = 1, 50000 do redis.call('SET', i, 'x') end", 0)
        client.save()
    own.kill()
    slowly = ("--key-load-delay", "1", "--loading-process-events-interval-bytes", "1024")
    with RedisServer(tmp_path, *slowly, port=own.port, may_load=True) as loading:
        assert_tried_again(send(loading.url), "BusyLoadingError: ", "loading the dataset")


def test_what_no_waiting_mends(redis: RedisServer, client: Any) -> None:
    """A key of another type is a rejection, which says what to do."""
    client.set("text", "x")
    answer = send(f"{redis.url}?stream=text")
    assert answer.status == 400
    assert answer.error == (
        "ResponseError: WRONGTYPE Operation against a key holding the wrong kind of value (the key "
        "holds something that is no stream: name another stream in the endpoint)"
    )
