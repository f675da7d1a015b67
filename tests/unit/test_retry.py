"""Tests of what an answer means, and of when to try again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging._retry import FIRST_RETRY_DELAY, Breaker, Verdict, judge

if TYPE_CHECKING:
    import random

MAX_DELAY = 60.0
codes = st.dictionaries(st.integers(400, 599), st.booleans(), max_size=5)


def longest(_: float, upper: float) -> float:
    """Is the randomness that always gives the most."""
    return upper


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (302, Verdict.DELIVERED),
        (399, Verdict.DELIVERED),
        (400, Verdict.REJECTED),
        (401, Verdict.REJECTED),
        (403, Verdict.REJECTED),
        (408, Verdict.RETRY),
        (410, Verdict.REJECTED),
        (413, Verdict.SPLIT),
        (422, Verdict.REJECTED),
        (425, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (599, Verdict.RETRY),
        (None, Verdict.RETRY),
    ],
)
def test_verdicts(status: int | None, verdict: Verdict) -> None:
    """Each class of answers has its verdict."""
    assert judge(status, {}) is verdict


@given(st.integers(200, 399), codes)
def test_delivered_is_delivered(status: int, custom: dict[int, bool]) -> None:
    """Every 2xx and 3xx is a success, whatever codes are given."""
    assert judge(status, custom | {status: True}) is Verdict.DELIVERED
    assert judge(status, custom | {status: False}) is Verdict.DELIVERED


@given(st.integers(400, 599), codes)
def test_custom_codes(status: int, custom: dict[int, bool]) -> None:
    """A code that is given is retried or given up as it says; no other code is touched by it."""
    expected = judge(status, {})
    if status in custom:
        expected = Verdict.RETRY if custom[status] else Verdict.REJECTED

    assert judge(status, custom) is expected


@given(st.integers(100, 999), codes)
def test_every_status_has_a_verdict(status: int, custom: dict[int, bool]) -> None:
    """Whatever number an answer has, there is a verdict."""
    assert isinstance(judge(status, custom), Verdict)


def test_a_closed_breaker_holds_nobody() -> None:
    """While the collector answers, requests may begin at any time, several at once."""
    breaker = Breaker(MAX_DELAY, longest)

    tickets = [breaker.begin() for _ in range(3)]

    assert breaker.delay(0.0) == 0.0
    breaker.succeeded()
    assert breaker.delay(0.0) == 0.0
    assert not breaker.is_open
    assert len(set(tickets)) == 1


def test_delays_double_up_to_the_longest() -> None:
    """Each failed probe doubles the delay, up to the longest that is allowed."""
    breaker = Breaker(10.0, longest)
    now = 100.0
    delays: list[float] = []

    for _ in range(6):
        breaker.failed(breaker.begin(), now, 0.0)
        delays.append(breaker.delay(now) or 0.0)
        now += delays[-1]

    assert delays == [FIRST_RETRY_DELAY * factor for factor in (1, 2, 4, 8)] + [10.0, 10.0]


@given(st.integers(1, 50), st.floats(0, 100))
def test_one_outage_opens_it_once(workers: int, now: float) -> None:
    """However many requests of one outage fail, they count as one failure."""
    breaker = Breaker(MAX_DELAY, longest)

    for ticket in [breaker.begin() for _ in range(workers)]:
        breaker.failed(ticket, now, 0.0)

    assert abs((breaker.delay(now) or 0.0) - FIRST_RETRY_DELAY) < 1e-9
    assert breaker.is_open


def test_one_probe_at_a_time() -> None:
    """While a probe is under way nobody else begins, though stragglers of before fail."""
    breaker = Breaker(MAX_DELAY, longest)
    first, straggler = breaker.begin(), breaker.begin()
    breaker.failed(first, 0.0, 0.0)

    probe = breaker.begin()
    assert breaker.delay(1_000.0) is None
    breaker.failed(straggler, 1_000.0, 0.0)
    assert breaker.delay(1_000.0) is None

    breaker.failed(probe, 1_000.0, 0.0)
    assert breaker.delay(1_000.0) == 2 * FIRST_RETRY_DELAY


def test_a_success_frees_everybody() -> None:
    """An answered probe ends the outage, and the next one begins with the shortest delay."""
    breaker = Breaker(MAX_DELAY, longest)
    for _ in range(5):
        breaker.failed(breaker.begin(), 0.0, 0.0)
    _ = breaker.begin()

    breaker.succeeded()

    assert breaker.delay(0.0) == 0.0
    breaker.failed(breaker.begin(), 0.0, 0.0)
    assert breaker.delay(0.0) == FIRST_RETRY_DELAY


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [(0.0, 1.0), (-5.0, 1.0), (30.0, 30.0), (61.0, 60.0), (1e9, 60.0), (float("inf"), 60.0)],
)
def test_retry_after_is_clamped(retry_after: float, expected: float) -> None:
    """What the other side asks for is granted, up to the longest delay."""
    breaker = Breaker(MAX_DELAY, longest)

    breaker.failed(breaker.begin(), 5.0, retry_after)

    assert breaker.delay(5.0) == expected


def test_retry_after_of_a_straggler() -> None:
    """What the other side asks of one of several requests holds for all."""
    breaker = Breaker(MAX_DELAY, longest)
    tickets = [breaker.begin(), breaker.begin()]
    breaker.failed(tickets[0], 0.0, 30.0)

    breaker.failed(tickets[1], 1.0, 0.0)

    assert breaker.delay(1.0) == 29.0


def test_jitter_is_from_zero_on() -> None:
    """Delays are spread between nothing and their bound, so that processes do not move in step."""
    spans: list[tuple[float, float]] = []

    def uniform(lower: float, upper: float) -> float:
        spans.append((lower, upper))
        return lower

    breaker = Breaker(MAX_DELAY, uniform)
    for _ in range(3):
        breaker.failed(breaker.begin(), 0.0, 0.0)

    assert spans == [(0.0, 1.0), (0.0, 2.0), (0.0, 4.0)]


@dataclass
class Run:
    """A pool of workers over one breaker."""

    breaker: Breaker
    now: float = 0.0
    tickets: list[int] = field(default_factory=list[int])


steps = st.lists(
    st.tuples(
        st.sampled_from(["begin", "failed", "succeeded", "wait"]),
        st.floats(0, 1_000, allow_nan=False),
        st.integers(0, 100),
    ),
    max_size=60,
)


@given(steps, st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_no_delay_exceeds_the_longest(
    history: list[tuple[str, float, int]], max_delay: float, randomness: random.Random
) -> None:
    """Whatever happens in whatever order, nobody waits longer than the longest delay."""
    run = Run(Breaker(max_delay, randomness.uniform))
    for step, number, index in history:
        if step == "begin" and run.breaker.delay(run.now) == 0.0:
            run.tickets.append(run.breaker.begin())
        elif step == "failed" and run.tickets:
            ticket = run.tickets.pop(index % len(run.tickets))
            run.breaker.failed(ticket, run.now, number)
        elif step == "succeeded" and run.tickets:
            _ = run.tickets.pop(index % len(run.tickets))
            run.breaker.succeeded()
        elif step == "wait":
            run.now += number

        delay = run.breaker.delay(run.now)
        assert delay is None or 0.0 <= delay <= max_delay + 1e-9
        assert delay is not None or run.tickets, "all wait for a probe that nobody makes"


@given(st.integers(0, 10_000))
def test_long_outages(failures: int) -> None:
    """An outage may last for ever."""
    breaker = Breaker(MAX_DELAY, longest)

    for _ in range(min(failures, 100)):
        breaker.failed(breaker.begin(), 0.0, 0.0)
    breaker.failed(breaker.begin(), 1e9, 0.0)

    assert 0.0 < (breaker.delay(1e9) or 0.0) <= MAX_DELAY
