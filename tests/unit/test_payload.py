"""Tests of the tracker protocol."""

from __future__ import annotations

import base64
import itertools
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging import __version__
from snowplow_logging._envelope import CLOSING, Contexts, Envelope
from snowplow_logging._event_ids import new_event_id
from snowplow_logging._json import encode
from snowplow_logging.payload import (
    CONTEXTS,
    FIELD_LIMITS,
    FIRST_MS,
    LAST_MS,
    PAYLOAD_DATA,
    PLATFORMS,
    STM_BYTES,
    TRACKER_VERSION,
    UNSTRUCT_EVENT,
    Payload,
    as_dict,
    body_of,
    created_ms_of,
    field,
    fields,
    finished,
    query,
    request_body,
    sequence_of,
)
from tests import iglu_central
from tests.unit.wire import loads

NOW_MS = 1_700_000_000_000
every_text = st.text(st.characters(exclude_categories=()), max_size=40)
sound_text = every_text.map(lambda text: text.encode("utf-8", "replace").decode())


def payload(sequence: int = 1, created_ms: int = NOW_MS, **members: str) -> Payload:
    """Returns a payload with ``members`` beside what every event has."""
    required = {"e": "ue", "p": "srv", "tv": TRACKER_VERSION, "dtm": str(created_ms)}
    body = b"{" + fields(required | members)
    return (sequence, 0.0, finished(body, created_ms, 20))


def test_names_of_the_protocol() -> None:
    """The schemas' names are those of Iglu Central, and the version says whose tracker it is."""
    assert PAYLOAD_DATA == iglu_central.PAYLOAD_DATA
    assert UNSTRUCT_EVENT == iglu_central.UNSTRUCT_EVENT
    assert CONTEXTS == iglu_central.CONTEXTS
    assert TRACKER_VERSION.endswith(__version__)
    assert len(TRACKER_VERSION) <= FIELD_LIMITS["tv"]
    assert set(PLATFORMS) == {
        "web", "iot", "app", "mob", "pc", "cnsl", "tv", "srv", "headset"
    }  # fmt: skip


def test_event_ids() -> None:
    """Event ids are lower-case random UUIDs, each a new one."""
    ids = [new_event_id().decode() for _ in range(2_500)]

    assert len(set(ids)) == 2_500
    for event_id in ids:
        assert str(uuid.UUID(event_id)) == event_id
        assert uuid.UUID(event_id).version == 4
        assert uuid.UUID(event_id).variant == uuid.RFC_4122


@given(st.dictionaries(st.sampled_from([*FIELD_LIMITS, "eid", "vid"]), every_text | st.none()))
def test_fields_are_texts_within_their_limits(pairs: dict[str, str | None]) -> None:
    """Fields are texts of bounded length, and those that say nothing are left out."""
    decoded = loads(b"{" + fields(pairs) + b"}")

    assert set(decoded) == {key for key, value in pairs.items() if value}
    for key, value in decoded.items():
        assert isinstance(value, str)
        assert len(value.encode("utf-16-le")) // 2 <= FIELD_LIMITS.get(key, 2**24)
        assert "\0" not in value


@pytest.mark.parametrize("key", FIELD_LIMITS)
def test_long_fields_are_cut(key: str) -> None:
    """A field that is too long is cut to the last unit that the pipeline takes."""
    assert len(field(key, "x" * 10_000)) == FIELD_LIMITS[key]
    assert field(key, "x" * FIELD_LIMITS[key]) == "x" * FIELD_LIMITS[key]


def test_numbers_are_said_as_texts() -> None:
    """Whatever a field is given as, it is a text on the wire; zero is a value."""
    assert loads(b"{" + fields({"vid": 0, "cd": 24, "uid": False}) + b"}") == {
        "vid": "0",
        "cd": "24",
        "uid": "False",
    }


@given(sound_text, st.booleans(), st.integers(FIRST_MS, LAST_MS))
def test_wrapped_json(text: str, as_base64: bool, created_ms: int) -> None:  # noqa: FBT001 - an argument of a test
    """Wrapped JSON reads the same from base64 and from text, with every character but NUL."""
    data = b"[%s]" % _json_text(text)
    envelope = Envelope(b'"e":"ue"', "iglu:a/b/jsonschema/1-0-0", b"", base64=as_base64)
    rest = b',"ttm":"1"'
    event_id = new_event_id()
    size = envelope.size(data + CLOSING) + len(rest)
    head, form, closed = envelope.head, envelope.form, data + CLOSING
    body = body_of((1, 0.0, (head, form, event_id, created_ms, 20, closed, rest, size)))

    written = loads(body + b"}")
    value = written.pop("ue_px" if as_base64 else "ue_pr")
    wrapper = loads(base64.urlsafe_b64decode(value) if as_base64 else value)

    assert size - 14 <= len(body) <= size  # a time has up to 15 characters
    assert written == {"e": "ue", "eid": event_id.decode(), "dtm": str(created_ms), "ttm": "1"}
    assert wrapper == {
        "schema": UNSTRUCT_EVENT,
        "data": {"schema": "iglu:a/b/jsonschema/1-0-0", "data": [text.replace("\0", "\ufffd")]},
    }


