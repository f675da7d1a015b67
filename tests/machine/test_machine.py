"""Whatever happens, and in whichever order: the account balances after every step."""

from __future__ import annotations

import logging
from contextlib import redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.machine.model import Said
from tests.machine.world import UP, Act, World

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES, EXAMPLES_IF_LONG = 100, 10_000

DOWN = Said(None)
SAYINGS = [
    UP, UP, Said(204, took=0.09), Said(302), Said(took=3.0), Said(413), Said(413, took=0.09),
    Said(404),
    Said(400), Said(408), Said(425), Said(429, 3.0), Said(429, 1e9), Said(500), Said(503, 5.0),
    DOWN, Said(None, took=0.5), Said(None, took=100.0), Said(lost=True), Said(raises=True),
]  # fmt: skip
PUTS = [(40, 10), (40, 30), (300, 20), (900, 20), (2_500, 40)]  # size and severity
SECONDS = [0.0, 0.05, 1.0, 20.0]

REACTIONS = [
    Act("put", (40, 20)), Act("put", (900, 50)), Act("flush", 0.0), Act("flush", 1.0),
    Act("flush", None), Act("close", 0.5), Act("refuse", "oversize"), Act("raise"), Act("exit"),
    Act("fork"),
]  # fmt: skip
INNER = [Act("put", (40, 20)), Act("put", (900, 0)), Act("flush", 0.5), Act("refuse", "oversize")]
FINALISERS = [
    Act("put", (40, 20)), Act("put", (40, 20)), Act("refuse", "oversize"), Act("flush", 1.0),
    Act("close", 0.5),
]  # fmt: skip
MEANWHILE = [
    Act("finish", UP), Act("finish", DOWN), Act("finish", Said(413)), Act("work", UP),
    Act("work", DOWN), Act("put", (40, 20)), Act("flush", 0.5), Act("close", 0.5),
]  # fmt: skip

options = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["post", "post", "get"]),
        "overflow": st.sampled_from(
            ["drop_newest", "drop_oldest", "drop_lowest_severity", "block"]
        ),
        "queue_size": st.integers(1, 6),
        "queue_bytes": st.sampled_from([400, 2_000, 1_000_000]),
        "batch_size": st.integers(1, 4),
        "byte_limit": st.sampled_from([2_000, 900_000]),
        "flush_interval": st.sampled_from([0.5, 30.0]),
        "request_timeout": st.sampled_from([1.0, 10.0]),
        "max_retry_delay": st.sampled_from([1.0, 60.0]),
        "max_age": st.sampled_from([3.0, 86_400.0]),
        "shutdown_timeout": st.sampled_from([0.0, 2.0]),
        "block_timeout": st.sampled_from([0.0, 1.0]),
        "custom_retry_codes": st.sampled_from([{}, {404: True, 503: False}, {413: False}]),
    }
)


class Delivery(RuleBasedStateMachine):
    """One emitter, in a world that does its worst."""

    examples = 0

    @initialize(kind=st.sampled_from(["sync", "pool", "no threads"]), options=options)
    def begin(self, kind: str, options: dict[str, Any]) -> None:
        type(self).examples += 1
        self.world = World(kind, **options)

    @rule(event=st.sampled_from(PUTS))
    def put(self, event: tuple[int, int]) -> None:
        self.world.put(*event)

    @rule(events=st.lists(st.sampled_from(PUTS), min_size=2, max_size=8))
    def put_many(self, events: list[tuple[int, int]]) -> None:
        for event in events:
            self.world.put(*event)

    @rule(reason=st.sampled_from(["unmappable", "oversize"]))
    def refuse(self, reason: str) -> None:
        self.world.refuse(reason)

    @rule(said=st.sampled_from(SAYINGS))
    def from_now_on_the_collector_says(self, said: Said) -> None:
        self.world.usual = said
        self.world.says.clear()

    @rule(sayings=st.lists(st.sampled_from(SAYINGS), min_size=1, max_size=6))
    def the_collector_says(self, sayings: list[Said]) -> None:
        self.world.says.extend(sayings)

    @rule(seconds=st.sampled_from([0.3, 1.0, 4.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(acts=st.lists(st.sampled_from(REACTIONS), min_size=1, max_size=4))
    def callbacks_will(self, acts: list[Act]) -> None:
        self.world.reactions.extend(acts)

    @rule(acts=st.lists(st.sampled_from(INNER), min_size=1, max_size=3))
    def the_transport_will(self, acts: list[Act]) -> None:
        self.world.inner.extend(acts)

    @rule(
        acts=st.lists(
            st.tuples(st.sampled_from([0.0, 0.3]), st.sampled_from(MEANWHILE)),
            min_size=1,
            max_size=4,
        )
    )
    def other_threads_will(self, acts: list[tuple[float, Act]]) -> None:
        self.world.meanwhile.extend(acts)

    @rule(readings=st.integers(1, 8), act=st.sampled_from(FINALISERS))
    def a_finaliser_will(self, readings: int, act: Act) -> None:
        self.world.finaliser = (readings, act)

    @rule(works=st.booleans())
    def transports_can_be_made(self, works: bool) -> None:  # noqa: FBT001 - drawn by name
        self.world.has_transport = works

    @rule(seconds=st.sampled_from([None, *SECONDS]))
    def flush(self, seconds: float | None) -> None:
        self.world.flush(seconds)

    @rule(seconds=st.sampled_from([None, *SECONDS]), times=st.integers(1, 2))
    def close(self, seconds: float | None, times: int) -> None:
        for _ in range(times):
            self.world.close(seconds)

    @rule()
    def flush_and_close_as_logging_shutdown_does(self) -> None:
        self.world.flush(None)
        self.world.close(None)

    @rule()
    def a_worker_takes_a_batch(self) -> None:
        self.world.take()

    @rule(index=st.integers(0, 3))
    def a_worker_sends_a_batch(self, index: int) -> None:
        self.world.finish(index)

    @rule()
    def fork(self) -> None:
        self.world.fork()

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        problems = self.world.problems()
        assert not problems, "\n".join(problems)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.end()
            self.all_is_as_it_should_be()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What is told of losses and of callbacks that raise is tested elsewhere."""
    before, logging.raiseExceptions = logging.raiseExceptions, False
    with redirect_stderr(StringIO()):
        yield
    logging.raiseExceptions = before


@pytest.mark.timeout(900)
def test_the_account_balances_after_every_step(long: bool) -> None:  # noqa: FBT001 - a fixture
    """Puts, answers of every kind, time, flush, close, fork, in any order."""
    examples = EXAMPLES_IF_LONG if long else EXAMPLES
    Delivery.examples = 0
    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,  # a commit fails by what it changes, not by luck
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert Delivery.examples >= examples
