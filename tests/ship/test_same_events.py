"""A record that was written as a line becomes the event that the handler makes of it."""

from __future__ import annotations

import builtins
import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from loguru import logger as loguru_logger
from pythonjsonlogger.json import JsonFormatter
from pythonjsonlogger.msgspec import MsgspecFormatter
from pythonjsonlogger.orjson import OrjsonFormatter

from snowplow_logging import SnowplowHandler
from snowplow_logging.redaction import Redactor
from snowplow_logging.ship.lines import parsed
from snowplow_logging.ship.mapping import LineMapper
from tests.iglu_central import needs_iglu_central, problems
from tests.unit.records import Shop
from tests.unit.wire import Wire, contexts, unstruct_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from pythonjsonlogger.core import BaseJsonFormatter

NOTHING: dict[str, object] = {}
ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"
CUSTOMER = {"schema": "iglu:com.acme/customer/jsonschema/1-0-0", "data": {"customer_id": "u-1"}}
ALL = (
    "%(asctime)s %(levelname)s %(levelno)d %(name)s %(message)s %(pathname)s %(filename)s "
    "%(module)s %(lineno)d %(funcName)s %(process)d %(processName)s %(thread)d %(threadName)s "
    "%(taskName)s %(created)f %(msecs)d %(relativeCreated)d"
)
"""All that python-json-logger can write of a record."""


def fail(cause: BaseException | None = None) -> None:
    Shop().fail(ValueError("no stock\nin any shop"), cause)


def raised(logger: logging.Logger, raise_: Callable[[], None]) -> None:
    try:
        raise_()
    except Exception:
        logger.exception("could not %s", "place it", extra={"order_id": "o-17"}, stack_info=True)


def chained() -> None:
    try:
        _ = NOTHING["o-18"]
    except KeyError as error:
        fail(error)


def in_context() -> None:
    try:
        _ = NOTHING["o-18"]
    except KeyError:
        fail()


def noted() -> None:
    error = ValueError("no stock")
    vars(error)["__notes__"] = ["while placing the order", "in the second shop"]
    raise error


def grouped() -> None:
    kind: Any = getattr(builtins, "ExceptionGroup", None)  # from Python 3.11 on
    raise kind("several", [ValueError("one"), KeyError("two")]) if kind else ValueError("several")


