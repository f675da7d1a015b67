"""Tests of what belongs to a scope: entities, and the trace."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace as opentelemetry_trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from snowplow_logging import LogRecordFormatter, SelfDescribingJson, contexts, traceparent
from snowplow_logging.record import RecordMapper
from snowplow_logging.scope import current_trace, scoped_entities
from tests import iglu_central
from tests.unit import hostile
from tests.unit.records import exc_info, record
from tests.unit.wire import loads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

USER = "iglu:com.acme/user/jsonschema/1-0-0"
ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE_ID}-{SPAN_ID}-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("tests.unit.test_scope")


def user(number: int) -> SelfDescribingJson:
    """Returns an entity that says its number."""
    return SelfDescribingJson(USER, {"id": number})


def scoped() -> list[int]:
    """Returns the numbers of the entities of this scope."""
    return [loads(each)["data"]["id"] for each in scoped_entities()]


@contextmanager
def in_place_of_opentelemetry(module: Any) -> Generator[None, None, None]:
    """Has something else stand in ``sys.modules`` where OpenTelemetry does."""
    name = "opentelemetry.trace"
    real = sys.modules[name]
    sys.modules[name] = module
    try:
        yield
    finally:
        sys.modules[name] = real


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert (scoped(), current_trace()) == ([], None)


# Entities


def test_scopes_nest() -> None:
    """An inner scope adds to the outer one, and takes its own away, also where it raises."""
    with contexts(user(1), {"schema": USER, "data": {"id": 2}}):
        with suppress(KeyError), contexts(user(3)):
            assert scoped() == [1, 2, 3]
            raise KeyError
        assert scoped() == [1, 2]


def test_a_scope_with_nothing() -> None:
    """A scope of no entities at all, as a list of them may be, adds none."""
    with contexts(user(1)), contexts():
        assert scoped() == [1]


@pytest.mark.parametrize(
    "wrong", [5, None, "text", [], {}, {"schema": USER}, {"schema": "user", "data": {}}], ids=str
)
def test_what_is_no_entity(wrong: Any) -> None:
    """What is no entity is told, with what one is, and the scope is as it was."""
    with contexts(user(1)):
        told = "an entity is a SelfDescribingJson, or has 'schema' and 'data'"
        with pytest.raises(TypeError, match=told), contexts(user(2), wrong):
            pytest.fail("it was entered")
        assert scoped() == [1]


def test_every_rule_carries_the_entities() -> None:
    """Events of every kind carry the record's own entities, the handler's, and the scope's."""
    mapper = RecordMapper(contexts=[user(2)])
    plain = record()
    error = record(exc_info=exc_info(ValueError("no")))
    named = record(schema=ORDER, data={}, contexts=[user(1)])
    with contexts(user(3)), contexts(user(4)):
        events = [mapper.event(each) for each in (plain, error, named)]
    found = [[loads(each)["data"]["id"] for each in event[2]] for event in events if event]
    assert found == [[2, 3, 4], [2, 3, 4], [1, 2, 3, 4]]


def test_an_entity_is_what_it_was() -> None:
    """What is done to an entity's data within the scope does not show."""
    data = {"id": 1}
    with contexts({"schema": USER, "data": data}):
        data["id"] = 2
        assert scoped() == [1]


@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_data(name: str) -> None:
    """Data that no encoder takes is something that is JSON, within its depth."""
    with contexts({"schema": USER, "data": {"id": 1, "hostile": hostile.values()[name]}}):
        assert scoped() == [1]


# Decorated functions


def test_a_decorated_function() -> None:
    """A decorated function is a scope, at each of its calls, also within itself."""

    @contexts(user(1))
    def factorial(number: int, *, seen: list[int]) -> int:
        """Is the docstring."""
        seen.append(len(scoped()))
        return number * factorial(number - 1, seen=seen) if number else 1

    seen: list[int] = []
    assert factorial(3, seen=seen) == 6
    assert seen == [1, 2, 3, 4]
    assert scoped() == []
    assert (factorial.__name__, factorial.__doc__) == ("factorial", "Is the docstring.")


