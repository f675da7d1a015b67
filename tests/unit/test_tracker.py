"""Tests of the tracker: what of an event reaches the wire."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging import Emitter, SelfDescribingJson, SnowplowHandler, Subject, Tracker
from snowplow_logging._text import CUT_MARK
from snowplow_logging.payload import MAX_EVENT_BYTES, TRACKER_VERSION
from tests.iglu_central import CONTEXTS, UNSTRUCT_EVENT, needs_iglu_central
from tests.unit import hostile
from tests.unit.records import record
from tests.unit.wire import CapturingTransport, Wire, contexts, unstruct_event

ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"
USER = "iglu:com.acme/user/jsonschema/1-0-0"
EVENT = SelfDescribingJson(ORDER, {"order": 7, "note": "é😀"})
ENTITY = SelfDescribingJson(USER, {"id": "u-1"})
LAST_MS = 253_402_300_799_999  # the end of the year 9999
FIRST_MS = -62_167_219_200_000  # the beginning of the year 0
both_forms = pytest.mark.parametrize("as_base64", [True, False], ids=["base64", "text"])


@dataclass
class Placed:
    order: int


@needs_iglu_central
@both_forms
def test_an_event(as_base64: bool) -> None:  # noqa: FBT001 - a parameter
    """An event has its wrapper, its entities theirs, in either form, and all of it is valid."""
    wire = Wire(base64=as_base64)

    _ = wire.tracker.track_unstruct_event(EVENT, [ENTITY, ENTITY])

    fields = wire.event()
    assert wire.problems() == []
    assert fields.keys() & {"ue_px", "cx"} == ({"ue_px", "cx"} if as_base64 else set())
    assert unstruct_event(fields) == {"schema": UNSTRUCT_EVENT, "data": EVENT.to_json()}
    assert contexts(fields) == {"schema": CONTEXTS, "data": [ENTITY.to_json()] * 2}


def test_fields_of_every_event() -> None:
    """Every event says what it is, who tracked it, where, and when."""
    before = time.time_ns() // 1_000_000
    wire = Wire(app_id="shop", namespace="python")

    event_id = wire.tracker.track_unstruct_event(EVENT)

    fields = wire.event()
    assert fields.keys() == {"e", "p", "tv", "tna", "aid", "eid", "dtm", "stm", "ue_px"}
    assert (fields["e"], fields["p"], fields["tv"]) == ("ue", "srv", TRACKER_VERSION)
    assert (fields["tna"], fields["aid"]) == ("python", "shop")
    assert fields["eid"] == event_id == str(uuid.UUID(event_id))
    assert before <= int(fields["dtm"]) <= time.time_ns() // 1_000_000
    assert int(fields["stm"]) >= int(fields["dtm"])


def test_without_names() -> None:
    """An event of a tracker without names has no such fields."""
    wire = Wire(app_id=None, namespace=None)

    _ = wire.tracker.track_unstruct_event(EVENT)

    assert not wire.event().keys() & {"aid", "tna", "ttm", "cx", "co"}


def test_ids_are_distinct() -> None:
    """Each event has an id of its own, the same events too."""
    wire = Wire()

    ids = [wire.tracker.track_unstruct_event(EVENT) for _ in range(100)]

    assert len(set(ids)) == 100
    assert [fields["eid"] for fields in wire.events()] == ids


@needs_iglu_central
@pytest.mark.parametrize("tstamp", [1_700_000_000_123, 1_700_000_000_123.9])
def test_a_true_timestamp(tstamp: float) -> None:
    """A true timestamp is sent in whole milliseconds, beside the time of the call."""
    wire = Wire()

    _ = wire.tracker.track_unstruct_event(EVENT, None, tstamp)

    assert wire.event()["ttm"] == "1700000000123"
    assert wire.problems() == []


@pytest.mark.parametrize("tstamp", [float("nan"), float("inf"), "yesterday"])
def test_a_wrong_timestamp(tstamp: Any) -> None:
    """What is no time is a ValueError or TypeError, before anything is tracked."""
    wire = Wire()

    with pytest.raises((ValueError, TypeError)):
        _ = wire.tracker.track_unstruct_event(EVENT, None, tstamp)

    assert wire.events() == []


@pytest.mark.parametrize("created_ms", [10**18, -(10**18), LAST_MS + 1, FIRST_MS - 1])
def test_times_beyond_the_pipeline(created_ms: int) -> None:
    """No time is sent that the pipeline must reject."""
    wire = Wire()
    handler = SnowplowHandler(tracker=wire.tracker)
    made = record(schema=ORDER, data={}, created=created_ms / 1000)

    handler.emit(made)
    _ = wire.tracker.track_unstruct_event(SelfDescribingJson(ORDER, {}), tstamp=created_ms)

    assert len(wire.events()) == 2
    for fields in wire.events():
        for key in ("dtm", "ttm", "stm"):
            assert FIRST_MS <= int(fields.get(key, "0")) <= LAST_MS


def test_its_two_names() -> None:
    """The newer name of tracking does the same as the older one."""
    wire = Wire()

    event_id = wire.tracker.track_self_describing_event(EVENT, contexts=[ENTITY], tstamp=5)

    assert (wire.event()["eid"], wire.event()["ttm"]) == (event_id, "5")


@pytest.mark.parametrize("event", [None, {"schema": ORDER, "data": {}}, "text", ORDER, 5])
def test_what_is_no_event(event: Any) -> None:
    """What is no self-describing JSON is a TypeError, as event and as entity."""
    wire = Wire()

    with pytest.raises(TypeError, match="events and contexts are SelfDescribingJson, not"):
        _ = wire.tracker.track_unstruct_event(event)
    with pytest.raises(TypeError, match="events and contexts are SelfDescribingJson, not"):
        _ = wire.tracker.track_unstruct_event(EVENT, [ENTITY, event])

    assert wire.events() == []


@pytest.mark.parametrize("name", hostile.NAMES)
def test_what_is_a_hostile_event(name: str) -> None:
    """A hostile value in an event's place is a TypeError like any other."""
    with pytest.raises(TypeError):
        _ = Wire().tracker.track_unstruct_event(hostile.values()[name])


