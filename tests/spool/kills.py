"""An application is killed again and again while it logs, and its collector fails now and then.

Each run has the spool of the one before. What was logged ``spool_interval`` before a kill must
arrive, in the end; what arrives twice was under way at a kill.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snowplow_logging import AsyncEmitter
from snowplow_logging.testing import HANG, OK, Answer, FaultyCollector, Rule
from tests.delivery.support import data_of, until
from tests.faults.console import tell
from tests.faults.run import Run, program
from tests.spool.endless import LOGGED
from tests.spool.support import events_on

INTERVAL = 0.2  # seconds: the default of ``spool_interval``
BATCH = 100
THREADS = 4
OPTIONS: dict[str, Any] = {
    "durability": "events",
    "batch_size": BATCH,
    "flush_interval": 0.1,
    "max_retry_delay": 0.3,
    "request_timeout": 0.5,
}
MOODS: dict[str, Rule] = {"up": OK, "503": 503, "hangs": HANG, "slow": Answer(delay=0.2)}


@dataclass
class Killed:
    """What came of it.

    Attributes:
        kills: How often the application was killed.
        logged: Events whose logging call had returned.
        owed: Those of them that were logged ``INTERVAL`` before the kill, or earlier.
        lost: Those of the owed that never arrived.
        late: Of those that were logged later, how many did not arrive.
        duplicates: Copies that arrived beyond the first.
        differing: Events whose copies differ in more than ``stm``.
        moods: What the collector did when the kills came.
        said: What the application said on stderr, by run.
    """

    kills: int = 0
    logged: int = 0
    owed: int = 0
    lost: int = 0
    late: int = 0
    duplicates: int = 0
    differing: int = 0
    moods: Counter[str] = field(default_factory=Counter[str])
    said: dict[int, str] = field(default_factory=dict[int, str])

    @property
    def most_duplicates(self) -> int:
        """A batch for each kill, as there is one worker."""
        return BATCH * self.kills

    def problems(self) -> list[str]:
        """Returns in what it is not as promised."""
        checks = {
            "nothing was logged": self.owed > 0,
            f"{self.lost} events lost; {self.said}": not self.lost,
            f"{self.duplicates} duplicates": self.duplicates <= self.most_duplicates,
            f"copies of {self.differing} events differ": not self.differing,
        }
        return [problem for problem, passed in checks.items() if not passed]


def kill(times: int, seed: int) -> Killed:
    """Kills an application ``times`` times; returns what came of it."""
    chance = random.Random(seed)
    found = Killed()
    owed: set[str] = set()
    logged: set[str] = set()
    with (
        tempfile.TemporaryDirectory(prefix="kills-") as folder,
        FaultyCollector() as collector,
    ):
        spool = Path(folder, "spool.db")
        for run in range(times):
            log = Path(folder, f"log-{run}")
            more = {"log": str(log), "run": run, "threads": THREADS, "pause": 0.002}
            options = {**OPTIONS, "spool": str(spool)}
            before = chance.choice([*MOODS])
            collector.answer(otherwise=MOODS[before])
            with program(["-m", "tests.spool.endless"], collector.url, options=options,
                         more=more) as process:  # fmt: skip
                _wait_until_logging(process, log)
                time.sleep(chance.uniform(0, 0.6))
                mood = chance.choice([*MOODS])
                collector.answer(otherwise=MOODS[mood])
                time.sleep(chance.uniform(0.05, 0.8))
                killed_at = time.monotonic()
                process.process.kill()
                _ = process.wait()
                if process.output:
                    found.said[run] = process.output
            found.kills += 1
            found.moods[mood] += 1
            for thread, number, at in LOGGED.iter_unpack(_whole(log.read_bytes())):
                message = f"run {run} thread {thread} number {number}"
                logged.add(message)
                if at < killed_at - INTERVAL:
                    owed.add(message)
            tell(f"kill {run + 1} of {times}, collector {before}, {mood}: {len(logged)} logged")
        collector.answer()
        _send_rest(collector, spool)
        events = collector.events()
    return _judge(found, logged, owed, events)


def _judge(found: Killed, logged: set[str], owed: set[str], events: list[dict[str, str]]) -> Killed:
    arrived = {data_of(event)["message"] for event in events}
    copies = Counter(event["eid"] for event in events)
    contents = {(e["eid"], *sorted(i for i in e.items() if i[0] != "stm")) for e in events}
    found.logged, found.owed = len(logged), len(owed)
    found.lost, found.late = len(owed - arrived), len(logged - owed - arrived)
    found.duplicates = len(events) - len(copies)
    found.differing = len(contents) - len(copies)
    return found


def _wait_until_logging(process: Run, log: Path) -> None:
    def is_logging() -> bool:
        assert process.process.poll() is None, process.output
        return log.exists() and log.stat().st_size > 0

    until(is_logging, "the application to log")


def _whole(content: bytes) -> bytes:
    """Returns what was written in whole."""
    return content[: len(content) // LOGGED.size * LOGGED.size]


def _send_rest(collector: FaultyCollector, spool: Path) -> None:
    """Sends what the last run has left, as its successor would."""
    emitter = AsyncEmitter(collector.url, spool=spool)
    emitter._pool.start()
    until(lambda: not events_on(spool), "the rest to arrive", 60)
    emitter.close()
