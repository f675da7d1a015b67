"""Runs measurements: a fresh receiver and a fresh process for each; nothing may be lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import Request, urlopen

from tests.bench.figures import Arrived, Figures, Run
from tests.bench.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

ROOT = Path(__file__).parents[2]
PATIENCE = 900.0  # seconds after which a run has failed
BARE_CALLS = 5_000


class Condition(NamedTuple):
    """How the collector is, and how it is logged.

    Args:
        delay: Seconds that the collector takes to answer.
        hangs: Whether it does not answer before all is logged.
        rest: Seconds of rest before each 20 calls.
    """

    delay: float = 0.0
    hangs: bool = False
    rest: float = 0.0


CONDITIONS = {
    "healthy": Condition(),
    "steady": Condition(rest=0.01),
    "delay": Condition(delay=0.05),
    "hang": Condition(hangs=True),
}


class LostError(Exception):
    """A run that does not count, since something did not arrive, or it failed."""


@contextmanager
def receiving(condition: Condition) -> Generator[str, None, None]:
    """Runs a receiver; gives its address."""
    behaviour = [str(condition.delay), *(["hangs"] if condition.hangs else [])]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.receiver", *behaviour],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def count(endpoint: str) -> Arrived:
    """Returns what has arrived at a receiver."""
    with urlopen(Request(f"{endpoint}/bench/count", b""), timeout=PATIENCE) as answer:
        return Arrived(**json.load(answer))


def run(
    name: str,
    condition: str,
    events: int,
    *,
    bare_calls: int = BARE_CALLS,
    under: Sequence[str] = (),
) -> Run:
    """Measures a subject once.

    Args:
        name: Which one.
        condition: How the collector is: a key of ``CONDITIONS``.
        events: How many it gets.
        bare_calls: See ``measure``.
        under: A command that runs the process, such as a profiler.

    Raises:
        LostError: Not all events arrived, or the process failed.
    """
    how = CONDITIONS[condition]
    with receiving(how) as endpoint:
        told = {
            "name": name,
            "endpoint": endpoint,
            "events": events,
            "bare_calls": bare_calls,
            "rest": how.rest,
            "hangs": how.hangs,
        }
        try:
            done = subprocess.run(
                [*under, sys.executable, "-m", "tests.bench.measure", json.dumps(told)],
                cwd=ROOT,
                env={k: v for k, v in os.environ.items() if not k.startswith("SNOWPLOW_LOGGING_")},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            msg = f"{name}, collector {condition}: not done after {PATIENCE:.0f} s"
            raise LostError(msg) from error
        if done.returncode:
            msg = f"{name} ended with {done.returncode}: {done.stderr[-2000:]}"
            raise LostError(msg)
        arrived = count(endpoint)
    check(name, condition, arrived, events)
    # A profiler says something on stdout, too.
    said = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    return Run(Figures(**json.loads(said)), arrived, events)


def check(name: str, condition: str, arrived: Arrived, events: int) -> None:
    """Raises LostError where not all events have arrived of a subject that ships them."""
    expected = events if SUBJECTS[name].ships else 0
    if arrived.events != expected:
        msg = f"{name}, collector {condition}: {arrived.events} of {expected} events arrived"
        raise LostError(msg)
