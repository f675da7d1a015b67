"""How many events relays send to a collector that takes 50 ms for each request."""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging import SnowplowHandler
from snowplow_logging.testing import Answer, FaultyCollector
from tests.delivery.support import logging_to
from tests.relay.servers import RedisServer
from tests.relay.support import RelayProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

DELAY = 0.05  # seconds that the collector takes
PATIENCE = 300.0  # seconds
ROOM: dict[str, Any] = {"queue_size": 10**6, "queue_bytes": 2**31, "shutdown_timeout": PATIENCE}


class Setup(NamedTuple):
    """How relays are set up: in words, as options, and how many events they get."""

    text: str
    options: Sequence[str]
    events: int


SETUPS = [
    Setup("1 thread, batches of 100", ("--threads", "1", "--batch-size", "100"), 12_000),
    Setup("4 threads, batches of 100", ("--threads", "4", "--batch-size", "100"), 50_000),
    Setup("4 threads, batches of 500, the defaults", (), 100_000),
]


def rate(relays: int, setup: Setup) -> float:
    """Has so many relays send what a handler has written; returns their events a second."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-")))
        redis = stack.enter_context(RedisServer(folder))
        collector = stack.enter_context(FaultyCollector(otherwise=Answer(delay=DELAY)))
        with logging_to(SnowplowHandler(redis.url, level=logging.INFO, **ROOM)) as logger:
            for number in range(setup.events):
                logger.info("placed order %d", number, extra={"currency": "EUR", "items": 3})
        for _ in range(relays):
            relay = RelayProcess(folder, redis.url, collector.url, *setup.options)
            _ = stack.enter_context(relay)
        assert collector.wait_for(setup.events, PATIENCE)
        times = [request.at for request in collector.requests]
        return setup.events / (times[-1] + DELAY - times[0])
