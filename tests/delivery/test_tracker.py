"""The sample of the seed tracker, as people wrote it, and the account under load."""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Emitter, SelfDescribingJson, SnowplowHandler, Tracker
from snowplow_logging.testing import RESET, FaultyCollector, Request
from tests.delivery.conftest import MakeCollector, problems_of
from tests.delivery.support import balanced, data_of, logging_to, numbered, until, within
from tests.iglu_central import needs_iglu_central
from tests.unit.wire import contexts, unstruct_event

if TYPE_CHECKING:
    from snowplow_logging import Stats

MY_EVENT: dict[str, Any] = {
    "schema": "iglu:com.acme/viewed_product/jsonschema/1-0-0",
    "data": {"productId": "ASO01043", "price": 49.95, "名前": "煎茶 🍵"},
}
MY_CONTEXT: dict[str, Any] = {
    "schema": "iglu:com.acme/user/jsonschema/1-0-0",
    "data": {"userType": "tester"},
}


@pytest.mark.parametrize("emitter_class", [Emitter, AsyncEmitter])
def test_sample_of_the_seed(collector: FaultyCollector, emitter_class: type[Emitter]) -> None:
    """The seed tracker's sample works as it is written, and arrives."""
    url = collector.url
    my_event = SelfDescribingJson(
        "iglu:com.acme/viewed_product/jsonschema/1-0-0",
        {"productId": "ASO01043", "price": 49.95, "名前": "煎茶 🍵"},
    )
    my_context = SelfDescribingJson("iglu:com.acme/user/jsonschema/1-0-0", {"userType": "tester"})
    t = Tracker("namespace", emitter_class(url))
    event_id = t.track_unstruct_event(my_event, [my_context])
    assert t.flush()
    (event,) = collector.events()
    assert event["eid"] == event_id
    assert (event["e"], event["p"], event["tna"]) == ("ue", "srv", "namespace")
    assert unstruct_event(event)["data"] == MY_EVENT
    assert contexts(event) == {
        "schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1",
        "data": [MY_CONTEXT],
    }
    t.emitters[0].close()


@pytest.mark.parametrize("emitter_class", [Emitter, AsyncEmitter])
@pytest.mark.parametrize("base64", [True, False])
@pytest.mark.parametrize("method", ["post", "get"])
def test_forms(
    collector: FaultyCollector, emitter_class: type[Emitter], method: str, *, base64: bool
) -> None:
    """Events arrive by POST and by GET, in base64 and as plain JSON."""
    emitter = emitter_class(collector.url, method=method)
    tracker = Tracker("namespace", emitter, app_id="shop", encode_base64=base64)
    sent = SelfDescribingJson(**MY_EVENT)
    event_ids = [
        tracker.track_unstruct_event(sent, [SelfDescribingJson(**MY_CONTEXT)], 1_500_000_000_000),
        tracker.track_self_describing_event(sent),
    ]
    assert tracker.flush()
    assert collector.event_ids() == event_ids
    for event in collector.events():
        assert ("ue_px" in event) is base64
        assert ("ue_pr" in event) is not base64
        assert unstruct_event(event)["data"] == MY_EVENT
        assert int(event["dtm"]) <= int(event["stm"])
    assert [event.get("ttm") for event in collector.events()] == ["1500000000000", None]
    path = {"post": "/com.snowplowanalytics.snowplow/tp2", "get": "/i"}[method]
    for request in collector.requests:
        assert (request.method, request.path) == (method.upper(), path)
        if method == "post":
            assert request.headers["content-type"] == "application/json; charset=utf-8"
            assert "cookie" not in request.headers
    emitter.close()


@needs_iglu_central
def test_the_check_of_the_wire_sees_what_is_wrong(collector: FaultyCollector) -> None:
    """The validation at the end of each test finds a value that is no string."""
    Tracker("namespace", Emitter(collector.url)).track_unstruct_event(numbered(1))
    (request,) = collector.requests
    assert problems_of(request) == []
    broken = json.loads(request.body)
    broken["data"][0]["dtm"] = 1
    assert problems_of(replace(request, body=json.dumps(broken).encode()))


