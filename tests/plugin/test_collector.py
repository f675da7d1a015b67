"""``snowplow_collector`` says what arrived, by the time it is asked."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from snowplow_logging import AsyncEmitter, FloodFilter, SelfDescribingJson, SnowplowHandler, Tracker
from tests.collector.support import TP2, body, event, post

from .support import APPLICATION, ERROR, log_error

if TYPE_CHECKING:
    from snowplow_logging.testing import Events, SnowplowCollector

pytestmark = pytest.mark.usefixtures("snowplow_handler")


def messages(events: Events) -> list[str]:
    """Returns the messages of events."""
    return [event.data["message"] for event in events]


def test_what_was_logged_is_there(snowplow_collector: SnowplowCollector) -> None:
    """At once, newest first, in Micro's shape, with short ways to what it holds."""
    log_error("first", version="1.0", lineNumber=7)
    log_error("second")
    newest, first = snowplow_collector.good()
    assert newest.data == {"programmingLanguage": "PYTHON", "message": "second"}
    assert first.data["lineNumber"] == 7
    assert first.is_good
    assert first.schema == first["schema"] == ERROR
    assert first.contexts == [{"schema": APPLICATION, "data": {"version": "1.0"}}]
    assert first.id == first["event"]["event_id"] == first.parameters["eid"]
    assert first.fields["event_name"] == "application_error"
    assert "page_url" not in first.fields
    assert first.reasons == []
    assert snowplow_collector.all() == {"total": 2, "good": 2, "bad": 0}
    snowplow_collector.assert_no_bad()


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_begins_with_nothing(snowplow_collector: SnowplowCollector, number: int) -> None:
    """Whatever the one before has left."""
    assert snowplow_collector.all()["total"] == 0
    assert snowplow_collector.requests == []
    log_error(f"left by {number}")
    _ = post(snowplow_collector.url, body(event(eid="x")))


def test_a_bad_event_says_why(snowplow_collector: SnowplowCollector) -> None:
    """And what it was sent with."""
    log_error("wrong", version="1.0", lineNumber="7")
    (bad,) = snowplow_collector.bad()
    assert not bad.is_good
    assert bad.schema == ERROR
    assert bad.data == {"programmingLanguage": "PYTHON", "message": "wrong", "lineNumber": "7"}
    assert bad.contexts == [{"schema": APPLICATION, "data": {"version": "1.0"}}]
    assert bad.fields == {}
    assert bad.id == bad.parameters["eid"]
    assert bad.reasons == [f'{ERROR}: $.lineNumber: expected integer or null, got "7"']
    assert snowplow_collector.good() == []
    with pytest.raises(AssertionError) as raised:
        snowplow_collector.assert_no_bad()
    assert str(raised.value).splitlines() == [
        "expected no bad event; 1 arrived",
        f"bad  {ERROR}  {bad.id}",
        '     {"programmingLanguage": "PYTHON", "message": "wrong", "lineNumber": "7"}',
        f'     + {APPLICATION} {{"version": "1.0"}}',
        f'     ! {ERROR}: $.lineNumber: expected integer or null, got "7"',
    ]


def test_good_events_by_schema_type_and_entities(snowplow_collector: SnowplowCollector) -> None:
    """As Micro filters them."""
    log_error("plain")
    log_error("versioned", version="1.0")
    page = {"e": "pv", "p": "web", "tv": "js", "url": "http://a.b/c"}
    _ = post(snowplow_collector.url, body(page))
    assert messages(snowplow_collector.good(ERROR)) == ["versioned", "plain"]
    assert messages(snowplow_collector.good(contexts=[APPLICATION])) == ["versioned"]
    (view,) = snowplow_collector.good(event_type="page_view")
    assert (view.data, view.contexts) == ({}, [])
    assert view.fields["page_url"] == "http://a.b/c"
    assert snowplow_collector.good(f"{ERROR}-0") == []


def test_events_that_match_in_part(snowplow_collector: SnowplowCollector) -> None:
    """By data, schema, entities and fields; all that is asked must be so."""
    log_error("one", version="1.0", lineNumber=1)
    log_error("two", version="2.0", lineNumber=2, isFatal=True)
    find = snowplow_collector.events_with
    assert messages(find({"lineNumber": 1})) == ["one"]
    assert messages(find({"programmingLanguage": "PYTHON"})) == ["two", "one"]
    assert messages(find(data={"isFatal": True}, schema=ERROR)) == ["two"]
    assert messages(find({"lineNumber": pytest.approx(1.1, abs=0.2)})) == ["one"]
    assert messages(find(contexts=[{"schema": APPLICATION}])) == ["two", "one"]
    of_two = [{"schema": APPLICATION, "data": {"version": "2.0"}}]
    assert messages(find(contexts=of_two)) == ["two"]
    assert messages(find(platform="srv", event_name="application_error")) == ["two", "one"]
    for nothing in (
        find({"lineNumber": "1"}),
        find({"isFatal": 1}),
        find({"unknown": None}),
        find({"lineNumber": 1}, schema=f"{ERROR}-0"),
        find({"lineNumber": 1}, contexts=of_two),
        find(app_id="shop"),
    ):
        assert nothing == []
    (two,) = find({"lineNumber": 2})
    assert snowplow_collector.one({"lineNumber": 2}, contexts=of_two) == two


