"""Forks, multiprocessing, and loops of events."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from snowplow_logging.testing import HANG, OK, Answer, FaultyCollector
from tests.faults.registry import fault
from tests.faults.row import Expected
from tests.faults.run import program

if TYPE_CHECKING:
    from tests.faults.row import Measured

QUEUED: dict[str, Any] = {"flush_interval": 60}  # all waits for the end, also of children
BUSY: dict[str, Any] = {"flush_interval": 0.02, "batch_size": 20, "max_retry_delay": 0.2}
STALL = 1.0  # seconds that a loop of events may stand: far less than the collector hangs


def forks(options: dict[str, Any], pause: float = 0.0, **more: Any) -> Measured:
    """The application forks."""
    with (
        FaultyCollector() as collector,
        program("forks", collector.url, options=options, pause=pause, more=more) as run,
    ):
        return run.end(collector)


_ = fault("fork-before-use", "fork before the first record")(
    partial(forks, QUEUED, children=1, threads=0)
)
_ = fault("fork-after-use", "fork with events queued")(
    partial(forks, QUEUED, children=1, threads=0, used_before=True)
)
_ = fault("fork-threads", "8 forked children against 4 logging threads of the parent")(
    partial(forks, BUSY, 0.001, children=8, threads=4, used_before=True)
)


def multiprocessing(method: str, options: dict[str, Any] = QUEUED) -> Measured:
    """The application has children that end without ``atexit``, and flush nothing."""
    more = {"method": method, "children": 3}
    with (
        FaultyCollector() as collector,
        program("multi", collector.url, options=options, more=more) as run,
    ):
        return run.end(collector)


for method in ("fork", "spawn", "forkserver"):
    _ = fault(f"multiprocessing-{method}", f"3 children of multiprocessing ({method})")(
        partial(multiprocessing, method)
    )


def green(name: str, options: dict[str, Any] = BUSY) -> Measured:
    """The application runs on green threads."""
    with (
        FaultyCollector(OK, 503, otherwise=Answer(delay=0.05)) as collector,
        program(name, collector.url, options=options, pause=0.005) as run,
    ):
        return run.end(collector)


_ = fault("gevent", "gevent, after `monkey.patch_all()`")(partial(green, "gevent_program"))
_ = fault("eventlet", "eventlet, after `monkey_patch()`")(partial(green, "eventlet_program"))


@fault("asyncio", "asyncio, no answer until the end", Expected(answers_lost=True))
def asyncio_loop() -> Measured:
    with (
        FaultyCollector(otherwise=HANG) as collector,
        program("loop", collector.url, options=BUSY) as run,
    ):
        run.wait_until_logged()
        assert collector.wait_for_requests(1)
        collector.answer()
        collector.release()
        measured = run.end(collector)
    (stall,) = measured.notes.values()
    problems = [f"the loop stood for {stall} s"] if stall > STALL else []
    return replace(measured, problems=[*measured.problems, *problems])
