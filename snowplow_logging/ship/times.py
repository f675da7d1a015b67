"""When a line was logged, in whatever form it says so. Pure.

The law: what comes back is ms since epoch, or None where the value is no point in time. Nothing
is guessed: small numbers are durations.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

LEAST_SECONDS = 1e8  # since epoch, which is in 1973
# A number since epoch under each of these is in such parts of a second.
_PARTS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))
# As ISO 8601 and RFC 3339 have it, and what log files make of them.
_WRITTEN = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?"
    r" ?(?:([Zz]|UTC)|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NUMBER = re.compile(r"\d{9,19}(?:\.\d{1,9})?", re.ASCII)


def milliseconds_of(value: Any) -> int | None:
    """Returns when a line was logged, in ms since epoch; a time without offset is local.

    Args:
        value: ISO 8601 with any offset, or a number since epoch in s, ms, µs or ns.
    """
    try:
        if type(value) is str:
            return _of_text(value)
        return _of_number(value) if type(value) in (int, float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _of_text(value: str) -> int | None:
    if _NUMBER.fullmatch(value):
        return _of_number(float(value) if "." in value else int(value))
    try:
        return _since_epoch(datetime.fromisoformat(value))
    except ValueError:  # until Python 3.11 it takes little, and then not all of them
        return _of_written(value.strip())


def _of_written(value: str) -> int | None:
    match = _WRITTEN.fullmatch(value)
    if match is None:
        return None
    *parts, fraction, utc, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    moment = datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 - local, unless it says more
    if utc:
        moment = moment.replace(tzinfo=timezone.utc)
    elif sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        moment = moment.replace(tzinfo=timezone(-offset if sign == "-" else offset))
    return _since_epoch(moment)


def _since_epoch(moment: datetime) -> int:
    # Not timestamp() * 1000, which is a bit less for half of all milliseconds.
    since = (moment if moment.tzinfo else moment.astimezone()) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _of_number(value: float) -> int | None:
    if not value >= LEAST_SECONDS:  # nor is it NaN
        return None
    parts = next((parts for limit, parts in _PARTS if value < limit), None)
    return None if parts is None else int(value * 1_000 // parts)
