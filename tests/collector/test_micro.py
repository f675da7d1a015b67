"""Micro's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from .support import APPLICATION, ERROR, body, contexts, event, post

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector

VERSION = {"schema": APPLICATION, "data": {"version": "1.0"}}


def ask(collector: LocalCollector, path: str, filters: object = None) -> Any:
    """The JSON of an answer to GET, or to POST with filters."""
    url = f"{collector.url}/micro/{path}"
    if filters is None:
        return requests.get(url, timeout=10).json()
    return requests.post(url, json=filters, timeout=10).json()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_all_counts_and_reset_clears(collector: LocalCollector, method: str) -> None:
    """Both take GET and POST."""
    post(collector.url, body(event(), event(eid="x")))
    answer = requests.request(method, f"{collector.url}/micro/all", timeout=10)
    assert answer.json() == {"total": 2, "good": 1, "bad": 1}
    answer = requests.request(method, f"{collector.url}/micro/reset", timeout=10)
    assert answer.json() == {"total": 0, "good": 0, "bad": 0}
    assert ask(collector, "good") == ask(collector, "bad") == []


def test_the_newest_event_comes_first(collector: LocalCollector) -> None:
    """Good and bad alike."""
    post(collector.url, body(event(aid="1"), event(aid="2")))
    post(collector.url, body(event(aid="3")))
    assert [item["event"]["app_id"] for item in ask(collector, "good")] == ["3", "2", "1"]
    post(collector.url, body(event(aid="4", eid="x"), event(aid="5", eid="x")))
    parameters = [item["rawEvent"]["parameters"] for item in ask(collector, "bad")]
    assert [item["aid"] for item in parameters] == ["5", "4"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["view", "error", "plain"]),
        ({"event_type": "unstruct"}, ["error", "plain"]),
        ({"event_type": "page_view"}, ["view"]),
        ({"schema": ERROR}, ["error", "plain"]),
        ({"contexts": [APPLICATION]}, ["error"]),
        ({"contexts": []}, ["view", "error", "plain"]),
        ({"limit": 1}, ["view"]),
        ({"limit": -1}, []),
        ({"event_type": "unstruct", "limit": 1}, ["error"]),
        ({"schema": None, "limit": None}, ["view", "error", "plain"]),
        ({"schema": "iglu:com.acme/x/jsonschema/1-0-0"}, []),
    ],
)
def test_good_events_can_be_filtered(
    collector: LocalCollector, filters: dict[str, object], found: list[str]
) -> None:
    """By type, schema, entities and number."""
    view = {"e": "pv", "p": "web", "tv": "js", "aid": "view"}
    post(collector.url, body(event(aid="plain"), event(aid="error", cx=contexts(VERSION)), view))
    assert [item["event"]["app_id"] for item in ask(collector, "good", filters)] == found


def test_bad_events_can_be_filtered(collector: LocalCollector) -> None:
    """By vendor, version and number."""
    post(collector.url, b"{")
    post(collector.url, b"{", path="com.acme/v1")
    assert len(ask(collector, "bad", {})) == 2
    assert len(ask(collector, "bad", {"vendor": "com.acme"})) == 1
    assert len(ask(collector, "bad", {"version": "tp2"})) == 1
    assert len(ask(collector, "bad", {"vendor": "com.acme", "version": "tp2"})) == 0
    (newest,) = ask(collector, "bad", {"limit": 1})
    assert newest["collectorPayload"]["api"] == {"vendor": "com.acme", "version": "v1"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "filters: not JSON"),
        (b"\xff", "filters: "),
        (b"[]", "filters: expected a JSON object, got []"),
        (b'{"limit":"1"}', 'filters: limit: expected an integer, got "1"'),
        (b'{"limit":true}', "filters: limit: expected an integer, got true"),
        (b'{"schema":1}', "filters: schema: expected a string, got 1"),
        (b'{"schema":"\\ud800"}', "filters: schema: expected a string, got "),
        (b'{"contexts":["\\ud800"]}', "filters: contexts: expected an array of strings, got "),
        (b'{"contexts":"x"}', 'filters: contexts: expected an array of strings, got "x"'),
        (b'{"contexts":[1]}', "filters: contexts: expected an array of strings, got [1]"),
        (b" " * 70_000, "filters: expected at most 65536 bytes"),
    ],
)
def test_a_wrong_filter_is_a_400_that_names_it(
    collector: LocalCollector, content: bytes, reason: str
) -> None:
    """It is not taken for a filter that lets everything through."""
    answer = requests.post(f"{collector.url}/micro/good", data=content, timeout=10)
    assert answer.status_code == 400
    assert answer.text.startswith(reason)


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/all/", "/iglu/x", "/good/more"])
def test_any_other_path_names_those_that_there_are(collector: LocalCollector, path: str) -> None:
    """In one line, with 404."""
    answer = requests.post(f"{collector.url}/micro{path}", timeout=10)
    assert answer.status_code == 404
    assert answer.text.startswith("The paths here are: /micro/all ")
    assert collector.all()["total"] == 0


def test_a_bad_event_shows_the_request_and_the_raw_event(collector: LocalCollector) -> None:
    """In the shape that Micro gives it."""
    sent = event(eid="x")
    content = body(sent)
    post(collector.url, content)
    (bad,) = ask(collector, "bad")
    assert set(bad) == {"collectorPayload", "rawEvent", "errors"}
    payload = bad["collectorPayload"]
    assert set(payload) == {"api", "querystring", "contentType", "body", "source", "context"}
    assert payload["body"] == content.decode()
    assert bad["rawEvent"]["parameters"] == sent
    assert len(bad["errors"]) == 2
