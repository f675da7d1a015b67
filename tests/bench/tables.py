"""The results as tables, for a terminal or as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import rich.table
from rich.box import SIMPLE_HEAD
from rich.markup import escape

from tests.bench import results
from tests.bench.goals import GOALS
from tests.bench.plan import SECTIONS
from tests.bench.subjects import COMPARED, KINDS_OF_OURS, SUBJECTS, THREADS, WORKERS, name_of_ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.figures import Run
    from tests.bench.plan import Job
    from tests.bench.results import Results

MIB = 2**20


@dataclass
class Table:
    """A table of texts: the first column is of words, the others are of figures.

    Args:
        title: What it shows.
        headings: One for each column.
        rows: Likewise. A subject goes by its name, which is short, and has its text in documents.
    """

    title: str
    headings: list[str]
    rows: list[list[str]] = field(default_factory=list[list[str]])

    def rich(self) -> rich.table.Table:
        """Returns it for a terminal."""
        table = rich.table.Table(
            title=self.title,
            title_justify="left",
            box=SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 0, 0, 1),
        )
        table.add_column(self.headings[0], no_wrap=True)
        for heading, *cells in [*zip(self.headings, *self.rows, strict=True)][1:]:
            longest = max(map(len, [*heading.split(), *cells]))
            table.add_column(heading, justify="right", min_width=longest)
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table

    def markdown(self) -> str:
        """Returns it for a document."""
        rule = ["---", *["---:"] * (len(self.headings) - 1)]
        rows = [
            [SUBJECTS[row[0]].text, *row[1:]] if row[0] in SUBJECTS else row for row in self.rows
        ]
        lines = [f"| {' | '.join(row)} |" for row in (self.headings, rule, *rows)]
        return "\n".join([f"### {self.title}", "", *lines])


@dataclass(frozen=True)
class Column:
    """A column of figures.

    Args:
        heading: What it is called.
        figure: Where it is from.
        shipped: Whether it says something of subjects alone that ship events.
    """

    heading: str
    figure: Callable[[Run], float]
    shipped: bool = False


ADDED = Column("added", results.added)
CALLS = [
    Column("in caller", results.caller),
    Column("in GC", lambda run: run.figures.collecting),
    Column("call", lambda run: run.figures.call),
    Column("p50", lambda run: run.figures.p50),
    Column("p99", lambda run: run.figures.p99),
    Column("p99.9", lambda run: run.figures.p999),
]
RATE = Column("k/s", lambda run: run.figures.rate / 1000)
WIRE = Column("B sent", results.wire, shipped=True)
PEAK = Column("peak MiB", lambda run: run.figures.peak / MIB)
QUEUED = Column("B held", results.queued)

COMPARISONS = {
    "healthy": ("Collector healthy", [ADDED, *CALLS, RATE, WIRE, PEAK]),
    "steady": ("Collector healthy, 2000 calls a second", [ADDED, *CALLS, PEAK]),
    "delay": ("Collector 50 ms away", [ADDED, *CALLS, RATE, PEAK]),
    "hang": ("Collector hanging, until all is logged", [ADDED, *CALLS, PEAK, QUEUED]),
}


def tables(found: Results) -> list[Table]:
    """Returns the tables of all that was measured."""
    made = [_TABLES[name](found) for name in SECTIONS]
    return [table for table in [*made, goals(found)] if table.rows]


def goals(found: Results) -> Table:
    """Returns which goals are met."""
    table = Table("Goals", ["goal", "bound", "measured", ""])
    for goal in GOALS:
        measured = goal.measure(found)
        if measured is not None:
            verdict = "met" if goal.is_met(measured) else "not met"
            table.rows.append([goal.text, goal.bound_text, number(measured), verdict])
    return table


def number(value: float | None) -> str:
    """Returns a figure with three digits or so."""
    if value is None:
        return ""
    size = abs(value)
    digits = 2 if size < 10 else 1 if size < 100 else 0
    return f"{value:.{digits}f}"


def _comparison(condition: str) -> Callable[[Results], Table]:
    title, columns = COMPARISONS[condition]

    def make(found: Results) -> Table:
        table = Table(title, ["", *(column.heading for column in columns)])
        for name in COMPARED:
            job = found.plan.compared(name, condition)
            if job in found.runs:
                ships = SUBJECTS[name].ships
                figures = [
                    _figure(found, job, column) if ships or not column.shipped else ""
                    for column in columns
                ]
                table.rows.append([name, *figures])
        return table

    return make


def _figure(found: Results, job: Job, column: Column) -> str:
    return number(found.median(job, column.figure))


def _variants(found: Results) -> Table:
    headings = [
        f"{what}, {threads} thread{'s' if threads > 1 else ''}"
        for what in ("added", "k/s")
        for threads in THREADS
    ]
    table = Table("Ours in its variants, collector healthy", ["", *headings])
    for kind in KINDS_OF_OURS:
        jobs = [found.plan.variant(name_of_ours(*kind, threads)) for threads in THREADS]
        if any(job in found.runs for job in jobs):
            figures = [_figure(found, job, column) for column in (ADDED, RATE) for job in jobs]
            table.rows.append([name_of_ours(*kind, 1), *figures])
    return table


def _workers(found: Results) -> Table:
    table = Table(
        "Ours with a collector 50 ms away, by workers",
        ["thread_count", RATE.heading, ADDED.heading],
    )
    for count in WORKERS:
        job = found.plan.workers(count)
        if job in found.runs:
            table.rows.append([str(count), *(_figure(found, job, c) for c in (RATE, ADDED))])
    return table


def _scale(found: Results) -> Table:
    columns = [
        ADDED,
        Column("first tenth", results.first_tenth),
        Column("last tenth", results.last_tenth),
        RATE,
        QUEUED,
    ]
    table = Table("Ours by the number of events", ["", *(column.heading for column in columns)])
    for job in found.plan.section("scale"):
        if job in found.runs:
            condition = "all waiting" if job.condition == "hang" else "delivered meanwhile"
            figures = [_figure(found, job, column) for column in columns]
            figures[-2 if job.condition == "hang" else -1] = ""  # says nothing then
            table.rows.append([f"{job.events:,} events, {condition}", *figures])
    return table


_TABLES: dict[str, Callable[[Results], Table]] = {
    **{name: _comparison(name) for name in COMPARISONS},
    "variants": _variants,
    "workers": _workers,
    "scale": _scale,
}