def test_a_decorated_function_in_threads() -> None:
    """A decorated function that runs in several threads at once is a scope in each."""
    barrier = threading.Barrier(4, timeout=20)

    @contexts(user(1))
    def work() -> list[int]:
        _ = barrier.wait()
        inside = scoped()
        _ = barrier.wait()
        return inside

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(work) for _ in range(4)]
        assert [call.result(20) for call in calls] == [[1]] * 4
        assert [call.result(20) for call in [pool.submit(scoped) for _ in range(4)]] == [[]] * 4


def test_a_decorated_coroutine_function() -> None:
    """A decorated coroutine function is a scope while it runs, across its awaits."""

    @traceparent(HEADER)
    @contexts(user(1))
    async def work(turns: int) -> list[list[int]]:
        seen = [scoped()]
        for _ in range(turns):
            await asyncio.sleep(0)
            seen.append(scoped())
        assert current_trace() == (TRACE_ID, SPAN_ID)
        return seen

    async def main() -> None:
        assert await work(2) == [[1], [1], [1]]
        assert scoped() == []
        both = await asyncio.gather(work(1), work(2))
        assert [*both] == [[[1]] * 2, [[1]] * 3]

    assert inspect.iscoroutinefunction(work)
    asyncio.run(main())


def test_generator_functions_cannot_be_decorated() -> None:
    """A generator function, which returns before it runs, is refused: nothing would be scoped."""

    def numbers() -> Iterator[int]:
        yield 1

    async def later() -> AsyncGenerator[int, None]:
        yield 1

    for function in (numbers, later):
        for scope in (contexts(user(1)), traceparent(HEADER)):
            with pytest.raises(TypeError, match="no generator function"):
                scope(function)


def test_a_scope_is_entered_twice() -> None:
    """A scope that is kept can be entered again, also within itself."""
    scope = contexts(user(1))
    with scope, contexts(user(2)):
        with scope:
            assert scoped() == [1, 2, 1]
        assert scoped() == [1, 2]
    with scope:
        assert scoped() == [1]


# Generators


def rows(number: int, count: int = 2) -> Iterator[list[int]]:
    """Says which entities there are, while it is in a scope of its own."""
    with contexts(user(number)), traceparent(HEADER if number % 2 else OTHER):
        for _ in range(count):
            yield scoped()


def test_a_generator() -> None:
    """A generator's scope ends with it: at its end, and where it is closed."""
    assert list(rows(1)) == [[1], [1]]
    assert scoped() == []
    unfinished = rows(2)
    assert next(unfinished) == [2]
    unfinished.close()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def test_generators_that_end_in_another_order() -> None:
    """Of two generators, the first ends first: its entity goes, and the other's stays till then."""
    with contexts(user(9)):
        first, second = rows(1, 1), rows(2, 2)
        assert (next(first), next(second)) == ([9, 1], [9, 1, 2])
        assert list(first) == []
        assert scoped() == [9, 2]
        assert current_trace() == tuple(OTHER.split("-")[1:3])
        assert list(second) == [[9, 2]]
        assert scoped() == [9]


def test_zipped_generators() -> None:
    """What ``zip`` leaves unfinished leaves nothing behind."""
    seen = list(zip(rows(1, 1), rows(2, 9)))  # noqa: B905 - the shorter one ends it
    assert seen == [([1], [1, 2])]
    assert scoped() == []


def test_a_generator_that_ends_in_another_context() -> None:
    """A generator that is closed in another context than it began in raises nothing there."""
    began = contextvars.copy_context()
    generator = rows(1)
    assert began.run(next, generator) == [1]
    assert scoped() == []
    generator.close()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert scoped() == []


def test_scopes_in_an_exit_stack() -> None:
    """An exit stack may keep scopes for longer than a block."""
    with ExitStack() as stack:
        for number in range(3):
            _ = stack.enter_context(contexts(user(number)))
        assert scoped() == [0, 1, 2]


# Threads, and callbacks


