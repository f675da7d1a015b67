"""Relays inside the tests' own process, which are quick to start and can be looked into."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from snowplow_logging._options import resolve
from snowplow_logging._redis_url import parse
from snowplow_logging.relay.delivery import Delivery
from snowplow_logging.relay.relay import Relay, Settings
from tests.delivery.support import NUMBERED
from tests.iglu_central import UNSTRUCT_EVENT

if TYPE_CHECKING:
    from collections.abc import Generator

CLAIM_AFTER = 0.6  # seconds


def settings(
    redis_url: str,
    collector_url: str,
    *,
    consumer: str = "here",
    claim_after: float = CLAIM_AFTER,
    once: bool = False,
    keep: bool = False,
    dead: str = "dead",
    **options: Any,
) -> Settings:
    """Returns settings for tests: eager, unless told otherwise."""
    eager = {"thread_count": 2, "flush_interval": 0.01, "max_retry_delay": 0.1, **options}
    return Settings(
        address=parse(redis_url),
        collector=collector_url,
        group="relay",
        consumer=consumer,
        dead=dead,
        keep=keep,
        claim_after=claim_after,
        once=once,
        options=resolve(eager, Delivery.NAMES),
    )


@contextmanager
def relaying(told: Settings) -> Generator[Relay]:
    """Has a relay do as it is told, until the end of the block."""
    relay = Relay(told)
    assert relay.prepare() is None
    relay.start()
    try:
        yield relay
    finally:
        _ = relay.close(5)


def event(number: int, **more: str) -> dict[str, str]:
    """Returns the entry of an event that says its number."""
    data = {"schema": NUMBERED, "data": {"number": number}}
    fields = {
        "e": "ue", "p": "srv", "tv": "x", "eid": f"{number:08d}-0000-4000-8000-000000000000",
        "ue_pr": json.dumps({"schema": UNSTRUCT_EVENT, "data": data}), **more,
    }  # fmt: skip
    return {"event": json.dumps(fields)}


def events(*numbers: int) -> list[dict[str, str]]:
    """Returns the entries of events that say their numbers."""
    return [event(number) for number in numbers]


def add(client: Any, *entries: dict[str, str], stream: str = "snowplow") -> list[bytes]:
    """Writes entries to a stream; returns their ids."""
    return [client.xadd(stream, entry) for entry in entries]


def left_by_the_dead(client: Any, number: int, consumer: str = "dead") -> list[bytes]:
    """Has a consumer read so many entries, of which it says no more; returns their ids."""
    client.xgroup_create("snowplow", "relay", id="0", mkstream=True)
    answer = client.xreadgroup("relay", consumer, {"snowplow": ">"}, count=number)
    return [entry for _, entries in answer for entry, _ in entries]


def consumers(client: Any) -> dict[str, int]:
    """Returns the group's consumers, with how much each has pending."""
    found = client.xinfo_consumers("snowplow", "relay")
    return {each["name"].decode(): each["pending"] for each in found}
