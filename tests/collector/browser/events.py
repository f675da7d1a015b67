"""Sends events as applications do, and lets some arrive earlier."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from snowplow_logging import SnowplowHandler
from snowplow_logging.collector.received import Received
from tests.collector.support import body

if TYPE_CHECKING:
    from collections.abc import Generator

    from snowplow_logging.collector import LocalCollector

LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"
MINUTE = 60_000  # milliseconds


@contextmanager
def logging_to(collector: LocalCollector, app_id: str = "checkout") -> Generator[logging.Logger]:
    """A logger whose records are delivered when the block ends."""
    logger = logging.getLogger("shop")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = SnowplowHandler(collector.url, app_id=app_id, flush_interval=0.01)
    logger.addHandler(handler)
    try:
        yield logger
        assert handler.flush(timeout=20)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
        handler.close()


def arrive(collector: LocalCollector, minutes_ago: int, *events: dict[str, Any]) -> None:
    """Lets events arrive some minutes before now, judged as ever."""
    now = time.time_ns() // 1_000_000
    received = Received(
        vendor="com.snowplowanalytics.snowplow",
        version="tp2",
        milliseconds=now - minutes_ago * MINUTE,
        content_type="application/json",
        body=body(*events),
    )
    _ = collector._collector._take(received)
