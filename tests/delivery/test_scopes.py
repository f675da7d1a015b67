"""Scopes in applications that do many things at once: each event carries its own scope's."""

from __future__ import annotations

import asyncio
import contextvars
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from snowplow_logging import SelfDescribingJson, SnowplowHandler, contexts, traceparent
from snowplow_logging.scope import current_trace, scoped_entities
from tests.delivery.support import data_of, logging_to
from tests.unit.wire import contexts as contexts_of

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence

    from snowplow_logging.testing import FaultyCollector

    Work = Callable[[], Coroutine[Any, Any, None]]
    Arrived = tuple[Any, list[Any], str | None, str | None]

TASK = "iglu:com.acme/task/jsonschema/1-0-0"
STEP = "iglu:com.acme/step/jsonschema/1-0-0"
TASKS = 100
TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("tests.delivery.test_scopes")


def task(number: int) -> SelfDescribingJson:
    """Returns the entity of a task."""
    return SelfDescribingJson(TASK, {"number": number})


def header(number: int) -> str:
    """Returns the ``traceparent`` of a task."""
    return f"00-{number + 1:032x}-{number + 1:016x}-01"


def arrived(collector: FaultyCollector) -> list[Arrived]:
    """Returns what each event says: its message, its entities' data, its trace and its span."""
    return [
        (
            data_of(event)["message"],
            [entity["data"] for entity in (contexts_of(event) or {"data": []})["data"]],
            data_of(event).get("trace_id"),
            data_of(event).get("span_id"),
        )
        for event in collector.events()
    ]


def of_task(message: str, number: int, *more: Any) -> Arrived:
    """Returns what arrives of an event of a task."""
    return message, [{"number": number}, *more], f"{number + 1:032x}", f"{number + 1:016x}"


@contextmanager
def logging_here(collector: FaultyCollector) -> Generator[logging.Logger, None, None]:
    """Gives a logger that delivers, and has delivered all at the end."""
    handler = SnowplowHandler(collector.url, flush_interval=0.05, batch_size=50)
    with logging_to(handler, "tests.delivery.scopes") as logger:
        yield logger
        assert handler.flush(20)
        assert handler.stats().dropped == 0


async def by_gather(works: Sequence[Work]) -> None:
    """Runs all at once, in tasks that ``gather`` makes."""
    _ = await asyncio.gather(*(work() for work in works))


async def by_tasks(works: Sequence[Work]) -> None:
    """Runs all at once, in tasks of their own."""
    tasks = [asyncio.ensure_future(work()) for work in works]
    _ = await asyncio.wait(tasks)
    for each in tasks:
        await each


async def by_task_group(works: Sequence[Work]) -> None:
    """Runs all at once, in a task group."""
    group_class: Any = vars(asyncio)["TaskGroup"]
    async with group_class() as group:
        for work in works:
            group.create_task(work())


