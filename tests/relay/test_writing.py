"""Handlers and emitters that write to a stream: configured, while Redis is down, over forks."""

from __future__ import annotations

import logging
import logging.config
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Emitter, RedisEmitter, SnowplowHandler, Tracker
from snowplow_logging.testing import closed_port
from tests.delivery.support import (
    balanced,
    data_of,
    dict_config,
    logging_to,
    numbered,
    numbers,
    root_handler,
    run,
    until,
)
from tests.iglu_central import needs_iglu_central
from tests.relay.servers import RedisServer
from tests.unit.wire import body_problems, loads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EAGER: dict[str, Any] = {"flush_interval": 0.02, "max_retry_delay": 0.1, "request_timeout": 2}
WITHOUT_REDIS = """
import sys
sys.modules["redis"] = None
from snowplow_logging import RedisEmitter, SnowplowHandler
for make in (RedisEmitter, SnowplowHandler):
    try:
        make("redis://127.0.0.1")
    except ValueError as error:
        print(error)
SnowplowHandler("http://127.0.0.1").close()
"""


@pytest.fixture(name="own")
def _own(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


def written(client: Any, stream: str = "snowplow") -> list[dict[str, str]]:
    """Returns the events of a stream, which a collector would take."""
    bodies = [fields[b"event"] for _, fields in client.xrange(stream)]
    head = b'{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":['
    problems = body_problems(head + b",".join(bodies) + b"]}") if bodies else []
    assert problems == []
    return [loads(body) for body in bodies]


@needs_iglu_central
def test_dict_config(redis: RedisServer, client: Any, restored_logging: None) -> None:
    """The endpoint alone makes a handler write to a stream."""
    endpoint = f"{redis.url}?stream=logs"
    logging.config.dictConfig(dict_config(endpoint=endpoint, app_id="shop"))
    logging.getLogger("orders").warning("placed %d", 7)
    assert root_handler().flush(10)
    (event,) = written(client, "logs")
    assert data_of(event)["message"] == "placed 7"
    assert event["aid"] == "shop"
    assert "stm" not in event


@needs_iglu_central
def test_environment(redis: RedisServer, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does the environment."""
    monkeypatch.setenv("SNOWPLOW_LOGGING_ENDPOINT", redis.url)
    with logging_to(SnowplowHandler()) as logger:
        logger.warning("hello")
    assert [data_of(event)["message"] for event in written(client)] == ["hello"]


@needs_iglu_central
def test_emitters(redis: RedisServer, client: Any) -> None:
    """Emitters of each kind write, and tell callbacks as ever."""
    delivered: list[dict[str, Any]] = []
    for number, emitter in enumerate(
        [
            Emitter(redis.url, on_success=delivered.extend),
            AsyncEmitter(redis.url, on_success=delivered.extend),
            RedisEmitter(redis.url, maxlen=5, on_success=delivered.extend, thread_count=2),
        ]
    ):
        _ = Tracker("python", emitter).track_self_describing_event(numbered(number))
        emitter.close()
        assert emitter.stats().delivered == 1
        assert repr(emitter).endswith(f" {redis.url}?stream=snowplow 0/10000 queued, 1 delivered, "
                                      "0 dropped>")  # fmt: skip
    assert numbers(written(client)) == [0, 1, 2]
    assert written(client) == delivered


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"protocol": "https"}, "protocol is for collectors"),
        ({"port": 6379}, "port is for collectors"),
        ({"method": "get"}, "method is for collectors"),
        ({"path": "a/b"}, "path is for collectors"),
        ({"session": "requests:Session"}, "session is for collectors"),
        ({"custom_retry_codes": [403]}, "custom_retry_codes is for collectors"),
    ],
)
def test_options_of_http(options: dict[str, Any], said: str) -> None:
    """What makes no sense with Redis is refused by name."""
    with pytest.raises(ValueError, match=f"^{said}: with redis://"):
        _ = SnowplowHandler("redis://127.0.0.1", **options)


def test_another_address() -> None:
    """A RedisEmitter takes no collector."""
    with pytest.raises(ValueError, match=r"^endpoint takes an address that begins with redis://"):
        _ = RedisEmitter("https://collector.acme.com")


def test_without_redis_py() -> None:
    """Where redis-py is not installed, the error says how to install it; others need it not."""
    ended = run(WITHOUT_REDIS)
    assert (ended.returncode, ended.stderr) == (0, "")
    said = "an endpoint of Redis needs redis-py: pip install 'snowplow-logging[redis]'"
    assert ended.stdout.splitlines() == [said, said]


def test_import_takes_no_redis() -> None:
    """Importing us, with ``RedisEmitter``, does not import redis-py."""
    ended = run("import sys; from snowplow_logging import RedisEmitter; print(*sys.modules)")
    assert "redis" not in ended.stdout.split()


@needs_iglu_central
def test_redis_is_down(own: RedisServer) -> None:
    """Events wait while Redis is down, as for a collector; the account is exact throughout."""
    handler = SnowplowHandler(own.url, **EAGER)
    with logging_to(handler) as logger:
        logger.warning("0")
        assert handler.flush(10)
        own.kill()
        for number in range(1, 50):
            logger.warning("%d", number)
        assert not handler.flush(0.3)
        stats = handler.stats()
        assert balanced(stats)
        assert (stats.delivered, stats.pending) == (1, 49)
        assert "Connection refused" in (stats.last_error or "")
        _ = own.start()
        assert handler.flush(20)
        assert handler.stats().delivered == 50
        with own.client() as client:
            arrived = [data_of(event)["message"] for event in written(client)]
        assert arrived == [str(number) for number in range(50)]


def test_close_has_a_deadline(own: RedisServer, capfd: pytest.CaptureFixture[str]) -> None:
    """A Redis that stands still holds nobody up, and what is lost is told, without secrets."""
    handler = SnowplowHandler(
        own.url.replace("//", "//user:s3cret@"), shutdown_timeout=0.3, **EAGER
    )
    own.pause()
    with logging_to(handler) as logger:
        logger.warning("hello")
    own.resume()
    until(lambda: handler.stats().dropped, "the end of the last attempt")
    stats = handler.stats()
    assert balanced(stats)
    lines = capfd.readouterr().err

    def is_told() -> bool:  # by the thread that made the last attempt
        nonlocal lines
        lines += capfd.readouterr().err
        return "1 of 1 events lost" in lines

    until(is_told, "the line")
    assert f"snowplow_logging: {own.url}?stream=snowplow: 1 " in lines
    assert "s3cret" not in lines + repr(handler) + repr(stats)


def test_rejected(redis: RedisServer, client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """A key that is no stream is a rejection: dropped, and told why."""
    client.set("text", "x")
    handler = SnowplowHandler(f"{redis.url}?stream=text", **EAGER)
    with logging_to(handler) as logger:
        logger.warning("hello")
        assert handler.flush(10)
    assert handler.stats().dropped_by_reason == {"rejected": 1}
    assert "name another stream in the endpoint" in capfd.readouterr().err


@needs_iglu_central
def test_forks(redis: RedisServer, client: Any) -> None:
    """A forked child has connections of its own; both deliver, each what it has logged."""
    handler = SnowplowHandler(redis.url, **EAGER)
    with logging_to(handler) as logger:
        logger.warning("before")
        assert handler.flush(10)
        children: list[int] = []
        for number in range(3):
            pid = os.fork()
            if not pid:
                for each in range(20):
                    logger.warning("child %d %d", number, each)
                os._exit(0 if handler.flush(20) and handler.stats().delivered == 20 else 1)
            children.append(pid)
            for each in range(20):
                logger.warning("parent %d %d", number, each)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
        assert handler.flush(10)
    expected = {f"{who} {number} {each}" for who in ("parent", "child") for number in range(3)
                for each in range(20)}  # fmt: skip
    arrived = [data_of(event)["message"] for event in written(client)]
    assert sorted(arrived) == sorted(expected | {"before"})


def test_exit_delivers(redis: RedisServer, client: Any) -> None:
    """A script that ends delivers what is queued; nothing is said, and no socket left open."""
    script = """
import logging, sys
from snowplow_logging import SnowplowHandler
logger = logging.getLogger("shop")
logger.addHandler(SnowplowHandler(sys.argv[1], flush_interval=60))
for number in range(1200):
    logger.warning("%d", number)
"""
    ended = run(script, redis.url)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert client.xlen("snowplow") == 1200


def test_a_signal_drains(redis: RedisServer, client: Any) -> None:
    """``drain_on_signal`` delivers to Redis as to a collector."""
    script = """
import logging, os, signal, sys, time
from snowplow_logging import SnowplowHandler, drain_on_signal
logging.getLogger("shop").addHandler(SnowplowHandler(sys.argv[1], flush_interval=60))
drain_on_signal()
logging.getLogger("shop").warning("hello")
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(30)
"""
    assert run(script, redis.url).returncode == -signal.SIGTERM
    assert client.xlen("snowplow") == 1


def test_nobody_there(capfd: pytest.CaptureFixture[str]) -> None:
    """Construction connects to nobody; a Redis that is never there costs what was logged."""
    handler = SnowplowHandler(f"redis://127.0.0.1:{closed_port()}", shutdown_timeout=0.1, **EAGER)
    with logging_to(handler) as logger:
        logger.warning("hello")
        until(lambda: handler.stats().requests, "an attempt")
    assert handler.stats().dropped_by_reason == {"shutdown": 1}
    assert "raise shutdown_timeout" in capfd.readouterr().err
