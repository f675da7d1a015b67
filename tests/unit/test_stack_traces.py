"""Tests of stack traces, levels and extras as the standard library makes them, within bounds."""

from __future__ import annotations

import builtins
import logging
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import LogRecordFormatter, SnowplowHandler, Tracker
from snowplow_logging._text import CUT_MARK
from snowplow_logging.formatter import MAX_EXCEPTION_MESSAGE, MAX_STACK_TRACE
from snowplow_logging.record import MAX_ERROR_TRACE, RecordMapper
from tests.delivery.support import logging_to, run
from tests.iglu_central import LOG_RECORD, problems
from tests.unit.records import exc_info, record
from tests.unit.wire import Wire, loads

if TYPE_CHECKING:
    from collections.abc import Callable

needs_groups = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="exception groups and notes are there from Python 3.11 on"
)
MANY = 10_000


def group(message: str, exceptions: list[Any]) -> Any:
    """Returns an exception group, which type checkers for 3.10 do not know."""
    return vars(builtins)["ExceptionGroup"](message, exceptions)


def raised(exception: BaseException, cause: BaseException | None = None) -> Any:
    """Returns an exception that has been raised, with its traceback."""
    return exc_info(exception, cause)[1]


def fields(exception: BaseException) -> dict[str, Any]:
    """Returns the data of a record with an exception, which is valid."""
    data = LogRecordFormatter().fields(record(exc_info=exc_info(exception)))
    assert problems(LOG_RECORD, data) == []
    return data


def trace(exception: BaseException) -> str:
    """Returns the stack trace of a record with an exception."""
    made: str = fields(exception)["stack_trace"]
    return made


def error(exception: BaseException) -> dict[str, Any]:
    """Returns the data of the ``application_error`` of a record with an exception."""
    event = RecordMapper().event(record(exc_info=exc_info(exception)))
    assert event is not None
    data: dict[str, Any] = loads(event[1])
    assert len(data["stackTrace"]) <= MAX_ERROR_TRACE
    assert len(data.get("causeStackTrace", "")) <= MAX_ERROR_TRACE
    return data


# What a stack trace shows


def test_a_cause() -> None:
    """An explicit cause is shown first, with logging's words between."""
    made = trace(raised(RuntimeError("outer"), KeyError("inner")))

    assert made.index("KeyError: 'inner'") < made.index("direct cause") < made.index("outer")


def test_a_context() -> None:
    """What was being handled is shown, unless the code says that it is not to be."""
    shown, suppressed = RuntimeError("outer"), RuntimeError("outer")
    shown.__context__ = suppressed.__context__ = raised(KeyError("inner"))
    suppressed.__suppress_context__ = True

    assert "During handling of the above exception" in trace(shown)
    assert "KeyError: 'inner'" in trace(shown)
    assert "inner" not in trace(suppressed)
    assert trace(suppressed).endswith("RuntimeError: outer")


@needs_groups
def test_notes() -> None:
    """Notes stand behind the exception's text."""
    noted: Any = ValueError("no stock")
    noted.add_note("order o-1")
    noted.add_note("of user\nu-1")

    assert trace(noted).endswith("ValueError: no stock\norder o-1\nof user\nu-1")
    assert fields(noted)["exception_message"] == "no stock"


@needs_groups
def test_a_group() -> None:
    """A group shows its members with their causes, and groups in groups."""
    inner = group("inner", [raised(KeyError("sku"), OSError("disk")), ValueError("no")])
    made = trace(group("outer", [inner, raised(TypeError("type"))]))

    for part in ("ExceptionGroup: outer (2 sub-exceptions)", "ExceptionGroup: inner", "TypeError"):
        assert part in made
    assert made.index("OSError: disk") < made.index("KeyError: 'sku'")
    assert fields(inner)["exception_type"] == "ExceptionGroup"


def test_the_record_of_a_trace_without_exceptions() -> None:
    """An exception that was never raised has a trace without frames."""
    data = LogRecordFormatter().fields(record(exc_info=(ValueError, ValueError("no"), None)))

    assert data["stack_trace"] == "ValueError: no"


# Bounds in size, time and memory


class CountingError(Exception):
    """Counts how often it is shown."""

    shown = 0

    def __str__(self) -> str:
        type(self).shown += 1
        return "counted"


def chain(link: Callable[[BaseException, BaseException], None]) -> BaseException:
    """Returns the last of a long chain of exceptions that were raised."""
    last: BaseException = raised(CountingError())
    for _ in range(MANY):
        following = raised(CountingError())
        link(following, last)
        last = following
    return last


def by_cause(exception: BaseException, other: BaseException) -> None:
    exception.__cause__ = other


