"""How processes end."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING, Any

from snowplow_logging.testing import Answer, FaultyCollector
from tests.faults.registry import fault
from tests.faults.run import program

if TYPE_CHECKING:
    from tests.faults.row import Measured

QUEUED: dict[str, Any] = {"flush_interval": 60}  # all waits for the end


def exits(end: str | None, status: int) -> Measured:
    """The application ends with all its records queued."""
    with (
        FaultyCollector(otherwise=Answer(delay=0.1)) as collector,
        program("plain", collector.url, options=QUEUED, more={"end": end}) as run,
    ):
        return run.end(collector, status=status)


def signalled(end: str, status: int) -> Measured:
    """The application gets SIGTERM with all its records queued."""
    with (
        FaultyCollector(otherwise=Answer(delay=0.1)) as collector,
        program("plain", collector.url, options=QUEUED, more={"end": end}) as run,
    ):
        run.wait_until_logged()
        return run.end(collector, done_at=run.terminate(), status=status)


_ = fault("exit", "normal exit, all queued")(partial(exits, None, 0))
_ = fault("sys-exit", "`sys.exit`, all queued")(partial(exits, "sys.exit", 3))
_ = fault("exception", "end by an exception, all queued")(partial(exits, "exception", 1))
_ = fault("sigterm", "SIGTERM with `drain_on_signal()`, all queued")(
    partial(signalled, "signal", -signal.SIGTERM)
)
_ = fault("sigterm-handled", "SIGTERM with `drain_on_signal()` and a handler that exits")(
    partial(signalled, "handled signal", 4)
)
