"""What the tests of the spool share."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from snowplow_logging import AsyncEmitter, Tracker
from snowplow_logging._clock import Clock
from snowplow_logging._keeper import Keeper
from snowplow_logging._spool import SpoolFile
from snowplow_logging.payload import Payload, finished
from tests.delivery.support import numbered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUICK: dict[str, Any] = {
    "flush_interval": 0.02,
    "spool_interval": 0.02,
    "max_retry_delay": 0.05,
    "shutdown_timeout": 0.3,
}
"""Options with which nothing takes long."""

HERE = "http://here"


def payloads(first: int, last: int, size: int = 50, queued_at: float = 0.0) -> list[Payload]:
    """Returns payloads with sequence numbers from ``first`` to ``last``."""
    return [(n, queued_at, finished(b'{"n":"%0*d"' % (size, n), n, 20))
            for n in range(first, last + 1)]  # fmt: skip


def keeper(path: Path, on_lost: Callable[[], None] = lambda: None, **more: Any) -> Keeper:
    """Returns a keeper for ``HERE``."""
    options: dict[str, Any] = {"max_bytes": 2**30, "endpoint": HERE, "clock": Clock(), **more}
    return Keeper(str(path), options.pop("endpoint"), options.pop("clock"), **options,
                  on_lost=on_lost)  # fmt: skip


def events_on(spool: Path) -> int:
    """Returns how many events are on disk."""
    with closing(SpoolFile(str(spool), create=False)) as file:
        return sum(file.count(segment.id) for segment in file.segments())


def track(emitter: AsyncEmitter, first: int, last: int, **more: Any) -> None:
    """Tracks events with numbers from ``first`` to ``last``."""
    tracker = Tracker("spool", emitter)
    for number in range(first, last + 1):
        _ = tracker.track_unstruct_event(numbered(number, **more))
