"""The long measurements, in short."""

from __future__ import annotations

from dataclasses import replace

from tests.relay.chaos import Outcome, chaos
from tests.relay.speed import Setup, rate

FINE = Outcome(
    logged=100, dropped={}, arrived=100, duplicates=5, differing=0, relay_kills=3, redis_kills=1,
    left=(0, 0), statuses={0}, seconds=1.0,
)  # fmt: skip


def test_chaos(*, long: bool) -> None:
    """Relays and Redis are killed at random for a while: nothing is lost, nothing left behind."""
    assert (chaos(120) if long else chaos(10, redis_share=0.3)).problems() == []


def test_speed() -> None:
    """The measurement runs; what it finds depends on how quiet the machine is."""
    assert rate(2, Setup("", ("--threads", "1", "--batch-size", "20"), 200)) > 0


def test_problems() -> None:
    """Each thing that must not be, is found."""
    assert FINE.problems() == []
    for bad, problem in (
        (replace(FINE, arrived=99), "1 events lost"),
        (replace(FINE, dropped={"queue_full": 1}), "dropped"),
        (replace(FINE, differing=1), "copies that differ"),
        (replace(FINE, duplicates=10_000), "10000 duplicates, of which kills explain"),
        (replace(FINE, relay_kills=0), "no relay was killed"),
        (replace(FINE, redis_kills=0), "Redis was not killed"),
        (replace(FINE, left=(0, 1)), "left in Redis"),
        (replace(FINE, statuses={0, 1}), "relays ended with"),
    ):
        (found,) = bad.problems()
        assert problem in found
