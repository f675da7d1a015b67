"""Tests of levels."""

from __future__ import annotations

from typing import Any

import pytest

from snowplow_logging.ship.levels import level_of


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("INFO", ("INFO", 20)),
        ("info", ("INFO", 20)),
        ("Warn", ("WARNING", 30)),
        ("err", ("ERROR", 40)),
        ("fatal", ("CRITICAL", 50)),
        ("SUCCESS", ("SUCCESS", 25)),
        ("Level 35", ("Level 35", None)),
        ("AUDIT", ("AUDIT", None)),
        ("30", ("WARNING", 30)),
        (30, ("WARNING", 30)),
        (35, (None, 35)),
    ],
)
def test_levels_of_python(value: Any, level: tuple[str | None, int | None]) -> None:
    """Known names are Python's, own ones stay as they are."""
    assert level_of(value, python=True) == level


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (10, ("TRACE", 5)),
        (20, ("DEBUG", 10)),
        (30, ("INFO", 20)),
        (40, ("WARNING", 30)),
        (50, ("ERROR", 40)),
        (60, ("CRITICAL", 50)),
        (35, (None, 25)),
        ("30", ("INFO", 20)),
        (0, ("CRITICAL", 50)),
        (3, ("ERROR", 40)),
        (6, ("INFO", 20)),
        (7, ("DEBUG", 10)),
    ],
)
def test_levels_of_others(value: Any, level: tuple[str | None, int | None]) -> None:
    """Numbers are Bunyan's and pino's, or syslog's."""
    assert level_of(value, python=False) == level


@pytest.mark.parametrize("value", ["", None, True, 1.5, [], {}, 2**31, -(2**31) + 10])
def test_no_level(value: Any) -> None:
    """What is neither name nor number is none, nor is what no level can be."""
    assert level_of(value, python=True) is None
    assert level_of(value, python=False) is None
