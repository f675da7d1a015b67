"""From a handler to a collector through Redis by sockets, TLS, sentinels, and a cluster."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import SnowplowHandler
from tests.delivery.support import logging_to, messages, until
from tests.relay.inside import relaying, settings
from tests.relay.topologies import cluster, sentinels, tls_server

if TYPE_CHECKING:
    from pathlib import Path

    from snowplow_logging.testing import FaultyCollector
    from tests.relay.servers import RedisServer

EAGER: dict[str, Any] = {
    "flush_interval": 0.02, "max_retry_delay": 0.3, "request_timeout": 2, "shutdown_timeout": 20,
}  # fmt: skip


def through(url: str, collector: FaultyCollector) -> None:
    """Logs to a stream, and has a relay send it."""
    with (
        logging_to(SnowplowHandler(url, **EAGER)) as logger,
        relaying(settings(url, collector.url)),
    ):
        logger.warning("hello")
        assert collector.wait_for(1)
    assert messages(collector) == ["hello"]


def failure(url: str) -> str:
    """Returns what an attempt to write to a stream fails of, which is not for good."""
    options: dict[str, Any] = {**EAGER, "shutdown_timeout": 0.1}
    handler = SnowplowHandler(url, **options)
    with logging_to(handler) as logger:
        logger.warning("hello")
        until(lambda: handler.stats().last_error, "an attempt")
        assert handler.stats().pending == 1
    return str(handler.stats().last_error)


def replicated(primary: RedisServer) -> None:
    """Waits until a replica has all that was written before."""
    with primary.client() as client:
        client.set("{snowplow}", "x")  # what Redis waits for is this connection's last write
        assert client.wait(1, 10_000) == 1


def test_unix_socket(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """By a socket, in another database."""
    through(f"unix://{redis.socket}?db=3&stream=logs", collector)
    assert client.exists("logs") == 0


def test_auth(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """With a user that may do no more than it must."""
    allowed = ["-@all", "+@connection", "+@stream", "+multi", "+exec", "+eval"]
    client.acl_setuser("low", enabled=True, passwords=["+p@ss/w?rd"], commands=allowed,
                       keys=["snowplow*", "dead"])  # fmt: skip
    try:
        through(redis.url.replace("//", "//low:p%40ss%2Fw%3Frd@"), collector)
    finally:
        client.acl_deluser("low")


def test_tls(tmp_path: Path, collector: FaultyCollector) -> None:
    """By TLS, with an authority of one's own; nobody else's certificate is taken."""
    with tls_server(tmp_path, "no") as (url, _):
        through(url, collector)
        assert "CERTIFICATE_VERIFY_FAILED" in failure(url.partition("?")[0])
        assert "IP address mismatch" in failure(url.replace("localhost", "127.0.0.1"))


def test_tls_with_client_certificates(tmp_path: Path, collector: FaultyCollector) -> None:
    """By TLS to a server that wants to know who comes."""
    with tls_server(tmp_path, "yes") as (url, files):
        through(f"{url}&ssl_certfile={files.certificate}&ssl_keyfile={files.key}", collector)


def test_sentinels(tmp_path: Path, collector: FaultyCollector) -> None:
    """When the primary dies, both sides go on with the one that the sentinels name."""
    with sentinels(tmp_path) as redis:
        handler = SnowplowHandler(redis.url, **EAGER)
        with logging_to(handler) as logger:
            logger.warning("before")
            assert handler.flush(10)
            replicated(redis.primary)
            redis.primary.kill()
            logger.warning("meanwhile")
            with relaying(settings(redis.url, collector.url)):
                assert collector.wait_for(2)
                logger.warning("after")
                assert collector.wait_for(3)
    assert messages(collector) == ["before", "meanwhile", "after"]


def test_cluster(tmp_path: Path, collector: FaultyCollector, restored_logging: None) -> None:
    """When the node with the stream dies, both sides go on with its replica.

    What redis-py logs of that while it delivers is not sent.
    """
    seen: list[str] = []

    class Seeing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.name)

    root = logging.getLogger()
    with cluster(tmp_path) as redis:
        handler = SnowplowHandler(redis.url, level=logging.DEBUG, **EAGER)
        root.setLevel(logging.DEBUG)
        root.addHandler(Seeing())
        root.addHandler(handler)
        logger = logging.getLogger("shop")
        logger.warning("before")
        assert handler.flush(10)
        replicated(redis.primary)
        redis.primary.kill()
        logger.warning("meanwhile")
        until(lambda: handler.stats().requests >= 2, "an attempt")
        root.removeHandler(handler)  # the relay's own traffic, in this process, is another matter
        with relaying(settings(redis.url, collector.url)):
            assert collector.wait_for(2)
            root.addHandler(handler)
            logger.warning("after")
            root.removeHandler(handler)
            assert collector.wait_for(3)
        handler.close()
    assert messages(collector) == ["before", "meanwhile", "after"]
    assert [name for name in seen if name.startswith("redis")]


@pytest.mark.parametrize(
    ("scheme", "said"),
    [("redis+cluster", "Cluster mode is not enabled"), ("redis+sentinel", "SENTINEL")],
)
def test_something_else_answers(redis: RedisServer, scheme: str, said: str) -> None:
    """A scheme that is not that of what answers is told, and tried again."""
    place = "/mymaster" if scheme == "redis+sentinel" else ""
    assert said in failure(f"{scheme}://127.0.0.1:{redis.port}{place}")
