"""What events say of themselves, whichever collector they come from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from snowplow_logging.testing import Event, SnowplowCollector
from snowplow_logging.testing.report import MAX_EVENTS, describe, listing
from tests.collector.support import (
    ERROR,
    PAYLOAD_DATA,
    UNSTRUCT,
    body,
    contexts,
    event,
    post,
    to_base64,
)

ATOMIC = "iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0"
UNKNOWN = "iglu:com.acme/unknown/jsonschema/1-0-0"
DESCRIBED = {"schema": ERROR, "data": {"programmingLanguage": "PYTHON", "message": "é"}}
WHOLE = {"schema": UNSTRUCT, "data": DESCRIBED}


def bad(collector: SnowplowCollector, content: bytes) -> Event:
    """Posts a request; returns the one bad event that it becomes."""
    _ = post(collector.url, content)
    (found,) = collector.bad()
    return found


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        (body(event({"programmingLanguage": "PYTHON", "message": 5, "more": 1})), [
            f"{ERROR}: $.message: expected string, got 5",
            f"{ERROR}: $: expected no properties but ",
        ]),
        (body(event({}, UNKNOWN)), [f"{UNKNOWN}: unknown schema, looked for in "]),
        (body(event(eid="x")), [f"{ATOMIC}: eid: expected "]),
        (body(event(ue_px="%")), ["ue_px: "]),
        (body(event(ue_px=to_base64(5))), ["5: INVALID_DATA_PAYLOAD"]),
        (body(event(cx=contexts(schema=UNSTRUCT))), [f"{UNSTRUCT}: expected iglu:"]),
        (body(event(unknown="x")), [f"{PAYLOAD_DATA}: $[0].unknown: expected a key of "]),
        (b"{", ["body: "]),
        (body(event(aid="x" * 1_000_001)), ["1000"]),
    ],
    ids=["data", "schema", "atomic", "base64", "wrapper", "contexts", "key", "json", "size"],
)  # fmt: skip
def test_reasons(snowplow_collector: SnowplowCollector, content: bytes, reasons: list[str]) -> None:
    """They are read from the bad row, whichever its format: one line for each."""
    found = sorted(bad(snowplow_collector, content).reasons)
    assert len(found) == len(reasons), found
    for reason, beginning in zip(found, reasons, strict=True):
        assert reason.startswith(beginning), found
        assert "\n" not in reason


def test_reasons_of_other_collectors() -> None:
    """A bad row that says nothing that is known is shown; without one, the text is."""
    row = {"schema": "iglu:x", "data": {"failure": {"messages": [{"odd": 1}, {}]}}}
    told = ["Error while validating the event.", json.dumps(row)]
    assert Event({"errors": told}).reasons == ['{"odd": 1}']
    assert Event({"errors": ["only text"]}).reasons == ["only text"]
    assert Event({"errors": ["text", "no JSON", "[]"]}).reasons == ["text"]
    assert Event({}).reasons == []


@pytest.mark.parametrize(
    "fields",
    [
        {"ue_px": to_base64(WHOLE)},
        {"ue_pr": json.dumps(WHOLE), "ue_px": None},
        {"ue_px": to_base64(WHOLE) + "=" * (-len(to_base64(WHOLE)) % 4)},
    ],
    ids=["base64", "plain", "padded"],
)
def test_contents_of_bad_events(
    snowplow_collector: SnowplowCollector, fields: dict[str, Any]
) -> None:
    """They are read from what was sent, in either encoding."""
    entity = {"schema": UNKNOWN, "data": {"id": 1}}
    sent = event(**fields, cx=contexts(entity), aid="shop")
    found = bad(snowplow_collector, body(sent))
    assert (found.schema, found.data, found.contexts) == (ERROR, DESCRIBED["data"], [entity])
    assert found.parameters == sent
    assert describe(found) == [
        f"bad  {ERROR}  {sent['eid']}",
        '     {"programmingLanguage": "PYTHON", "message": "é"}',
        f'     + {UNKNOWN} {{"id": 1}}',
        f"     ! {found.reasons[0]}",
    ]


@pytest.mark.parametrize(
    "fields",
    [{"ue_px": "%"}, {"ue_px": "gA"}, {"ue_px": None, "ue_pr": "{"}, {"ue_px": to_base64(5)}],
)
def test_contents_that_cannot_be_read(
    snowplow_collector: SnowplowCollector, fields: dict[str, Any]
) -> None:
    """They are empty, not an exception."""
    found = bad(snowplow_collector, body(event(**fields)))
    assert (found.schema, found.data, found.contexts) == (None, {}, [])


def test_a_request_that_cannot_be_read(snowplow_collector: SnowplowCollector) -> None:
    """It has no contents at all, only reasons."""
    found = bad(snowplow_collector, b"{")
    assert (found.id, found.schema, found.data, found.parameters) == (None, None, {}, {})
    title, reason = describe(found)
    assert title == "bad  (cannot be read)"
    assert reason.startswith("     ! body: ")


def test_listings_have_an_end(snowplow_collector: SnowplowCollector) -> None:
    """The newest are shown, and how many more there are."""
    _ = post(snowplow_collector.url, body(*[event() for _ in range(MAX_EVENTS + 3)]))
    events = snowplow_collector.good()
    assert listing(events)[0] == f"good {ERROR}  {events[0].id}"
    assert listing(events)[-1] == "… and 3 older ones"
    assert (
        listing(events[:2])[-1] == '     {"programmingLanguage": "PYTHON", "message": "it broke"}'
    )
    assert listing([]) == []