def test_entities_of_any_sequence() -> None:
    """Entities may come in any sequence, and none is none."""
    wire = Wire()

    _ = wire.tracker.track_unstruct_event(EVENT, (ENTITY,))
    _ = wire.tracker.track_unstruct_event(EVENT, [])

    first, second = wire.events()
    assert (contexts(first) or {})["data"] == [ENTITY.to_json()]
    assert contexts(second) is None


def test_a_dataclass_is_data() -> None:
    """A dataclass instance is data like any object."""
    wire = Wire()

    _ = wire.tracker.track_unstruct_event(SelfDescribingJson(ORDER, Placed(7)))

    assert unstruct_event(wire.event())["data"]["data"] == {"order": 7}


@needs_iglu_central
@both_forms
@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_data(name: str, as_base64: bool) -> None:  # noqa: FBT001 - a parameter
    """A hostile value in data or entity makes the event no less valid, its neighbours neither."""
    wire = Wire(base64=as_base64)
    data = {"before": 1, "hostile": hostile.values()[name], "zafter": "é"}

    _ = wire.tracker.track_unstruct_event(
        SelfDescribingJson(ORDER, data), [SelfDescribingJson(USER, [data])]
    )

    sent = unstruct_event(wire.event())["data"]["data"]
    assert wire.problems() == []
    assert (sent["before"], sent["zafter"]) == (1, "é")


@needs_iglu_central
@given(st.dictionaries(st.text(), hostile.anything), st.lists(hostile.anything), st.booleans())
def test_whatever_is_tracked_is_valid(data: Any, entity: Any, as_base64: bool) -> None:  # noqa: FBT001
    """Whatever an event and its entities hold, the request is valid."""
    wire = Wire(base64=as_base64)

    _ = wire.tracker.track_unstruct_event(
        SelfDescribingJson(ORDER, hostile.realised(data)),
        [SelfDescribingJson(USER, hostile.realised(entity))],
    )

    assert wire.problems() == []


