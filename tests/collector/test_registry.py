"""Which schemas are found, and what is said of broken ones, at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from snowplow_logging.collector import LocalCollector
from snowplow_logging.collector.registry import Registry

from .support import APPLICATION, ERROR, body, event, post, write_schema

if TYPE_CHECKING:
    from pathlib import Path

ORDER: dict[str, object] = {
    "type": "object",
    "properties": {"total": {"type": "number"}, "at": {"type": "string", "format": "date-time"}},
}


@pytest.mark.parametrize("below", ["", "schemas"])
def test_a_folder_of_schemas_is_taken(tmp_path: Path, below: str) -> None:
    """In either layout; the schema is served and used."""
    uri = write_schema(tmp_path / below, ORDER)
    with LocalCollector(port=0, schemas=[tmp_path]) as collector:
        post(collector.url, body(event({"total": 1}, uri), event({"total": "1"}, uri)))
        assert collector.all() == {"total": 2, "good": 1, "bad": 1}
        path = uri.replace("iglu:", "/micro/iglu/")
        answer = requests.get(f"{collector.url}{path}", timeout=10)
        assert answer.json()["properties"] == ORDER["properties"]
        missing = requests.get(f"{collector.url}{path}1", timeout=10)
        assert missing.status_code == 404
        assert str(tmp_path) in missing.text


def test_the_standard_schemas_are_always_there() -> None:
    """Those that a stock pipeline has."""
    registry = Registry()
    assert registry.find(ERROR)
    assert registry.find(APPLICATION)


def test_formats_are_checked(tmp_path: Path) -> None:
    """As a pipeline does."""
    write_schema(tmp_path, ORDER)
    schema = Registry([tmp_path])
    found = schema.find("iglu:com.acme/order_placed/jsonschema/1-0-0")
    assert found
    assert found.reports({"at": "2026-01-31T12:00:00Z"}) == []
    (report,) = found.reports({"at": "yesterday"})
    assert report.text == '$.at: expected the format date-time, got "yesterday"'


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """At construction."""
    with pytest.raises(ValueError, match=r"schemas: there is no folder .*nowhere"):
        LocalCollector(schemas=[tmp_path / "nowhere"])


def test_a_folder_without_schemas_is_named(tmp_path: Path) -> None:
    """It shows the layout that was expected."""
    with pytest.raises(ValueError, match="holds no schema; expected files such as VENDOR/NAME"):
        LocalCollector(schemas=[tmp_path])


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "objekt"}, "objekt"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, r"\$schema: expected http"),
        ({"self": {"vendor": "com.other"}}, "self: expected .*com.acme"),
        ({"properties": {"a": {"pattern": "("}}}, r'expected the format regex, got "\("'),
        ({"patternProperties": {"(": {}}}, r'pattern "\("'),
    ],
)
def test_a_broken_schema_is_named_at_the_start(
    tmp_path: Path, schema: dict[str, object], reason: str
) -> None:
    """Not only when an event needs it."""
    write_schema(tmp_path, schema)
    with pytest.raises(ValueError, match=reason) as caught:
        Registry([tmp_path])
    assert "com.acme/order_placed/jsonschema/1-0-0" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, text: str) -> None:
    """Neither JSON, nor an object."""
    write_schema(tmp_path, {})
    (tmp_path / "com.acme/order_placed/jsonschema/1-0-0").write_text(text)
    with pytest.raises(ValueError, match="1-0-0: "):
        Registry([tmp_path])


def test_a_reference_that_leads_nowhere_makes_the_event_bad(tmp_path: Path) -> None:
    """The schema cannot be used, and the event says so."""
    uri = write_schema(tmp_path, {"properties": {"a": {"$ref": "#/definitions/none"}}})
    with LocalCollector(port=0, schemas=[tmp_path]) as collector:
        post(collector.url, body(event({"a": 1}, uri)))
        assert "the schema cannot be used" in collector.bad()[0]["errors"][0]
