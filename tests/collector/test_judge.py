"""What spoils one event, and how a good one looks."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging.collector import LocalCollector

from .support import (
    APPLICATION,
    CONTEXTS,
    ERROR,
    ERROR_DATA,
    UNSTRUCT,
    body,
    contexts,
    event,
    post,
    to_base64,
    write_schema,
)

if TYPE_CHECKING:
    from pathlib import Path

VERSION = {"schema": APPLICATION, "data": {"version": "1.0"}}


def reason_of(collector: LocalCollector, *events: dict[str, Any]) -> str:
    """The reason against the one bad event among ``events``."""
    post(collector.url, body(*events))
    (bad,) = collector.bad()
    assert "schema_violations" in json.loads(bad["errors"][1])["schema"]
    assert bad["rawEvent"]["parameters"]
    reason: str = bad["errors"][0]
    return reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"eid": "1"},
            'eid: expected a UUID such as c6ef3124-b53a-4b13-a233-0088f79dcbcb, got "1"',
        ),
        ({"sid": "x"}, "sid: expected a UUID"),
        (
            {"dtm": "now"},
            "dtm: expected milliseconds since the epoch, of a year from 0 to 9999, got",
        ),
        ({"stm": "253402300800000"}, "stm: expected milliseconds"),
        ({"ttm": "-62167219200001"}, "ttm: expected milliseconds"),
        ({"p": "server"}, "p: expected one of web iot app mob pc cnsl tv srv headset"),
        ({"e": "xx"}, "e: expected one of ue pv pp"),
        ({"vid": "1.5"}, "vid: expected an integer of 32 bits"),
        ({"res": "wide"}, "res: expected a width and height"),
        ({"cookie": "yes"}, "cookie: expected 0 or 1"),
        ({"se_va": "1,5"}, "se_va: expected a decimal number"),
        ({"aid": "a" * 256}, "app_id: expected at most 255 UTF-16 units, got 256"),
        ({"tna": "\U0001f600" * 65}, "name_tracker: expected at most 128 UTF-16 units, got 130"),
        ({"tv": "v" * 101}, "v_tracker: expected at most 100"),
        ({"ue_px": "a"}, "ue_px: not base64: 1 digits"),
        ({"ue_px": "a b="}, 'ue_px: not base64: " " does not belong there'),
        ({"ue_px": base64.b64encode(b"\xff{}").decode()}, "base64 of bytes that are not UTF-8"),
        ({"ue_px": to_base64("x")}, 'ue_px: expected an object with "schema" and "data", got "x"'),
        ({"ue_px": None, "ue_pr": "{"}, "ue_pr: not JSON"),
        ({"ue_px": None}, "expected ue_px or ue_pr"),
        ({"ue_px": contexts(VERSION)}, f"ue_px: expected the schema {UNSTRUCT}"),
        ({"ue_px": to_base64({"schema": UNSTRUCT, "data": {}})}, "expected the properties schema"),
        ({"cx": to_base64({"schema": CONTEXTS, "data": {}})}, "$: expected array, got {}"),
        ({"cx": contexts({"schema": "x", "data": {}})}, "$[0].schema: expected an Iglu URI"),
        ({"cx": contexts({**VERSION, "more": 1})}, "expected no properties but schema, data"),
        (
            {"cx": contexts(VERSION, {"schema": APPLICATION, "data": {"version": 1}})},
            f"contexts[1] ({APPLICATION}): $.version: expected string, got 1",
        ),
    ],
)
def test_a_wrong_field_spoils_its_event_alone(
    collector: LocalCollector, fields: dict[str, Any], reason: str
) -> None:
    """The neighbours in the same request are good."""
    assert reason in reason_of(collector, event(), event(**fields), event())
    assert collector.all() == {"total": 3, "good": 2, "bad": 1}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({**ERROR_DATA, "lineNumber": "5"}, '$.lineNumber: expected integer or null, got "5"'),
        ({**ERROR_DATA, "lineNumber": 1.0}, "$.lineNumber: expected integer or null, got 1.0"),
        ({**ERROR_DATA, "lineNumber": True}, "$.lineNumber: expected integer or null, got true"),
        ({**ERROR_DATA, "threadId": 2**31}, "$.threadId: expected at most 2147483647, got 21474"),
        ({**ERROR_DATA, "message": "m" * 2049}, "$.message: expected at most 2048 characters"),
        ({**ERROR_DATA, "colour": 1}, '; got "colour"'),
        ({"message": "m"}, "$: expected the properties programmingLanguage, which are missing"),
        ({}, "$: expected the properties programmingLanguage, message, which are missing"),
        ({**ERROR_DATA, "programmingLanguage": "COBOL"}, "expected one of JAVA or SCALA"),
    ],
)
def test_data_are_held_against_their_schema_strictly(
    collector: LocalCollector, data: object, reason: str
) -> None:
    """Each message names path, expectation and value."""
    assert reason in reason_of(collector, event(data))


def test_an_unknown_schema_is_bad_and_says_how_to_add_it(collector: LocalCollector) -> None:
    """The places that were looked in are named."""
    reason = reason_of(collector, event({}, "iglu:com.acme/nothing/jsonschema/1-0-0"))
    assert "unknown schema iglu:com.acme/nothing/jsonschema/1-0-0" in reason
    assert "the schemas of snowplow_logging" in reason
    assert "--schemas DIR" in reason


def test_a_huge_wrong_value_is_shortened(collector: LocalCollector) -> None:
    """A message stays one readable line."""
    reason = reason_of(collector, event({**ERROR_DATA, "lineNumber": "x\n" * 100_000}))
    assert len(reason) < 400
    assert "\n" not in reason


@pytest.mark.parametrize(("levels", "good"), [(36, True), (37, True), (38, False), (5000, False)])
def test_nesting_is_bounded_at_forty_levels(
    tmp_path: Path,
    levels: int,
    good: bool,  # noqa: FBT001
) -> None:
    """Three levels are the wrappers', and a scalar counts as one."""
    uri = write_schema(tmp_path, {})
    text = f'{{"schema":"{UNSTRUCT}","data":{{"schema":"{uri}","data":@}}}}'
    deep = text.replace("@", "[" * levels + "1" + "]" * levels)
    with LocalCollector(port=0, schemas=[tmp_path]) as collector:
        post(collector.url, body(event(), event(ue_px=None, ue_pr=deep)))
        assert collector.all()["good"] == 1 + good
        assert all("deeper than the 40" in bad["errors"][0] for bad in collector.bad())


