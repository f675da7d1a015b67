"""Hurts of what records hold: values that change, are no JSON, get lost or collide."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import logging.handlers
import pickle
import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import SnowplowHandler
from tests.delivery.support import LOG, balanced, data_of, logging_to, messages, run, within
from tests.unit.hostile import values
from tests.unit.wire import unstruct_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.testing import FaultyCollector

ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"


def attributes_of(fields: dict[str, str]) -> Any:
    """Returns the extras of a record that arrived as a ``log_record``."""
    return json.loads(data_of(fields)["attributes"])


def test_16_extras_that_cannot_be_serialised(collector: FaultyCollector) -> None:
    """An extra that was no JSON raised in the application, or took its record with it.

    Whatever an extra or an argument is, its record arrives, and is valid.
    """
    hostile = values()
    handler = SnowplowHandler(collector.url, queue_bytes=2**30)
    with logging_to(handler) as logger:
        for name, value in hostile.items():
            logger.info("extra %s", name, extra={"value": value, "sane": name})
            logger.info("argument %s: %s", name, value)
        assert within(60, lambda: handler.flush(50))
    arrived = messages(collector)
    assert len(arrived) == 2 * len(hostile)
    assert set(arrived) >= {f"extra {name}" for name in hostile}
    sane = {
        attributes_of(event)["sane"]
        for event in collector.events()
        if data_of(event).get("attributes", "").startswith("{")
    }
    assert len(sane) > len(hostile) // 2
    assert handler.stats().dropped == 0


def test_17_arguments_mutated_after_the_call(collector: FaultyCollector) -> None:
    """Records that were formatted later showed values of later (home-assistant#40357).

    What the application changes after the call shows nowhere: not in arguments, extras or data.
    """
    handler = SnowplowHandler(collector.url, flush_interval=30)
    order: dict[str, Any] = {"id": 1, "lines": ["a"]}
    with logging_to(handler) as logger:
        logger.info("placed", extra={"schema": ORDER, "data": order})
        logger.info("argument %s", order, extra={"order": order})
        logger.info("member %(lines)s", order)
        order["id"] = 2
        order["lines"].append("b")
        assert handler.flush(10)
    as_data, as_argument, as_member = collector.events()
    assert data_of(as_data) == {"id": 1, "lines": ["a"]}
    assert data_of(as_argument)["message"] == "argument {'id': 1, 'lines': ['a']}"
    assert attributes_of(as_argument) == {"order": {"id": 1, "lines": ["a"]}}
    assert data_of(as_member)["message"] == "member ['a']"
    assert order == {"id": 2, "lines": ["a", "b"]}


trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="none")


def by_filter(handler: logging.Handler) -> None:
    """Has a filter of the handler read the context."""

    def read(record: logging.LogRecord) -> bool:
        record.trace = trace.get()
        return True

    handler.addFilter(read)


def by_formatter(handler: logging.Handler) -> None:
    """Has the handler's formatter read the context."""

    class Formatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return f"{record.getMessage()} in {trace.get()}"

    handler.setFormatter(Formatter())


def by_factory(_: logging.Handler) -> None:
    """Has the factory of records read the context."""

    def make(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = logging.LogRecord(*arguments, **options)
        record.trace = trace.get()
        return record

    logging.setLogRecordFactory(make)


@pytest.fixture
def _restored_factory() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(before)


def log_in_contexts(logger: logging.Logger) -> None:
    """Logs five records in each of four threads and four tasks, each with a trace of its own."""

    async def task(name: str) -> None:
        _ = trace.set(name)
        for _ in range(5):
            logger.info("from %s", name)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(task(f"task {n}") for n in range(4)))

    threads = [threading.Thread(target=asyncio.run, args=(task(f"thread {n}"),)) for n in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(main())
    for thread in threads:
        thread.join()
    logger.info("from none")


@pytest.mark.usefixtures("_restored_factory")
@pytest.mark.parametrize("read", [by_filter, by_formatter, by_factory])
def test_18_trace_context_lost_across_the_queue(collector: FaultyCollector, read: Any) -> None:
    """Handlers behind a queue read the context of the worker (logfire#1002).

    Filters, formatters and record factories run in the thread, the task and the context of the
    logging call, so each record says the trace that it belongs to.
    """
    handler = SnowplowHandler(collector.url, flush_interval=0.01)
    read(handler)
    with logging_to(handler) as logger:
        log_in_contexts(logger)
        assert handler.flush(10)
    assert len(collector.events()) == 41
    for event in collector.events():
        message, _, told = data_of(event)["message"].removeprefix("from ").partition(" in ")
        assert message == (told if read is by_formatter else attributes_of(event)["trace"])


DRIFT = """
import asyncio
async def main():
    logger.info("plain")
asyncio.run(main(), debug=False)
logger.info("plain", exc_info=None, stack_info=False)
logging.getLogger("shop").handle(logging.makeLogRecord(
    {"name": "shop", "msg": "of Python 3.12", "levelno": 20, "taskName": "Task-1"}))
"""


def test_23_attributes_of_records_drift(collector: FaultyCollector) -> None:
    """A new Python's record attributes, such as ``taskName``, came up as if they were extras.

    A record without extras has no attributes, whichever Python made it or receives it.
    """
    ended = run(LOG + DRIFT, collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    arrived = [data_of(event) for event in collector.events()]
    assert len(arrived) == 3
    assert [data for data in arrived if "attributes" in data] == []
    assert arrived[-1]["task_name"] == "Task-1"


def test_23_extra_keys_collide(collector: FaultyCollector) -> None:
    """Extras named as fields of the event replaced those, or were replaced by them."""
    extras = {
        "level": "mine", "logger": "mine", "file": "mine", "line": "mine", "attributes": {"a": 1},
        "schema": "no Iglu URI", "data": {"b": 2}, "contexts": [3], "eid": "mine", "event": "mine",
        "exception_type": "mine", "stack_trace": "mine", "timestamp": "mine", "self": "mine",
    }  # fmt: skip
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        logger.warning("hello", extra=extras)
        assert handler.flush(10)
    (event,) = collector.events()
    assert attributes_of(event) == extras
    data = data_of(event)
    assert (data["message"], data["level"], data["logger"]) == (
        "hello",
        "WARNING",
        "tests.delivery",
    )
    assert data["file"] == __file__
    assert "stack_trace" not in data
    assert event["eid"] != "mine"


def failing() -> None:
    """Raises an exception that a traceback can be told from."""
    raise KeyError("far away")


class Sender(logging.handlers.SocketHandler):
    """Keeps what a SocketHandler would send."""

    def __init__(self) -> None:
        super().__init__("nowhere", 0)
        self.sent: list[bytes] = []

    def send(self, s: Any) -> None:
        self.sent.append(s)


def test_24_queue_handler_loses_exc_text(collector: FaultyCollector) -> None:
    """A QueueHandler empties ``exc_info`` and ``exc_text``, and the traceback was gone.

    Behind its listener the traceback arrives in the message; beside it, ours keeps its own.
    """
    handler, beside = SnowplowHandler(collector.url), SnowplowHandler(collector.url)
    records: queue.Queue[Any] = queue.Queue()
    listener = logging.handlers.QueueListener(records, handler)
    listener.start()
    with logging_to(logging.handlers.QueueHandler(records)) as logger:
        logger.addHandler(beside)
        try:
            failing()
        except KeyError:
            logger.exception("failed")
        logger.removeHandler(beside)
    listener.stop()
    assert handler.flush(10)
    assert beside.flush(10)
    behind, direct = sorted(collector.events(), key=lambda event: "stackTrace" in data_of(event))
    for told in (data_of(behind)["message"], data_of(direct)["stackTrace"]):
        assert "Traceback" in told
        assert "KeyError: 'far away'" in told
        assert "in failing" in told
    assert data_of(direct)["message"] == "failed"
    handler.close()
    beside.close()


def test_24_traceback_of_a_record_that_was_pickled(collector: FaultyCollector) -> None:
    """Of a record from a socket, ``exc_text`` is all that is left of the exception; it arrives."""
    sender = Sender()
    with logging_to(sender) as logger:
        try:
            failing()
        except KeyError:
            logger.exception("failed")
    received = logging.makeLogRecord(pickle.loads(sender.sent[0][4:]))  # noqa: S301 - our own
    assert received.exc_info is None
    handler = SnowplowHandler(collector.url)
    handler.handle(received)
    assert handler.flush(10)
    handler.close()
    (event,) = collector.events()
    assert "application_error" in unstruct_event(event)["data"]["schema"]
    assert "KeyError: 'far away'" in data_of(event)["stackTrace"]


@pytest.mark.parametrize("place", ["message", "argument", "extra", "data"])
@pytest.mark.parametrize(
    "poison", ["\ud800", float("nan"), float("-inf"), {"\udfff": "\ud83d"}], ids=ascii
)
def test_30_lone_surrogate_or_nan_spoils_a_batch(
    collector: FaultyCollector, place: str, poison: object
) -> None:
    """One text or number that no encoder takes failed its batch, sane neighbours included.

    The poisoned record arrives with the others, in one request of strict JSON.
    """
    handler = SnowplowHandler(collector.url, flush_interval=30)
    with logging_to(handler) as logger:
        logger.info("before")
        if place == "message":
            logger.info(poison)
        elif place == "argument":
            logger.info("poisoned %s", poison)
        elif place == "extra":
            logger.info("poisoned", extra={"value": poison, f"key {poison}": 1})
        else:
            logger.info("poisoned", extra={"schema": ORDER, "data": {"message": "", "v": poison}})
        logger.info("after")
        assert handler.flush(10)
    arrived = messages(collector)
    assert (arrived[0], arrived[2], len(arrived)) == ("before", "after", 3)
    assert len(collector.requests) == 1
    collector.requests[0].body.decode("ascii", "strict")
    assert balanced(handler.stats())
