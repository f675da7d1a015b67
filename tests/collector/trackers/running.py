"""Runs the programs that send with official trackers; holds what arrived against what was sent."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from snowplow_logging.testing import Event, SnowplowCollector

FOLDER = Path(__file__).parent
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
VERSION = {"schema": f"{SNOWPLOW}/application/jsonschema/1-0-0", "data": {"version": "1.2.3 é"}}

needs_node_tracker = pytest.mark.skipif(
    not shutil.which("node") or not (FOLDER / "node_modules").is_dir(),
    reason="the official Node tracker is not there: npm install --no-package-lock --prefix "
    + str(FOLDER.relative_to(FOLDER.parents[2])),
)
"""Skips a test, and says why, where node or the tracker is missing."""

SUBJECT = {
    "platform": "web",
    "user_id": "u-1",
    "dvce_screenwidth": 1920,
    "dvce_screenheight": 1080,
    "br_viewwidth": 800,
    "br_viewheight": 600,
    "br_colordepth": "24",
    "os_timezone": "Europe/Berlin",
    "br_lang": "de-DE",
    "domain_userid": "d-1",
    "domain_sessionid": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
    "domain_sessionidx": 3,
    "user_ipaddress": "192.0.2.7",
    "useragent": "Hatter/1.0",
    "network_userid": "n-1",
    "app_id": "shop",
}
URL = {
    "page_url": "https://shop.acme.com:8443/hats?size=m#top",
    "page_urlscheme": "https",
    "page_urlhost": "shop.acme.com",
    "page_urlport": 8443,
    "page_urlpath": "/hats",
    "page_urlquery": "size=m",
    "page_urlfragment": "top",
}
PAGE = {
    **URL,
    "page_title": "Hats & caps",
    "page_referrer": "https://a.example/b",
    "refr_urlscheme": "https",
    "refr_urlhost": "a.example",
    "refr_urlport": 443,
    "refr_urlpath": "/b",
}
OFFSETS = {"pp_xoffset_min": 1, "pp_xoffset_max": 20, "pp_yoffset_min": 3, "pp_yoffset_max": 400}
STRUCT = {
    "se_category": "hats",
    "se_action": "try on",
    "se_label": "bowler",
    "se_property": "size",
    "se_value": 7.5,
}
TRUE_TIME = {
    "true_tstamp": "2026-01-01T00:00:00.123Z",
    "derived_tstamp": "2026-01-01T00:00:00.123Z",
}

# What every event has, whatever was sent.
MADE = {
    "event", "event_id", "event_vendor", "event_name", "event_format", "event_version",
    "unstruct_event", "contexts", "derived_contexts", "v_collector", "v_etl", "v_tracker",
    "name_tracker", "collector_tstamp", "derived_tstamp", "etl_tstamp",
    "dvce_created_tstamp", "dvce_sent_tstamp",
}  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """What an event shall show.

    Args:
        event_type: Its type, as enriched events name it.
        fields: Its fields, besides those of the subject.
        data: Its data, if it is self-describing.
        schema: The schema of these.
        contexts: Its entities.
    """

    event_type: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    schema: str | None = None
    contexts: tuple[dict[str, Any], ...] = ()


def described(name: str, data: dict[str, Any], *contexts: dict[str, Any]) -> Expected:
    """What a self-describing event shall show; ``name`` is what follows the vendor."""
    return Expected("unstruct", {}, data, f"{SNOWPLOW}/{name}", contexts)


def send(command: list[str], collector: SnowplowCollector, *arguments: str) -> dict[str, str]:
    """Has a program send its events; returns their ids by their names."""
    run = subprocess.run(
        [*command, collector.url, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    ids: dict[str, str] = json.loads(run.stdout)
    return ids


def check(event: Event, expected: Expected, tracker: tuple[str, str], *, base64: bool) -> None:
    """Holds all that an event shows against what was sent."""
    assert event["eventType"] == event.fields["event"] == expected.event_type
    assert not event["incomplete"]
    assert event.data == expected.data
    assert event.contexts == [*expected.contexts]
    assert event["contexts"] == [context["schema"] for context in expected.contexts]
    fields = {**SUBJECT, **expected.fields}
    assert {name: event.fields.get(name) for name in fields} == fields
    assert set(event.fields) - MADE - set(fields) == set()
    assert (event.fields["name_tracker"], event.fields["v_tracker"]) == tracker
    if expected.schema is not None:
        assert event.schema == expected.schema
        assert ("ue_px" if base64 else "ue_pr") in event.parameters
    if expected.contexts:
        assert ("cx" if base64 else "co") in event.parameters


def check_good(
    collector: SnowplowCollector,
    ids: dict[str, str],
    table: dict[str, Expected],
    tracker: tuple[str, str],
    *,
    base64: bool,
) -> None:
    """Holds all good events against what was sent; nothing else arrived."""
    assert [*ids] == [*table]
    assert collector.all() == {"total": len(ids), "good": len(ids), "bad": 0}
    for name, expected in table.items():
        check(collector.event(ids[name]), expected, tracker, base64=base64)


# name → the format of the bad row, and why
BAD = {
    "wrong_type": (
        "schema_violations/jsonschema/2-0-1",
        f"{SNOWPLOW}/link_click/jsonschema/1-0-1: $.targetUrl: expected string, got 5",
    ),
    "unknown_schema": (
        "schema_violations/jsonschema/2-0-1",
        "iglu:com.acme/unknown/jsonschema/1-0-0: unknown schema, looked for in ",
    ),
    "unknown_property": (
        "schema_violations/jsonschema/2-0-1",
        f"{SNOWPLOW}/link_click/jsonschema/1-0-1: $: expected no properties but ",
    ),
    "unknown_key": (
        "tracker_protocol_violations/jsonschema/1-0-1",
        f"{SNOWPLOW}/payload_data/jsonschema/1-0-4: $[0].colour: expected a key of the tracker ",
    ),
    "content_type": (
        "tracker_protocol_violations/jsonschema/1-0-1",
        "contentType: expected application/json or application/json; charset=utf-8",
    ),
}


def check_bad(collector: SnowplowCollector, ids: dict[str, str]) -> None:
    """Holds the bad events, and the one that is too large, against what a pipeline says of them."""
    assert [*ids] == [*BAD, "too_large"]
    assert [answer.status for answer in collector.answers] == [200] * len(BAD) + [413]
    assert collector.all() == {"total": len(BAD), "good": 0, "bad": len(BAD)}
    for event, (name, (row_format, reason)) in zip(
        reversed(collector.bad()), BAD.items(), strict=True
    ):
        (found,) = event.reasons
        assert found.startswith(reason)
        row = json.loads(event["errors"][1])
        assert row["schema"] == f"{SNOWPLOW}.badrows/{row_format}"
        of_the_request = row_format.startswith("tracker_protocol")
        assert event.id == (None if of_the_request else ids[name])
