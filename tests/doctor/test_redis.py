"""What is said of a Redis that a handler writes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from snowplow_logging.testing import closed_port
from tests.doctor.test_scenarios import missing
from tests.relay.servers import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doctor.running import Ended, Place


@pytest.fixture(name="redis")
def _redis(place: Place) -> Iterator[RedisServer]:
    """A server that the test may spoil."""
    with RedisServer(place.folder) as server:
        yield server


def examined(place: Place, endpoint: str, *arguments: str) -> Ended:
    """Runs the doctor on a stream, with a registry in which all is well."""
    return place.run(*place.configure(endpoint), "--iglu", place.registry(), *arguments)


def test_all_is_well(place: Place, redis: RedisServer) -> None:
    """What is there is told, and a test event sent where it is asked for."""
    with redis.client() as client:
        client.config_set("appendonly", "yes")
        client.xgroup_create("snowplow", "relay", mkstream=True)
        client.xgroup_createconsumer("snowplow", "relay", "one")
        ended = examined(place, redis.url.replace("//", "//default:@"), "--send")
        expected = (
            rf"✓ to        {redis.url}\?…",
            rf"Stream {redis.url}\?…",
            r"✓ redis     answers in \d+ ms",
            r"✓ stream    snowplow has 0 entries, of 1000000",
            r"✓ relay     1 read as relay, 0 pending",
            r"✓ send      a com.acme/log_record 1-0-0 is in the stream",
            r"! look      a relay sends it on: in the warehouse, event_id = '[-0-9a-f]{36}'",
        )
        assert missing(expected, ended.output) == []
        assert (ended.status, ended.errors) == (0, "")
        ((_, fields),) = client.xrange("snowplow")
        event_id = re.search("event_id = '(.*)'", ended.output)
        assert event_id
        assert event_id[1].encode() in fields[b"event"]


def test_nobody_reads_and_nothing_lasts(place: Place, redis: RedisServer) -> None:
    """What may lose events later is told now."""
    with redis.client() as client:
        client.config_set("maxmemory", 10**8)
        client.config_set("maxmemory-policy", "allkeys-lru")
        for _ in range(3):
            client.xadd("logs", {"x": "y"})
    ended = examined(place, f"{redis.url}?stream=logs&maxlen=2")
    expected = (
        r"✗ memory    maxmemory-policy is allkeys-lru",
        r"! disk      keeps no append-only file",
        r"✓ stream    logs has 3 entries, of 2",
        r"✗ stream    it is full",
        r"! relay     nobody reads the stream",
        r"run one: snowplow-logging relay REDIS_URL COLLECTOR_URL",
    )
    assert missing(expected, ended.output) == []
    assert ended.status == 1


def test_no_stream(place: Place, redis: RedisServer) -> None:
    """A key of another type is found, and nothing sent to it."""
    with redis.client() as client:
        client.set("text", "x")
        ended = examined(place, f"{redis.url}?stream=text", "--send")
        assert missing((r"✗ stream    text is a string",), ended.output) == []
        assert "send" not in ended.output
        assert client.get("text") == b"x"


def test_no_redis(place: Place) -> None:
    """Where nobody answers, the advice is where to look."""
    ended = examined(place, f"redis://user:s3cret@127.0.0.1:{closed_port()}")
    expected = (
        r"✗ redis     ConnectionError: Error 111 connecting to 127.0.0.1:\d+. Connection refused.",
        r"check host and port, and that Redis runs there",
    )
    assert missing(expected, ended.output) == []
    assert "s3cret" not in ended.output + ended.errors


def test_no_access(place: Place, redis: RedisServer) -> None:
    """Who may not enter is told what to give."""
    with redis.client() as client:
        client.config_set("requirepass", "s3cret")
    ended = examined(place, redis.url)
    assert (
        missing(
            (r"✗ redis     AuthenticationError: ", "give user and password in endpoint"),
            ended.output,
        )
        == []
    )
