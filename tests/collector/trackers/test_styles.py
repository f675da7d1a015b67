"""Tests as people write them for Micro pass, and know nothing of who answers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.collector.support import APPLICATION, ERROR, body, contexts, event, post

from .running import FOLDER, needs_node_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.testing import SnowplowCollector


class Micro:
    """The helper that most suites in Python have, in one form or another."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.address}/micro/{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **filters: object) -> Any:
        return requests.post(f"{self.address}/micro/{path}", json=filters, timeout=10).json()


@pytest.fixture
def micro(snowplow_collector: SnowplowCollector) -> Iterator[Micro]:
    """Begins with nothing, and insists at the end that no event is bad that is not meant to be."""
    client = Micro(snowplow_collector.url)
    assert client.get("reset") == {"total": 0, "good": 0, "bad": 0}
    yield client
    assert client.get("all")["bad"] == 0
    assert client.get("bad") == []


def act(micro: Micro) -> None:
    """Does what is under test."""
    version = {"schema": APPLICATION, "data": {"version": "2.0"}}
    data = {"programmingLanguage": "PYTHON", "message": "it broke", "lineNumber": 17}
    page = {"e": "pv", "p": "web", "tv": "py-1", "url": "https://a.b/c", "aid": "shop"}
    _ = post(micro.address, body(page, event(data, cx=contexts(version))))


def test_counts_then_contents(micro: Micro) -> None:
    """Reset, act, count, look."""
    act(micro)
    summary = micro.get("all")
    assert (summary["total"], summary["good"], summary["bad"]) == (2, 2, 0)
    newest, oldest = (item["event"] for item in micro.get("good"))
    assert oldest["event"] == "page_view"
    assert oldest["page_url"] == "https://a.b/c"
    assert oldest["page_urlhost"] == "a.b"
    assert newest["event_vendor"] == "com.snowplowanalytics.snowplow"
    assert (newest["event_name"], newest["event_version"]) == ("application_error", "1-0-2")
    described = newest["unstruct_event"]["data"]
    assert described["schema"] == ERROR
    assert described["data"]["lineNumber"] == 17
    entities = {each["schema"]: each["data"] for each in newest["contexts"]["data"]}
    assert entities[APPLICATION]["version"] == "2.0"


def test_filters(micro: Micro) -> None:
    """Micro filters by what is posted."""
    act(micro)
    (found,) = micro.post("good", event_type="page_view")
    assert found["eventType"] == "page_view"
    (found,) = micro.post("good", schema=ERROR, contexts=[APPLICATION], limit=5)
    assert found["schema"] == ERROR
    assert found["contexts"] == [APPLICATION]
    assert found["rawEvent"]["parameters"]["e"] == "ue"
    assert micro.post("good", event_type="struct") == []
    assert len(micro.post("good", limit=1)) == 1


def test_why_an_event_is_bad(micro: Micro) -> None:
    """The errors of a bad event name what is wrong, and its payload is shown."""
    _ = post(micro.address, body(event({"programmingLanguage": "PYTHON", "message": 5})))
    (bad,) = micro.get("bad")
    assert any("$.message" in error for error in bad["errors"])
    assert bad["collectorPayload"]["contentType"] == "application/json; charset=utf-8"
    assert bad["rawEvent"]["parameters"]["p"] == "srv"
    assert micro.post("bad", vendor="com.snowplowanalytics.snowplow", version="tp2") == [bad]
    assert micro.post("bad", vendor="com.acme") == []
    micro.get("reset")


def test_schemas_are_served(micro: Micro) -> None:
    """Whether a schema can be resolved is asked beforehand; an unknown one is a 404."""
    schema = micro.get(f"iglu/{ERROR.removeprefix('iglu:')}")
    assert schema["self"]["name"] == "application_error"
    with pytest.raises(requests.HTTPError, match="404"):
        micro.get("iglu/com.acme/unknown/jsonschema/1-0-0")


@needs_node_tracker
def test_in_the_style_of_cypress(snowplow_collector: SnowplowCollector) -> None:
    """Commands that count what matches by type, schema, values, entities, fields, and order."""
    program = ["node", str(FOLDER / "cypress_style.cjs"), snowplow_collector.url]
    run = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert len(snowplow_collector.requests) == 6