@needs_iglu_central
@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_whatever_its_names_are(app_id: str, namespace: str) -> None:
    """Whatever a tracker is called, its events are valid."""
    wire = Wire(app_id=app_id * 100, namespace=namespace * 100)

    _ = wire.tracker.track_unstruct_event(EVENT)

    assert wire.problems() == []
    assert len(wire.event().get("aid", "").encode("utf-16-le")) <= 2 * 255
    assert len(wire.event().get("tna", "").encode("utf-16-le")) <= 2 * 128


def test_mutation_after_the_call_does_not_show() -> None:
    """What is sent is what the objects were at the call."""
    wire = Wire()
    wire.emitter = Emitter("https://c.acme.com", batch_size=100, transport=lambda: wire.transport)
    tracker = Tracker("python", wire.emitter)
    data = {"items": [1]}

    _ = tracker.track_unstruct_event(SelfDescribingJson(ORDER, data))
    data["items"].append(2)

    assert wire.events() == []
    assert tracker.flush()
    assert unstruct_event(wire.event())["data"]["data"] == {"items": [1]}


@needs_iglu_central
@both_forms
@pytest.mark.parametrize(
    ("data", "entities"),
    [
        ({"sane": 1, "text": "x" * 1_000_000}, []),
        ({"sane": 1, "text": "\0" * 1_000_000}, []),
        ({"sane": 1, "text": '"\\' * 500_000}, []),
        ({"sane": 1, "text": "😀" * 500_000}, []),
        ({"sane": 1, "list": list(range(200_000))}, []),
        ({"sane": 1, "keys": {f"key-{n}": f"value {n}" for n in range(100_000)}}, []),
        ({"sane": 1, "keys": {f"{n:0500}": "v" for n in range(2_000)}}, []),
        ({"sane": 1}, [{"text": "é" * 1_000_000}]),
        ({"sane": 1}, [{"text": "x" * 100_000}] * 10),
        ({"sane": 1, "rows": [{"text": "x" * 50}] * 10_000}, [{"rows": [[1] * 50] * 5_000}]),
    ],
    ids=["text", "control", "quotes", "faces", "list", "keys", "long keys", "entity", "entities",
         "rows"],
)  # fmt: skip
def test_too_long_events_are_cut(data: Any, entities: list[Any], as_base64: bool) -> None:  # noqa: FBT001
    """An event that is too long for some collector is cut to what every one takes, with a mark."""
    wire = Wire(base64=as_base64)

    _ = wire.tracker.track_unstruct_event(
        SelfDescribingJson(ORDER, data), [SelfDescribingJson(USER, entity) for entity in entities]
    )

    assert wire.emitter.stats().dropped == 0
    fields = wire.event()
    sent, carried = unstruct_event(fields)["data"], contexts(fields)
    assert wire.problems() == []
    assert sent["schema"] == ORDER
    assert sent["data"]["sane"] == 1
    assert CUT_MARK in str(sent) + str(carried)
    assert len((carried or {"data": []})["data"]) == len(entities)
    assert len(wire.transport.bodies[0]) <= MAX_EVENT_BYTES + 1_000


def test_a_small_part_leaves_its_room_to_a_large_one() -> None:
    """Small entities do not cost a large event more than their own size."""
    wire = Wire()

    _ = wire.tracker.track_unstruct_event(
        SelfDescribingJson(ORDER, {"rows": ["x" * 150] * 1_200}), [ENTITY] * 10
    )

    sent = unstruct_event(wire.event())["data"]["data"]
    assert len("".join(sent["rows"])) > 50_000


