"""An event as Micro's API shows it, made when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging.collector.badrows import bad_row_of
from snowplow_logging.collector.enriched import enrich, schema_of
from snowplow_logging.collector.strict_json import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging.collector.kept import Kept
    from snowplow_logging.collector.strict_json import Json


def document_of(kept: Kept) -> dict[str, Json]:
    """The event as ``/micro/good`` or ``/micro/bad`` has it."""
    if kept.good and kept.parameters is not None:
        return _good(kept, kept.parameters)
    raw = None if kept.parameters is None else kept.received.raw_event(kept.parameters)
    return {
        "collectorPayload": kept.received.collector_payload(),
        "rawEvent": raw,
        "errors": [kept.reason, encode(bad_row_of(kept))],
    }


def details_of(kept: Kept) -> dict[str, Json]:
    """The event as ``/micro/event/…`` has it."""
    contents = kept.contents
    return {
        "row": kept.row,
        "document": document_of(kept),
        "event": contents.event.to_json() if contents.event else None,
        "contexts": [entity.to_json() for entity in contents.entities],
        "payload": None if kept.parameters is None else {**kept.parameters},
        "headers": [*kept.received.headers],
        "problems": [place for problem in kept.problems for place in problem["places"]],
    }


def _good(kept: Kept, parameters: Mapping[str, str]) -> dict[str, Json]:
    event, _ = enrich(kept.received, parameters, kept.event_id or "", kept.contents)
    return {
        "rawEvent": kept.received.raw_event(parameters),
        "eventType": event["event"],
        "schema": schema_of(parameters, kept.contents),
        "contexts": [entity.schema for entity in kept.contents.entities],
        "event": event,
        "incomplete": False,
    }
