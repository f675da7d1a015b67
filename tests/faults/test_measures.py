"""The long measurements, in short: they run, and what they bound is bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.pressure import LARGE, MAX_GROWTH, growth, latency
from tests.faults.soak import Soaked, soak


def test_calls_with_the_queue_full() -> None:
    """A logging call with the queue full takes no longer; with slack, for a busy machine."""
    assert latency(3, 20_000, rest=0).ratio < 4


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_with_the_queue_full() -> None:
    """Memory grows by no more than ``queue_bytes`` and some, however much is logged."""
    assert growth(20_000, LARGE) <= MAX_GROWTH


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_soak() -> None:
    """Some seconds of a collector that fails, and is killed and restarted: nothing is lost."""
    soaked = soak(6, rate=300, up=2.0)
    assert soaked.restarts > 0
    assert soaked.problems() == []


def test_problems_of_a_soak() -> None:
    """Losses, copies without excuse and an account that is not exact are found."""
    line = {"at": 1.0, "exact": True, "delivered": 3, "resident": 1}
    assert Soaked([line], bytes([1, 1, 2]), bytes([0, 0, 1]), 1, 0).problems() == []
    for bad, problem in (
        (Soaked([line], bytes([1, 0, 1]), bytes(3), 1, 0), "1 events lost"),
        (Soaked([line], bytes([1, 1, 2]), bytes(3), 1, 0), "1 events came twice"),
        (Soaked([{**line, "exact": False}], bytes([1] * 3), bytes(3), 1, 0), "not exact 1 times"),
        (Soaked([{**line, "delivered": 2}], bytes([1] * 3), bytes(3), 1, 0), "at the end"),
        (Soaked([line], bytes([1] * 3), bytes(3), 1, 7), "ended with 7"),
    ):
        (found,) = bad.problems()
        assert problem in found
    grown = [{**line, "at": 60.0 + at, "resident": at * 2**20} for at in range(20)]
    (found,) = Soaked(grown, bytes([1] * 3), bytes(3), 1, 0).problems()
    assert "memory grew" in found