def test_payload_of_callback_can_be_sent_again(make_collector: MakeCollector) -> None:
    """A payload that a callback got is the same event when another emitter takes it."""
    refusing, taking = make_collector(otherwise=400), make_collector()
    second = Emitter(taking.url)

    def pass_on(reason: str, payloads: list[dict[str, Any]]) -> None:
        for payload in payloads:
            second.input(payload)

    tracker = Tracker("namespace", Emitter(refusing.url, on_drop=pass_on))
    event_id = tracker.track_unstruct_event(numbered(1))
    second.flush()
    assert taking.event_ids() == [event_id]
    ((first,), (again,)) = refusing.requests[0].events, taking.events()
    assert {**first, "stm": ""} == {**again, "stm": ""}


def test_several_emitters_get_every_event(make_collector: MakeCollector) -> None:
    """A tracker with two emitters sends each event to both."""
    collectors = make_collector(), make_collector()
    tracker = Tracker("namespace", [Emitter(each.url) for each in collectors])
    event_ids = [tracker.track_unstruct_event(numbered(n)) for n in range(3)]
    assert [each.event_ids() for each in collectors] == [event_ids, event_ids]


def test_sixteen_threads(collector: FaultyCollector) -> None:
    """Of 16 times 2 000 records none is lost or doubled, and each thread's order is kept."""
    handler = SnowplowHandler(collector.url, queue_size=40_000, thread_count=1)
    barrier = threading.Barrier(16)
    with logging_to(handler) as logger:

        def produce(thread: int) -> None:
            barrier.wait()
            for number in range(2_000):
                logger.info("x", extra={"schema": "iglu:com.acme/n/jsonschema/1-0-0",
                                        "data": {"thread": thread, "number": number}})  # fmt: skip

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(produce, range(16)))
        assert handler.flush(60)
    events = collector.events()
    assert len({event["eid"] for event in events}) == len(events) == 32_000
    orders: dict[int, list[int]] = {thread: [] for thread in range(16)}
    for event in events:
        data = data_of(event)
        orders[data["thread"]].append(data["number"])
    assert all(order == list(range(2_000)) for order in orders.values())
    stats = handler.stats()
    assert (stats.accepted, stats.delivered, stats.pending) == (32_000, 32_000, 0)


@pytest.mark.parametrize("thread_count", [1, 4])
def test_account_is_exact_at_every_moment(make_collector: MakeCollector, thread_count: int) -> None:
    """The account is exact whenever it is read, while requests fail and the queue overflows."""
    chance = random.Random(7)

    def answer(request: Request) -> Any:
        return chance.choices([200, 503, 400, RESET], [8, 2, 1, 1])[0]

    collector = make_collector(otherwise=answer)
    emitter = AsyncEmitter(
        collector.url, thread_count=thread_count, batch_size=10, queue_size=300,
        flush_interval=0.01, max_retry_delay=0.01,
    )  # fmt: skip
    tracker = Tracker("namespace", emitter)
    samples: list[Stats] = []
    ended = threading.Event()

    def sample() -> None:
        while not ended.is_set():
            samples.append(emitter.stats())

    watching = threading.Thread(target=sample)
    watching.start()
    try:

        def produce(thread: int) -> None:
            for number in range(300):
                tracker.track_unstruct_event(numbered(number, thread=thread))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(produce, range(4)))
        assert emitter.flush(30)
    finally:
        ended.set()
        watching.join()
    within(10, emitter.close)
    last = emitter.stats()
    assert [each for each in [*samples, last] if not balanced(each)] == []
    assert (last.accepted, last.pending) == (1_200, 0)
    assert last.delivered == len(collector.events())
    assert len(set(collector.event_ids())) == last.delivered
    assert last.dropped_by_reason.keys() <= {"queue_full", "rejected"}
    until(lambda: not watching.is_alive(), "the end of sampling")
