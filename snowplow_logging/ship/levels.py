"""Levels as log files write them → Python's names and numbers. Pure."""

from __future__ import annotations

from typing import Any

from snowplow_logging.formatter import MAX_INT

LARGEST = MAX_INT - 10  # what is larger, be it as Bunyan's, is no level
_NUMBERS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "SUCCESS": 25, "WARNING": 30, "ERROR": 40}
_CRITICAL = ("CRITICAL", 50)
_SAME = {"WARN": "WARNING", "ERR": "ERROR", "INFORMATION": "INFO", "VERBOSE": "DEBUG"}
_FATAL = ("CRITICAL", "CRIT", "FATAL", "PANIC", "ALERT", "EMERG", "EMERGENCY")
NAMED = {
    **{name: (name, number) for name, number in _NUMBERS.items()},
    **{other: (name, _NUMBERS[name]) for other, name in _SAME.items()},
    **dict.fromkeys(_FATAL, _CRITICAL),
    "NOTICE": ("NOTICE", 25),
}
"""What each name is in Python, by the name in upper case."""

_OF_PYTHON = {number: (name, number) for name, number in (*_NUMBERS.items(), _CRITICAL)}
# Bunyan's and pino's numbers, which begin with TRACE at 10.
_OF_BUNYAN = {
    10: NAMED["TRACE"], 20: NAMED["DEBUG"], 30: NAMED["INFO"],
    40: NAMED["WARNING"], 50: NAMED["ERROR"], 60: _CRITICAL,
}  # fmt: skip
# Syslog's, which end with DEBUG at 7.
_OF_SYSLOG = (
    *[_CRITICAL] * 3, NAMED["ERROR"], NAMED["WARNING"], NAMED["NOTICE"], NAMED["INFO"],
    NAMED["DEBUG"],
)  # fmt: skip

Level = tuple[str | None, int | None]


def level_of(value: Any, *, python: bool) -> Level | None:
    """Returns name and number of a level; None of what is neither.

    Args:
        value: A name, or a number.
        python: Whether numbers are Python's, or else Bunyan's or syslog's.
    """
    if type(value) is str:
        if value.isascii() and value.isdecimal() and len(value) < 4:  # noqa: PLR2004 - pino may quote it
            return level_of(int(value), python=python)
        return NAMED.get(value.upper(), (value, None)) if value else None
    if type(value) is not int or abs(value) > LARGEST:
        return None
    if python:
        return _OF_PYTHON.get(value, (None, value))
    if 0 <= value < len(_OF_SYSLOG):
        return _OF_SYSLOG[value]
    return _OF_BUNYAN.get(value, (None, value - 10))