SAYINGS: dict[str, Callable[[logging.Logger], None]] = {
    "plain": lambda logger: logger.info("cart of %s has %d items", "u-1", 3),
    "extras": lambda logger: logger.warning(
        "stock is low", extra={"sku": "s-3", "left": 2, "nested": {"a": [1, None, 2.5, True]}}
    ),
    "extras like fields": lambda logger: logger.info(
        "x", extra={"level": "high", "file": "a.pdf", "line": "b", "time": "12 ms", "event": "e"}
    ),
    "unicode": lambda logger: logger.error("žluťoučký 🐎 \x00\x1b[31m", extra={"ü": "🐎"}),
    "lone surrogates": lambda logger: logger.error("\ud83d\ude00 \ud83d", extra={"ü": "\ud800"}),
    "empty": lambda logger: logger.info(""),
    "multi-line": lambda logger: logger.critical("one\ntwo\r\nthree\ttab"),
    "long": lambda logger: logger.info("m" * 20_000, extra={"x": "y" * 40_000, "z": 1}),
    "special numbers": lambda logger: logger.info(
        "n", extra={"nan": float("nan"), "inf": float("inf"), "big": 2**62, "null": None}
    ),
    "own level": lambda logger: logger.log(35, "own"),
    "secrets": lambda logger: logger.info(
        "password=hunter2 for u-1", extra={"api_key": "abc", "note": "token: s3cr3t-value-17"}
    ),
    "event": lambda logger: logger.info(
        "order placed",
        extra={"schema": ORDER, "data": {"order_id": "o-17", "cents": 3}, "contexts": [CUSTOMER]},
    ),
    "event of extras": lambda logger: logger.info(
        "placed", extra={"schema": ORDER, "order_id": "o-17", "password": "hunter2"}
    ),
    "no schema": lambda logger: logger.info("x", extra={"schema": "public", "data": 3}),
    "dict": lambda logger: logger.info({"event": "stock is low", "left": 2}),
    "dict without a name": lambda logger: logger.info({"left": 2, "sku": "s-3"}),
    "raised": lambda logger: raised(logger, fail),
    "caused": lambda logger: raised(logger, chained),
    "in context": lambda logger: raised(logger, in_context),
    "with notes": lambda logger: raised(logger, noted),
    "group": lambda logger: raised(logger, grouped),
}  # fmt: skip


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger of its own, without handlers after the test."""
    own = logging.getLogger("tests.ship.same")
    own.setLevel(logging.DEBUG)
    own.propagate = False
    yield own
    own.handlers.clear()


class Both:
    """What the handler sends of what is logged, and what a formatter writes of it."""

    def __init__(
        self, logger: logging.Logger, formatter: logging.Formatter, **options: Any
    ) -> None:
        self._wire = Wire()
        self._options = options
        self.written = io.StringIO()
        stream = logging.StreamHandler(self.written)
        stream.setFormatter(formatter)
        logger.handlers = [SnowplowHandler(tracker=self._wire.tracker, **options), stream]

    def by_handler(self) -> tuple[dict[str, Any], list[Any], int]:
        """Returns event, entities and time of the one event that the handler has sent."""
        fields = self._wire.event()
        wrapper = contexts(fields)
        entities: list[Any] = wrapper["data"] if wrapper else []
        return unstruct_event(fields)["data"], entities, int(fields["dtm"])

    def by_line(self) -> tuple[dict[str, Any], list[Any], int | None]:
        """Returns the same of the one line that was written."""
        line = parsed(self.written.getvalue().rstrip("\n").encode("utf-8", "surrogatepass"), 10**6)
        assert line is not None
        own: dict[str, Any] = {**self._options, "redactor": Redactor()}
        mapped = LineMapper(**own).mapped(line)
        assert mapped.event is not None
        schema, data, entities = mapped.event
        event = {"schema": schema, "data": json.loads(data)}
        return event, [json.loads(entity) for entity in entities], mapped.created_ms


def without(document: dict[str, Any], unsaid: tuple[str, ...]) -> dict[str, Any]:
    """Returns an event or an entity with its attributes as such, and without some fields."""
    data = {key: value for key, value in document["data"].items() if key not in unsaid}
    if "attributes" in data:
        data["attributes"] = json.loads(data["attributes"])
    return {**document, "data": data}


def compare(both: Both, *unsaid: str) -> None:
    """Fails where the two differ in anything but what a line cannot say."""
    event, entities, created = both.by_handler()
    line, its_entities, time = both.by_line()
    assert without(line, unsaid) == without(event, unsaid)
    assert [without(each, unsaid) for each in its_entities] == [
        without(each, unsaid) for each in entities
    ]
    assert time is not None
    assert abs(time - created) <= 1
    assert line["schema"] == ORDER or problems(line["schema"], line["data"]) == []


@needs_iglu_central
@pytest.mark.parametrize("kind", [JsonFormatter, OrjsonFormatter, MsgspecFormatter])
@pytest.mark.parametrize("exceptions", ["application_error", "log_record"])
@pytest.mark.parametrize("name", SAYINGS)
def test_python_json_logger(
    logger: logging.Logger, name: str, exceptions: str, kind: type[BaseJsonFormatter]
) -> None:
    """All is the same, with all that its formatters can write of a record."""
    if name == "lone surrogates" and kind is not JsonFormatter:
        return  # the others cannot write it
    both = Both(logger, kind(ALL, timestamp=True), exceptions=exceptions, record_entity=True)
    SAYINGS[name](logger)
    # A traceback has the function, but not its class; notes look like the rest of a message.
    compare(both, "className", *(["exception_message"] if name == "with notes" else []))


def test_python_json_logger_with_arrays(logger: logging.Logger) -> None:
    """Tracebacks and stacks may be written as lines."""
    formatter = JsonFormatter(ALL, exc_info_as_array=True, stack_info_as_array=True)
    both = Both(logger, formatter, exceptions="log_record")
    raised(logger, chained)
    compare(both)


def test_little_is_written(logger: logging.Logger) -> None:
    """Of a line that holds little, what it holds is the same."""
    both = Both(logger, JsonFormatter("%(asctime)s %(levelname)s %(message)s"))
    logger.warning("stock is low", extra={"left": 2})
    event, line = both.by_handler()[0]["data"], both.by_line()[0]["data"]
    assert line == {key: event[key] for key in ("message", "level", "level_number", "attributes")}


CALLSITE = [
    getattr(structlog.processors.CallsiteParameter, name)
    for name in (
        "PATHNAME", "LINENO", "FUNC_NAME", "MODULE", "PROCESS", "PROCESS_NAME", "THREAD",
        "THREAD_NAME",
    )
]  # fmt: skip


class Tee:
    """A processor of structlog's that writes a line, and logs the same through logging."""

    def __init__(self, processors: list[Any]) -> None:
        self._processors = processors
        self.lines: list[str] = []

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> Any:
        line: Any = dict(event)
        for processor in self._processors:
            line = processor(logger, name, line)
        self.lines.append(line)
        return structlog.stdlib.render_to_log_kwargs(logger, name, event)


