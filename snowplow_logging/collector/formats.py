"""The formats of JSON Schema that a pipeline checks, without further dependencies."""

from __future__ import annotations

import re
from datetime import date, datetime

from jsonschema import FormatChecker

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>\"{}|\\^`]*")
_LEAP_SECOND = 60

FORMATS = FormatChecker(formats=("email", "ipv4", "ipv6"))


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    match = _DATE_TIME.fullmatch(value)
    if not match:
        return False
    date.fromisoformat(value[:10])
    hour, minute, second = (int(part) for part in match.groups()[:3])
    datetime(2000, 1, 1, hour, minute, min(second, 59))  # noqa: DTZ001 - only the bounds count
    return second <= _LEAP_SECOND


@FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return _DATE.fullmatch(value) is not None and bool(date.fromisoformat(value))


@FORMATS.checks("uuid")
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or _UUID.fullmatch(value) is not None


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or _URI.fullmatch(value) is not None
