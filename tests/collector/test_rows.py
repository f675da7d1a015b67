"""What the page reads: rows, one event in full, and waiting for a count."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging.collector import LocalCollector

from .support import (
    APPLICATION,
    ERROR,
    ERROR_DATA,
    body,
    contexts,
    event,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"
VERSION = {"schema": APPLICATION, "data": {"version": "1.0"}}


@pytest.fixture
def fresh() -> Iterator[LocalCollector]:
    """A collector whose numbers begin at 1."""
    with LocalCollector(port=0) as collector:
        yield collector


def get(collector: LocalCollector, path: str) -> Any:
    """The JSON of ``/micro/…``."""
    answer = requests.get(f"{collector.url}/micro/{path}", timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


def test_a_row_says_what_an_event_is(fresh: LocalCollector) -> None:
    """Of a log record: type, schema, application, level, logger, message."""
    data = {"message": "m" * 300, "level": "INFO", "logger": "shop.orders"}
    sent = event(data, LOG_RECORD)
    post(fresh.url, body(sent))
    (row,) = get(fresh, "rows")["rows"]
    time_of = fresh.good()[0]["event"]["collector_tstamp"]
    assert row == {
        "seq": 1,
        "event_id": sent["eid"],
        "good": True,
        "time": time_of,
        "type": "unstruct",
        "schema": LOG_RECORD,
        "app_id": "shop",
        "level": "INFO",
        "logger": "shop.orders",
        "message": "m" * 199 + "…",
        "reason": None,
    }


def test_a_row_of_a_bad_event_says_why(fresh: LocalCollector) -> None:
    """In one line; of a request that is bad as a whole, nothing else is known."""
    post(fresh.url, b"{")
    post(fresh.url, body(event({**ERROR_DATA, "lineNumber": "x" * 1000})))
    second, first = fresh.events()
    assert (first["seq"], first["event_id"], first["type"]) == (1, None, None)
    assert first["reason"].startswith("body: not JSON")
    assert (second["type"], second["schema"], second["message"]) == ("unstruct", ERROR, "it broke")
    assert second["reason"].startswith("unstruct_event (iglu:com.snowplowanalytics.snowplow/app")
    assert len(second["reason"]) <= 300


def test_a_row_without_a_message_says_the_data(fresh: LocalCollector) -> None:
    """In short; of events of other kinds, the fields that tell most."""
    data = {"order_id": "o" * 99, "paid": True, "items": [1], "customer": {"id": 1}, "note": {}}
    post(fresh.url, body(event(data, "iglu:com.acme/order_placed/jsonschema/1-0-0")))
    post(fresh.url, body({"e": "se", "p": "web", "tv": "1", "se_ca": "shop", "se_ac": "add"}))
    post(fresh.url, body({"e": "pp", "p": "web", "tv": "1"}))
    ping, structured, order = fresh.events()
    assert order["message"] == f"order_id={'o' * 59}… paid=true items=[…] customer={{…}} note={{}}"
    assert structured["message"] == "se_ca=shop se_ac=add"
    assert ping["message"] is None


def test_rows_come_in_pages(fresh: LocalCollector) -> None:
    """Newest first, between two numbers, with the counts and the numbers that there are."""
    post(fresh.url, body(*(event() for _ in range(4)), event(eid="x")))
    page = get(fresh, "rows?limit=2")
    assert [row["seq"] for row in page["rows"]] == [5, 4]
    assert {key: page[key] for key in ("total", "good", "bad", "first", "last")} == {
        "total": 5,
        "good": 4,
        "bad": 1,
        "first": 1,
        "last": 5,
    }
    assert [row["seq"] for row in get(fresh, "rows?before=4&limit=2")["rows"]] == [3, 2]
    assert [row["seq"] for row in get(fresh, "rows?after=3")["rows"]] == [5, 4]
    assert [row["seq"] for row in get(fresh, "rows?after=1&before=3")["rows"]] == [2]
    assert get(fresh, "rows?limit=0")["rows"] == []


def test_numbers_go_on_after_a_reset(fresh: LocalCollector) -> None:
    """And before the first event there is none."""
    empty: dict[str, Any] = {
        "total": 0,
        "good": 0,
        "bad": 0,
        "first": None,
        "last": None,
        "rows": [],
    }
    assert get(fresh, "rows") == empty
    post(fresh.url, body(event(), event()))
    fresh.reset()
    assert get(fresh, "rows") == {**empty, "last": 2}
    post(fresh.url, body(event()))
    assert [row["seq"] for row in get(fresh, "rows")["rows"]] == [3]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("rows?after=-1", 'after: expected a whole number from 0, got "-1"'),
        ("rows?before=x", "before: expected a whole number"),
        ("rows?limit=1.5", "limit: expected a whole number"),
        ("live?after=x", "after: expected a whole number"),
        ("wait?good=x", "good: expected a whole number"),
        ("wait?timeout=x", "timeout: expected seconds from 0 to 600"),
        ("wait?timeout=601", "timeout: expected seconds from 0 to 600"),
    ],
)
def test_a_wrong_number_is_a_400_that_names_it(
    collector: LocalCollector, path: str, reason: str
) -> None:
    """It is not taken for no number."""
    answer = requests.get(f"{collector.url}/micro/{path}", timeout=10)
    assert answer.status_code == 400
    assert answer.text.startswith(reason)


def test_an_event_is_found_by_its_id_and_by_its_number(collector: LocalCollector) -> None:
    """With its row, its document, and what it holds."""
    sent = event(cx=contexts(VERSION))
    post(collector.url, body(event(), sent, event()))
    found = get(collector, f"event/{sent['eid']}")
    assert found == get(collector, f"event/{found['row']['seq']}")
    assert found == collector.event(sent["eid"]) == collector.event(found["row"]["seq"])
    assert found["document"] == collector.good()[1]
    assert found["event"] == {"schema": ERROR, "data": ERROR_DATA}
    assert found["contexts"] == [VERSION]
    assert found["payload"] == sent
    assert "Content-Type: application/json; charset=utf-8" in found["headers"]
    assert found["problems"] == []


def test_an_event_that_is_not_there_is_a_404(collector: LocalCollector) -> None:
    """Which says what was looked for."""
    answer = requests.get(f"{collector.url}/micro/event/nothing", timeout=10)
    assert answer.status_code == 404
    assert answer.text == "No event with the number or id 'nothing' is kept here\n"
    for key in ("nothing", "\ud800", "9" * 30, 0):
        assert collector.event(key) is None


@pytest.mark.parametrize(
    ("fields", "where", "path", "expected", "value"),
    [
        ({"eid": "x"}, "payload", "/eid", "expected a UUID such as", '"x"'),
        ({"aid": "a" * 256}, "payload", "/aid", "expected at most 255 UTF-16 units", '"aaa'),
        ({"ue_px": "*"}, "payload", "/ue_px", "not base64", '"*"'),
        ({"ue_px": None}, "payload", "/ue_px", "expected ue_px or ue_pr", None),
        (
            {"cx": contexts(VERSION, {"schema": APPLICATION, "data": {"version": [1]}})},
            "context 1",
            "/data/version",
            "expected string",
            "[1]",
        ),
        (
            {"cx": contexts({"schema": "iglu:a/b/c/1-0-0", "data": 1})},
            "context 0",
            "/schema",
            "expected a schema that is in the schemas of snowplow_logging",
            '"iglu:a/b/c/1-0-0"',
        ),
    ],
)
def test_a_problem_names_place_expectation_and_value(
    collector: LocalCollector,
    fields: dict[str, Any],
    where: str,
    path: str,
    expected: str,
    value: str | None,
) -> None:
    """In the event, its entities or its raw fields, so that it can be shown there."""
    post(collector.url, body(event(**fields)))
    (problem,) = get(collector, f"event/{collector.events()[0]['seq']}")["problems"]
    assert (problem["where"], problem["path"]) == (where, path)
    assert problem["expected"].startswith(expected)
    assert problem["value"] == value or (value and problem["value"].startswith(value))
    assert problem["text"]


@pytest.mark.parametrize(
    ("data", "path", "expected", "value"),
    [
        ({**ERROR_DATA, "lineNumber": "5"}, "/data/lineNumber", "expected integer or null", '"5"'),
        ({**ERROR_DATA, "a/b~": 1}, "/data/a~1b~0", "expected no properties but", '"a/b~"'),
        ({"message": "m"}, "/data", "expected the properties programmingLanguage", None),
    ],
)
def test_a_problem_of_the_event_names_its_place_there(
    collector: LocalCollector, data: object, path: str, expected: str, value: str | None
) -> None:
    """As a JSON Pointer into the self-describing JSON."""
    post(collector.url, body(event(data)))
    found = get(collector, f"event/{collector.events()[0]['seq']}")
    (problem,) = found["problems"]
    assert (problem["where"], problem["path"], problem["value"]) == ("event", path, value)
    assert problem["expected"].startswith(expected)
    assert problem["text"].startswith("$")


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b"{", "/body"),
        (body(event(), {**event(), "dtm": 1}), "/body/data/1/dtm"),
        (body(event(), schema=ERROR), "/body"),
        (body(event(), {**event(), "a/b": "x"}), "/body/data/1/a~1b"),
    ],
)
def test_a_problem_of_the_request_names_its_place_there(
    collector: LocalCollector, content: bytes, path: str
) -> None:
    """There is no event then, and no raw field."""
    post(collector.url, content)
    found = get(collector, f"event/{collector.events()[0]['seq']}")
    assert [(item["where"], item["path"]) for item in found["problems"]] == [("request", path)]
    assert (found["event"], found["contexts"], found["payload"]) == (None, [], None)
    assert found["document"]["rawEvent"] is None


def test_waiting_ends_when_the_events_are_there(collector: LocalCollector) -> None:
    """In Python and over HTTP."""
    counts = {"total": 2, "good": 1, "bad": 1}
    answers: list[object] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(collector.wait_for(2, bad=1, timeout=30))),
        threading.Thread(target=lambda: answers.append(get(collector, "wait?good=1&bad=1"))),
    ]
    for thread in waiting:
        thread.start()
    post(collector.url, body(event()))
    post(collector.url, body(event(eid="x")))
    for thread in waiting:
        thread.join()
    assert answers == [counts, counts]


def test_waiting_ends_at_the_deadline(collector: LocalCollector) -> None:
    """With 408 and the counts, or a TimeoutError that names them."""
    post(collector.url, body(event()))
    url = f"{collector.url}/micro/wait?total=2&timeout=0.05"
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.json()) == (408, {"total": 1, "good": 1, "bad": 0})
    with pytest.raises(TimeoutError, match=r"expected 2 events, .* got 1, 1 good and 0 bad"):
        collector.wait_for(2, timeout=0.05)