def by_context(exception: BaseException, other: BaseException) -> None:
    exception.__context__ = other


def by_both(exception: BaseException, other: BaseException) -> None:
    exception.__cause__ = exception.__context__ = other


def wide() -> Any:
    """Returns a group of many exceptions that were raised."""
    return group("wide", [raised(CountingError()) for _ in range(MANY)])


def nested() -> Any:
    """Returns a group in a group in a group, and so on."""
    inner: Any = raised(CountingError())
    for _ in range(MANY):
        inner = group("nested", [inner, CountingError()])
    return inner


def bushy() -> Any:
    """Returns groups of groups that have causes with groups."""
    inner: Any = raised(CountingError())
    for _ in range(12):
        inner = group("bushy", [inner, inner])
        inner.__cause__ = inner.exceptions[0]
    for _ in range(4):
        inner = group("bushy", [inner, *(raised(CountingError()) for _ in range(MANY // 4))])
    return inner


LARGE: dict[str, Callable[[], BaseException]] = {
    "causes": lambda: chain(by_cause),
    "contexts": lambda: chain(by_context),
    "both": lambda: chain(by_both),
}
LARGE_GROUPS: dict[str, Callable[[], BaseException]] = {
    "wide": wide,
    "nested": nested,
    "bushy": bushy,
}


@pytest.mark.parametrize(
    "make",
    [*LARGE.values(), *(pytest.param(each, marks=needs_groups) for each in LARGE_GROUPS.values())],
    ids=[*LARGE, *LARGE_GROUPS],
)
def test_thousands_of_exceptions(make: Callable[[], BaseException]) -> None:
    """Of thousands of causes or members only some are looked at: the logging call waits for it."""
    exception = make()
    CountingError.shown = 0
    tracemalloc.start()
    try:
        data, as_error = fields(exception), error(exception)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert CountingError.shown <= MANY // 10
    assert peak < 5_000_000
    assert len(data["stack_trace"]) <= MAX_STACK_TRACE
    assert data["stack_trace"].count(CUT_MARK) == 1
    last_line = data["stack_trace"].rpartition("\n")[2]
    assert type(exception).__name__ in last_line
    assert as_error["exceptionName"] == data["exception_type"]


def test_some_exceptions_are_all_there() -> None:
    """Of a chain as it may occur, all that the bound has room for is shown."""
    last: BaseException = ValueError("number 0")
    for number in range(1, 100):
        following = ValueError(f"number {number}")
        following.__cause__ = last
        last = following

    made = trace(last)

    assert len(made) <= MAX_STACK_TRACE
    assert all(f"number {number}\n" in made for number in range(50, 99))
    assert made.endswith("ValueError: number 99")


def cycles() -> list[Any]:
    """Returns exceptions that are causes, contexts or members of themselves."""
    own_cause, own_context = ValueError("own"), ValueError("own")
    own_cause.__cause__ = own_cause
    own_context.__context__ = own_context
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__context__ = second, first
    found: list[Any] = [own_cause, own_context, first]
    if sys.version_info >= (3, 11):
        member = KeyError("member")
        of_itself = group("group", [member, ValueError("other")])
        of_itself.__cause__ = member.__context__ = of_itself
        found.append(of_itself)
    return found


@pytest.mark.parametrize("exception", cycles(), ids=repr)
def test_cycles(exception: BaseException) -> None:
    """An exception that leads back to itself ends."""
    assert str(exception.args[0]) in trace(exception)
    assert error(exception)["exceptionName"] == type(exception).__name__


@pytest.mark.parametrize("character", ["x", "é", "😀", "\0"])
def test_a_gigantic_message(character: str) -> None:
    """A message of many megabytes is cut before it is looked at closely."""
    size = 10_000_000
    exception = ValueError(character * size)
    held = sys.getsizeof(exception.args[0])
    tracemalloc.start()
    try:
        data = fields(exception)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * held
    assert len(data["exception_message"].encode("utf-16-le")) <= 2 * MAX_EXCEPTION_MESSAGE
    assert len(data["stack_trace"].encode("utf-16-le")) <= 2 * MAX_STACK_TRACE
    assert data["exception_message"].endswith(CUT_MARK)
    assert data["stack_trace"].startswith(CUT_MARK)


@needs_groups
def test_gigantic_notes() -> None:
    """Notes are cut with the rest of the trace."""
    noted: Any = ValueError("no stock")
    for _ in range(1_000):
        noted.add_note("n" * 1_000)

    assert len(trace(noted)) <= MAX_STACK_TRACE
    assert fields(noted)["exception_message"] == "no stock"


def test_a_deep_stack() -> None:
    """Of a recursion without end the frames that raised are there."""

    def recurse(number: int) -> int:
        return recurse(number + 1) + 1

    with pytest.raises(RecursionError) as caught:
        _ = recurse(0)
    made = trace(caught.value)

    assert "in recurse" in made
    assert "RecursionError" in made.rpartition("\n")[2]


# Levels


def test_levels_of_ones_own() -> None:
    """A level that the application has named has its name, another logging's word for it."""
    logging.addLevelName(35, "NOTICE")
    for number, name in ((35, "NOTICE"), (37, "Level 37"), (-5, "Level -5"), (0, "NOTSET")):
        made = logging.LogRecord("shop", number, "/srv/a.py", 1, "a", None, None)
        data = LogRecordFormatter().fields(made)
        assert (data["level"], data["level_number"]) == (name, number)
        assert problems(LOG_RECORD, data) == []


@pytest.mark.parametrize("number", [2**31, 2**40, 10**400, -(2**31)])
def test_levels_beyond_the_schema(number: int) -> None:
    """A level that the schema does not take is left out; its name stays."""
    data = LogRecordFormatter().fields(record(levelno=number, levelname="DOOM"))

    assert "level_number" not in data
    assert data["level"] == "DOOM"
    assert problems(LOG_RECORD, data) == []


class Noting(Tracker):
    """Notes the severity of what it tracks."""

    severities: list[int]

    def track(self, *event: Any, **named: Any) -> bytes:
        self.severities.append(event[4])
        return super().track(*event, **named)


def test_the_severity_of_high_levels() -> None:
    """A level beyond all others is not the least severe, whatever its event can say of it."""
    tracker = Noting("python", Wire().emitter)
    tracker.severities = []
    handler = SnowplowHandler(tracker=tracker)
    for number in (10, 50, 2**40):
        assert handler.handle(record(levelno=number))
    handler.close()

    assert tracker.severities == sorted(tracker.severities)
    assert len(set(tracker.severities)) == 3


# Extras


def attributes(made: logging.LogRecord) -> Any:
    """Returns the extras of a record, as its data has them."""
    return loads(LogRecordFormatter().fields(made).get("attributes", "{}"))


def test_extras_named_like_fields() -> None:
    """Extras that are named like fields of a ``log_record`` are extras all the same."""
    names = ["level", "file", "line", "logger", "function", "attributes", "trace_id", "stack_trace"]
    made = record(**dict.fromkeys(names, "own"))

    assert attributes(made) == dict.fromkeys(names, "own")
    assert LogRecordFormatter().fields(made)["level"] == "INFO"


def test_extras_of_filters_and_adapters() -> None:
    """What filters and adapters add are extras; what logging itself computes is none."""

    class Keeping(logging.Handler):
        kept: logging.LogRecord

        def emit(self, record: logging.LogRecord) -> None:
            self.kept = record

    def enrich(made: logging.LogRecord) -> bool:
        made.request = "r-1"
        made.message = made.asctime = "of logging's own formatters"
        return True

    handler = Keeping()
    with logging_to(handler, "tests.stack_traces") as logger:
        logger.addFilter(enrich)
        logging.LoggerAdapter(logger, {"user": "u-1"}).warning("a")
        logger.removeFilter(enrich)

    assert attributes(handler.kept) == {"user": "u-1", "request": "r-1"}
    assert LogRecordFormatter().fields(handler.kept)["message"] == "a"


FACTORY = """
import logging

{setup}

import snowplow_logging

class Printing(logging.Handler):
    def emit(self, record):
        print(snowplow_logging.LogRecordFormatter().fields(record).get("attributes"))

logger = logging.getLogger("shop")
logger.addHandler(Printing())
logger.warning("a", extra={{"order": 7}})
"""
OF_THE_APPLICATION = """
usual = logging.getLogRecordFactory()

def factory(*args, **kwargs):
    record = usual(*args, **kwargs)
    record.tenant = "acme"
    return record

logging.setLogRecordFactory(factory)
"""
OF_A_LATER_PYTHON = """
class LogRecord(logging.LogRecord):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.interpreterName = "main"

logging.LogRecord = LogRecord
logging.setLogRecordFactory(LogRecord)
"""


def test_what_a_factory_adds() -> None:
    """What the application's record factory adds are extras, also if it was there before us."""
    ended = run(FACTORY.format(setup=OF_THE_APPLICATION))

    assert ended.stderr == ""
    assert loads(ended.stdout) == {"tenant": "acme", "order": 7}


def test_what_a_later_python_adds() -> None:
    """What every record of a later Python has by itself is no extra."""
    ended = run(FACTORY.format(setup=OF_A_LATER_PYTHON))

    assert ended.stderr == ""
    assert loads(ended.stdout) == {"order": 7}