@pytest.mark.parametrize(
    "run_all",
    [
        by_gather,
        by_tasks,
        pytest.param(
            by_task_group,
            marks=pytest.mark.skipif(
                sys.version_info < (3, 11), reason="task groups are there from Python 3.11 on"
            ),
        ),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_hundred_tasks(collector: FaultyCollector, run_all: Any, seed: int) -> None:
    """Each event of a hundred concurrent tasks carries its own task's entity and trace."""
    draw = random.Random(seed)
    interleaved: list[int] = []
    expected: list[Arrived] = []

    async def work(number: int, logger: logging.Logger) -> None:
        with contexts(task(number)), traceparent(header(number)):
            for step in range(draw.randint(2, 6)):
                for _ in range(draw.randint(0, 5)):
                    await asyncio.sleep(0)
                interleaved.append(number)
                logger.info("%d.%d", number, step)
                expected.append(of_task(f"{number}.{step}", number))
                if draw.random() < 0.3:
                    with contexts(SelfDescribingJson(STEP, {"step": step})):
                        await asyncio.sleep(draw.random() / 100)
                        logger.info("%d.%d within", number, step)
                    expected.append(of_task(f"{number}.{step} within", number, {"step": step}))
        logger.info("%d after", number)
        expected.append((f"{number} after", [], None, None))

    with logging_here(collector) as logger:
        works = [lambda number=number: work(number, logger) for number in range(TASKS)]
        asyncio.run(run_all(works))

    assert len(set(interleaved)) == TASKS
    assert interleaved != sorted(interleaved)
    assert sorted(arrived(collector), key=str) == sorted(expected, key=str)


def test_a_hundred_spans(collector: FaultyCollector) -> None:
    """Each event of a hundred tasks that OpenTelemetry traces carries its own span."""
    draw = random.Random(3)
    expected: list[Arrived] = []

    async def work(number: int, logger: logging.Logger) -> None:
        with contexts(task(number)), TRACER.start_as_current_span(f"task {number}") as span:
            ids = span.get_span_context()
            for _ in range(draw.randint(1, 9)):
                await asyncio.sleep(0)
            logger.info("%d", number)
            expected.append(
                (f"{number}", [{"number": number}], f"{ids.trace_id:032x}", f"{ids.span_id:016x}")
            )

    with logging_here(collector) as logger:
        works = [lambda number=number: work(number, logger) for number in range(TASKS)]
        asyncio.run(by_gather(works))

    assert len({trace for _, _, trace, _ in arrived(collector)}) == TASKS
    assert sorted(arrived(collector), key=str) == sorted(expected, key=str)


def test_what_tasks_start(collector: FaultyCollector) -> None:
    """Callbacks, tasks and ``to_thread`` are in the scope that started them; executors in none."""

    async def main(logger: logging.Logger) -> None:
        loop = asyncio.get_running_loop()
        called = asyncio.Event()

        def callback() -> None:
            logger.info("callback")
            called.set()

        def log_in_a_copy() -> None:
            logger.info("executor, copied")

        async def child() -> None:
            _ = await called.wait()
            await asyncio.sleep(0)
            logger.info("task that outlives the scope")

        with contexts(task(1)), traceparent(header(1)):
            _ = loop.call_soon(callback)
            outliving = asyncio.ensure_future(child())
            await asyncio.to_thread(logger.info, "to_thread")
            await loop.run_in_executor(None, logger.info, "executor")
            copied = contextvars.copy_context()
            await loop.run_in_executor(None, copied.run, log_in_a_copy)
        await outliving
        logger.info("after")

    with logging_here(collector) as logger:
        asyncio.run(main(logger))

    expected: list[Arrived] = [
        of_task("callback", 1),
        of_task("task that outlives the scope", 1),
        of_task("to_thread", 1),
        of_task("executor, copied", 1),
        ("executor", [], None, None),
        ("after", [], None, None),
    ]
    assert sorted(arrived(collector), key=str) == sorted(expected, key=str)


def test_a_cancelled_task(collector: FaultyCollector) -> None:
    """A task that is cancelled in its scope leaves it; what it logs meanwhile is in it."""

    async def main(logger: logging.Logger) -> None:
        async def work() -> None:
            try:
                with contexts(task(1)), traceparent(header(1)):
                    try:
                        await asyncio.sleep(60)
                    finally:
                        logger.info("in it")
            finally:
                logger.info("out of it")

        working = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        _ = working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    with logging_here(collector) as logger:
        asyncio.run(main(logger))

    assert arrived(collector) == [of_task("in it", 1), ("out of it", [], None, None)]


def test_an_asynchronous_generator(collector: FaultyCollector) -> None:
    """An asynchronous generator that its task closes takes its scope away."""

    async def main(logger: logging.Logger) -> None:
        async def steps() -> AsyncGenerator[None, None]:
            with contexts(task(1)), traceparent(header(1)):
                while True:
                    await asyncio.sleep(0)
                    logger.info("in it")
                    yield

        generator = steps()
        await generator.__anext__()
        await generator.aclose()
        logger.info("out of it")

    with logging_here(collector) as logger:
        asyncio.run(main(logger))

    assert arrived(collector) == [of_task("in it", 1), ("out of it", [], None, None)]


def test_decorated_coroutine_functions(collector: FaultyCollector) -> None:
    """Of two decorated coroutine functions at once, each logs within its own scope."""

    async def main(logger: logging.Logger) -> None:
        def decorated(number: int) -> Work:
            @contexts(task(number))
            @traceparent(header(number))
            async def work() -> None:
                await asyncio.sleep(0)
                logger.info("%d", number)

            return work

        await by_gather([decorated(number) for number in range(TASKS)])

    with logging_here(collector) as logger:
        asyncio.run(main(logger))

    assert sorted(arrived(collector)) == sorted(of_task(str(each), each) for each in range(TASKS))


def test_threads(collector: FaultyCollector) -> None:
    """Threads of a pool, each with a scope of its own at a time, and threads with none."""
    together = threading.Barrier(8, timeout=20)

    with logging_here(collector) as logger:

        def work(number: int) -> None:
            _ = together.wait()
            with contexts(task(number)), traceparent(header(number)):
                _ = together.wait()
                logger.info("%d", number)
                _ = together.wait()
            logger.info("%d after", number)

        with ThreadPoolExecutor(8) as pool, contexts(task(99)), traceparent(header(99)):
            for each in [pool.submit(work, number) for number in range(16)]:
                each.result(20)
            pool.submit(logger.info, "none").result(20)

    expected: list[Arrived] = [of_task(str(number), number) for number in range(16)]
    expected += [(f"{number} after", [], None, None) for number in range(16)]
    expected += [("none", [], None, None)]
    assert sorted(arrived(collector), key=str) == sorted(expected, key=str)


def test_the_delivery_is_in_no_scope(collector: FaultyCollector) -> None:
    """A worker that was started within a scope does not stay in it."""
    seen: list[Any] = []

    def on_success(_events: object) -> None:
        seen.append((scoped_entities(), current_trace()))

    handler = SnowplowHandler(collector.url, batch_size=1, on_success=on_success)
    with logging_to(handler, "tests.delivery.scopes") as logger:
        with contexts(task(1)), traceparent(header(1)):
            logger.info("first")
        logger.info("second")
        assert handler.flush(20)

    assert arrived(collector) == [of_task("first", 1), ("second", [], None, None)]
    assert seen == [((), None)] * 2