def test_threads_with_and_without_a_copied_context() -> None:
    """A thread that runs in a copied context is in the scope; one that does not, is in none."""
    seen: dict[str, list[int]] = {}
    kept: list[Any] = []

    def work(name: str) -> None:
        seen[name] = scoped()
        kept.append(contexts(user(2)))
        kept[-1].__enter__()  # what a thread leaves open is its own affair
        seen[name + ", later"] = scoped()

    with contexts(user(1)):
        copied = contextvars.copy_context()
        threads = [
            threading.Thread(target=copied.run, args=(work, "copied")),
            threading.Thread(target=work, args=("without",)),
        ]
        for thread in threads:
            thread.start()
            thread.join(20)
        assert scoped() == [1]
    assert seen == {
        "copied": [1],
        "copied, later": [1, 2],
        "without": [],
        "without, later": [2],
    }


# The trace: W3C trace context


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        f"00-{TRACE_ID}-{SPAN_ID}-00",
        f"00-{TRACE_ID}-{SPAN_ID}-ff",
        f"  {HEADER}\r\n",
        f"01-{TRACE_ID}-{SPAN_ID}-01",
        f"cc-{TRACE_ID}-{SPAN_ID}-01-what-the-future-will-be-like",
        f"fe-{TRACE_ID}-{SPAN_ID}-01-",
    ],
)
def test_a_traceparent(header: str) -> None:
    """A ``traceparent`` says the ids; later versions may have more fields, which say nothing."""
    with traceparent(header):
        assert current_trace() == (TRACE_ID, SPAN_ID)


NO_TRACEPARENTS = [
    None,
    "",
    "none",
    5,
    HEADER.encode(),
    [HEADER],
    f"ff-{TRACE_ID}-{SPAN_ID}-01",
    f"0-{TRACE_ID}-{SPAN_ID}-01",
    f"0G-{TRACE_ID}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{SPAN_ID}-01-",
    f"00-{TRACE_ID}-{SPAN_ID}-01-more",
    f"00-{TRACE_ID}-{SPAN_ID}-01.",
    f"01-{TRACE_ID}-{SPAN_ID}-01.more",
    f"01-{TRACE_ID}-{SPAN_ID}-0100",
    f"00-{TRACE_ID}-{SPAN_ID}-1",
    f"00-{TRACE_ID}-{SPAN_ID}-",
    f"00-{TRACE_ID}-{SPAN_ID}-0x",
    f"00-{TRACE_ID}-{SPAN_ID}-FF",
    f"00-{TRACE_ID}-{SPAN_ID}",
    f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{SPAN_ID.upper()}-01",
    f"CC-{TRACE_ID}-{SPAN_ID}-01",
    f"00-{'0' * 32}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{'0' * 16}-01",
    f"00-{TRACE_ID[1:]}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{SPAN_ID}0-01",
    f"00_{TRACE_ID}_{SPAN_ID}_01",
    f"00-{'٣' * 32}-{SPAN_ID}-01",
    f"{HEADER},{HEADER}",
    f"{HEADER}\n{HEADER}",
]


@pytest.mark.parametrize("header", NO_TRACEPARENTS, ids=repr)
def test_what_is_no_traceparent(header: Any) -> None:
    """What the specification says must be ignored is ignored."""
    with traceparent(header):
        assert current_trace() is None
    with traceparent(OTHER), traceparent(header):
        assert current_trace() == tuple(OTHER.split("-")[1:3])


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_traceparent(name: str) -> None:
    """Whatever stands in the header's place raises nothing."""
    with traceparent(hostile.values()[name]):
        assert current_trace() is None


def test_traceparents_nest() -> None:
    """The innermost trace counts, and both are gone where they end."""
    with traceparent(HEADER):
        with traceparent(OTHER):
            assert current_trace() == tuple(OTHER.split("-")[1:3])
        assert current_trace() == (TRACE_ID, SPAN_ID)


def test_the_trace_of_events() -> None:
    """The trace is in a ``log_record``, also in one that goes along as an entity."""
    mapper = RecordMapper(record_entity=True)
    with traceparent(HEADER):
        plain = LogRecordFormatter().fields(record())
        event = mapper.event(record(schema=ORDER, data={}))
    assert (plain["trace_id"], plain["span_id"]) == (TRACE_ID, SPAN_ID)
    assert iglu_central.problems(iglu_central.LOG_RECORD, plain) == []
    assert event is not None
    along = loads(event[2][0])["data"]
    assert (along["trace_id"], along["span_id"]) == (TRACE_ID, SPAN_ID)


# The trace: OpenTelemetry


