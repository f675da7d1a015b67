"""Processes share one spool while their collector fails at random."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowplow_logging import AsyncEmitter
from snowplow_logging.testing import OK, RESET, AnswerLike, FaultyCollector, Request
from tests.delivery.support import data_of, until
from tests.faults.application import Application
from tests.faults.run import program
from tests.spool.support import events_on

PROCESSES = 8
OPTIONS: dict[str, Any] = {
    "batch_size": 20,
    "flush_interval": 0.02,
    "max_retry_delay": 0.1,
    "queue_size": 60,  # most of it goes through the spool
    "shutdown_timeout": 0.5,
    "thread_count": 2,
}


@dataclass(frozen=True)
class Crowd:
    """What came of it.

    Attributes:
        logged: Events that were logged.
        lost: Those that never arrived.
        dropped: What the processes' accounts say of drops, by reason.
        inexact: Processes whose account does not balance.
        counted: Events that are delivered, by all accounts together.
        writers: Processes that have written to the spool.
        left: Events that were on disk when the processes had ended.
        adopted: Events that one process has sent for another.
        lost_answers: Copies that came after a request whose answer was lost.
        resent: Copies that came after an answer that reached its sender.
    """

    logged: int
    lost: int
    dropped: dict[str, int]
    inexact: int
    counted: int
    writers: int
    left: int
    adopted: int
    lost_answers: int
    resent: int

    def problems(self) -> list[str]:
        """Returns in what it is not as promised."""
        checks = {
            f"{self.lost} events lost": not self.lost,
            f"dropped {self.dropped}": not self.dropped,
            f"{self.inexact} accounts are not exact": not self.inexact,
            f"{self.resent} events came again after an answer": not self.resent,
            f"{self.counted} are delivered by the accounts": self.counted == self.logged,
            "nothing was on disk": self.writers > 0,
        }
        return [problem for problem, passed in checks.items() if not passed]


def crowd(records: int, durability: str, seed: int) -> Crowd:
    """Lets ``PROCESSES`` log ``records`` each; returns what came of it."""
    chance = random.Random(seed)

    def rule(_: Request) -> AnswerLike:
        answers: list[AnswerLike] = [503, RESET, OK]
        return chance.choices(answers, [5, 1, 4])[0]

    with (
        tempfile.TemporaryDirectory(prefix="crowd-") as folder,
        FaultyCollector(otherwise=rule) as collector,
    ):
        spool = Path(folder, "shared", "spool.db")
        options = {**OPTIONS, "spool": str(spool), "durability": durability}
        with program(["-m", "tests.spool.crowd"], collector.url, options=options,
                     records=records, pause=0.002) as run:  # fmt: skip
            _ = run.wait()
            assert run.process.returncode == 0, run.output
            reports = run.reports()
        left, writers = events_on(spool), _segments_ever(spool)
        collector.answer()
        emitter = AsyncEmitter(collector.url, spool=spool)
        emitter._pool.start()
        until(lambda: not events_on(spool), "the rest to arrive", 60)
        emitter.close()
        requests = list(collector._requests)
    arrived = {data_of(event)["message"] for event in collector.events()}
    logged = {f"process {n} {r}" for n in range(PROCESSES) for r in range(records)}
    copies: Counter[str] = Counter()
    answered: set[str] = set()
    resent = 0
    for request, answer in requests:
        taken = [event["eid"] for event in request.events] if answer.status == 200 else []
        resent += len(answered.intersection(taken))
        copies.update(taken)
        answered.update(taken if answer.accepts else ())
    return Crowd(
        logged=len(logged),
        lost=len(logged - arrived),
        dropped=dict(sum((Counter(report.dropped) for report in reports), Counter[str]())),
        inexact=sum(r.accepted != r.delivered + sum(r.dropped.values()) + r.pending
                    for r in reports),
        counted=sum(report.delivered for report in reports) + emitter.stats().delivered,
        writers=writers,
        left=left,
        adopted=int(sum(report.notes.get("adopted", 0) for report in reports)),
        lost_answers=copies.total() - len(copies),
        resent=resent,
    )  # fmt: skip


def _segments_ever(spool: Path) -> int:
    with closing(sqlite3.connect(spool)) as file:
        sql = "SELECT seq FROM sqlite_sequence WHERE name = 'segments'"
        return sum(last for (last,) in file.execute(sql))


def main() -> None:
    """Is the parent, which forks the others with its handler, and then each of them."""
    application = Application()
    handler = application.configure()
    children: list[int] = []
    for number in range(PROCESSES):
        children.append(os.fork())
        if not children[-1]:
            application.log_all(f"process {number}")
            handler.close()
            application.notes["adopted"] = handler.stats().adopted
            application.done()
            sys.exit()
    ends = [os.waitpid(child, 0)[1] for child in children]
    sys.exit(any(ends))


if __name__ == "__main__":
    main()
