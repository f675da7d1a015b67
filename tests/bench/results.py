"""What all rounds have found: medians, with the plan's jobs as keys."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.figures import Run
    from tests.bench.plan import Job, Plan


class Results:
    """Runs by job.

    Args:
        plan: Where the jobs come from.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.runs: dict[Job, list[Run]] = {}
        self.lost: list[str] = []  # runs that do not count, in words

    def add(self, job: Job, run: Run) -> None:
        """Takes in a run."""
        self.runs.setdefault(job, []).append(run)

    def median(self, job: Job, figure: Callable[[Run], float]) -> float | None:
        """Returns the median of a figure over the rounds; None where no run counts."""
        runs = self.runs.get(job)
        return median(map(figure, runs)) if runs else None

    def over_all(self, figure: Callable[[Run], float]) -> list[float]:
        """Returns a figure of every run."""
        return [figure(run) for runs in self.runs.values() for run in runs]


def unit(run: Run) -> float:
    """Seconds of the bare logging call."""
    return run.figures.unit


def added(run: Run) -> float:
    """Units of processor time that an event adds to the bare call."""
    return run.figures.added


def caller(run: Run) -> float:
    """Units of processor time that it adds in the calling thread."""
    return run.figures.caller


def rate(run: Run) -> float:
    """Events a second until all are acknowledged."""
    return run.figures.rate


def queued(run: Run) -> float:
    """Bytes of memory for an event that waits."""
    return run.figures.queued


def wire(run: Run) -> float:
    """Bytes that were sent for an event, HTTP included."""
    return run.arrived.bytes / (run.arrived.events + run.arrived.copies)


def first_tenth(run: Run) -> float:
    """Units that an event adds until it is logged, with few waiting."""
    return run.figures.tenths[0]


def last_tenth(run: Run) -> float:
    """Likewise, with nine tenths waiting."""
    return run.figures.tenths[-1]
