"""What the handler is to reach: bounds of ratios within one run of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench import results

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.figures import Run
    from tests.bench.plan import Job, Plan
    from tests.bench.results import Results

    Figure = Callable[[Run], float]
    Measure = Callable[[Results], float | None]

FLAT = 1.2  # times more that still counts as the same


@dataclass(frozen=True)
class Goal:
    """A bound.

    Args:
        text: What is bounded.
        bound: By what.
        measure: Returns what was measured; None where it was not.
        at_most: Whether the bound is from above.
    """

    text: str
    bound: float
    measure: Measure
    at_most: bool = True

    @property
    def bound_text(self) -> str:
        """The bound in words."""
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"

    def is_met(self, measured: float) -> bool:
        """Says whether what was measured is within the bound."""
        return measured <= self.bound if self.at_most else measured >= self.bound


def _of(job: Callable[[Plan], Job], figure: Figure) -> Measure:
    return lambda found: found.median(job(found.plan), figure)


def _healthy(name: str, figure: Figure = results.added) -> Measure:
    return _of(lambda plan: plan.compared(name, "healthy"), figure)


def _workers(count: int) -> Measure:
    return _of(lambda plan: plan.workers(count), results.rate)


def _scaled(power: int, figure: Figure, condition: str = "healthy") -> Measure:
    return _of(lambda plan: plan.scaled(power, condition), figure)


def _combined(one: Measure, other: Measure, how: Callable[[float, float], float]) -> Measure:
    def measure(found: Results) -> float | None:
        a, b = one(found), other(found)
        return None if a is None or b is None else how(a, b)

    return measure


def _more(one: Measure, other: Measure) -> Measure:
    return _combined(one, other, lambda a, b: a - b)


def _times(one: Measure, other: Measure) -> Measure:
    return _combined(one, other, lambda a, b: a / b)


def _in_memory(run: Run) -> float:
    """Returns the memory of an event that waits, beyond 200 bytes, over its bytes on the wire."""
    return (results.queued(run) - 200) / results.wire(run)


OURS = _healthy("ours")
CALLER = _healthy("ours", results.caller)
RATE = _healthy("ours", results.rate)

GOALS = [
    Goal("added, schema record, orjson (units)", 1.0, OURS),
    Goal("added, schema record, stdlib JSON (units)", 1.6, _healthy("ours-json")),
    Goal("default redaction (units more)", 0.3, _more(_healthy("ours-redact"), OURS)),
    Goal("plain record (units more)", 0.5, _more(_healthy("ours-plain"), OURS)),
    Goal("added by snowplow-tracker, times ours", 20, _times(_healthy("tracker"), OURS), False),
    Goal("… at batches of 500", 6, _times(_healthy("tracker-500"), OURS), False),
    Goal("added by OpenTelemetry, times ours", 10, _times(_healthy("otel"), OURS), False),
    Goal(
        "in the caller, times QueueHandler's",
        0.8,
        _times(CALLER, _healthy("queue", results.caller)),
    ),
    Goal("… StreamHandler's", 0.5, _times(CALLER, _healthy("stream", results.caller))),
    Goal(
        "events/s, times snowplow-tracker's",
        10,
        _times(RATE, _healthy("tracker", results.rate)),
        False,
    ),
    Goal("… OpenTelemetry's", 5, _times(RATE, _healthy("otel", results.rate)), False),
    Goal("events/s 50 ms away, 8 workers, times one's", 7, _times(_workers(8), _workers(1)), False),
    Goal("… times those with the collector healthy", 0.9, _times(_workers(8), RATE), False),
    Goal(
        "added with 10⁶ events, times with 10⁴",
        FLAT,
        _times(_scaled(6, results.added), _scaled(4, results.added)),
    ),
    Goal(
        "added with 10⁶ waiting, times with few",
        FLAT,
        _times(_scaled(6, results.last_tenth, "hang"), _scaled(6, results.first_tenth, "hang")),
    ),
    Goal(
        "memory an event takes less 200 B, times B sent",
        1.3,
        _scaled(6, _in_memory, "hang"),
    ),
]
