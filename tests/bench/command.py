"""The command line of ``python -m tests.bench``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.bench.plan import QUICKER, SECTIONS, Job, Plan
from tests.bench.profiling import profile
from tests.bench.results import Results
from tests.bench.run import CONDITIONS, LostError, run
from tests.bench.subjects import SUBJECTS
from tests.bench.tables import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    add("--profile", metavar="SUBJECT", help="show where the time of this subject goes")
    add("--condition", choices=CONDITIONS, default="healthy", help="the collector for --profile")
    add("--write", action="store_true", help="write docs/benchmarks.md; takes all")
    options = parser.parse_args(sys.argv[1:] if arguments is None else list(arguments))
    profiled = [options.profile] if options.profile else []
    if unknown := {*options.names, *profiled} - {*SUBJECTS, *SECTIONS}:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}; see --list")
    if options.write and (options.names or options.quick or options.profile):
        parser.error("--write takes everything at its full length")
    console = Console()
    if options.list:
        for name, subject in SUBJECTS.items():
            console.print(f"{name:32}{subject.text}")
        return 0
    plan = Plan(QUICKER if options.quick else 1)
    if options.profile:
        for table in profile(plan.compared(options.profile, options.condition)).tables():
            console.print(table.rich())
        return 0
    sections = [name for name in SECTIONS if name in options.names] or SECTIONS
    subjects = [name for name in options.names if name in SUBJECTS]
    found = measured(
        plan, plan.jobs(sections, subjects), options.rounds or (2 if options.quick else 5)
    )
    for table in tables(found):
        console.print(table.rich())
    for lost in found.lost:
        console.print(f"[red]{lost}")
    if options.write:
        from tests.bench.document import write  # noqa: PLC0415 - it needs what only this needs

        write(found)
    return int(bool(found.lost))


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
                    progress.console.print(f"[red]{error}")
                progress.advance(task)
    return found
