"""The package's own tables and the bad rows, against Iglu Central."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from jsonschema import Draft4Validator, FormatChecker

from snowplow_logging.collector import LocalCollector, protocol
from snowplow_logging.collector.registry import Registry

from .support import APPLICATION, ERROR, ERROR_DATA, body, contexts, event, post

if TYPE_CHECKING:
    from collections.abc import Callable

    Central = Callable[[str], dict[str, Any]]

LONG = "x" * 10_000
BAD_ROWS = {
    "schema_violations/jsonschema/2-0-1",
    "tracker_protocol_violations/jsonschema/1-0-1",
    "adapter_failures/jsonschema/1-0-0",
    "size_violation/jsonschema/1-0-0",
}


def _spoil(url: str) -> None:
    """Sends whatever can be wrong."""
    wrong = {"schema": APPLICATION, "data": {"version": 1}}
    unknown = {"schema": "iglu:com.acme/none/jsonschema/1-0-0", "data": [1]}
    events = [
        event({**ERROR_DATA, "lineNumber": "5", "colour": LONG}),
        event({}, cx=contexts(wrong, unknown), se_va="1.5", cookie="1", res="1x1"),
        event(eid=LONG, aid=LONG, dtm="x", p="x", e="x"),
        event(ue_px="*"),
        event(ue_px=None),
        event(ue_pr="[]", ue_px=None),
        event(ue_pr='{"schema":"x","data":1}', ue_px=None),
        event(cx=contexts(schema=ERROR)),
        event(cx=contexts("x")),
    ]
    post(url, body(*events))
    bodies = [b"", b"{", b"[]", b'{"schema":"x","data":1}', b"\xff", body(), body(1)]
    for content in [*bodies, body(event(), schema=ERROR), body({**event(), LONG: 1})]:
        post(url, content)
    for content_type in (None, LONG[:400]):
        post(url, body(event()), content_type)
    post(url, body(event()), path=f"{LONG[:70]}/{LONG[:20]}?a={LONG[:600]}&b")
    post(url, body(event(), event(ue_na="x" * 1_000_001)))
    post(url, b"x" * 1_100_000)
    headers = {"User-Agent": LONG[:5000], "Referer": LONG[:9000], "X-Forwarded-For": LONG[:200]}
    for query in ("", "?e=pv", f"?a={LONG}&a=", "?%ff"):
        requests.get(f"{url}/i{query}", headers=headers, timeout=10)


def test_every_bad_row_is_of_a_real_format(collector: LocalCollector, central: Central) -> None:
    """Whatever is wrong, the bad row fits the schema that it names."""
    _spoil(collector.url)
    kinds: set[str] = set()
    for bad in collector.bad():
        text, row = bad["errors"][0], json.loads(bad["errors"][1])
        assert text
        assert "\n" not in text
        schema = central(row["schema"])
        validator = Draft4Validator(schema, format_checker=FormatChecker())
        validator.validate(row["data"])  # pyright: ignore[reportUnknownMemberType]
        kinds.add(row["schema"].partition("badrows/")[2])
    assert kinds == BAD_ROWS
    assert collector.all()["bad"] == 27


def test_the_keys_are_those_of_the_protocol(central: Central) -> None:
    """No more and no fewer."""
    items = central(protocol.PAYLOAD_DATA)["items"]
    assert set(protocol.KEYS) == set(items["properties"])
    assert set(protocol.REQUIRED_KEYS) == set(items["required"])


def test_the_wrappers_name_their_schemas_alike(central: Central) -> None:
    """The pattern of a schema's URI."""
    pattern = central(protocol.UNSTRUCT_EVENT)["properties"]["schema"]["pattern"]
    groups = ("vendor", "name", "format", "version")
    own = protocol.IGLU_URI.pattern
    for group in groups:
        own = own.replace(f"(?P<{group}>", "").replace("+)", "+", 1)
    assert f"^{own}$" == pattern


@pytest.mark.parametrize("uri", [ERROR, APPLICATION])
def test_the_standard_schemas_say_the_same(central: Central, uri: str) -> None:
    """Names, types and bounds agree; the descriptions are our own."""
    schema = Registry().find(uri)
    assert schema
    assert _without_descriptions(schema.document) == _without_descriptions(central(uri))


def test_the_enriched_fields_are_those_of_a_bad_row(central: Central) -> None:
    """All that a schema violation lists, in any order."""
    schema = central(
        "iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-1"
    )
    listed = schema["properties"]["payload"]["properties"]["enriched"]
    properties = listed.get("properties") or listed["anyOf"][0]["properties"]
    assert set(protocol.ENRICHED) == set(properties)
    filled = {name for _, names in protocol.FIELDS.values() for name in names}
    assert filled | set(protocol.LENGTHS) <= set(protocol.ENRICHED)


def _without_descriptions(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: _without_descriptions(item)
        for key, item in cast("dict[str, Any]", value).items()
        if key != "description"
    }