def test_one_event_and_no_other(snowplow_collector: SnowplowCollector) -> None:
    """What is not so, is told: which matched, or how the nearest differs."""
    log_error("one", lineNumber=1)
    log_error("two", lineNumber=2)
    log_error("bad", lineNumber="3")
    with pytest.raises(AssertionError, match=r"PYTHON.*; 2 match\ngood .*\n.*two.*\ngood .*\n"):
        _ = snowplow_collector.one({"programmingLanguage": "PYTHON"})
    with pytest.raises(AssertionError) as raised:
        _ = snowplow_collector.one({"lineNumber": 2, "message": "too"}, app_id="shop")
    title, nearest, *_, message, app_id = str(raised.value).splitlines()
    asked = 'data {"lineNumber": 2, "message": "too"}, app_id "shop"'
    assert title == f"expected one event with {asked}; 0 match"
    assert nearest == "the nearest is"
    assert message == '     - data.message: expected "too", got "two"'
    assert app_id == '     - app_id: expected "shop", is missing'
    with pytest.raises(AssertionError, match=r'nearest is\nbad .*\n.*\n.*lineNumber: .*got "3"$'):
        _ = snowplow_collector.one({"message": "bad"})
    snowplow_collector.reset()
    with pytest.raises(AssertionError, match=r"with app_id 1; 0 match$"):
        _ = snowplow_collector.one(app_id=1)


def test_an_event_by_its_id(snowplow_collector: SnowplowCollector) -> None:
    """Good or bad."""
    sent = [event(), event(eid="no-uuid"), event(eid="c6ef3124-b53a-4b13-a233-0088f79dcbcb")]
    _ = post(snowplow_collector.url, body(*sent))
    for each in sent:
        assert snowplow_collector.event(each["eid"]).parameters == each
    assert not snowplow_collector.event("no-uuid").is_good
    with pytest.raises(AssertionError, match="an event with the id nobody; there is none"):
        _ = snowplow_collector.event("nobody")


def test_whoever_of_this_process_sends_here_is_flushed(
    snowplow_collector: SnowplowCollector,
) -> None:
    """Trackers and handlers that the application made, too; others are left alone."""
    waiting = AsyncEmitter(snowplow_collector.url, flush_interval=3600)
    elsewhere = AsyncEmitter("http://127.0.0.1:1", flush_interval=3600, shutdown_timeout=0)
    tracked = SelfDescribingJson(ERROR, {"programmingLanguage": "PYTHON", "message": "tracked"})
    flood = FloodFilter()  # is flushed with the emitters of a process, but is none
    event_id = Tracker("name", waiting).track_self_describing_event(tracked)
    _ = Tracker("name", elsewhere).track_self_describing_event(tracked)
    assert snowplow_collector.event(event_id).data["message"] == "tracked"
    assert elsewhere.stats().pending == 1
    assert flood.suppressed == 0
    waiting.close()
    elsewhere.close()


def test_waiting_for_what_others_send(snowplow_collector: SnowplowCollector) -> None:
    """It returns when all have come, and fails when they do not in time."""
    url = snowplow_collector.url
    timer = threading.Timer(0.1, post, [url, body(event(), event(), event(eid="x"))])
    timer.start()
    snowplow_collector.wait_for(3)
    snowplow_collector.wait_for(good=2, bad=1)
    with pytest.raises(AssertionError, match=r"waited 0\.1 s for events: bad 2; .* total 3"):
        snowplow_collector.wait_for(bad=2, timeout=0.1)
    timer.join()


def test_what_is_forgotten(snowplow_collector: SnowplowCollector) -> None:
    """A reset forgets all that was logged before it, delivered or not."""
    log_error("before")
    snowplow_collector.reset()
    assert snowplow_collector.all()["total"] == 0
    log_error("after")
    assert messages(snowplow_collector.good()) == ["after"]
    assert len(snowplow_collector.requests) == 1


def test_micros_api_answers_at_the_same_address(snowplow_collector: SnowplowCollector) -> None:
    """So that tests written for Micro need no change; the page has an address of its own."""
    log_error("asked for")
    assert snowplow_collector.flush()
    url = snowplow_collector.url
    assert requests.get(f"{url}/micro/all", timeout=10).json()["good"] == 1
    (found,) = requests.post(f"{url}/micro/good", json={"schema": ERROR}, timeout=10).json()
    assert found == snowplow_collector.good()[0]
    assert requests.get(f"{url}/health", timeout=10).text == "ok"
    assert requests.options(f"{url}/{TP2}", timeout=10).headers["Access-Control-Max-Age"]
    assert requests.head(f"{url}/health", timeout=10).text == ""
    assert len(snowplow_collector.requests) == 1
    assert "<html" in requests.get(snowplow_collector.ui_url, timeout=10).text
    assert requests.get(f"{url}/micro/reset", timeout=10).json()["total"] == 0
    assert snowplow_collector.good() == []


def test_events_show_what_they_are(snowplow_collector: SnowplowCollector) -> None:
    """In a line, and not as the documents that they are."""
    log_error("one")
    logging.getLogger("shop").info("two")
    _ = post(snowplow_collector.url, b"{")
    assert repr(snowplow_collector.good()) == "<2 events: log_record, application_error>"
    assert repr(snowplow_collector.bad()) == "<1 event: unreadable>"
    assert repr(snowplow_collector.good(APPLICATION)) == "<no event>"
    assert repr(snowplow_collector.events_with(app_id=1)) == "<no event with app_id 1>"
    assert repr(snowplow_collector) == f"<SnowplowCollector {snowplow_collector.url}>"


def test_the_handler_is_a_handler(
    snowplow_collector: SnowplowCollector, snowplow_handler: SnowplowHandler
) -> None:
    """It has its account, and can be flushed."""
    log_error("counted")
    assert snowplow_handler.flush()
    assert snowplow_handler.stats().delivered == 1
    assert len(snowplow_collector.requests) == 1
