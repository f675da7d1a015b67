"""What a spool costs: throughput and logging calls with it and without, and a million events."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from snowplow_logging import AsyncEmitter
from snowplow_logging._clock import Clock
from snowplow_logging._disk import Kept
from snowplow_logging._keeper import Keeper
from snowplow_logging.payload import finished
from tests.delivery.support import until
from tests.faults.console import tell
from tests.faults.run import program
from tests.spool.sink import sink

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_THROUGHPUT = 0.5  # with a spool, of that without
MAX_CALL = 1.05  # of the time of a logging call without
MAX_OPENING = 1.0  # seconds
SLOWEST_PART = 0.5  # of the median speed; on a busy machine parts differ
PARTS = 10
BODY = b'{"e":"ue","tv":"py-snowplow-logging","p":"srv","eid":"%036d","ue_px":"' + b"A" * 550 + b'"'

SETTINGS: dict[str, dict[str, Any]] = {
    "without": {},
    'durability="outages"': {"durability": "outages"},
    'durability="events"': {"durability": "events"},
}


@dataclass
class Compared:
    """A figure of each round, by setting."""

    figures: dict[str, list[float]] = field(
        default_factory=lambda: {name: list[float]() for name in SETTINGS}
    )

    def ratio(self, name: str) -> float:
        """Returns the median of what it is of that without, round by round."""
        pairs = zip(self.figures[name], self.figures["without"], strict=True)
        return median(this / without for this, without in pairs)


def throughput(rounds: int, calls: int) -> Compared:
    """Measures events a second from the first call to the last delivery, by turns."""
    blocking = {"overflow": "block", "block_timeout": 60}
    found = Compared()
    with sink() as url:
        for number in range(rounds):
            for name, figures in found.figures.items():
                figures.append(_run("tests.spool.flood", url, name, blocking, {"calls": calls}))
            tell(f"round {number + 1} of {rounds}: {_shown(found)}")
    return found


def calls(rounds: int, number: int) -> Compared:
    """Measures the median of the logging call at 2000 calls a second, by turns."""
    more = {"calls": number, "burst": 20, "rest": 0.01, "fill": 100, "size": 10}
    found = Compared()
    with sink() as url:
        for index in range(rounds):
            for name, figures in found.figures.items():
                measured = _run("tests.faults.applications.pressure", url, name, {}, more)
                figures.append(measured["p50"])
            tell(f"round {index + 1} of {rounds}: {_shown(found)}")
    return found


def _shown(found: Compared) -> str:
    return ", ".join(f"{name} {found.ratio(name):.2f}" for name in SETTINGS)


def _run(
    module: str, url: str, setting: str, options: dict[str, Any], more: dict[str, Any]
) -> Any:  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="cost-") as folder:
        chosen = dict(SETTINGS[setting])
        if chosen:
            chosen["spool"] = str(Path(folder, "spool.db"))
        with program(["-m", module], url, options={**options, **chosen}, more=more) as run:
            _ = run.process.wait(600)
            assert run.process.returncode == 0, run.output
            return json.loads(run.output.splitlines()[-1])


@dataclass(frozen=True)
class Many:
    """What came of very many events on disk.

    Attributes:
        events: How many.
        size: The bytes of the file.
        writing: Events a second.
        opening: Seconds until the first of them could be sent.
        sending: Events a second, of each of ``PARTS`` parts.
    """

    events: int
    size: int
    writing: float
    opening: float
    sending: Sequence[float]

    @property
    def slowest(self) -> float:
        """The slowest part's speed, of the median."""
        return min(self.sending) / median(self.sending)

    def problems(self) -> list[str]:
        """Returns in what it is not as promised."""
        checks = {
            f"opening took {self.opening:.2f} s": self.opening <= MAX_OPENING,
            f"the slowest part had {self.slowest:.2f} of the speed": self.slowest >= SLOWEST_PART,
        }
        return [problem for problem, passed in checks.items() if not passed]


def many(events: int) -> Many:
    """Spools very many events, and sends them."""
    with tempfile.TemporaryDirectory(prefix="many-") as folder, sink() as url:
        path = Path(folder, "spool.db")
        writing = _fill(path, url, events)
        size = path.stat().st_size
        tell(f"{events} events written, {writing:.0f}/s")
        keeper = _keeper(path, url)
        began = time.perf_counter()
        adopted = keeper.adopt()
        assert adopted is not None
        assert keeper.read(adopted.segment, -(2**61), 500, 900_000)
        opening = time.perf_counter() - began
        keeper.release()
        emitter = AsyncEmitter(url, spool=path, thread_count=2)
        emitter._pool.start()
        with closing(emitter):
            until(lambda: emitter.stats().adopted == events, "it to begin")
            sending = [_speed(emitter, (part + 1) * events // PARTS) for part in range(PARTS)]
            assert emitter.stats().delivered == events
        return Many(events, size, writing, opening, sending)


def _speed(emitter: AsyncEmitter, goal: int) -> float:
    began, before = time.perf_counter(), emitter.stats().delivered
    until(lambda: emitter.stats().delivered >= goal, "the next part", 600)
    speed = (emitter.stats().delivered - before) / (time.perf_counter() - began)
    tell(f"{emitter.stats().delivered} sent, {speed:.0f}/s")
    return speed


def _fill(path: Path, url: str, events: int) -> float:
    keeper = _keeper(path, url)
    now = time.monotonic()
    began = time.perf_counter()
    for first in range(1, events + 1, 500):
        last = min(first + 499, events)
        batch = [(n, now, finished(BODY % n, 1_700_000_000_000 + n, 20))
                 for n in range(first, last + 1)]  # fmt: skip
        assert keeper.write(batch) is Kept.YES
    seconds = time.perf_counter() - began
    keeper.release()
    return events / seconds


def _keeper(path: Path, url: str) -> Keeper:
    return Keeper(str(path), url, Clock(), max_bytes=2**40, on_lost=lambda: None)
