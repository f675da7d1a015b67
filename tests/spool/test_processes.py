"""Processes that are killed, and processes that share a spool; the long runs are a command."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.spool.crowd import Crowd, crowd
from tests.spool.kills import Killed, kill

KILLS, KILLS_IF_LONG = 4, 50


@pytest.mark.timeout(900)
def test_kills(long: bool) -> None:  # noqa: FBT001 - a fixture
    """Nothing older than ``spool_interval`` is lost; what comes twice was under way."""
    killed = kill(KILLS_IF_LONG if long else KILLS, seed=1)
    assert killed.problems() == []


@pytest.mark.parametrize("durability", ["outages", "events"])
def test_crowd(long: bool, durability: str) -> None:  # noqa: FBT001 - a fixture
    """Eight processes lose nothing, and send nothing twice that was answered."""
    found = crowd(300 if long else 60, durability, seed=1)
    assert found.problems() == []


def test_problems() -> None:
    """What is not as promised is found."""
    good = Killed(2, 10, 5, 0, 3, 200, 0, Counter())
    assert good.problems() == []
    for bad, problem in (
        (Killed(2, 0, 0, 0, 0, 0, 0), "nothing was logged"),
        (Killed(2, 10, 5, 1, 0, 0, 0), "1 events lost; {}"),
        (Killed(2, 10, 5, 0, 0, 201, 0), "201 duplicates"),
        (Killed(2, 10, 5, 0, 0, 0, 3), "copies of 3 events differ"),
    ):
        assert bad.problems() == [problem]
    fine = Crowd(10, 0, {}, 0, 10, 1, 0, 0, 5, 0)
    assert fine.problems() == []
    worse: dict[str, Any]
    for worse, problem in (
        ({"lost": 1}, "1 events lost"),
        ({"dropped": {"expired": 1}}, "dropped {'expired': 1}"),
        ({"inexact": 1}, "1 accounts are not exact"),
        ({"counted": 9}, "9 are delivered by the accounts"),
        ({"writers": 0}, "nothing was on disk"),
        ({"resent": 2}, "2 events came again after an answer"),
    ):
        assert replace(fine, **worse).problems() == [problem]
