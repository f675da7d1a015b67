"""Which runs there are, by section; a round makes each of them once, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.run import CONDITIONS
from tests.bench.subjects import COMPARED, KINDS_OF_OURS, THREADS, WORKERS, name_of_ours

if TYPE_CHECKING:
    from collections.abc import Iterable

EVENTS = 50_000
SECTIONS = (*CONDITIONS, "variants", "workers", "scale")
QUICKER = 5  # how many times fewer events a quick look takes
SLOW = 10  # times fewer where it would take long: at 2000 calls a second
SLOWEST = 25  # and for the tracker, at 10 events in 50 ms


@dataclass(frozen=True)
class Job:
    """A run that is to be made, once a round.

    Args:
        name: The subject.
        condition: How the collector is.
        events: How many events are logged.
    """

    name: str
    condition: str
    events: int


@dataclass(frozen=True)
class Plan:
    """All jobs.

    Args:
        divisor: How many times fewer events are logged than in full.
    """

    divisor: int = 1

    def compared(self, name: str, condition: str) -> Job:
        """Returns the run of a subject beside the others."""
        slowest = (name, condition) == ("tracker", "delay")
        fewer = SLOWEST if slowest else SLOW if condition == "steady" else 1
        return Job(name, condition, EVENTS // self.divisor // fewer)

    def variant(self, name: str) -> Job:
        """Returns the run of one of our variants."""
        return Job(name, "healthy", EVENTS * 2 // 5 // self.divisor)

    def workers(self, count: int) -> Job:
        """Returns the run with so many workers, with the collector far away.

        It is long, for with many workers most of a short one is its beginning and its last answer.
        """
        return Job(f"ours-workers-{count}", "delay", 4 * EVENTS // self.divisor)

    def scaled(self, power: int, condition: str = "healthy") -> Job:
        """Returns our run with ten to this power of events."""
        return Job("ours", condition, 10**power // self.divisor)

    def section(self, name: str) -> list[Job]:
        """Returns the runs of a section."""
        if name in CONDITIONS:
            return [self.compared(subject, name) for subject in COMPARED]
        if name == "variants":
            return [
                self.variant(name_of_ours(*kind, threads))
                for kind in KINDS_OF_OURS
                for threads in THREADS
            ]
        if name == "workers":
            return [self.workers(count) for count in WORKERS]
        return [*(self.scaled(power) for power in (4, 5, 6)), self.scaled(6, "hang")]

    def jobs(self, sections: Iterable[str], subjects: Iterable[str]) -> list[Job]:
        """Returns the runs of some sections, of some subjects if any is named, each once."""
        chosen = set(subjects)
        jobs = [job for name in sections for job in self.section(name)]
        return list(dict.fromkeys(job for job in jobs if not chosen or job.name in chosen))
