"""What cannot be sent is set aside with its reason; nothing else is held up by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snowplow_logging.testing import at_most
from tests.delivery.support import numbers, until
from tests.relay.inside import add, event, events, relaying, settings
from tests.relay.test_claims import is_empty

if TYPE_CHECKING:
    from snowplow_logging.testing import FaultyCollector
    from tests.delivery.conftest import MakeCollector
    from tests.relay.servers import RedisServer


def dead_letters(client: Any, stream: str = "dead") -> list[dict[bytes, bytes]]:
    """Returns the entries of the dead-letter stream."""
    return [fields for _, fields in client.xrange(stream)]


def test_malformed(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """Entries that hold no event never reach a request; they are kept as they were."""
    ids = add(client, {"x": "y"}, *events(1), {"event": "{}", "more": "z"}, *events(2))
    with relaying(settings(redis.url, collector.url)) as relay:
        until(lambda: is_empty(client), "the end")
        until(lambda: relay.counts().dead == {"malformed": 2}, "the count")
        assert relay.counts().dead_detail == "missing e, p, tv"
    assert numbers(collector.events()) == [1, 2]
    why = {b"reason": b"malformed"}
    assert dead_letters(client) == [
        {b"x": b"y", b"detail": b"no field named event", b"entry": ids[0], **why},
        {
            b"event": b"{}", b"more": b"z", b"detail": b"missing e, p, tv", b"entry": ids[2],
            **why,
        },
    ]  # fmt: skip


def test_rejected(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """What the collector refuses for good is set aside as it was, with the collector's words."""
    collector = make_collector(otherwise=404)
    ids = add(client, *events(1, 2))
    written = [fields for _, fields in client.xrange("snowplow")]
    with relaying(settings(redis.url, collector.url)):
        until(lambda: is_empty(client), "the end")
    assert dead_letters(client) == [
        {**fields, b"reason": b"rejected", b"detail": b"404 Not Found", b"entry": entry}
        for entry, fields in zip(ids, written, strict=True)
    ]


def test_too_large_alone(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """An event for which the collector answers 413 though it is alone is set aside, alone."""
    collector = make_collector(otherwise=at_most(2_000))
    _ = add(client, *events(*range(7)), event(7, ua="x" * 2_000), *events(8, 9))
    with relaying(settings(redis.url, collector.url)) as relay:
        until(lambda: is_empty(client), "the end")
        until(lambda: relay.counts().dead == {"oversize": 1}, "the count")
    assert sorted(numbers(collector.events())) == [*range(7), 8, 9]
    (letter,) = dead_letters(client)
    assert (letter[b"reason"], letter[b"detail"][:4]) == (b"oversize", b"413 ")


def test_sent_again(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """A relay of the dead-letter stream sends it again, and leaves what is still not right."""
    collector = make_collector(otherwise=404)
    _ = add(client, *events(1, 2), {"x": "y"})
    with relaying(settings(redis.url, collector.url)):
        until(lambda: is_empty(client), "the end")
    collector.answer()
    again = settings(f"{redis.url}?stream=dead", collector.url, dead="dead:dead", once=True)
    with relaying(again) as relay:
        until(lambda: not relay.is_alive, "the end")
    assert sorted(numbers(collector.events())) == [1, 2]
    assert client.xlen("dead") == 0
    assert [letter[b"x"] for letter in dead_letters(client, "dead:dead")] == [b"y"]


def test_no_dead_letter_stream(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """While nothing can be set aside, nothing is lost: the entry stays pending."""
    client.set("dead", "no stream")
    _ = add(client, {"x": "y"}, *events(1))
    with relaying(settings(redis.url, collector.url)) as relay:
        assert collector.wait_for(1)
        until(lambda: "WRONGTYPE" in str(relay.counts().redis_error), "the relay to know")
        until(lambda: client.xpending("snowplow", "relay")["pending"] == 1, "the other's end")
        client.delete("dead")
        until(lambda: is_empty(client), "the end")
    assert [letter[b"x"] for letter in dead_letters(client)] == [b"y"]


def test_byte_identical(redis: RedisServer, client: Any, make_collector: MakeCollector) -> None:
    """What is sent, also again, is what was written, with an ``stm`` not before its ``dtm``."""
    collector = make_collector(503)
    entries = [event(number, dtm="4102444800000") for number in (1, 2)]
    _ = add(client, *entries)
    with relaying(settings(redis.url, collector.url)):
        assert collector.wait_for(2)
    sent = [entry["event"][:-1].encode() + b',"stm":"4102444800000"}' for entry in entries]
    for request in collector.requests:
        assert sum(request.body.count(each) for each in sent) == len(request.events)
    assert sum(len(request.events) for request in collector.requests) > 2  # some came again