def _unpadded(value: bytes) -> bytes:
    return value.rstrip(b"=")


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("finish", [bytes, _unpadded])
def test_base64_of_either_alphabet_padded_or_not(
    collector: LocalCollector, encode: Any, finish: Any
) -> None:
    """Both alphabets, and padding or none, give the same event."""
    message = "?>?>?> ÿþ \U0001f600"  # has both digits in which the alphabets differ
    described = {"schema": ERROR, "data": {**ERROR_DATA, "message": message}}
    text = json.dumps({"schema": UNSTRUCT, "data": described}, ensure_ascii=False)
    post(collector.url, body(event(ue_px=finish(encode(text.encode())).decode())))
    (good,) = collector.good()
    assert good["event"]["unstruct_event"]["data"]["data"]["message"] == message


@pytest.mark.parametrize(
    ("code", "name", "schema"),
    [
        ("pv", "page_view", "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"),
        ("pp", "page_ping", "iglu:com.snowplowanalytics.snowplow/page_ping/jsonschema/1-0-0"),
        ("se", "struct", "iglu:com.google.analytics/event/jsonschema/1-0-0"),
        ("tr", "transaction", "iglu:com.snowplowanalytics.snowplow/transaction/jsonschema/1-0-0"),
        (
            "ti",
            "transaction_item",
            "iglu:com.snowplowanalytics.snowplow/transaction_item/jsonschema/1-0-0",
        ),
        (
            "ad",
            "ad_impression",
            "iglu:com.snowplowanalytics.snowplow/ad_impression/jsonschema/1-0-0",
        ),
    ],
)
def test_the_other_types_of_events_are_good(
    collector: LocalCollector, code: str, name: str, schema: str
) -> None:
    """They are taken from GET too, under their enriched names."""
    requests.get(f"{collector.url}/i?e={code}&p=web&tv=js-3", timeout=10)
    (good,) = collector.good()
    assert (good["eventType"], good["schema"], good["contexts"]) == (name, schema, [])


