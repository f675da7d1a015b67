"""What a Redis answers that a handler writes to: reach, state, the stream, who reads it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from snowplow_logging._redis import FAILURES, connect, described
from snowplow_logging.doctor.collector import send_test
from snowplow_logging.doctor.findings import Findings, note, ok, problem
from snowplow_logging.doctor.probe import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging._redis_url import RedisAddress
    from snowplow_logging.handler import SnowplowHandler

RELAY = "run one: snowplow-logging relay REDIS_URL COLLECTOR_URL"
ADVICE = {
    "AuthenticationError": "give user and password in endpoint, before the host",
    "NoPermissionError": "the user needs +@connection +@stream +multi +exec on the stream's key",
    "RedisClusterException": "is it a cluster? If not, endpoint takes redis://",
    "MovedError": "it is a cluster: endpoint takes redis+cluster://",
}
"""What to do about errors, by their class."""


def examine(address: RedisAddress, timeout: float) -> Findings[bool]:
    """Asks Redis all that leaves nothing there; returns whether it can be written to."""
    client: Any = None
    try:
        began = time.monotonic()
        client = connect(address, timeout)
        kind = _text(client.type(address.stream))
        yield ok("redis", f"answers in {(time.monotonic() - began) * 1000:.0f} ms")
        if address.kind != "cluster":  # whose nodes would answer each for itself
            yield from _state(client.info())
        return (yield from _stream(client, address, kind))
    except FAILURES as error:
        advice = ADVICE.get(type(error).__name__, "check host and port, and that Redis runs there")
        yield problem("redis", described(error), advice)
        return False
    finally:
        if client is not None:
            client.close()


def send(handler: SnowplowHandler, timeout: float) -> Findings[None]:
    """Writes one event that says that it is a test, and tells where to look for it."""
    sent = yield from send_test(handler, timeout)
    if sent is not None:
        _, test = sent
        yield ok("send", f"a {short(test.event.schema)} is in the stream")
        text = f"a relay sends it on: in the warehouse, event_id = '{test.fields['eid']}'"
        yield note("look", text)


def _state(info: Mapping[str, Any]) -> Findings[None]:
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory") and policy.startswith("allkeys"):
        text = f"maxmemory-policy is {policy}: when memory is short, the whole stream may go"
        yield problem("memory", text, "set maxmemory-policy noeviction, or volatile-lru")
    if not info.get("aof_enabled"):
        text = "keeps no append-only file: at its end, what is in the stream may be lost"
        yield note("disk", text, "set appendonly yes")
    if info.get("role") == "slave":
        yield problem("role", "it is a replica, which takes no writes", "name the primary")


def _stream(client: Any, address: RedisAddress, kind: str) -> Findings[bool]:
    if kind not in ("none", "stream"):
        yield problem("stream", f"{address.stream} is a {kind}", "name another stream in endpoint")
        return False
    length = client.xlen(address.stream)
    bound = f"of {address.maxlen}" if address.maxlen else "without bound"
    yield ok("stream", f"{address.stream} has {length} entries, {bound}")
    if address.maxlen and length >= address.maxlen:
        text = "it is full: the oldest entries go, whether they were sent or not"
        yield problem("stream", text, "run more relays, or raise maxlen in endpoint")
    groups: list[Any] = client.xinfo_groups(address.stream) if kind == "stream" else []
    if not any(each["consumers"] for each in groups):
        yield note("relay", "nobody reads the stream", RELAY)
    for each in groups:
        text = f"{each['consumers']} read as {_text(each['name'])}, {each['pending']} pending"
        yield ok("relay", text)
    return True


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
