"""Runs measurements: a fresh receiver and a fresh process for each; nothing may be lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from tests.bench.subjects import SUBJECTS
from tests.delivery.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator

DELAY = 0.05  # seconds; how far away the collector of the condition "delay" is
CONDITIONS = {"healthy": ["0"], "delay": [str(DELAY)], "hang": ["0", "hangs"]}
PATIENCE = 900.0


class LostError(Exception):
    """A run that does not count, since something did not arrive or it failed."""


@contextmanager
def receiving(condition: str) -> Generator[str]:
    """Runs a receiver; gives its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.receiver", *CONDITIONS[condition]],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def run(name: str, condition: str, events: int) -> dict[str, float]:
    """Measures a subject once; returns its figures with what arrived.

    Raises:
        LostError: Not all events arrived, or the process failed.
    """
    with receiving(condition) as endpoint:
        told = {"name": name, "endpoint": endpoint, "events": events, "hangs": condition == "hang"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.measure", json.dumps(told)],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if not k.startswith("SNOWPLOW_LOGGING_")},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            msg = f"{name} failed: {done.stderr[-2000:]}"
            raise LostError(msg)
        with urlopen(Request(f"{endpoint}/bench/count", b""), timeout=PATIENCE) as answer:
            arrived: dict[str, int] = json.load(answer)
    expected = events if SUBJECTS[name].ships else 0
    if arrived["events"] != expected:
        msg = f"{name}: {arrived['events']} of {expected} events arrived ({condition} collector)"
        raise LostError(msg)
    figures: dict[str, float] = json.loads(done.stdout)
    wire = {"wire": arrived["bytes"] / events, "requests": arrived["requests"]}
    return {**figures, **wire, "copies": arrived["copies"]}