def test_a_good_event_has_the_shape_of_micro(collector: LocalCollector) -> None:
    """Raw fields as they came, the enriched event with its nulls, type, schema and entities."""
    sent = event(
        tna="python",
        uid="u-1",
        eid="C6EF3124-B53A-4B13-A233-0088F79DCBCB",
        dtm="1700000000000",
        stm="1700000000250",
        res="1920x1080",
        url="https://acme.com:8443/a?b=c#d",
        cx=contexts(VERSION),
    )
    post(collector.url, body(sent))
    (good,) = collector.good()
    enriched = good["event"]
    assert set(good) == {"rawEvent", "eventType", "schema", "contexts", "event", "incomplete"}
    assert good["rawEvent"]["parameters"] == sent
    assert good["rawEvent"]["api"] == {"vendor": "com.snowplowanalytics.snowplow", "version": "tp2"}
    assert good["rawEvent"]["source"]["hostname"] == "127.0.0.1"
    assert good["rawEvent"]["context"]["ipAddress"] == "127.0.0.1"
    assert good["rawEvent"]["contentType"] == "application/json; charset=utf-8"
    assert (good["eventType"], good["schema"]) == ("unstruct", ERROR)
    assert good["contexts"] == [APPLICATION]
    assert good["incomplete"] is False
    expected = {
        "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
        "app_id": "shop",
        "name_tracker": "python",
        "v_tracker": "test-1",
        "platform": "srv",
        "user_id": "u-1",
        "dvce_created_tstamp": "2023-11-14T22:13:20.000Z",
        "dvce_sent_tstamp": "2023-11-14T22:13:20.250Z",
        "true_tstamp": None,
        "event": "unstruct",
        "event_vendor": "com.snowplowanalytics.snowplow",
        "event_name": "application_error",
        "event_format": "jsonschema",
        "event_version": "1-0-2",
        "unstruct_event": {"schema": UNSTRUCT, "data": {"schema": ERROR, "data": ERROR_DATA}},
        "contexts": {"schema": CONTEXTS, "data": [VERSION]},
        "derived_contexts": {},
        "dvce_screenwidth": 1920,
        "page_urlhost": "acme.com",
        "page_urlport": 8443,
        "geo_country": None,
    }
    assert {key: enriched[key] for key in expected} == expected


def test_an_event_without_id_is_given_one(collector: LocalCollector) -> None:
    """As in a pipeline."""
    post(collector.url, body(event(eid=None)))
    assert len(collector.good()[0]["event"]["event_id"]) == 36


def test_the_same_id_twice_is_two_good_events(collector: LocalCollector) -> None:
    """Delivery is at least once; to find what came twice is not the collector's matter."""
    same = event()
    post(collector.url, body(same, same))
    assert collector.all()["good"] == 2


def test_lone_surrogates_and_markup_come_back_as_they_went(collector: LocalCollector) -> None:
    """Nothing in a text can break an answer."""
    message = "\ud800 <script>alert(1)</script> \u0000"
    post(collector.url, body(event({**ERROR_DATA, "message": message})))
    answer = requests.get(f"{collector.url}/micro/good", timeout=10)
    data = answer.json()[0]["event"]["unstruct_event"]["data"]["data"]
    assert data["message"] == message


def test_an_event_larger_than_the_sink_is_a_size_violation(collector: LocalCollector) -> None:
    """Its smaller neighbour is good; a request over a mebibyte is lost as a whole."""
    post(collector.url, body(event(), event(ue_na="x" * 1_000_001)))
    assert collector.all() == {"total": 2, "good": 1, "bad": 1}
    post(collector.url, body(event(), event(ue_na="x" * 1_050_000)))
    assert collector.all() == {"total": 3, "good": 1, "bad": 2}
    for bad in collector.bad():
        assert bad["errors"][0].startswith("size: expected at most 1000000 bytes")
