"""Tests of times: whatever a line says is a point in time, or is none."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowplow_logging.ship.times import milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MS = 1_714_566_896_123
"""2024-05-01T12:34:56.123Z."""


@pytest.fixture
def in_kathmandu() -> Iterator[None]:
    """Local time is 5:45 before UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Kathmandu"
    time.tzset()
    yield
    del os.environ["TZ"]
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T12:34:56.123Z",
        "2024-05-01T12:34:56.123456Z",
        "2024-05-01T12:34:56.123456789Z",
        "2024-05-01T12:34:56,123Z",
        "2024-05-01 12:34:56.123 UTC",
        "2024/05/01 12:34:56.123Z",
        "2024-05-01T12:34:56.123+00:00",
        "2024-05-01T14:34:56.123+02:00",
        "2024-05-01T14:34:56.123+0200",
        "2024-05-01T14:34:56.123 +02",
        "2024-05-01T04:04:56.123-08:30",
        " 2024-05-01T12:34:56.123z ",
        1_714_566_896.123_4,
        1_714_566_896_123,
        1_714_566_896_123.9,
        1_714_566_896_123_456,
        1_714_566_896_123_456_789,
        "1714566896.1234",
        "1714566896123",
    ],
)
def test_a_time(value: Any) -> None:
    """ISO 8601 with any offset, and numbers since epoch in s, ms, µs and ns."""
    assert milliseconds_of(value) == MS


@pytest.mark.parametrize("value", ["2024-05-01 18:19:56,123", "2024-05-01T18:19:56.123"])
@pytest.mark.usefixtures("in_kathmandu")
def test_without_offset(value: str) -> None:
    """A time without an offset is local, as logging's own formatter writes it."""
    assert milliseconds_of(value) == MS


@pytest.mark.parametrize(
    "value",
    [
        None, True, "", "now", "12 ms", "12:34:56", 0, 12, 0.5, 1e30, float("nan"), float("inf"),
        10**400, [MS], {"ms": MS}, "2024-13-01T00:00:00Z", "2024-05-01T25:00:00Z", "9" * 30,
        "2024-05-01T12:34:56+99:99", "1234567",
    ],
)  # fmt: skip
def test_no_time(value: Any) -> None:
    """What is no point in time, is none; a small number is a duration."""
    assert milliseconds_of(value) is None


@settings(deadline=None)  # machines may be busy
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1)),  # noqa: DTZ001 - with an offset below
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["auto", "milliseconds", "microseconds"]),
)
def test_any_moment(moment: datetime, minutes: int, precision: str) -> None:
    """What isoformat writes is read to the millisecond, also before 1970."""
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert milliseconds_of(moment.isoformat(timespec=precision)) == since // timedelta(
        milliseconds=1
    )
