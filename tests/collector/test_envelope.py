"""What makes a whole request one bad row, and what does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from .support import ERROR, PAYLOAD_DATA, body, event, post

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector

ONE_BAD = {"total": 1, "good": 0, "bad": 1}


def test_a_post_is_answered_ok_and_assessed_by_then(collector: LocalCollector) -> None:
    """The verdict is there when the answer is."""
    answer = post(collector.url, body(event(), event()))
    assert (answer.status_code, answer.text) == (200, "ok")
    assert collector.all() == {"total": 2, "good": 2, "bad": 0}


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"dtm": 1}, "$[1].dtm: expected string, got 1"),
        ({"aid": ["x"]}, '$[1].aid: expected string, got ["x"]'),
        ({"colour": "red"}, '$[1].colour: expected a key of the tracker protocol, got "colour"'),
        ({"tv": None}, "$[1].tv: expected in every event, together with p and e"),
        ({"p": None}, "$[1].p: expected in every event, together with tv and e"),
        ({"e": None}, "$[1].e: expected in every event, together with tv and p"),
    ],
)
def test_one_broken_event_spoils_the_request(
    collector: LocalCollector, spoilt: dict[str, Any], reason: str
) -> None:
    """Its good neighbours are lost with it, in one bad row without a raw event."""
    assert post(collector.url, body(event(), event(**spoilt), event())).text == "ok"
    assert collector.all() == ONE_BAD
    (bad,) = collector.bad()
    assert bad["rawEvent"] is None
    assert reason in bad["errors"][0]
    assert "tracker_protocol_violations" in json.loads(bad["errors"][1])["schema"]


def test_a_null_is_no_string(collector: LocalCollector) -> None:
    """A null value breaks the envelope."""
    post(collector.url, body({**event(), "uid": None}))
    assert "$[0].uid: expected string, got null" in collector.bad()[0]["errors"][0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "body: expected JSON, got an empty body"),
        (b"{", "body: not JSON"),
        (b"\xff\xfe", "body: not UTF-8"),
        (b"[]", 'body: expected an object with "schema" and "data", got []'),
        (b'"text"', "body: expected an object"),
        (b'{"schema":"x","data":[]}', "body: $.schema: expected an Iglu URI"),
        (b'{"schema":1,"data":[]}', "body: $.schema: expected an Iglu URI"),
        (body(event(), schema=ERROR), f"body: expected the schema {PAYLOAD_DATA}"),
        (body(), "$: expected at least 1 event"),
        (body("x"), '$[0]: expected object, got "x"'),
        (json.dumps({"schema": PAYLOAD_DATA, "data": {}}).encode(), "$: expected array"),
        (b'{"schema":"a","schema":"b","data":[]}', 'the key "schema" stands more than once'),
        (body(event()).replace(b'"eid"', b'"eid":"1","eid"'), 'the key "eid" stands more than'),
        (body(event(dtm="x")).replace(b'"x"', b"NaN"), "NaN is no JSON value"),
        (body(event(dtm="x")).replace(b'"x"', b"1e999"), "does not fit a double"),
        (b"[" + b"9" * 5000 + b"]", "an integer has too many digits"),
        (b"[" * 100_000, "body: "),
        (b"[" * 41 + b"]" * 41, "deeper than the 40 levels"),
    ],
)
def test_a_malformed_body_is_one_bad_event(
    collector: LocalCollector, content: bytes, reason: str
) -> None:
    """It says what was wrong, and the answer is 200 all the same."""
    answer = post(collector.url, content)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert collector.all() == ONE_BAD
    assert reason in collector.bad()[0]["errors"][0]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=UTF-8",
        "Application/JSON;charset=utf-8",
    ],
)
def test_the_content_type_is_json_of_utf8(collector: LocalCollector, content_type: str) -> None:
    """Each usual spelling is taken."""
    post(collector.url, body(event()), content_type)
    assert collector.all()["good"] == 1


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/json; charset=latin-1", ""]
)
def test_another_content_type_is_a_bad_event(
    collector: LocalCollector, content_type: str | None
) -> None:
    """A wrong content type, or none, is a violation of the protocol."""
    post(collector.url, body(event()), content_type)
    assert collector.all() == ONE_BAD
    assert collector.bad()[0]["errors"][0].startswith("contentType: expected application/json")


def test_the_query_string_wins_in_every_event(collector: LocalCollector) -> None:
    """Parameters of the query string replace those of the events."""
    requests.post(
        f"{collector.url}/com.snowplowanalytics.snowplow/tp2?aid=other&uid=a%20b",
        data=body(event(), event()),
        headers={"Content-Type": "application/json"},
        timeout=10,
    )
    assert [item["event"]["app_id"] for item in collector.good()] == ["other", "other"]
    assert {item["event"]["user_id"] for item in collector.good()} == {"a b"}


def test_another_vendor_is_an_adapter_failure(collector: LocalCollector) -> None:
    """Only tracker protocol 2 is taken."""
    assert post(collector.url, body(event()), path="com.mailchimp/v1").text == "ok"
    (bad,) = collector.bad()
    assert bad["collectorPayload"]["api"] == {"vendor": "com.mailchimp", "version": "v1"}
    assert "adapter_failures" in json.loads(bad["errors"][1])["schema"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "querystring: expected an event, got nothing"),
        ("e=pv&p=web", "tv: expected in every event"),
        ("e=pv&p=web&tv=1&colour=red", "colour: expected a key"),
        ("e=pv&p=web&tv=%ff", "querystring: expected UTF-8"),
        ("e=pv&e=pv&p=web&tv=1", 'expected each parameter once, "e"'),
    ],
)
def test_a_get_without_a_right_event_is_one_bad_event(
    collector: LocalCollector, query: str, reason: str
) -> None:
    """It gets its pixel all the same."""
    answer = requests.get(f"{collector.url}/i?{query}", timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
    assert collector.all() == ONE_BAD
    assert reason in collector.bad()[0]["errors"][0]
