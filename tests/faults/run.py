"""Runs a program against collectors, and counts at both ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.delivery.support import ROOT, data_of, until
from tests.faults.application import Report, Settings
from tests.faults.row import Measured

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from snowplow_logging.testing import FaultyCollector

PATIENCE = 60.0  # seconds after which a program stands still


class Run:
    """A program that runs.

    Args:
        process: Its process, which leads a group of its own.
        folder: Where it and its children leave their reports.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self._folder = folder

    @property
    def output(self) -> str:
        """What it and its children wrote so far."""
        return (self._folder / "output").read_text(encoding="utf-8", errors="replace")

    def reports(self) -> list[Report]:
        """Returns the latest report of each process."""
        texts = [path.read_text(encoding="utf-8") for path in self._folder.glob("*.json")]
        return [Report(**json.loads(each)) for each in texts]

    def wait_until_logged(self, records: int | None = None) -> None:
        """Waits until the program is done with logging, or all processes logged ``records``."""

        def is_done() -> bool:
            assert self.process.poll() is None or self.reports(), f"ended early: {self.output}"
            if records is not None:
                return sum(report.logged for report in self.reports()) >= records
            return any(report.done_at for report in self.reports())

        until(is_done, "the program to log", PATIENCE)

    def wait(self) -> float:
        """Waits for the end of the program; returns when that was."""
        self.process.wait(PATIENCE)
        return time.monotonic()

    def terminate(self) -> float:
        """Asks the program to end, by SIGTERM; returns when that was."""
        at = time.monotonic()
        self.process.terminate()
        return at

    def end(
        self,
        *collectors: FaultyCollector,
        done_at: float | None = None,
        status: int = 0,
        named: bool = True,
        notes: dict[str, float] | None = None,
    ) -> Measured:
        """Waits for the end and returns what was measured.

        Args:
            collectors: Where events may have arrived.
            done_at: When the program had no more to do, if it does not say so itself.
            status: The status with which the program must end.
            named: Whether each record has a message of its own, by which it is counted, too.
            notes: What else was measured, in seconds.
        """
        ended_at = self.wait()
        reports = self.reports()
        arrived = _copies(collectors, acknowledged=True)
        copies = _copies(collectors, acknowledged=False)
        resent = sum(_resent(collector) for collector in collectors)
        problems = [problem for report in reports for problem in _inexact(report)]
        if self.process.returncode != status:
            problems.append(f"ended with {self.process.returncode}: {self.output[-2000:]}")
        if named and any(ids > 1 for ids in _messages(collectors).values()):
            problems.append("a record became several events")
        if all(report.final for report in reports):
            counted = sum(report.delivered for report in reports)
            if counted != len(arrived):
                problems.append(f"accounted as delivered are {counted}, arrived {len(arrived)}")
        if resent:
            problems.append(f"{resent} events came again after an answer that had reached us")
        if done_at is None:
            done_at = max(report.done_at for report in reports)
        return Measured(
            logged=sum(report.logged for report in reports),
            delivered=len(arrived),
            duplicates=sum(copies.values()) - len(copies),
            dropped=_dropped(reports),
            longest_call=max(report.longest_call for report in reports),
            exit=ended_at - done_at,
            problems=problems,
            notes={**(notes or {}), **{k: v for each in reports for k, v in each.notes.items()}},
        )


@contextmanager
def program(
    command: str | Sequence[str], endpoint: str, *, pass_fds: Sequence[int] = (), **settings: Any
) -> Generator[Run, None, None]:
    """Starts a program; whatever is left of it at the end is killed.

    Args:
        command: The name of a module of ``applications``, or what Python runs.
        endpoint: The collector.
        pass_fds: File descriptors that it inherits.
        settings: The rest of its ``Settings``.
    """
    arguments = ["-m", f"tests.faults.applications.{command}"] if isinstance(command, str) else []
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as folder,
        Path(folder, "output").open("wb") as output,
    ):
        told = Settings(endpoint, folder, **settings).environment()
        process = subprocess.Popen(
            [sys.executable, *(arguments or command)],
            cwd=ROOT,
            env={**kept, **told, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        try:
            yield Run(process, Path(folder))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _inexact(report: Report) -> list[str]:
    """Returns what is wrong with an account by itself."""
    balance = report.delivered + sum(report.dropped.values()) + report.pending
    if (report.accepted, report.accepted) != (report.logged, balance):
        return [f"the account is not exact: {report}"]
    return []


def _dropped(reports: list[Report]) -> dict[str, int]:
    dropped: Counter[str] = Counter()
    for report in reports:
        dropped.update(report.dropped)
        dropped["unanswered"] += report.pending if report.final else 0
    return {reason: count for reason, count in dropped.items() if count}


def _copies(collectors: Sequence[FaultyCollector], *, acknowledged: bool) -> Counter[str]:
    """Returns how often each event id arrived.

    Args:
        collectors: Where.
        acknowledged: Whether only requests count whose answer told the sender of success, or
            all those that a collector takes in, even if its answer is lost.
    """
    return Counter(
        event["eid"]
        for collector in collectors
        for request, answer in list(collector._requests)
        if (answer.accepts if acknowledged else 200 <= answer.status < 300)
        for event in request.events
    )


def _resent(collector: FaultyCollector) -> int:
    """Returns how often an event came again although its sender knew that it had arrived."""
    acknowledged: set[str] = set()
    resent = 0
    for request, answer in list(collector._requests):
        ids = {event["eid"] for event in request.events}
        resent += len(ids & acknowledged)
        acknowledged |= ids if answer.accepts else set()
    return resent


def _messages(collectors: Sequence[FaultyCollector]) -> Counter[str]:
    """Returns how many event ids each message has."""
    events = {event["eid"]: event for each in collectors for event in each.events()}
    return Counter(data_of(event)["message"] for event in events.values())
