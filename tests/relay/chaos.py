"""Relays and Redis are killed at random, and nothing is lost.

Three applications log to a Redis Stream, three relays send it to a collector. One relay after the
other is killed and started again, and so is Redis itself, which keeps an append-only file.
"""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowplow_logging.testing import Answer, FaultyCollector
from tests.delivery.support import until
from tests.faults.console import tell
from tests.faults.run import program
from tests.relay.inside import consumers
from tests.relay.servers import RedisServer, closing
from tests.relay.support import RelayProcess, copies, differing

APPLICATIONS, RELAYS = 3, 3
RATE = 200  # records a second and application
CLAIM_AFTER = 2.0  # seconds
THREADS, BATCH_SIZE = 2, 50  # of a relay
OPTIONS: dict[str, Any] = {
    "flush_interval": 0.1, "request_timeout": 2, "max_retry_delay": 1, "queue_size": 100_000,
    "shutdown_timeout": 50, "batch_size": 200,
}  # fmt: skip
RELAY = ("--claim-after", f"{CLAIM_AFTER}", "--batch-size", f"{BATCH_SIZE}",
         "--threads", f"{THREADS}", "--max-retry-delay", "1")  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Args:
        logged: Records that the applications logged.
        dropped: Events that they gave up.
        arrived: Events that arrived.
        duplicates: Copies that came beside.
        differing: Events whose copies are not the same but for ``stm``.
        relay_kills: How often a relay was killed.
        redis_kills: How often Redis was.
        left: Entries and consumers that are in Redis at the end.
        statuses: With what the relays ended.
        seconds: How long it took, from the first record to the last.
    """

    logged: int
    dropped: dict[str, int]
    arrived: int
    duplicates: int
    differing: int
    relay_kills: int
    redis_kills: int
    left: tuple[int, int]
    statuses: set[int]
    seconds: float

    @property
    def explained(self) -> int:
        """How many duplicates the kills explain: what was under way each time, and no more."""
        of_redis: int = APPLICATIONS * OPTIONS["batch_size"]
        return self.relay_kills * THREADS * BATCH_SIZE + self.redis_kills * of_redis

    def problems(self) -> list[str]:
        """Returns in what it is not as expected."""
        checks = {
            f"{self.logged - self.arrived} events lost": self.arrived == self.logged,
            f"dropped {self.dropped}": not self.dropped,
            f"{self.differing} events have copies that differ": not self.differing,
            f"{self.duplicates} duplicates, of which kills explain {self.explained}": (
                self.duplicates <= self.explained
            ),
            "no relay was killed": self.relay_kills > 0,
            "Redis was not killed": self.redis_kills > 0,
            f"left in Redis: {self.left}": self.left == (0, 0),
            f"relays ended with {self.statuses}": self.statuses == {0},
        }
        return [problem for problem, passed in checks.items() if not passed]


class Chaos:
    """Kills and starts again.

    Args:
        folder: Where relays write to.
        redis: The server.
        collector: Where relays send to.
    """

    def __init__(self, folder: Path, redis: RedisServer, collector: FaultyCollector) -> None:
        self._folder = folder
        self._redis = redis
        self._collector = collector
        self._random = random.Random()
        self.relays = [self._relay() for _ in range(RELAYS)]
        self.relay_kills = 0
        self.redis_kills = 0

    def run(self, seconds: float, *, redis_share: float) -> None:
        """Does so for a time, and each at least once.

        Args:
            seconds: How long.
            redis_share: How many of the kills are of Redis, more or less.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end or not (self.relay_kills and self.redis_kills):
            time.sleep(self._random.uniform(0.5, 2.5))
            if self._random.random() < redis_share:
                self._redis.kill()
                self.redis_kills += 1
                time.sleep(self._random.uniform(0.1, CLAIM_AFTER))
                _ = self._redis.start()
            else:
                number = self._random.randrange(RELAYS)
                self.relays[number].kill()
                self.relay_kills += 1
                time.sleep(self._random.uniform(0, 0.5))
                self.relays[number] = self._relay()
            tell(f"{self.relay_kills} relays, {self.redis_kills} times Redis killed", end="\r")

    def end(self) -> None:
        """Kills all relays."""
        for relay in self.relays:
            relay.kill()

    def _relay(self) -> RelayProcess:
        return RelayProcess(self._folder, self._redis.url, self._collector.url, *RELAY)


def chaos(seconds: float, *, redis_share: float = 0.15, fsync: str = "always") -> Outcome:
    """Runs it; see ``Chaos.run``, and Redis's ``appendfsync``."""
    records = int(seconds * RATE)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-")))
        persistent = ("--appendonly", "yes", "--appendfsync", fsync)
        redis = stack.enter_context(RedisServer(folder, *persistent))
        collector = stack.enter_context(FaultyCollector(otherwise=Answer(delay=0.1)))
        runs = [
            stack.enter_context(
                program("plain", redis.url, options=OPTIONS, records=records, pause=1 / RATE)
            )
            for _ in range(APPLICATIONS)
        ]
        began = time.monotonic()
        killing = Chaos(folder, redis, collector)
        _ = stack.callback(killing.end)
        killing.run(seconds, redis_share=redis_share)
        for run in runs:
            _ = run.wait()
        took = time.monotonic() - began
        reports = [report for run in runs for report in run.reports()]
        logged = sum(report.logged for report in reports)
        dropped = {reason: count for each in reports for reason, count in each.dropped.items()}
        until(lambda: len(set(collector.event_ids())) >= logged, "all events", 30 + seconds)
        with closing(redis.client()) as client:
            live = {relay.name: 0 for relay in killing.relays}
            # A relay that had nothing to read need not be known, and nobody else may be.
            until(lambda: consumers(client).items() <= live.items(), "the acknowledgements")
            statuses = {relay.end() for relay in killing.relays}
            left = client.xlen("snowplow"), len(consumers(client))
        arrived = copies(collector)
        return Outcome(
            logged=logged,
            dropped=dropped,
            arrived=len(arrived),
            duplicates=sum(map(len, arrived.values())) - len(arrived),
            differing=differing(arrived.values()),
            relay_kills=killing.relay_kills,
            redis_kills=killing.redis_kills,
            left=left,
            statuses=statuses,
            seconds=took,
        )
