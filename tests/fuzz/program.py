"""Logs random records in a process of its own, and says what became of them.

    python -m tests.fuzz.program SEED COUNT FIRST

Its last line is JSON: what was found wrong, and the figures. Each record is drawn from the
seed and its own number alone, so ``SEED 1 NUMBER`` logs one of them again.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.json import JsonFormatter

from snowplow_logging import SelfDescribingJson, SnowplowHandler
from snowplow_logging._transport import Answer
from snowplow_logging.collector.judge import Judge
from snowplow_logging.collector.received import Received
from snowplow_logging.collector.registry import Registry
from snowplow_logging.payload import CONTENT_TYPE, request_body
from tests.collector.support import write_schema
from tests.fuzz.records import OWN, Records
from tests.fuzz.values import Values
from tests.iglu_central import FOLDER
from tests.unit.wire import body_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.payload import Payload

ADDRESS_SPACE = 3 * 2**30  # bytes
MOST_RESIDENT = 2**30  # bytes
LONGEST_CALL = 20.0  # seconds: a call that takes longer does not end in practice
HANGS = 100.0  # seconds after which the process shows where it is, and ends
STDERR = 2  # the true one
CHUNK = 200  # records between two flushes
HELD_AGAINST_REFERENCE = 10  # each so many-th request; the reference schemas take their time
NOW_MS = 1_700_000_000_000


class JudgingTransport:
    """Holds every request against the collector's judge, and some against Iglu Central."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._requests = 0
        self.good = 0
        self.problems: list[str] = []

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        assert timeout > 0
        body = request_body(batch, NOW_MS)
        verdicts = self._judge.assess_post(
            Received(
                vendor="com.snowplowanalytics.snowplow",
                version="tp2",
                milliseconds=NOW_MS,
                content_type=CONTENT_TYPE,
                body=body,
            )
        )
        self.good += sum(verdict.good for verdict in verdicts)
        self.problems += [verdict.reason for verdict in verdicts if not verdict.good]
        if len(verdicts) != len(batch):
            self.problems.append(f"{len(batch)} events in a request got {len(verdicts)} verdicts")
        if FOLDER.is_dir() and self._requests % HELD_AGAINST_REFERENCE == 0:
            self.problems += body_problems(body)
        self._requests += 1
        return Answer(200)

    def close(self) -> None:
        """Has nothing to free."""


class Run:
    """Handlers of every kind, and what was logged with them.

    Args:
        seed: Of all records.
        judge: Holds what is sent against the schemas.
    """

    def __init__(self, seed: int, judge: Judge) -> None:
        self._seed = seed
        self._transports: list[JudgingTransport] = []
        self._handlers = [self._handler(judge, **options) for options in OPTIONS]
        self._handlers[-1].setFormatter(JsonFormatter("%(message)s %(levelname)s %(order_id)s"))
        self._handlers[-2].setFormatter(logging.Formatter("%(asctime)s %(order_id)s: %(message)s"))
        self._logged: Counter[SnowplowHandler] = Counter()
        self._not_sent: Counter[SnowplowHandler] = Counter()
        self._values = Values(self._log)
        self._records = Records(self._values)
        self._current = self._handlers[0]
        self._slowest = (0.0, 0)
        self.problems: list[str] = []

    def _handler(self, judge: Judge, **options: Any) -> SnowplowHandler:
        transport = JudgingTransport(judge)
        self._transports.append(transport)
        return SnowplowHandler(
            "https://c.acme.com", transport=lambda: transport, flush_interval=60, **options
        )

    def _log(self) -> None:
        """What a value does that logs while it is made a text."""
        self._logged[self._current] += 1
        self._current.handle(logging.makeLogRecord({"msg": "logged by a value"}))

    def log(self, number: int) -> None:
        """Logs the record of this number."""
        self._values.renew(number)
        self._current = self._handlers[number // CHUNK % len(self._handlers)]
        # A formatter of the application is not ours to bound.
        self._values.allows_endless = not isinstance(self._current.formatter, JsonFormatter)
        record = self._records.record(random.Random(self._seed * 10**9 + number))
        self._logged[self._current] += 1
        began = time.perf_counter()
        try:
            self._current.handle(record)
        except BaseException as error:
            self.problems.append(f"record {number} raised {error!r}"[:1_000])
        took = time.perf_counter() - began
        self._slowest = max(self._slowest, (took, number))
        if took > LONGEST_CALL:
            self.problems.append(f"record {number} took {took:.1f} s")

    def settle(self, number: int) -> None:
        """Sends everything, and holds the accounts against what was logged."""
        found: list[str] = []
        for handler, transport in zip(self._handlers, self._transports, strict=True):
            if not handler.flush(HANGS):
                found.append("flush did not end")
            stats = handler.stats()
            facts = {
                "each is accounted": stats.accepted == self._logged[handler],
                "nothing is pending": stats.pending == 0,
                "balance": stats.accepted == stats.delivered + stats.dropped,
                "only what cannot be sent is dropped": stats.dropped_by_reason.keys()
                <= {"unmappable", "oversize"},
                "all that was delivered is valid": stats.delivered == transport.good,
            }
            found += [f"not true: {fact}; {stats}" for fact, true in facts.items() if not true]
            found += transport.problems
            transport.problems.clear()
        self.problems += [f"records up to {number}: {problem[:1_000]}" for problem in found]

    def figures(self) -> dict[str, Any]:
        """Returns what was logged, and what it took."""
        stats = [handler.stats() for handler in self._handlers]
        reasons: Counter[str] = Counter()
        for each in stats:
            reasons.update(each.dropped_by_reason)
        return {
            "logged": self._logged.total(),
            "delivered": sum(each.delivered for each in stats),
            "dropped": dict(reasons),
            "slowest call, s": round(self._slowest[0], 3),
            "slowest record": self._slowest[1],
            "resident, MiB": _most_resident() // 2**20,
        }

    def close(self) -> None:
        for handler in self._handlers:
            handler.close()


OPTIONS: list[dict[str, Any]] = [
    {},
    {"record_entity": True, "encode_base64": False},
    {"exceptions": "log_record", "contexts": [SelfDescribingJson(OWN, {"a": 1})]},
    {"encode_base64": False, "app_id": "shop", "subject": {"user_id": "u-1"}},
    {"record_entity": True},  # gets a formatter of texts
    {"schema": OWN},  # gets a formatter of JSON
]


def _log(run: Run, numbers: range) -> None:
    for number in numbers:
        if number % CHUNK == 0 or number == numbers.start:
            faulthandler.dump_traceback_later(HANGS, exit=True, file=STDERR)
        run.log(number)
        if number % CHUNK == CHUNK - 1 or number == numbers[-1]:
            run.settle(number)
    faulthandler.cancel_dump_traceback_later()


def _most_resident() -> int:
    """Returns the most bytes of memory that were in use; ``getrusage`` counts the parent's, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 2**10


def main(seed: int, count: int, first: int = 0) -> int:
    """Logs ``count`` records; returns the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    with tempfile.TemporaryDirectory() as folder:
        assert write_schema(Path(folder), {"type": ["object", "array"]}, "anything") == OWN
        run = Run(seed, Judge(Registry([folder])))
    began = time.monotonic()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        _log(run, range(first, first + count))
    run.close()
    figures = {**run.figures(), "seconds": round(time.monotonic() - began, 1)}
    if _most_resident() > MOST_RESIDENT:
        run.problems.append("it took too much memory")
    _ = sys.stdout.write(json.dumps({"seed": seed, "problems": run.problems[:20], **figures}))
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
