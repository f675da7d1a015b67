"""Tests of flood control: what passes, what is held back, and that each of those is reported."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging import SelfDescribingJson, SnowplowHandler, flush
from snowplow_logging._clock import Clock
from snowplow_logging._guard import delivering
from snowplow_logging.flood import FloodFilter
from snowplow_logging.testing import FaultyCollector
from tests.delivery.support import data_of, logging_to, within

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"


class Time:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now)


class Kept(logging.Handler):
    """A handler that keeps what it gets."""

    def __init__(self, *filters: logging.Filter) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        for each in filters:
            self.addFilter(each)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        return [record.getMessage() for record in self.records]

    @property
    def reported(self) -> int:
        """How many records the reports so far stand for."""
        return sum(vars(record).get("suppressed", 0) for record in self.records)


@pytest.fixture(name="time")
def _time() -> Time:
    return Time()


@pytest.fixture(name="logger")
def _logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.flood")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.handlers.clear()
    logger.filters.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


def record(line: int = 1, level: int = logging.INFO, **extra: Any) -> Any:
    """Returns a record of that line."""
    values = {
        "pathname": "shop.py",
        "lineno": line,
        "levelno": level,
        "msg": "no %s",
        "name": "shop",
    }
    return logging.makeLogRecord({**values, "args": ("stock",), **extra})


def test_a_burst_passes_then_the_rate(time: Time) -> None:
    flood = FloodFilter(2, 5, clock=time.clock)
    assert [flood.filter(record()) for _ in range(8)] == [True] * 5 + [False] * 3
    time.now += 0.4
    assert not flood.filter(record())
    time.now += 0.1
    assert [flood.filter(record()) for _ in range(2)] == [True, False]
    time.now += 3_600
    assert sum(flood.filter(record()) for _ in range(50)) == 5
    assert flood.suppressed == 3 + 1 + 1 + 45


def test_each_place_and_level_has_its_own(time: Time) -> None:
    flood = FloodFilter(1, 1, clock=time.clock)
    places = [record(1), record(2), record(1, logging.ERROR), record(1, pathname="other.py")]
    assert all(flood.filter(each) for each in places)
    again = [record(1), record(2), record(1, logging.ERROR), record(1, pathname="other.py")]
    assert not any(flood.filter(each) for each in again)


def test_records_that_name_a_schema_pass(time: Time) -> None:
    """They are what analysts count; an extra named schema that is none is no reason."""
    flood = FloodFilter(1, 1, clock=time.clock)
    assert all(flood.filter(record(schema=ORDER)) for _ in range(9))
    assert all(flood.filter(record(msg=SelfDescribingJson(ORDER, {}))) for _ in range(9))
    assert sum(flood.filter(record(schema="public")) for _ in range(9)) == 1
    every = FloodFilter(1, 1, events=True, clock=time.clock)
    assert sum(every.filter(record(schema=ORDER)) for _ in range(9)) == 1


def test_one_report_a_place_after_the_interval(time: Time, logger: logging.Logger) -> None:
    """It comes before the next record of any place, and says what it stands for."""
    kept = Kept(FloodFilter(0.001, 1, interval=60, clock=time.clock))
    logger.addHandler(kept)
    for number in range(5):
        logger.warning("no stock of %d", number, extra={"article": number})
    time.now += 59.9
    logger.info("another place")
    assert kept.messages == ["no stock of 0", "another place"]
    time.now += 0.1
    logger.info("a third place")
    assert kept.messages[2:] == [
        "suppressed 4 records like this one: no stock of %d", "a third place",
    ]  # fmt: skip
    first, report = kept.records[0], kept.records[2]
    for name in ("name", "levelno", "levelname", "pathname", "lineno", "funcName"):
        assert vars(report)[name] == vars(first)[name]
    assert vars(report)["suppressed"] == 4
    assert "article" not in vars(report)


def test_what_is_held_back_reports_what_is_due(time: Time, logger: logging.Logger) -> None:
    """A flood that never ends is reported once an interval, though nothing passes."""
    kept = Kept(FloodFilter(1e-9, 1, interval=60, clock=time.clock))
    logger.addHandler(kept)
    for _ in range(1_000):
        logger.error("down")
        time.now += 1
    reports = [vars(each)["suppressed"] for each in kept.records[1:]]
    assert len(reports) == 999 // 61
    assert set(reports) == {61}


@pytest.mark.parametrize("at_the_end", ["report", "close", "flush"])
def test_the_rest_is_reported_at_the_end(
    time: Time, logger: logging.Logger, at_the_end: str
) -> None:
    flood = FloodFilter(1, 1, clock=time.clock)
    kept = Kept(flood)
    logger.addHandler(kept)
    for _ in range(3):
        logger.info("again")
    for _ in range(2):
        _ = flush() if at_the_end == "flush" else getattr(flood, at_the_end)()
    assert kept.messages == ["again", "suppressed 2 records like this one: again"]


def test_a_filter_of_several_handlers_judges_a_record_once(
    time: Time, logger: logging.Logger
) -> None:
    """What one of them gets, all of them get; also the report. Others get neither filtered."""
    flood = FloodFilter(1, 2, clock=time.clock)
    one, other, third = Kept(flood), Kept(flood), Kept()
    for handler in (one, other, third):
        logger.addHandler(handler)
    for _ in range(4):
        logger.info("again")
    flood.report()
    assert one.messages == other.messages == ["again", "again", *one.messages[2:]]
    assert one.reported == other.reported == flood.suppressed == 2
    assert third.messages == ["again"] * 4


def test_a_filter_of_a_logger_reports_to_that_logger(time: Time, logger: logging.Logger) -> None:
    flood, kept = FloodFilter(1, 1, clock=time.clock), Kept()
    logger.addFilter(flood)
    logger.addHandler(kept)
    for _ in range(3):
        logger.info("again")
    flood.report()
    assert kept.messages == ["again", "suppressed 2 records like this one: again"]


def test_without_a_handler_the_report_is_said(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    flood = FloodFilter(1, 1, clock=time.clock)
    _ = [flood.filter(record()) for _ in range(3)]
    flood.report()
    assert capsys.readouterr().err == (
        "snowplow_logging: suppressed 2 records like this one: no %s\n"
    )


def test_a_handler_that_raises_does_not_reach_the_call(
    time: Time, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    class Refusing(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            assert "suppressed" not in vars(record)
            return True

    flood = FloodFilter(1, 1, clock=time.clock)
    logger.addHandler(Kept(flood, Refusing()))
    for _ in range(3):
        logger.info("again")
    flood.report()
    said = "snowplow_logging: suppressed 2 records like this one: again (no report: AssertionError)"
    assert capsys.readouterr().err.splitlines() == [said]


def test_a_handler_that_logs_of_each_report_ends(time: Time, logger: logging.Logger) -> None:
    """What it logs meanwhile is held back, and reported by the next one, not inside of it."""

    class Talking(Kept):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            if hasattr(record, "suppressed"):
                logger.info("told of it")

    flood = FloodFilter(rate=0.001, burst=1, interval=0, clock=time.clock)
    handler = Talking(flood)
    logger.addHandler(handler)
    for number in range(10):
        logger.info("number %d", number)
    flood.report()

    passed = len(handler.records) - handler.messages.count("told of it")
    assert len(handler.records) < 50  # not as many as fit on the stack
    assert flood.suppressed - handler.reported <= 1  # what the last report itself gave rise to
    assert passed > 0


def test_what_is_remembered_is_bounded(time: Time, logger: logging.Logger) -> None:
    """The place that was quiet for longest is forgotten; what it held back is reported."""
    flood = FloodFilter(1e-9, 1, max_sites=10, clock=time.clock)
    kept = Kept(flood)
    logger.addHandler(kept)
    for line in range(1_000):
        for _ in range(3):
            logger.handle(record(line))
    assert len(flood._buckets) == len(flood._held) == 10
    assert (flood.suppressed, kept.reported) == (2_000, 2_000 - 20)
    flood.report()
    assert kept.reported == flood.suppressed
    assert flood.filter(record(1)), "it was forgotten"
    assert not flood.filter(record(999)), "it was not"


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 100)), max_size=200),
    st.floats(0.01, 10), st.integers(1, 5), st.floats(0, 100), st.integers(1, 3),
)  # fmt: skip
def test_every_record_passes_or_is_reported_once(
    arrivals: list[tuple[int, float]], rate: float, burst: int, interval: float, sites: int
) -> None:
    time = Time()
    flood = FloodFilter(rate, burst, interval=interval, max_sites=sites, clock=time.clock)
    kept = Kept(flood)
    for line, pause in arrivals:
        time.now += pause
        _ = kept.handle(record(line))
    flood.report()
    passed = sum("suppressed" not in vars(each) for each in kept.records)
    assert kept.reported == flood.suppressed
    assert passed + flood.suppressed == len(arrivals)


def test_threads(time: Time, logger: logging.Logger) -> None:
    """16 threads at once: exactly the burst passes, and each other record is in a report."""
    flood = FloodFilter(1, 50, interval=0, clock=time.clock)
    kept = Kept(flood)
    logger.addHandler(kept)
    barrier = threading.Barrier(16)

    def log() -> None:
        _ = barrier.wait()
        for _ in range(500):
            logger.info("again")

    threads = [threading.Thread(target=log) for _ in range(16)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    flood.report()
    assert kept.messages.count("again") == 50
    assert kept.reported == flood.suppressed == 16 * 500 - 50


def test_a_finaliser_that_logs_does_not_deadlock(time: Time, logger: logging.Logger) -> None:
    """It logs while this very thread is inside: such a record passes."""
    inside: list[bool] = []

    def logs_while_inside() -> float:
        with flood._lock:  # as the collector of garbage may strike
            inside.append(flood.filter(record(7)))
        return time.now

    flood = FloodFilter(1, 1, clock=Clock(monotonic=logs_while_inside))
    logger.addHandler(Kept(flood))

    def log() -> None:
        for _ in range(3):
            logger.info("again")

    within(10, log)
    assert inside == [True] * 3
    flood.report()


def test_hostile_records(time: Time) -> None:
    """Whatever a record holds, the call does not raise."""
    flood = FloodFilter(1, 1, clock=time.clock)
    odds: list[dict[str, Any]] = [
        {"pathname": None}, {"lineno": []}, {"levelno": "x"}, {"name": 7}, {"msg": {}},
    ]  # fmt: skip
    for odd in odds:
        assert [flood.filter(record(**odd)) for _ in range(3)] == [True, False, False]
        vars(flood)["_buckets"].clear()


def test_it_is_forgotten_with_its_handler(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    """The hooks at exit keep no filter alive; what it had not reported yet is said."""
    flood = FloodFilter(1, 1, clock=time.clock)
    _ = [flood.filter(record()) for _ in range(2)]
    known = weakref.ref(flood)
    del flood
    _ = gc.collect()
    assert known() is None
    said = "snowplow_logging: suppressed 1 record like this one: no %s\n"
    assert capsys.readouterr().err == said


def test_a_callback_of_the_delivery_leaves_the_report_to_others(
    time: Time, logger: logging.Logger
) -> None:
    """What it logs is kept out, so a report that it made would be lost."""
    flood = FloodFilter(1, 1, clock=time.clock)
    kept = Kept(flood)
    logger.addHandler(kept)
    for _ in range(3):
        logger.info("again")
    with delivering():
        _ = flush()
    assert kept.reported == 0
    _ = flush()
    assert kept.reported == 2


def test_events_delivered(time: Time) -> None:
    """What the collector gets: the first, and one log_record that reports the rest."""
    with FaultyCollector() as collector:
        handler = SnowplowHandler(collector.url)
        handler.addFilter(FloodFilter(1, 1, clock=time.clock))
        with logging_to(handler) as logger:
            for number in range(5):
                logger.info("again %d", number)
            assert flush(10)
        first, report = [data_of(event) for event in collector.events()]
    assert first["message"] == "again 0"
    assert report["message"] == "suppressed 4 records like this one: again %d"
    assert report["attributes"] == '{"suppressed":4}'
    assert (report["line"], report["logger"]) == (first["line"], first["logger"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate", 0), ("rate", -1), ("rate", float("nan")), ("rate", "fast"), ("rate", None),
        ("burst", 0), ("interval", -1), ("max_sites", 0), ("interval", float("inf")),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} takes .*; not "):
        _ = FloodFilter(**{name: value})
