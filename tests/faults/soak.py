"""``python -m tests.faults soak``: minutes of 1000 events a second against a failing collector.

The collector is a process of its own that answers one request in ten with an error status and
resets one in twenty after it has taken the events; every 30 seconds it is killed, and started
again a second later.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from snowplow_logging.testing import closed_port
from tests.delivery.support import ROOT
from tests.faults.console import show, tell
from tests.faults.document import write
from tests.faults.run import program
from tests.program import Program

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = 1_000  # events a second
UP, DOWN = 30.0, 1.0  # seconds
WARM = 60.0  # seconds after which memory has its size
MAX_GROWTH = 8 * 2**20  # bytes of resident memory, from then to the end
# Outages of some seconds at 1000 a second are more than the default queue of 10 000 holds.
OPTIONS = {"queue_size": 100_000, "shutdown_timeout": 60.0}


@dataclass(frozen=True)
class Soaked:
    """What a soak has found.

    Args:
        lines: What the application said, second by second.
        taken: How often the collectors took in each event.
        excused: How often each might come again, because its answer was lost.
        restarts: How often the collector was killed.
        status: With what the application ended.
    """

    lines: list[dict[str, Any]]
    taken: bytes
    excused: bytes
    restarts: int
    status: int

    @property
    def lost(self) -> int:
        """Events that never arrived."""
        return self.taken.count(0)

    @property
    def duplicates(self) -> int:
        """Copies beyond the first."""
        return sum(self.taken) - len(self.taken) + self.lost

    @property
    def unexcused(self) -> int:
        """Copies that came although the answer to the one before had been sent."""
        pairs = zip(self.taken, self.excused, strict=True)
        return sum(max(0, taken - 1 - excused) for taken, excused in pairs)

    @property
    def growth(self) -> int:
        """Bytes by which the median of the last part's memory exceeds that of the second."""
        resident = [line["resident"] for line in self.lines if line["at"] >= WARM]
        part = max(1, len(resident) // 5)
        return int(median(resident[-part:]) - median(resident[:part])) if resident else 0

    def problems(self) -> list[str]:
        """Returns in what it is not as expected."""
        inexact = sum(not line["exact"] for line in self.lines)
        last = self.lines[-1]
        checks = {
            f"the application ended with {self.status}": self.status == 0,
            f"{self.lost} events lost": not self.lost,
            f"the account was not exact {inexact} times": not inexact,
            f"the account at the end: {last}": last["delivered"] == len(self.taken),
            f"{self.unexcused} events came twice though answered": not self.unexcused,
            f"memory grew by {self.growth} bytes": self.growth <= MAX_GROWTH,
        }
        return [problem for problem, passed in checks.items() if not passed]


def soak(seconds: float, *, rate: int = RATE, up: float = UP) -> Soaked:
    """Runs it."""
    records = int(seconds * rate)
    port = closed_port()
    more = {"seconds": seconds, "rate": rate}
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        command = [sys.executable, "-m", "tests.faults.applications.flaky_collector"]
        arguments = [*command, str(port), folder, str(records)]
        with program("soak", f"http://127.0.0.1:{port}", options=OPTIONS, more=more) as run:
            deadline = time.monotonic() + seconds + 120
            restarts = -1
            while run.process.poll() is None:
                assert time.monotonic() < deadline, run.output[-2000:]
                restarts += 1
                with Program[bytes](arguments, cwd=ROOT, stdout=subprocess.PIPE) as collector:
                    try:
                        assert collector.stdout is not None
                        _ = collector.stdout.readline()  # it is up from here on
                        _wait(run.process, up)
                    finally:
                        collector.kill()
                tell(f"restart {restarts}: {run.output[-300:]}")
                _wait(run.process, DOWN)
            told = [json.loads(line) for line in run.output.splitlines() if line.startswith("{")]
            taken, excused = (Path(folder, name).read_bytes() for name in ("taken", "excused"))
            return Soaked(told, taken, excused, restarts, run.process.returncode)


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns 1 where something is not as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument("--write", action="store_true", help="write the figures to the document")
    options = parser.parse_args(arguments)
    soaked = soak(60 * options.minutes)
    text = _text(soaked)
    show(text)
    for problem in soaked.problems():
        tell(f"not as expected: {problem}")
    if options.write:
        write("soak", text)
    return int(bool(soaked.problems()))


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Waits for ``seconds``, but not beyond the end of ``process``."""
    try:
        _ = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _text(soaked: Soaked) -> str:
    last = soaked.lines[-1]
    warm = [line["resident"] for line in soaked.lines if line["at"] >= WARM] or [0]
    figures = {
        "duration": f"{last['at']:.0f} s, {RATE} events a second",
        "restarts of the collector": soaked.restarts,
        "logged": len(soaked.taken),
        "delivered": len(soaked.taken) - soaked.lost,
        "lost": soaked.lost,
        "dropped": last["dropped"],
        "duplicates, each after a lost answer": soaked.duplicates - soaked.unexcused,
        "duplicates in spite of an answer": soaked.unexcused,
        "samples of the account, all exact": f"{sum(x['exact'] for x in soaked.lines)} of "
        f"{len(soaked.lines)}",
        "requests": last["requests"],
        "times that an event was retried": last["retried"],
        "most events pending": max(line["pending"] for line in soaked.lines),
        "longest logging call": f"{1e3 * last['longest']:.1f} ms",
        "resident memory after the first minute": f"{min(warm) / 2**20:.1f} to "
        f"{max(warm) / 2**20:.1f} MiB",
        "its growth from then to the end": f"{soaked.growth / 2**20:+.1f} MiB",
    }
    rows = [f"| {name} | {value} |" for name, value in figures.items()]
    return "\n".join(["| | |", "| --- | ---: |", *rows])
