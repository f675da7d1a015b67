"""What applications log, how they are configured, and what their callbacks do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from snowplow_logging.testing import HANG, OK, Answer, FaultyCollector
from tests.delivery.support import data_of
from tests.faults.registry import fault
from tests.faults.row import Expected
from tests.faults.run import program
from tests.unit.wire import loads

if TYPE_CHECKING:
    from tests.faults.row import Measured

LIVE: dict[str, Any] = {"batch_size": 10, "flush_interval": 0.05, "max_retry_delay": 0.2}


def records(kind: str, *, named: bool = True) -> Measured:
    """The application logs records of one kind."""
    with (
        FaultyCollector() as collector,
        program("records", collector.url, options=LIVE, more={"kind": kind}) as run,
    ):
        measured = run.end(collector, named=named)
        wrong = [_wrong(each) for each in collector.events()] if kind == "mutated" else []
        return replace(measured, problems=[*measured.problems, *filter(None, wrong)])


def _wrong(fields: dict[str, str]) -> str | None:
    """Returns what an event says that was not so when it was logged."""
    data = data_of(fields)
    number = int(data["message"].split()[1].rstrip(":"))
    expected = (f"record {number}: [{number}]", {"items": [number]})
    found = (data["message"], loads(data["attributes"]))
    return None if found == expected else f"{found} instead of {expected}"


_ = fault("hostile", "hostile records (methods that raise, cycles, NaN, surrogates, …)")(
    partial(records, "hostile", named=False)
)
_ = fault("mutated", "arguments and extras changed after the call")(partial(records, "mutated"))
_ = fault("finalisers", "finalisers that log, in the midst of logging calls")(
    partial(records, "finalisers")
)


@fault("reconfigured", "`dictConfig` 5 times with events pending, root at DEBUG")
def reconfigured() -> Measured:
    with (
        FaultyCollector(OK, 503, otherwise=Answer(delay=0.1)) as collector,
        program("reconfigured", collector.url, options=LIVE, more={"times": 5}) as run,
    ):
        return run.end(collector)


def callbacks(name: str) -> Measured:
    """The handler's callbacks meddle; the second request fails, the third is refused."""
    callback = f"tests.faults.applications.callbacks:{name}"
    options = dict.fromkeys(("on_success", "on_failure", "on_drop"), callback)
    with (
        FaultyCollector(OK, 503, 400) as collector,
        program("plain", collector.url, options={**LIVE, **options}, pause=0.005) as run,
    ):
        return run.end(collector, named=name != "logging_")


for name, what in (("raising", "raise"), ("flushing", "flush"), ("logging_", "log")):
    _ = fault(
        f"callbacks-{what}",
        f"callbacks that {what}; a request fails, one is refused",
        Expected(dropped=("rejected",)),
    )(partial(callbacks, name))


SIZE = 100  # of the queue
MUST_ARRIVE = {
    "drop_newest": set(range(SIZE)),
    "drop_oldest": set(range(300 - SIZE, 300)),
    "drop_lowest_severity": set(range(0, 300, 4)),
    "block": set(range(SIZE)),
}


def overflow(policy: str) -> Measured:
    """The queue is full three times over, while the collector hangs."""
    options = {**LIVE, "queue_size": SIZE, "overflow": policy, "block_timeout": 0.01}
    with (
        FaultyCollector(otherwise=HANG) as collector,
        program("plain", collector.url, options=options, records=300, pause=0.001) as run,
    ):
        run.wait_until_logged()
        assert collector.wait_for_requests(1)
        collector.answer()
        collector.release()
        measured = run.end(collector)
        arrived = {int(data_of(each)["message"].split()[1]) for each in collector.events()}
        gone = MUST_ARRIVE[policy] - arrived
        problems = [f"{policy} has dropped {sorted(gone)}"] if gone else []
        return replace(measured, problems=[*measured.problems, *problems])


for policy in MUST_ARRIVE:
    _ = fault(
        policy.replace("_", "-"),
        f'queue full, `overflow="{policy}"`, no answer until the end',
        Expected(dropped=("queue_full",), answers_lost=True),
    )(partial(overflow, policy))
