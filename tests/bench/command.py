"""The command line of ``python -m tests.bench``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.bench.document import write
from tests.bench.plan import QUICKER, SECTIONS, Job, Plan
from tests.bench.profiling import profile
from tests.bench.results import Results
from tests.bench.run import CONDITIONS, LostError, run
from tests.bench.subjects import SUBJECTS
from tests.bench.tables import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.tables import Table

PROFILED = 15  # functions that the document shows
EXAMPLES = f"""
examples:
  python -m tests.bench                         everything, in about half an hour
  python -m tests.bench --quick healthy         a short look at one section
  python -m tests.bench ours tracker otel       these three, in all sections they are in
  python -m tests.bench --write                 everything, into docs/benchmarks.md
  python -m tests.bench --profile ours-plain    where its time goes

sections: {", ".join(SECTIONS)}
All figures of time are in units of one bare logging call. Nothing else should run meanwhile.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 1 where a run does not count."""
    parser = _parser()
    options = parser.parse_args(sys.argv[1:] if arguments is None else list(arguments))
    if unknown := {*options.names} - {*SUBJECTS, *SECTIONS}:
        parser.error(f"no such subject or section: {', '.join(sorted(unknown))}; see --list")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds takes a whole number from 1")
    if options.write and (options.names or options.quick or options.profile):
        parser.error("--write takes everything at its full length")
    console = Console()
    if options.list:
        for name, subject in SUBJECTS.items():
            console.print(f"{name:32}{subject.text}")
        return 0
    try:
        return _measure(options, parser, console)
    except LostError as error:
        parser.exit(1, f"{error}\n")


def _measure(options: argparse.Namespace, parser: argparse.ArgumentParser, console: Console) -> int:
    plan = Plan(QUICKER if options.quick else 1)
    if options.profile:
        _show(console, profile(plan.compared(options.profile, options.condition)).tables())
        return 0
    sections = [name for name in SECTIONS if name in options.names] or SECTIONS
    subjects = [name for name in options.names if name in SUBJECTS]
    jobs = plan.jobs(sections, subjects)
    if not jobs:
        parser.error("none of these subjects is in one of these sections")
    rounds = options.rounds or (2 if options.quick else 5)
    # First, because it may say that something is not installed.
    profiled = profile(plan.compared("ours", "healthy")).tables(PROFILED) if options.write else []
    found = measured(plan, jobs, rounds)
    _show(console, [*tables(found), *profiled])
    for lost in found.lost:
        console.print(lost, style="red", markup=False)
    if options.write:
        write(found, profiled)
    return int(bool(found.lost))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures what a logging call costs, beside other ways to ship a record.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="subjects and sections; default: all")
    add("--list", action="store_true", help="show the subjects")
    add("--rounds", type=int, metavar="N", help="rounds (default: 5, or 2 with --quick)")
    add("--quick", action="store_true", help=f"{QUICKER} times fewer events, 2 rounds")
    add(
        "--profile",
        metavar="SUBJECT",
        choices=SUBJECTS,
        help="show where the time of this subject goes",
    )
    add("--condition", choices=CONDITIONS, default="healthy", help="the collector for --profile")
    add("--write", action="store_true", help="write docs/benchmarks.md; takes all")
    return parser


def _show(console: Console, shown: Iterable[Table]) -> None:
    for table in shown:
        console.print(table.rich())


def measured(plan: Plan, jobs: Sequence[Job], rounds: int) -> Results:
    """Makes all runs, and shows on stderr how far it is."""
    found = Results(plan)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=rounds * len(jobs))
        for number in range(rounds):
            for job in jobs:
                progress.update(
                    task, description=f"round {number + 1}: {job.name}, {job.condition}"
                )
                try:
                    found.add(job, run(job.name, job.condition, job.events))
                except LostError as error:
                    found.lost.append(str(error))
                    progress.console.print(str(error), style="red", markup=False)
                progress.advance(task)
    return found
