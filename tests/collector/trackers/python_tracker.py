"""Sends an event of each class of the official Python tracker; prints their ids by their names.

Usage: python_tracker.py URL get|post BASE64 good|bad

A process of its own, because importing the tracker configures logging.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any

import requests
from snowplow_tracker.emitters import Emitter
from snowplow_tracker.events.page_ping import PagePing
from snowplow_tracker.events.page_view import PageView
from snowplow_tracker.events.screen_view import ScreenView
from snowplow_tracker.events.self_describing import SelfDescribing
from snowplow_tracker.events.structured_event import StructuredEvent
from snowplow_tracker.self_describing_json import SelfDescribingJson
from snowplow_tracker.subject import Subject
from snowplow_tracker.tracker import Tracker

LINK_CLICK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"
PAGE = "https://shop.acme.com:8443/hats?size=m#top"
VERSION = SelfDescribingJson(
    "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0", {"version": "1.2.3 é"}
)


def subject() -> Subject:
    """Returns a subject of which everything is known."""
    known = Subject()
    known.set_platform("web").set_user_id("u-1").set_screen_resolution(1920, 1080)
    known.set_viewport(800, 600).set_color_depth(24).set_timezone("Europe/Berlin")
    known.set_lang("de-DE").set_domain_user_id("d-1").set_domain_session_index(3)
    known.set_domain_session_id("c6ef3124-b53a-4b13-a233-0088f79dcbcb")
    known.set_ip_address("192.0.2.7").set_useragent("Hatter/1.0").set_network_user_id("n-1")
    return known


def good_events() -> dict[str, Any]:
    """Returns events of all classes, with all that they take."""
    page: Any = {"page_url": PAGE, "page_title": "Hats & caps", "referrer": "https://a.example/b"}
    link = {"targetUrl": "https://a.example/", "elementClasses": ["big", "red"]}
    time_ms = 1_767_225_600_123
    return {
        "page_view": PageView(**page),
        "page_ping": PagePing(**page, min_x=1, max_x=20, min_y=3, max_y=400),
        "struct": StructuredEvent("hats", "try on", "bowler", "size", 7.5),
        "self_describing": SelfDescribing(SelfDescribingJson(LINK_CLICK, link)),
        "screen_view": ScreenView(
            "a6ef3124-b53a-4b13-a233-0088f79dcbcb",
            "cart",
            "list",
            "home",
            "b6ef3124-b53a-4b13-a233-0088f79dcbcb",
            "feed",
            "tap",
        ),
        "with_context": PageView(PAGE, context=[VERSION, VERSION]),
        "with_subject": PageView(PAGE, event_subject=Subject().set_user_id("u-2")),
        "with_time": PageView(PAGE, true_timestamp=time_ms),
    }


def bad_events() -> dict[str, Any]:
    """Returns events that a pipeline refuses."""

    def link(data: dict[str, object], schema: str = LINK_CLICK) -> SelfDescribing:
        return SelfDescribing(SelfDescribingJson(schema, data))

    unknown_key = link({"targetUrl": "x"})
    unknown_key.payload.add("colour", "red")
    return {
        "wrong_type": link({"targetUrl": 5}),
        "unknown_schema": link({}, "iglu:com.acme/unknown/jsonschema/1-0-0"),
        "unknown_property": link({"targetUrl": "x", "colour": "red"}),
        "unknown_key": unknown_key,
        "content_type": link({"targetUrl": "x"}),
        "too_large": link({"targetUrl": "x" * 3_000_000}),
    }


class OfAnotherType(requests.Session):
    """Posts all as plain text."""

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        """Changes the header that the tracker sets."""
        options["headers"] = {"Content-Type": "text/plain"}
        return super().request(*arguments, **options)


def main(url: str, method: Any, base64: str, what: str) -> None:
    """Sends the events, each in a request of its own."""
    emitter = partial(Emitter, url, method=method, batch_size=1, custom_retry_codes={413: False})
    event_ids: dict[str, str | None] = {}
    for name, event in (good_events() if what == "good" else bad_events()).items():
        session = OfAnotherType() if name == "content_type" else None
        tracker = Tracker("py", emitter(session=session), subject(), "shop", base64 == "true")
        event_ids[name] = tracker.track(event)
    json.dump(event_ids, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
