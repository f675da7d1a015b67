"""What relays hold, give back and take over: nothing lost, and in a healthy run nothing twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.testing import Answer, FaultyCollector
from tests.delivery.support import numbers, until
from tests.relay.inside import (
    CLAIM_AFTER,
    add,
    consumers,
    events,
    left_by_the_dead,
    relaying,
    settings,
)
from tests.relay.servers import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.delivery.conftest import MakeCollector


@pytest.fixture(name="own")
def _own(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


def is_empty(client: Any) -> bool:
    """Says whether nothing is left to do."""
    groups = client.xinfo_groups("snowplow")
    return client.xlen("snowplow") == 0 and not groups[0]["pending"]


def test_all_is_sent_and_removed(
    redis: RedisServer, client: Any, collector: FaultyCollector
) -> None:
    """What was there before the first relay is sent, too; then the stream is empty."""
    _ = add(client, *events(*range(1000)))
    with relaying(settings(redis.url, collector.url)) as relay:
        assert collector.wait_for(1000)
        _ = add(client, *events(1000))
        assert collector.wait_for(1001)
        until(lambda: is_empty(client), "the acknowledgement")
        assert consumers(client) == {"here": 0}
        until(lambda: relay.counts().acknowledged == 1001, "the count")
        counts = relay.counts()
    assert sorted(numbers(collector.events())) == [*range(1001)]
    assert (counts.dead, counts.adopted, counts.redis_errors) == ({}, 0, 0)
    assert consumers(client) == {}


def test_keep(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """With ``keep`` what is sent stays, acknowledged, for other groups."""
    _ = add(client, *events(1, 2))
    with relaying(settings(redis.url, collector.url, keep=True, once=True)) as relay:
        until(lambda: not relay.is_alive, "the end")
        assert relay.ended
    assert numbers(collector.events()) == [1, 2]
    assert client.xlen("snowplow") == 2
    assert client.xinfo_groups("snowplow")[0]["pending"] == 0


def test_acknowledged_only_after_the_answer(
    redis: RedisServer, client: Any, make_collector: MakeCollector
) -> None:
    """As long as the collector has not answered, an entry is pending."""
    collector = make_collector(Answer(delay=30))
    ids = add(client, *events(1))
    with relaying(settings(redis.url, collector.url)) as relay:
        assert collector.wait_for(1)
        assert client.xpending("snowplow", "relay")["pending"] == 1
        assert client.xrange("snowplow")[0][0] == ids[0]
        assert relay.held() == 1
        collector.release()
        until(lambda: is_empty(client), "the acknowledgement")


def test_the_collector_fails_for_long(
    redis: RedisServer, client: Any, make_collector: MakeCollector
) -> None:
    """Two relays whose collector is down longer than ``claim_after`` send nothing twice."""
    collector = make_collector(otherwise=503)
    _ = add(client, *events(*range(30)))
    with (
        relaying(settings(redis.url, collector.url, consumer="a", batch_size=5)) as first,
        relaying(settings(redis.url, collector.url, consumer="b", batch_size=5)) as second,
    ):
        until(lambda: first.held() + second.held() == 30, "the relays to read")
        time.sleep(3 * CLAIM_AFTER)  # for what must not happen
        assert "503" in str(first.failing()["collector"])
        collector.answer()
        until(lambda: is_empty(client), "the acknowledgement")
        assert first.counts().adopted + second.counts().adopted == 0
    assert sorted(numbers(collector.events())) == [*range(30)]


def test_a_slow_collector(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """Answers that take longer than ``claim_after`` make nobody take over what is under way."""
    collector = make_collector(otherwise=Answer(delay=3 * CLAIM_AFTER))
    _ = add(client, *events(*range(8)))
    with (
        relaying(settings(redis.url, collector.url, consumer="a", batch_size=2)),
        relaying(settings(redis.url, collector.url, consumer="b", batch_size=2)),
    ):
        until(lambda: is_empty(client), "the acknowledgement")
    assert sorted(numbers(collector.events())) == [*range(8)]


def test_the_dead_are_inherited(
    redis: RedisServer, client: Any, collector: FaultyCollector
) -> None:
    """What a relay that died had read is sent after ``claim_after``, and its name goes."""
    _ = add(client, *events(*range(50)))
    _ = left_by_the_dead(client, 40)
    with relaying(settings(redis.url, collector.url)) as relay:
        assert collector.wait_for(50)
        until(lambda: consumers(client) == {"here": 0}, "the dead consumer to be removed")
        assert relay.counts().adopted == 40
    assert sorted(numbers(collector.events())) == [*range(50)]


def test_the_living_are_not_inherited_after_a_pause(
    own: RedisServer, make_collector: MakeCollector
) -> None:
    """After Redis was away for longer than ``claim_after``, live relays keep what they hold."""
    collector = make_collector(otherwise=503)
    with own.client() as client:
        _ = add(client, *events(*range(20)))
    with (
        relaying(settings(own.url, collector.url, consumer="a", batch_size=3)) as first,
        relaying(settings(own.url, collector.url, consumer="b", batch_size=3)) as second,
    ):
        until(lambda: first.held() + second.held() == 20, "the relays to read")
        own.kill()
        time.sleep(2 * CLAIM_AFTER)
        until(lambda: first.failing()["redis"] and second.failing()["redis"], "the relays to know")
        _ = own.start()
        until(lambda: not (first.failing()["redis"] or second.failing()["redis"]), "Redis again")
        time.sleep(2 * CLAIM_AFTER)  # for what must not happen
        collector.answer()
        with own.client() as client:
            until(lambda: is_empty(client), "the acknowledgement")
        assert first.counts().adopted + second.counts().adopted == 0
    assert sorted(numbers(collector.events())) == [*range(20)]


def test_redis_restarts_while_answers_come(own: RedisServer, make_collector: MakeCollector) -> None:
    """What is delivered while Redis is away is acknowledged later, and not sent again."""
    collector = make_collector(Answer(delay=30))
    with own.client() as client:
        _ = add(client, *events(*range(10)))
    with relaying(settings(own.url, collector.url)) as relay:
        assert collector.wait_for(10)
        own.kill()
        collector.release()
        until(lambda: relay.stats().delivered == 10, "the answer")
        until(lambda: relay.counts().redis_errors, "the relay to know")
        assert relay.held() == 10
        _ = own.start()
        with own.client() as client:
            until(lambda: is_empty(client), "the acknowledgement")
        until(lambda: relay.held() == 0, "the relay to know")
    assert sorted(numbers(collector.events())) == [*range(10)]


def test_the_group_is_lost(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """A group that is gone is made anew; what the relay holds already is not sent twice."""
    collector = make_collector(Answer(delay=30))
    _ = add(client, *events(1))
    with relaying(settings(redis.url, collector.url)):
        assert collector.wait_for(1)
        client.xgroup_destroy("snowplow", "relay")
        _ = add(client, *events(2))
        assert collector.wait_for(2)
        collector.release()
        until(lambda: is_empty(client), "the acknowledgement")
    assert numbers(collector.events()) == [1, 2]


def test_all_data_is_lost(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """After Redis has lost everything, the relay goes on with what comes."""
    with relaying(settings(redis.url, collector.url)):
        _ = add(client, *events(1))
        assert collector.wait_for(1)
        client.flushall()
        _ = add(client, *events(2))
        assert collector.wait_for(2)
        until(lambda: is_empty(client), "the acknowledgement")


def test_trimmed_while_pending(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """Entries that were trimmed before they were sent are counted."""
    _ = add(client, *events(*range(5)))
    _ = left_by_the_dead(client, 5)
    client.xtrim("snowplow", maxlen=2, approximate=False)
    with relaying(settings(redis.url, collector.url)) as relay:
        until(lambda: is_empty(client), "the end")
        assert relay.counts().gone == 3
    assert sorted(numbers(collector.events())) == [3, 4]


def test_relays_share_the_work(
    redis: RedisServer, client: Any, make_collector: MakeCollector
) -> None:
    """While one relay waits for its answer, the other one sends."""
    collector = make_collector(otherwise=Answer(delay=0.05))
    _ = add(client, *events(*range(400)))
    told = [
        settings(redis.url, collector.url, consumer=name, thread_count=1, batch_size=10)
        for name in "ab"
    ]
    with relaying(told[0]) as first, relaying(told[1]) as second:
        until(lambda: is_empty(client), "the acknowledgement")
        shares = [relay.stats().delivered for relay in (first, second)]
    assert sum(shares) == 400
    assert min(shares) > 100


def test_reading_is_bounded(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """A relay holds two batches a thread, however much there is to read."""
    collector = make_collector(otherwise=503)
    _ = add(client, *events(*range(100)))
    told = settings(redis.url, collector.url, thread_count=2, batch_size=5)
    with relaying(told) as relay:
        until(lambda: relay.held() == 20, "the relay to read")
        until(lambda: relay.stats().requests > 3, "more attempts")
        assert relay.held() == 20
        collector.answer()
        assert collector.wait_for(100)


def test_handed_back(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """What a relay cannot send before its end, others take over without waiting for it."""
    down, up = make_collector(otherwise=503), make_collector()
    _ = add(client, *events(*range(10)))
    with relaying(settings(redis.url, down.url, consumer="ending", claim_after=2)) as ending:
        until(lambda: ending.held() == 10, "the relay to read")
        assert ending.close(0.2) == 10
    assert consumers(client) == {"ending": 10}
    idle = client.xpending_range("snowplow", "relay", "-", "+", 10)
    assert min(each["time_since_delivered"] for each in idle) >= 2000
    with relaying(settings(redis.url, up.url)):
        assert up.wait_for(10)
        until(lambda: consumers(client) == {"here": 0}, "the ended consumer to be removed")


def test_one_name_twice(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """A relay that ends does not take from the group what another of its name holds."""
    slow, collector = make_collector(Answer(delay=30)), make_collector()
    _ = add(client, *events(1))
    with relaying(settings(redis.url, slow.url)) as first:
        assert slow.wait_for(1)
        with relaying(settings(redis.url, collector.url)):
            _ = add(client, *events(2))
            until(lambda: len(slow.events()) + len(collector.events()) == 2, "both")
        assert consumers(client)["here"] >= 1
        slow.release()
        until(lambda: first.held() == 0, "the acknowledgement")
    assert client.xlen("snowplow") == 0


def test_scripts_are_not_allowed(
    redis: RedisServer, client: Any, collector: FaultyCollector
) -> None:
    """A Redis that runs no scripts for us keeps dead names; all is sent nevertheless."""
    _ = add(client, *events(*range(4)))
    _ = left_by_the_dead(client, 3)
    client.acl_setuser("low", enabled=True, passwords=["+p"], keys=["*"],
                       commands=["+@all", "-eval"])  # fmt: skip
    try:
        address = redis.url.replace("//", "//low:p@")
        with relaying(settings(address, collector.url)) as relay:
            assert collector.wait_for(4)
            until(lambda: relay.counts().redis_errors, "the relay to know")
            assert "NoPermissionError" in str(relay.counts().redis_error)
            assert relay.failing()["redis"] is None
    finally:
        client.acl_deluser("low")
    assert consumers(client) == {"dead": 0, "here": 0}
