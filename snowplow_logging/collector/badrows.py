"""The bad rows that a pipeline writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging._version import __version__
from snowplow_logging.collector import problems
from snowplow_logging.collector.enriched import enrich
from snowplow_logging.collector.strict_json import cut, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging.collector.kept import Kept
    from snowplow_logging.collector.strict_json import Json

MAX_PAYLOAD = 100_000  # characters of an oversized payload that its bad row keeps

# Fields that a bad row keeps as numbers; all else is text there.
_NUMBERS = frozenset({"geo_latitude", "geo_longitude"})


def bad_row_of(kept: Kept) -> dict[str, Json]:
    """The bad row of a bad event, a self-describing JSON."""
    messages: list[Json] = [problem["message"] for problem in kept.problems]
    failure: dict[str, Json] = {"timestamp": kept.received.time}
    payload: Json
    if kept.bad_row == problems.SIZE_VIOLATION:
        failure |= kept.problems[0]["message"]
        whole = kept.received.body_text or ""
        payload = cut(encode(kept.parameters) if kept.parameters else whole, MAX_PAYLOAD)
    elif kept.parameters is None:
        failure["vendor"] = cut(kept.received.vendor, 64)
        failure["version"] = cut(kept.received.version, 16)
        failure["messages"] = messages
        payload = kept.received.bad_row_payload()
    else:
        failure["messages"] = messages
        payload = _event(kept, kept.parameters)
    processor: dict[str, Json] = {"artifact": "snowplow-logging", "version": __version__}
    data: dict[str, Json] = {"failure": failure, "payload": payload, "processor": processor}
    return {"schema": kept.bad_row, "data": data}


def _event(kept: Kept, parameters: Mapping[str, str]) -> dict[str, Json]:
    event, _ = enrich(kept.received, parameters, kept.event_id or "", kept.contents)
    return {
        "raw": kept.received.bad_row_event(parameters),
        "enriched": {name: _plain(name, value) for name, value in event.items()},
    }


def _plain(name: str, value: Json) -> Json:
    """A field as a bad row has it: flags as 0 and 1, decimals and JSON as text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and name not in _NUMBERS:
        return encode(value)
    if isinstance(value, dict):
        return encode(value) if value else None
    return value