@given(sound_text, sound_text, sound_text, st.booleans())
def test_a_beginning_that_many_events_share(
    shared: str,
    one: str,
    other: str,
    as_base64: bool,  # noqa: FBT001 - an argument of a test
) -> None:
    """What is written once for many events reads as if each had it."""
    beginning = b'{"shared":%s,' % _json_text(shared)
    envelope = Envelope(b'"e":"ue"', "iglu:a/b/jsonschema/1-0-0", beginning, base64=as_base64)
    for own in (one, other):
        closed = b'"own":%s}' % _json_text(own) + CLOSING
        draft = envelope.head, envelope.form, new_event_id(), NOW_MS, 20, closed, b"", 0
        written = loads(body_of((1, 0.0, draft)) + b"}")
        value = written["ue_px" if as_base64 else "ue_pr"]
        data = loads(base64.urlsafe_b64decode(value) if as_base64 else value)["data"]["data"]

        assert data == {
            "shared": shared.replace("\0", "\ufffd"),
            "own": own.replace("\0", "\ufffd"),
        }


@given(every_text, st.booleans())
def test_wrapped_entities(text: str, as_base64: bool) -> None:  # noqa: FBT001 - an argument of a test
    """Entities read the same from base64 and from text."""
    entity = b'{"schema":"iglu:a/b/jsonschema/1-0-0","data":[%s]}' % _json_text(text)
    field = Contexts(base64=as_base64).field([entity, entity])

    value = loads(b"{" + field + b"}")["cx" if as_base64 else "co"]

    read = loads(base64.urlsafe_b64decode(value) if as_base64 else value)
    assert read == {"schema": CONTEXTS, "data": [loads(entity), loads(entity)]}


def _json_text(text: str) -> bytes:
    return encode([text])[1:-1]


@iglu_central.needs_iglu_central
@pytest.mark.parametrize("count", [1, 2, 500])
def test_a_request_is_valid(count: int) -> None:
    """A request is the envelope with every event in order, each with the time of sending."""
    batch = [payload(number, uid=f'"{number}\\') for number in range(count)]

    request = loads(request_body(batch, NOW_MS + 5))

    assert request["schema"] == iglu_central.PAYLOAD_DATA
    assert iglu_central.problems(iglu_central.PAYLOAD_DATA, request["data"]) == []
    assert [event["uid"] for event in request["data"]] == [f'"{n}\\' for n in range(count)]
    assert {event["stm"] for event in request["data"]} == {str(NOW_MS + 5)}


def test_a_repeated_request_differs_in_stm_alone() -> None:
    """What is sent again is byte-identical but for the time of sending."""
    batch = [payload(1, uid="é"), payload(2)]

    first, second = request_body(batch, NOW_MS), request_body(batch, NOW_MS + 60_000)

    assert first != second
    assert first.replace(b'"stm":"1700000000000"', b'"stm":"1700000060000"') == second


@given(st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=5))
def test_nothing_is_sent_before_it_was_created(offsets: list[int]) -> None:
    """The time of sending is never before an event's own time, even if the clock was set back."""
    batch = [payload(number, NOW_MS + offset) for number, offset in enumerate(offsets)]

    sent = loads(request_body(batch, NOW_MS))["data"]

    assert [int(event["stm"]) for event in sent] == [max(NOW_MS, created_ms_of(p)) for p in batch]
    assert [query(p, NOW_MS)["stm"] for p in batch] == [event["stm"] for event in sent]


def test_size_of_the_time_of_sending() -> None:
    """What sending adds to an event is never more than the limits reckon with."""
    events = [payload(1), payload(2)]
    bodies = sum(len(body_of(event)) for event in events)
    envelope = len(request_body(events[:1], NOW_MS)) - len(body_of(events[0])) - STM_BYTES

    assert len(request_body(events, NOW_MS)) <= envelope + bodies + 2 * STM_BYTES


def test_a_query_has_the_same_fields() -> None:
    """A GET says the same as a POST."""
    event = payload(1, uid="é&=?#", aid="a b")

    (posted,) = loads(request_body([event], NOW_MS))["data"]

    assert query(event, NOW_MS) == posted
    assert as_dict(event) == {key: posted[key] for key in posted if key != "stm"}


def test_payloads_sort_by_their_sequence() -> None:
    """Payloads stand in the order in which they were accepted."""
    some: list[Any] = [payload(number) for number in (3, 1, 2)]

    for order in itertools.permutations(some):
        assert [sequence_of(p) for p in sorted(order)] == [1, 2, 3]
