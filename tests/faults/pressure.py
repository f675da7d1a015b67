"""``python -m tests.faults pressure``: logging calls and memory while the queue is full.

Two figures: the 99.9th percentile of the logging call with the collector hanging and the queue
full, against that with a healthy collector, at 2000 calls a second in fresh processes by turns;
and how far resident memory grows over a million calls with the collector hanging.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from snowplow_logging.testing import HANG, OK, FaultyCollector
from tests.faults.console import show, tell
from tests.faults.document import write
from tests.faults.run import program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.testing import Rule

FILL = 12_000  # calls that fill the queue of 10 000 and a batch under way
MAX_RATIO = 1.5
QUEUE_BYTES = 64 * 2**20  # the default
MAX_GROWTH = QUEUE_BYTES + 20 * 2**20
LARGE = 5_000  # characters of a message of which 10 000 events exceed queue_bytes


@dataclass(frozen=True)
class Latency:
    """The 99.9th percentile of the logging call, in seconds, in each round."""

    healthy: list[float]
    full: list[float]

    @property
    def ratio(self) -> float:
        """How much longer the call takes with the queue full."""
        return median(self.full) / median(self.healthy)


def latency(rounds: int, calls: int, *, rest: float = 0.01) -> Latency:
    """Measures by turns, so that whatever else the machine does meets both.

    Args:
        rounds: Processes of each kind.
        calls: Calls in each.
        rest: Seconds between 20 calls and the next ones.
    """
    found = Latency([], [])
    for number in range(rounds):
        for rule, into in ((OK, found.healthy), (HANG, found.full)):
            figures = _run(rule, calls=calls, burst=20, rest=rest, fill=FILL, size=10)
            assert bool(figures["delivered"]) == (rule is OK), figures
            assert rule is OK or figures["dropped"] >= calls, figures
            into.append(figures["p99.9"])
        tell(f"round {number + 1} of {rounds}: {found.ratio:.2f}")
    return found


def growth(calls: int, size: int) -> int:
    """Returns by how many bytes memory grows over calls while the collector hangs."""
    figures = _run(HANG, calls=calls, burst=1_000, rest=0, fill=0, size=size)
    assert figures["dropped"] > 0, figures
    tell(f"{calls} calls of {size}: {_mib(figures['growth'])}")
    bytes_: int = figures["growth"]
    return bytes_


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults pressure", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default: 5)")
    parser.add_argument("--calls", type=int, default=20_000, help="calls a round")
    parser.add_argument("--memory-calls", type=int, default=1_000_000, help="calls of the memory")
    parser.add_argument("--write", action="store_true", help="write the figures to the document")
    options = parser.parse_args(arguments)
    found = latency(options.rounds, options.calls)
    grown = [growth(options.memory_calls, size) for size in (10, LARGE)]
    text = _text(found, grown, options.calls, options.memory_calls)
    show(text)
    if options.write:
        write("pressure", text)
    return int(found.ratio > MAX_RATIO or max(grown) > MAX_GROWTH)


def _run(rule: Rule, **more: Any) -> dict[str, Any]:
    with (
        FaultyCollector(otherwise=rule) as collector,
        program("pressure", collector.url, more=more) as run,
    ):
        _ = run.process.wait(600)
        assert run.process.returncode == 0, run.output
        figures: dict[str, Any] = json.loads(run.output.splitlines()[-1])
        return figures


def _text(found: Latency, grown: list[int], calls: int, memory_calls: int) -> str:
    what = f"p99.9 of the logging call, median of {len(found.full)} rounds of {calls} at 2000/s"
    ratio = f"ratio {found.ratio:.2f}, at most {MAX_RATIO}"
    rows = [
        "| measured | collector healthy | collector hangs, queue full | bound |",
        "| --- | ---: | ---: | --- |",
        f"| {what} | {_us(found.healthy)} | {_us(found.full)} | {ratio} |",
    ]
    for size, bytes_ in zip(("short", "5000 characters each"), grown, strict=True):
        rows.append(
            f"| resident memory over {memory_calls} calls, {size} | | + {_mib(bytes_)} "
            f"| queue_bytes + 20 MiB: {_mib(MAX_GROWTH)} |"
        )
    return "\n".join(rows)


def _us(seconds: list[float]) -> str:
    return f"{1e6 * median(seconds):.0f} µs"


def _mib(number: int) -> str:
    return f"{number / 2**20:.0f} MiB"
