"""Writes what was measured, and where, into ``docs/benchmarks.md``, and beside it the plot."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench import results
from tests.bench.plot import plot
from tests.bench.run import ROOT
from tests.bench.tables import tables
from tests.faults import document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.bench.results import Results
    from tests.bench.tables import Table

COMMAND = "python -m tests.bench --write"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
COMPARED_WITH = (
    "snowplow-tracker",
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-http",
    "python-json-logger",
    "orjson",
    "requests",
)


def write(found: Results, more: Iterable[Table], path: Path = DOCUMENT) -> None:
    """Replaces the figures in the document, with more tables after them, and the plot beside it."""
    parts = [surroundings(found), *(table.markdown() for table in (*tables(found), *more))]
    document.write("figures", "\n\n".join(parts), path, COMMAND)
    plot(found, path.with_suffix(".svg"))


def surroundings(found: Results) -> str:
    """Returns where, when and with what it was measured."""
    units = found.over_all(results.unit)
    rounds = max(map(len, found.runs.values()))
    busiest = max(found.over_all(lambda run: run.arrived.busy * run.figures.rate / run.events))
    load = f"load average of the last 15 minutes: {os.getloadavg()[2]:.1f}"
    versions = "; ".join(f"{each} {version(each)}" for each in COMPARED_WITH)
    unit = f"{median(units) * 1e6:.2f} µs, from {min(units) * 1e6:.2f} to {max(units) * 1e6:.2f}"
    lines = [
        f"- {_processor()}; {load}",
        f"- Commit {_commit()}; {versions}",
        f"- One unit, the bare logging call, median of all runs: {unit}",
        f"- Rounds: {rounds}; runs that lost events or failed, and do not count: {len(found.lost)}",
        f"- The receiver was busy for at most {busiest:.0%} of the time",
    ]
    return "\n".join([*lines, *(f"  - {lost}" for lost in found.lost)])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "processor unknown"


def _commit() -> str:
    """Returns the commit that was measured, and whether something else was."""
    if not (ROOT / ".git").exists():
        return "unknown"

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "snowplow_logging", "tests/bench")
    return git("rev-parse", "--short=10", "HEAD") + (" with changes" if changed else "")