@pytest.mark.parametrize("as_dicts", [False, True])
@pytest.mark.parametrize("exceptions", ["application_error", "log_record"])
def test_structlog(logger: logging.Logger, exceptions: str, *, as_dicts: bool) -> None:
    """All is the same, with tracebacks as texts and as structlog's dicts."""
    processors = structlog.processors
    tee = Tee([
        structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name,
        processors.TimeStamper(fmt="iso"), processors.CallsiteParameterAdder(CALLSITE),
        processors.StackInfoRenderer(),
        processors.dict_tracebacks if as_dicts else processors.format_exc_info,
        processors.JSONRenderer(),
    ])  # fmt: skip
    log = structlog.wrap_logger(
        logger, processors=[tee], wrapper_class=structlog.stdlib.BoundLogger
    )
    # Frames that structlog goes through are another matter, and dicts hold no source code.
    unsaid = ["file", "line", "function", "className"]
    unsaid += ["stack_trace", "stackTrace", "causeStackTrace"] if as_dicts else []

    def check(say: Callable[[], object]) -> None:
        both = Both(logger, logging.Formatter(), exceptions=exceptions)
        say()
        both.written = io.StringIO(tee.lines[-1])
        line = without(both.by_line()[0], ())["data"]
        attributes = line.get("attributes", {})
        _ = attributes.pop("module", None)
        compare_data(line, without(both.by_handler()[0], ())["data"], unsaid)

    check(lambda: log.info("order placed", order_id="o-17", cents=3))
    check(lambda: log.bind(user="u-1", password="hunter2").warning("low"))  # noqa: S106 - to be found

    def fail_chained() -> None:
        try:
            chained()
        except ValueError:
            log.exception("could not place it", order_id="o-17")

    check(fail_chained)


def compare_data(line: dict[str, Any], event: dict[str, Any], unsaid: list[str]) -> None:
    """Fails where the data differ in anything but what a line cannot say."""
    kept = [
        {key: value for key, value in data.items() if key not in unsaid and value != {}}
        for data in (line, event)
    ]
    assert kept[0] == kept[1]


def test_loguru() -> None:
    """All is the same but for the extras, which stand by themselves, and not in another object."""
    lines: list[str] = []
    wire = Wire()
    handler = SnowplowHandler(tracker=wire.tracker, exceptions="log_record")
    sinks = [
        loguru_logger.add(lines.append, serialize=True, format="{message}", backtrace=False),
        loguru_logger.add(handler, format="{message}", backtrace=False),
    ]
    try:
        loguru_logger.bind(order_id="o-17").success("placed {}", 3)
        try:
            chained()
        except ValueError:
            loguru_logger.exception("could not place it")
    finally:
        for sink in sinks:
            loguru_logger.remove(sink)
    mapper = LineMapper(redactor=Redactor(), exceptions="log_record")
    for line, fields in zip(lines, wire.events(), strict=True):
        said = parsed(line.encode(), 10**6)
        assert said is not None
        mapped = mapper.mapped(said)
        assert mapped.event is not None
        data = without({"data": json.loads(mapped.event[1])}, ())["data"]
        expected = without(unstruct_event(fields)["data"], ())["data"]
        extra = expected.pop("attributes")["extra"]
        assert data.pop("attributes", {}) == extra
        # To a handler, loguru gives message and traceback as one text.
        assert expected.pop("message").startswith(data.pop("message"))
        assert "└" not in data.pop("stack_trace", "")
        compare_data(data, expected, ["stack_trace"])
        assert mapped.created_ms is not None
        assert abs(mapped.created_ms - int(fields["dtm"])) < 1_000  # its handlers take a time anew
