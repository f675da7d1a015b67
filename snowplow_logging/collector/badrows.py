"""The bad rows that a pipeline writes, as self-describing JSON text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging._version import __version__
from snowplow_logging.collector.strict_json import cut, encode
from snowplow_logging.collector.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowplow_logging.collector.problems import Problem
    from snowplow_logging.collector.received import Received
    from snowplow_logging.collector.strict_json import Json

_VENDOR = "com.snowplowanalytics.snowplow.badrows"
SCHEMA_VIOLATIONS = f"iglu:{_VENDOR}/schema_violations/jsonschema/2-0-1"
TRACKER_PROTOCOL_VIOLATIONS = f"iglu:{_VENDOR}/tracker_protocol_violations/jsonschema/1-0-1"
ADAPTER_FAILURES = f"iglu:{_VENDOR}/adapter_failures/jsonschema/1-0-0"
SIZE_VIOLATION = f"iglu:{_VENDOR}/size_violation/jsonschema/1-0-0"

MAX_PAYLOAD = 100_000  # characters of an oversized payload that its bad row keeps

# Fields that a bad row keeps as numbers; all else is text there.
_NUMBERS = frozenset({"geo_latitude", "geo_longitude"})


def request_failure(received: Received, problems: Sequence[Problem], *, adapter: bool) -> str:
    """The whole request is wrong.

    Args:
        received: The request.
        problems: What is wrong with it.
        adapter: The kind of bad row: ``adapter_failures``, or ``tracker_protocol_violations``.
    """
    failure: dict[str, Json] = {
        "timestamp": received.time,
        "vendor": cut(received.vendor, 64),
        "version": cut(received.version, 16),
        "messages": [problem.message for problem in problems],
    }
    schema = ADAPTER_FAILURES if adapter else TRACKER_PROTOCOL_VIOLATIONS
    return _bad_row(schema, failure, received.bad_row_payload())


def event_failure(
    received: Received,
    parameters: Mapping[str, str],
    event: Mapping[str, Json],
    problems: Sequence[Problem],
) -> str:
    """One event of the request is wrong.

    Args:
        received: The request.
        parameters: The wire fields of the event.
        event: The enriched event, as far as it came.
        problems: What is wrong with it.
    """
    failure: dict[str, Json] = {
        "timestamp": received.time,
        "messages": [problem.message for problem in problems],
    }
    payload: dict[str, Json] = {
        "raw": received.bad_row_event(parameters),
        "enriched": {name: _plain(name, value) for name, value in event.items()},
    }
    return _bad_row(SCHEMA_VIOLATIONS, failure, payload)


def size_violation(milliseconds: int, payload: str, size: int, limit: int, expectation: str) -> str:
    """A request or an event is too large for the collector's sink.

    Args:
        milliseconds: When it came, since the epoch.
        payload: Its text, of which the beginning is kept.
        size: Its bytes.
        limit: The bytes that the sink takes.
        expectation: What was expected, in words.
    """
    failure: dict[str, Json] = {
        "timestamp": iso(milliseconds),
        "maximumAllowedSizeBytes": limit,
        "actualSizeBytes": size,
        "expectation": cut(expectation, 256),
    }
    return _bad_row(SIZE_VIOLATION, failure, cut(payload, MAX_PAYLOAD))


def _plain(name: str, value: Json) -> Json:
    """A field as a bad row has it: flags as 0 and 1, decimals and JSON as text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and name not in _NUMBERS:
        return encode(value)
    if isinstance(value, dict):
        return encode(value) if value else None
    return value


def _bad_row(schema: str, failure: dict[str, Json], payload: Json) -> str:
    processor: dict[str, Json] = {"artifact": "snowplow-logging", "version": __version__}
    data: dict[str, Json] = {"failure": failure, "payload": payload, "processor": processor}
    return encode({"schema": schema, "data": data})