@needs_iglu_central
@both_forms
def test_cutting_leaves_schemas_whole(as_base64: bool) -> None:  # noqa: FBT001 - a parameter
    """However much an entity is cut, its schema is the one that it had."""
    wire = Wire(base64=as_base64)
    uri = f"iglu:com.acme.{'x' * 60}/order_placed_by_customer/jsonschema/1-0-0"
    data = {f"k{number}": "x" * 500 for number in range(800)}

    _ = wire.tracker.track_unstruct_event(
        SelfDescribingJson(uri, data), [SelfDescribingJson(uri, data)]
    )

    assert wire.problems() == []
    assert [entity["schema"] for entity in (contexts(wire.event()) or {})["data"]] == [uri]
    assert unstruct_event(wire.event())["data"]["schema"] == uri


@needs_iglu_central
@both_forms
def test_a_long_event_with_a_beginning_of_many(as_base64: bool) -> None:  # noqa: FBT001 - a parameter
    """What was to be written once for many events is in one that is cut, too."""
    wire = Wire(base64=as_base64)
    texts = json.dumps({"text": "x" * 300_000}).encode()
    beginning, rest = b'{"file":"orders.py",', b'"message":"placed"}'
    entity = b'{"schema":"%b","data":%b}' % (USER.encode(), texts)

    _ = wire.tracker.track(ORDER, rest, [entity], 1_600_000_000_000, beginning=beginning)

    event = unstruct_event(wire.event())["data"]
    assert event == {"schema": ORDER, "data": {"file": "orders.py", "message": "placed"}}
    assert wire.problems() == []


def test_an_event_just_short_enough_is_whole() -> None:
    """An event is cut only if it is really too long."""
    wire = Wire(base64=False)
    text = "x" * (MAX_EVENT_BYTES - 1_000)

    _ = wire.tracker.track_unstruct_event(SelfDescribingJson(ORDER, {"text": text}))

    assert unstruct_event(wire.event())["data"]["data"] == {"text": text}


def test_an_event_that_cannot_be_cut() -> None:
    """An event that is too long in so many parts that no cut helps is counted as oversize."""
    wire = Wire()

    event_id = wire.tracker.track_unstruct_event(EVENT, [ENTITY] * 4_000)

    stats = wire.emitter.stats()
    assert uuid.UUID(event_id)
    assert wire.events() == []
    assert (stats.accepted, stats.dropped_by_reason) == (1, {"oversize": 1})


def test_several_emitters() -> None:
    """Each of several emitters gets every event, the very same one."""
    wires = [Wire(), Wire()]
    tracker = Tracker("python", (wire.emitter for wire in wires))

    _ = tracker.track_unstruct_event(EVENT)

    first, second = (wire.event() for wire in wires)
    assert first == second
    assert len(tracker.emitters) == 2
    tracker.refuse("unmappable")
    assert [wire.emitter.stats().dropped for wire in wires] == [1, 1]


def test_flush_asks_every_emitter() -> None:
    """Flush sends what each emitter holds, and says whether all of it went."""
    transports = [CapturingTransport(), CapturingTransport()]
    emitters = [
        Emitter("https://c.acme.com", batch_size=10, transport=lambda t=t: t)  # type: ignore[misc]
        for t in transports
    ]
    tracker = Tracker("python", emitters, Subject())
    _ = tracker.track_unstruct_event(EVENT)
    assert [t.bodies for t in transports] == [[], []]

    assert tracker.flush()

    assert [len(t.bodies) for t in transports] == [1, 1]


def test_severity_and_time_reach_the_emitter() -> None:
    """A record's level and time of creation go with its event."""
    wire = Wire()
    emitter = Emitter(
        "https://c.acme.com", batch_size=10, queue_size=1, overflow="drop_lowest_severity",
        transport=lambda: wire.transport,
    )  # fmt: skip
    tracker = Tracker("python", emitter)

    for severity in (20, 40, 30):
        _ = tracker.track(
            ORDER, b'{"level":%d}' % severity, [], 1_600_000_000_000 + severity, severity=severity
        )

    assert tracker.flush()
    assert unstruct_event(wire.event())["data"]["data"] == {"level": 40}
    assert wire.event()["dtm"] == "1600000000040"


def test_repr_shows_its_emitters() -> None:
    """Its repr shows where its events go."""
    assert repr(Wire().tracker).startswith("<Tracker <Emitter https://c.acme.com 0/10000 queued")
