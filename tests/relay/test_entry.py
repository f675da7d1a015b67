"""What a relay takes from an entry, and what it cannot send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging.payload import MAX_EVENT_BYTES, STM_BYTES, finished, request_body
from snowplow_logging.relay.entry import FIELD, Event, UnfitError, event
from tests.unit.wire import loads

GOOD = b'{"e":"ue","p":"srv","tv":"x","dtm":"1700000000000"}'


def with_members(members: str) -> bytes:
    """Returns an event with more members, as JSON."""
    return GOOD[:-1] + f",{members}".encode() + b"}"


def test_an_event_stays_as_it_is() -> None:
    """Its bytes are those that were written, but for space around them."""
    assert event({FIELD: GOOD}) == Event(GOOD[:-1], 1_700_000_000_000)
    assert event({FIELD: b" " + GOOD + b"\n", b"more": b"x"}) == event({FIELD: GOOD})


def test_an_event_without_a_time() -> None:
    """An event without ``dtm`` can be sent, as trackers may leave it out."""
    assert event({FIELD: b'{"e":"ue","p":"srv","tv":"x"}'}).created_ms == 0


@pytest.mark.parametrize(
    ("written", "detail"),
    [
        (b"", "no JSON: JSONDecodeError"),
        (b"\xff{}", "no JSON: UnicodeDecodeError"),
        (GOOD.decode().encode("utf-16"), "no JSON: UnicodeDecodeError"),
        (b"[" * 100_000, "no JSON: RecursionError"),
        (GOOD + b"}", "no JSON: JSONDecodeError"),
        (GOOD + b"," + GOOD, "no JSON: JSONDecodeError"),
        (b"[]", "no JSON object"),
        (b'"x"', "no JSON object"),
        (b"{}", "missing e, p, tv"),
        (b'{"e":"ue","p":"srv"}', "missing tv"),
        (with_members('"secret":"x"'), "1 keys that no event has"),
        (with_members('"stm":"1"'), "1 keys that no event has"),
        (with_members('"aid":1,"uid":null'), "aid, uid: no text"),
        (with_members('"co":{"a":1}'), "co: no text"),
        (with_members('"dtm":"yesterday"'), "dtm is no time"),
    ],
)
def test_malformed(written: bytes, detail: str) -> None:
    """What would spoil a whole request is told apart, without quoting what it says."""
    with pytest.raises(UnfitError) as raised:
        _ = event({FIELD: written})
    assert raised.value.reason == "malformed"
    assert raised.value.detail.startswith(detail)
    assert "secret" not in raised.value.detail


def test_no_field() -> None:
    """An entry of somebody else is malformed."""
    with pytest.raises(UnfitError, match="no field named event"):
        _ = event({b"e": b"ue"})


def test_oversize() -> None:
    """An event that no sink takes is told apart before it is sent; one at the bound is not."""
    room = MAX_EVENT_BYTES - STM_BYTES + len(b"{}") - len(with_members('"ue_px":""'))
    assert event({FIELD: with_members(f'"ue_px":"{"x" * room}"')})
    with pytest.raises(UnfitError) as raised:
        _ = event({FIELD: with_members(f'"ue_px":"{"x" * (room + 1)}"')})
    assert raised.value.reason == "oversize"


@given(st.one_of(st.binary(), st.text().map(str.encode), st.just(GOOD)))
def test_whatever_is_taken_can_be_sent(written: bytes) -> None:
    """Any bytes are an event that makes a right request, or are unfit."""
    try:
        taken = event({FIELD: written})
    except UnfitError:
        return
    body = request_body([(1, 0.0, finished(taken.body, taken.created_ms))], 1_700_000_000_001)
    assert loads(body)["data"][0]["stm"] == "1700000000001"
