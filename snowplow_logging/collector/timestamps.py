"""Milliseconds since the epoch → ISO 8601, for years that ``datetime`` does not reach too."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

MIN_MS = -62_167_219_200_000  # the year 0 begins
MAX_MS = 253_402_300_799_999  # the year 9999 ends

_CYCLE_YEARS = 400  # after which the calendar repeats itself
_CYCLE_MS = 146_097 * 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def iso(ms: int) -> str:
    """``ms`` since the epoch as ``2026-01-31T12:00:00.000Z``."""
    cycles = 0
    # Into the years 1600 to 1999, and back in the text.
    while ms < -_CYCLE_MS:
        ms += _CYCLE_MS
        cycles -= 1
    while ms > MAX_MS:
        ms -= _CYCLE_MS
        cycles += 1
    moment = _EPOCH + timedelta(milliseconds=ms)
    year = moment.year + cycles * _CYCLE_YEARS
    return f"{year:04d}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
