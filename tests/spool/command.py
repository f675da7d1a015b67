"""``python -m tests.faults spool``: the long measurements of the spool."""

from __future__ import annotations

import argparse
import random
from statistics import median
from typing import TYPE_CHECKING

from tests.delivery.support import ROOT
from tests.faults.console import show, tell
from tests.faults.document import write
from tests.spool import cost
from tests.spool.crowd import PROCESSES, crowd
from tests.spool.kills import INTERVAL, kill

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT = ROOT / "docs" / "spool.md"
EXAMPLES = """
examples:
  python -m tests.faults spool kills --times 50
  python -m tests.faults spool crowd
  python -m tests.faults spool cost --rounds 7
  python -m tests.faults spool million --write
"""


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns 1 where something is not as promised."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults spool",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _ = parser.add_argument("what", choices=list(MEASURES), help="what to measure")
    _ = parser.add_argument("--times", type=int, default=50, help="kills (default: 50)")
    _ = parser.add_argument("--records", type=int, default=1_000, help="of each process of a crowd")
    _ = parser.add_argument("--rounds", type=int, default=7, help="of the cost (default: 7)")
    _ = parser.add_argument("--calls", type=int, default=50_000, help="of a round of the cost")
    _ = parser.add_argument("--events", type=int, default=1_000_000, help="of the million")
    _ = parser.add_argument("--seed", type=int, help="to repeat what was drawn at random")
    _ = parser.add_argument("--write", action="store_true", help="write it to docs/spool.md")
    options = parser.parse_args(arguments)
    if options.seed is None:
        options.seed = random.randrange(10**6)
    tell(f"--seed {options.seed}")
    rows, problems = MEASURES[options.what](options)
    text = "\n".join(["| | |", "| --- | ---: |", *(f"| {a} | {b} |" for a, b in rows)])
    show(text)
    for problem in problems:
        tell(f"not as promised: {problem}")
    if options.write:
        write(options.what, text, DOCUMENT)
    return int(bool(problems))


def _kills(options: argparse.Namespace) -> tuple[list[tuple[str, str]], list[str]]:
    found = kill(options.times, options.seed)
    moods = ", ".join(f"{mood}: {number}" for mood, number in sorted(found.moods.items()))
    rows = [
        ("kills", f"{found.kills}"),
        ("what the collector did then", moods),
        ("events logged", f"{found.logged}"),
        (f"of those, {INTERVAL} s or longer before a kill", f"{found.owed}"),
        ("of those, lost", f"{found.lost}"),
        ("of those that were logged later, lost", f"{found.late}"),
        ("copies that arrived beyond the first", f"{found.duplicates}"),
        ("at most: a batch for each kill", f"{found.most_duplicates}"),
        ("copies that differ in more than `stm`", f"{found.differing}"),
    ]
    return rows, found.problems()


def _crowd(options: argparse.Namespace) -> tuple[list[tuple[str, str]], list[str]]:
    rows: list[tuple[str, str]] = []
    problems: list[str] = []
    for durability in ("outages", "events"):
        found = crowd(options.records, durability, options.seed)
        problems += found.problems()
        of = f'`durability="{durability}"`: '
        rows += [
            (f"{of}events that {PROCESSES} processes logged", f"{found.logged}"),
            (f"{of}lost", f"{found.lost}"),
            (f"{of}copies after a request whose answer was lost", f"{found.lost_answers}"),
            (f"{of}copies after an answer", f"{found.resent}"),
            (f"{of}segments that they have written", f"{found.writers}"),
            (f"{of}on disk when the processes had ended", f"{found.left}"),
            (f"{of}that one process has sent for another", f"{found.adopted}"),
        ]
    return rows, problems


def _cost(options: argparse.Namespace) -> tuple[list[tuple[str, str]], list[str]]:
    speed = cost.throughput(options.rounds, options.calls)
    call = cost.calls(options.rounds, options.calls // 5)
    rows: list[tuple[str, str]] = []
    problems: list[str] = []
    for name, figures in speed.figures.items():
        rows.append((f"throughput, {name}", f"{median(figures):.0f} events/s"))
    for name, figures in call.figures.items():
        rows.append((f"logging call, {name}", f"{1e6 * median(figures):.1f} µs"))
    for name in [name for name in cost.SETTINGS if name != "without"]:
        fast, long = speed.ratio(name), call.ratio(name)
        rows.append((f"throughput with {name}, of that without", f"{fast:.2f}"))
        rows.append((f"logging call with {name}, of that without", f"{long:.2f}"))
        if fast < cost.MIN_THROUGHPUT:
            problems.append(f"throughput with {name} is {fast:.2f}")
        if long > cost.MAX_CALL:
            problems.append(f"a logging call with {name} takes {long:.2f}")
    return rows, problems


def _million(options: argparse.Namespace) -> tuple[list[tuple[str, str]], list[str]]:
    found = cost.many(options.events)
    rows = [
        ("events on disk", f"{found.events}"),
        ("the file", f"{found.size / 2**20:.0f} MiB"),
        ("written", f"{found.writing:.0f} events/s"),
        ("opened, taken over, and the first batch read", f"{found.opening:.2f} s"),
        ("sent, each tenth, in events/s", ", ".join(f"{speed:.0f}" for speed in found.sending)),
        ("the slowest tenth, of the median", f"{found.slowest:.2f}"),
    ]
    return rows, found.problems()


MEASURES = {"kills": _kills, "crowd": _crowd, "cost": _cost, "million": _million}
