"""``python -m tests.faults relay``: minutes of relays and Redis that are killed, and the speed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tests.delivery.support import ROOT
from tests.faults.console import show, tell
from tests.faults.document import write
from tests.relay.chaos import APPLICATIONS, RATE, RELAYS, Outcome, chaos
from tests.relay.speed import SETUPS, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT = ROOT / "docs" / "relay.md"
ENOUGH = 1.8  # that two relays send of what one does


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns 1 where something is not as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults relay", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long (default: 2)")
    parser.add_argument("--fsync", default="always", help="Redis's appendfsync (default: always)")
    parser.add_argument("--write", action="store_true", help="write the figures to the document")
    options = parser.parse_args(arguments)
    outcome = chaos(60 * options.minutes, fsync=options.fsync)
    rates = [[rate(relays, setup) for relays in (1, 2)] for setup in SETUPS]
    texts = {"chaos": _chaos(outcome), "speed": _speed(rates)}
    for name, text in texts.items():
        show(f"{text}\n")
        if options.write:
            write(name, text, DOCUMENT)
    problems = outcome.problems()
    one, two = rates[0]
    if two < ENOUGH * one:
        problems.append(f"two relays send {two / one:.2f} times what one does")
    for problem in problems:
        tell(f"not as expected: {problem}")
    return int(bool(problems))


def _chaos(outcome: Outcome) -> str:
    figures = {
        "duration": f"{outcome.seconds:.0f} s",
        "applications and relays": f"{APPLICATIONS} and {RELAYS}",
        "records a second, together": APPLICATIONS * RATE,
        "times that a relay was killed": outcome.relay_kills,
        "times that Redis was killed": outcome.redis_kills,
        "logged": outcome.logged,
        "arrived": outcome.arrived,
        "lost": outcome.logged - outcome.arrived,
        "duplicates": outcome.duplicates,
        "duplicates that the kills explain, at most": outcome.explained,
        "events whose copies differ in more than `stm`": outcome.differing,
        "entries and consumers left in Redis": "{} and {}".format(*outcome.left),
    }
    return "\n".join(["| | |", "| --- | ---: |", *(f"| {k} | {v} |" for k, v in figures.items())])


def _speed(rates: list[list[float]]) -> str:
    head = "| relays with | one: events/s | two: events/s | ratio |"
    rows = [
        f"| {setup.text} | {one:,.0f} | {two:,.0f} | {two / one:.2f} |"
        for setup, (one, two) in zip(SETUPS, rates, strict=True)
    ]
    return "\n".join([head, "| --- | ---: | ---: | ---: |", *rows])
