"""What a collector, or the network before it, may do to requests."""

from __future__ import annotations

import random
from email.utils import formatdate
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any

from snowplow_logging.testing import (
    GARBAGE,
    HANG,
    OK,
    RESET,
    RESET_MIDWAY,
    Answer,
    FaultyCollector,
    at_most,
    closed_port,
    redirect,
)
from tests.faults.registry import fault
from tests.faults.row import Expected
from tests.faults.run import program

if TYPE_CHECKING:
    from snowplow_logging.testing import AnswerLike, Request, Rule
    from tests.faults.row import Measured

# Many small requests, of which the first fails while the application still logs.
LIVE: dict[str, Any] = {"batch_size": 10, "flush_interval": 0.05, "max_retry_delay": 0.2}
SHORT = {**LIVE, "shutdown_timeout": 1.0}
PAUSE = 0.01
GIVES_UP = Expected(dropped=("shutdown",), exit=6.0)


def until_the_end(rule: Rule, **options: Any) -> Measured:
    """The fault lasts until the application has nothing more to log; then all is well."""
    with (
        FaultyCollector(otherwise=rule) as collector,
        program("plain", collector.url, pause=PAUSE, options={**LIVE, **options}) as run,
    ):
        run.wait_until_logged()
        assert collector.wait_for_requests(1)
        collector.answer()
        collector.release()
        return run.end(collector)


def lasting(rule: Rule, *script: AnswerLike, records: int = 50, **options: Any) -> Measured:
    """The collector goes on as it began."""
    with (
        FaultyCollector(*script, otherwise=rule) as collector,
        program(
            "plain", collector.url, records=records, pause=PAUSE, options={**LIVE, **options}
        ) as run,
    ):
        return run.end(collector)


@fault("refuse", "connections refused until the end")
def refuse() -> Measured:
    port = closed_port()
    with program("plain", f"http://127.0.0.1:{port}", pause=PAUSE, options=LIVE) as run:
        run.wait_until_logged()
        with FaultyCollector(port=port) as collector:
            return run.end(collector)


@fault("refuse-for-good", "connections refused, for good", GIVES_UP)
def refuse_for_good() -> Measured:
    url = f"http://127.0.0.1:{closed_port()}"
    with program("plain", url, pause=PAUSE, options=SHORT) as run:
        return run.end()


@fault("hang", "no answer until the end", Expected(answers_lost=True))
def hang() -> Measured:
    return until_the_end(HANG)


@fault(
    "hang-for-good",
    "no answer, ever",
    Expected(dropped=("shutdown", "unanswered"), answers_lost=True, exit=6.0),
)
def hang_for_good() -> Measured:
    return lasting(HANG, shutdown_timeout=1.0)


@fault("slow", "answers after 0.3 s, byte by byte")
def slow() -> Measured:
    return lasting(Answer(delay=0.3, drip=0.002))


@fault("too-slow", "first answers later than request_timeout", Expected(answers_lost=True))
def too_slow() -> Measured:
    late = Answer(delay=1.0, fault="reset")
    return lasting(OK, late, late, request_timeout=0.3)


@fault("reset", "connection reset before the status line", Expected(answers_lost=True))
def reset() -> Measured:
    return until_the_end(RESET)


@fault("reset-midway", "connection reset in the midst of the answer")
def reset_midway() -> Measured:
    return lasting(RESET_MIDWAY)


@fault("garbage", "answers that are no HTTP", Expected(answers_lost=True))
def garbage() -> Measured:
    return until_the_end(GARBAGE)


def later() -> str:
    """Returns an HTTP date half a minute from now."""
    return formatdate(time() + 30, usegmt=True)


for name, status, headers in (
    ("500", 500, {}),
    ("503", 503, {}),
    ("408", 408, {}),
    ("425", 425, {}),
    ("429", 429, {}),
    ("503-retry-after", 503, {"Retry-After": "30"}),
    ("429-retry-after", 429, {"Retry-After": "30"}),
):
    after = f", Retry-After: {headers['Retry-After']} (seconds)" if headers else ""
    _ = fault(name, f"{status}{after} until the end")(
        partial(until_the_end, Answer(status, headers), max_retry_delay=60)
    )


@fault("429-retry-after-date", "429, Retry-After: a date in 30 s, until the end")
def retry_after_date() -> Measured:
    return until_the_end(Answer(429, {"Retry-After": later()}), max_retry_delay=60)


_ = fault("503-for-good", "503, for good", GIVES_UP)(partial(lasting, 503, shutdown_timeout=1.0))

for status in (403, 404):
    _ = fault(f"{status}", f"{status}, for good", Expected(dropped=("rejected",)))(
        partial(lasting, status)
    )


@fault("first-fail", "the first 5 requests fail (503, 500, 429, reset, 503)",
       Expected(answers_lost=True))  # fmt: skip
def first_fail() -> Measured:
    return lasting(OK, 503, 500, 429, RESET, 503)


@fault("random", "a third of all requests fails, at random", Expected(answers_lost=True, exit=35.0))
def random_failures() -> Measured:
    chosen = random.Random(0)
    faults: list[AnswerLike] = [
        500,
        503,
        429,
        408,
        RESET,
        RESET_MIDWAY,
        GARBAGE,
        Answer(hang_up=True),
    ]

    def answer(_: Request) -> AnswerLike:
        return chosen.choice(faults) if chosen.random() < 1 / 3 else OK

    return lasting(answer, records=200, shutdown_timeout=30.0)


@fault("413", "413 for requests over 4000 bytes")
def too_large() -> Measured:
    return lasting(at_most(4_000))


@fault("413-poison", "413 for requests that hold one of 5 events", Expected(dropped=("oversize",)))
def poison() -> Measured:
    poisonous: set[str] = set()

    def answer(request: Request) -> AnswerLike:
        ids = [event["eid"] for event in request.events]
        if len(poisonous) < 5:
            poisonous.add(ids[-1])
        return 413 if poisonous & set(ids) else OK

    return lasting(answer)


for status in (302, 307, 308):

    def redirected(status: int = status) -> Measured:
        """Sends all requests on to another collector."""
        with FaultyCollector() as target:
            location = f"{target.url}/com.snowplowanalytics.snowplow/tp2"
            with (
                FaultyCollector(otherwise=redirect(location, status)) as collector,
                program("plain", collector.url, pause=PAUSE, options=LIVE) as run,
            ):
                return run.end(collector, target)

    _ = fault(f"{status}", f"{status} to another collector")(redirected)


@fault("stale", "idle connections closed without a word after each answer")
def stale() -> Measured:
    return lasting(Answer(hang_up=True))
