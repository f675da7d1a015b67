"""The command line of ``python -m tests.bench``."""

from __future__ import annotations

import argparse
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.bench.run import LostError, run
from tests.bench.subjects import COMPARED, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 1 where a run lost something."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("names", nargs="*", metavar="SUBJECT")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--condition", default="healthy")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(arguments)
    console = Console()
    if options.list:
        for name, subject in SUBJECTS.items():
            console.print(f"{name:28}{subject.text}")
        return 0
    names = options.names or COMPARED
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    lost = 0
    for number in range(options.rounds):
        for name in names:
            console.print(f"round {number + 1}: {name}", end="\r")
            try:
                runs[name].append(run(name, options.condition, options.events))
            except LostError as error:
                lost += 1
                console.print(f"[red]{error}")
    table = Table(
        "subject",
        "added",
        "logging",
        "caller",
        "call",
        "p50",
        "p99",
        "p99.9",
        "k/s",
        "B/event",
        "peak MB",
        "B queued",
        "unit µs",
    )
    for name, found in runs.items():
        if not found:
            continue
        each = [
            {
                **f,
                **{
                    k: f[k] / f["unit"]
                    for k in (
                        "added",
                        "added_logging",
                        "added_caller",
                        "call",
                        "p50",
                        "p99",
                        "p99.9",
                    )
                },
            }
            for f in found
        ]
        m = {key: median(f[key] for f in each) for key in each[0]}
        table.add_row(
            name,
            *(
                f"{m[k]:.2f}"
                for k in ("added", "added_logging", "added_caller", "call", "p50", "p99", "p99.9")
            ),
            f"{m['rate'] / 1000:.1f}",
            f"{m['wire']:.0f}",
            f"{m['peak'] / 1e6:.0f}",
            f"{m['queued']:.0f}",
            f"{m['unit'] * 1e6:.2f}",
        )
    console.print(table)
    return int(lost > 0)