def test_the_span_goes_before_the_traceparent() -> None:
    """OpenTelemetry's current span counts, else the bound ``traceparent``, else there is none."""
    assert current_trace() is None
    with traceparent(HEADER):
        with TRACER.start_as_current_span("outer") as outer:
            with TRACER.start_as_current_span("inner") as inner:
                ids = inner.get_span_context()
                assert current_trace() == (f"{ids.trace_id:032x}", f"{ids.span_id:016x}")
                assert ids.trace_id == outer.get_span_context().trace_id
            assert current_trace() == (
                f"{ids.trace_id:032x}",
                f"{outer.get_span_context().span_id:016x}",
            )
        assert current_trace() == (TRACE_ID, SPAN_ID)
    assert current_trace() is None


def test_a_span_from_elsewhere() -> None:
    """A span that came with a request counts as well; small ids keep their zeros."""
    remote = SpanContext(5, 7, is_remote=True, trace_flags=TraceFlags(0))
    with opentelemetry_trace.use_span(NonRecordingSpan(remote)):
        assert current_trace() == ("5".zfill(32), "7".zfill(16))


def test_a_span_that_is_none() -> None:
    """The invalid span, as where nothing is traced, does not count."""
    with opentelemetry_trace.use_span(opentelemetry_trace.INVALID_SPAN), traceparent(HEADER):
        assert current_trace() == (TRACE_ID, SPAN_ID)


def span_of(**ids: Any) -> Any:
    """Returns a module whose current span has ``ids``, whatever they are."""
    context = types.SimpleNamespace(**ids)
    span = types.SimpleNamespace(get_span_context=lambda: context)
    return types.SimpleNamespace(get_current_span=lambda: span)


BROKEN: dict[str, Any] = {
    "blocked": None,
    "half imported": types.ModuleType("opentelemetry.trace"),
    "raises": types.SimpleNamespace(get_current_span=hostile.raising),
    "no span": types.SimpleNamespace(get_current_span=lambda: None),
    "recurses": types.SimpleNamespace(get_current_span=lambda: hostile.recursing(recursive)),
    "another": span_of(),
    "no numbers": span_of(is_valid=True, trace_id="a", span_id="b"),
    "none": span_of(is_valid=True, trace_id=None, span_id=None),
    "floats": span_of(is_valid=True, trace_id=5.0, span_id=7.0),
    "negative": span_of(is_valid=True, trace_id=-5, span_id=-7),
    "zero": span_of(is_valid=True, trace_id=0, span_id=0),
    "too large": span_of(is_valid=True, trace_id=1 << 128, span_id=1 << 64),
    "endless": span_of(is_valid=True, trace_id=1 << 100_000, span_id=7),
    "untruthful": span_of(is_valid=hostile.made(__bool__=hostile.raising)(), trace_id=5),
    "texts": span_of(
        is_valid=True, trace_id=hostile.made(__format__=hostile.returning("x" * 99))(), span_id=7
    ),
    "everything raises": hostile.made(__getattribute__=hostile.raising)(),
}
recursive: Any = hostile.made(__str__=hostile.recursing)()


@pytest.mark.parametrize("name", list(BROKEN))
def test_a_broken_opentelemetry(name: str) -> None:
    """Whatever calls itself OpenTelemetry raises nothing, and breaks no event."""
    with in_place_of_opentelemetry(BROKEN[name]), traceparent(HEADER):
        assert current_trace() == (TRACE_ID, SPAN_ID)
        data = LogRecordFormatter().fields(record())
    assert iglu_central.problems(iglu_central.LOG_RECORD, data) == []


def test_opentelemetry_is_not_imported() -> None:
    """Where the application does not use OpenTelemetry, nor do we."""
    real = sys.modules.pop("opentelemetry.trace")
    try:
        assert current_trace() is None
        assert "opentelemetry.trace" not in sys.modules
    finally:
        sys.modules["opentelemetry.trace"] = real


def test_records_are_left_as_they_were() -> None:
    """What the scope has is written to the event, not to the record."""
    made = record()
    before = dict(vars(made))
    with traceparent(HEADER), contexts(user(1)):
        _ = RecordMapper().event(made)
    assert vars(made) == before
