"""Whatever happens, and in whichever order: the account balances after every step."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import redirect_stderr
from io import StringIO
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
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
    UP, UP, Said(204, took=0.09), Said(took=0.09), Said(302), Said(took=3.0), Said(413), Said(413),
    Said(413, took=0.09), Said(404), Said(400), Said(408), Said(425), Said(429, 3.0),
    Said(429, 1e9), Said(500), Said(503, 5.0), DOWN, Said(None, took=0.5),
    Said(None, took=100.0), Said(lost=True), Said(raises=True),
]  # fmt: skip
PUTS = [(40, 10), (40, 30), (300, 20), (900, 20), (2_500, 40)]  # size and severity
DOINGS = ["works", "works", "fails", "is full", "breaks"]
SECONDS = [None, 0.0, 0.05, 1.0, 20.0]

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
    Act("finish", UP), Act("finish", DOWN), Act("finish", Said(413)), Act("work", UP), Act("write"),
    Act("work", DOWN), Act("put", (40, 20)), Act("flush", 0.5), Act("close", 0.5),
]  # fmt: skip
AT_DISK = [
    Act("finish", UP), Act("finish", DOWN), Act("work", UP), Act("work", DOWN), Act("write"),
    Act("put", (40, 20)), Act("flush", 0.5), Act("close", 0.5),
]  # fmt: skip

options = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["post", "post", "get"]),
        "overflow": st.sampled_from(
            ["drop_newest", "drop_oldest", "drop_lowest_severity", "block"]
        ),
        "queue_size": st.sampled_from([1, 2, 3, 4, 6, 12]),
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


def _several(items: list[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=4).map(deque)


preparations: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(st.just("usual"), st.sampled_from(SAYINGS)),
    st.tuples(st.just("says"), _several(SAYINGS)),
    st.tuples(st.just("reactions"), _several(REACTIONS)),
    st.tuples(st.just("inner"), _several(INNER)),
    st.tuples(st.just("meanwhile"), _several([*product((0.0, 0.3), MEANWHILE)])),
    st.tuples(st.just("finaliser"), st.tuples(st.integers(1, 8), st.sampled_from(FINALISERS))),
    st.tuples(st.just("has_transport"), st.sampled_from([True, True, False])),
    st.tuples(st.just("at_disk"), _several(AT_DISK)),
    st.tuples(
        st.just("disk_does"), st.sampled_from(["works", "works", "fails", "is full", "breaks"])
    ),
)


class Delivery(RuleBasedStateMachine):
    """One emitter, in a world that does its worst."""

    examples = 0

    @initialize(
        kind=st.sampled_from(["sync", "pool", "pool", "no threads"]),
        options=options,
        spooled=st.sampled_from([None, "outages", "events"]),
    )
    def begin(self, kind: str, options: dict[str, Any], spooled: str | None) -> None:
        type(self).examples += 1
        spool = {"spool": "/nowhere", "durability": spooled, "spool_interval": 0.2}
        self.world = World(kind, **options, **(spool if spooled and kind != "sync" else {}))

    @rule(
        events=st.lists(st.sampled_from(PUTS), min_size=1, max_size=6),
        after=st.sampled_from([0.0, 0.0, 0.6]),
        finaliser=st.sampled_from([None, None, 1, 2, 3]),
    )
    def put(self, events: list[tuple[int, int]], after: float, finaliser: int | None) -> None:
        """Puts events, the last one perhaps later, and while a finaliser logs."""
        *first, last = events
        for event in first:
            self.world.put(*event)
        self.world.now += after
        if finaliser is not None:
            self.world.finaliser = (finaliser, Act("put", (40, 20)))
        self.world.put(*last)

    @rule()
    def refuse(self) -> None:
        self.world.refuse("unmappable")

    @rule(preparation=preparations)
    def prepare(self, preparation: tuple[str, Any]) -> None:
        """Settles what others will do when it is their turn."""
        name, value = preparation
        setattr(self.world, name, value)

    @rule(seconds=st.sampled_from([0.3, 1.0, 4.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(seconds=st.sampled_from(SECONDS))
    def flush(self, seconds: float | None) -> None:
        self.world.flush(seconds)

    @rule(seconds=st.sampled_from(SECONDS), before=st.sampled_from(["", "close", "flush"]))
    def close(self, seconds: float | None, before: str) -> None:
        """Closes; twice, or as ``logging.shutdown`` does, if something goes before."""
        if before:
            self.world.do(Act(before, seconds))
        self.world.close(seconds)

    @rule(events=st.lists(st.sampled_from(PUTS), max_size=6), workers=st.integers(1, 3))
    def workers_take_batches(self, events: list[tuple[int, int]], workers: int) -> None:
        for event in events:
            self.world.put(*event)
        for _ in range(workers):
            self.world.take()

    @rule(indices=st.lists(st.integers(0, 3), min_size=1, max_size=4))
    @precondition(lambda self: self.world.has_batches)
    def workers_send_batches(self, indices: list[int]) -> None:
        for index in indices:
            self.world.finish(index)

    @rule(batches=st.integers(1, 3))
    @precondition(lambda self: self.world.process.spooler)
    def who_writes_takes_batches(self, batches: int) -> None:
        for _ in range(batches):
            self.world.take_to_write()

    @rule()
    @precondition(lambda self: self.world.process.spooler)
    def who_writes_makes_a_round(self) -> None:
        self.world.make_a_round()

    @rule(really=st.booleans())
    @precondition(lambda self: self.world.process.spooler)
    def crash(self, really: bool) -> None:  # noqa: FBT001 - drawn by name
        if really:
            self.world.crash()

    @rule(really=st.booleans())
    @precondition(lambda self: len(self.world.processes) < 3)
    def fork(self, really: bool) -> None:  # noqa: FBT001 - drawn by name
        if really:
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
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,  # a commit fails by what it changes, not by luck
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert Delivery.examples >= examples
