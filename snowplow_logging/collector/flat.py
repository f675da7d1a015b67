"""Flat events, good and failed, as ``/micro/events`` has them: a column for each entity's schema.

A failed event lacks what was wrong in it; a ``failure`` entity says what that was. A request that
is bad as a whole is no event, so it is not here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from snowplow_logging._version import __version__
from snowplow_logging.collector.enriched import enrich
from snowplow_logging.collector.received import COLLECTOR

if TYPE_CHECKING:
    from snowplow_logging.collector.kept import Kept
    from snowplow_logging.collector.strict_json import Json

FAILURE = "iglu:com.snowplowanalytics.snowplow/failure/jsonschema/1-0-0"

# These hold the event and the entities in a canonical event; here each has a column of its own.
_SHREDDED = ("unstruct_event", "contexts", "derived_contexts")
_HUMP = re.compile(r"([^A-Z_])([A-Z])")
_PART = re.compile(r"[.-]")


def flat_event(kept: Kept) -> dict[str, Json] | None:
    """The event in columns; None for a request that is bad as a whole."""
    if kept.parameters is None:
        return None
    event, _ = enrich(kept.received, kept.parameters, kept.event_id or "", kept.contents)
    for name in _SHREDDED:
        del event[name]
    wrong = {problem["places"][0]["where"] for problem in kept.problems}
    described = kept.contents.event
    if described and "event" not in wrong:
        event[column("unstruct_event", described.schema)] = described.data
    entities = [
        (entity.schema, entity.data)
        for index, entity in enumerate(kept.contents.entities)
        if f"context {index}" not in wrong
    ]
    entities += [(FAILURE, _failure(kept, problem)) for problem in kept.problems]
    columns: dict[str, list[Json]] = {}
    for schema, data in entities:
        columns.setdefault(column("contexts", schema), []).append(data)
    return {**event, **columns}


def column(prefix: str, uri: str) -> str:
    """The column of a schema: ``contexts_com_acme_user_profile_1``."""
    vendor, name, _, version = uri.removeprefix("iglu:").split("/")
    vendor = _PART.sub("_", vendor).lower()
    name = _HUMP.sub(r"\1_\2", _PART.sub("_", name)).lower()
    return f"{prefix}_{vendor}_{name}_{version.partition('-')[0]}"


def _failure(kept: Kept, problem: dict[str, Any]) -> dict[str, Json]:
    message: dict[str, Json] = problem["message"]
    error = message.get("error")
    details = error if isinstance(error, dict) else {}
    errors = details.get("dataReports") or details.get("lookupHistory") or [message]
    where: str = problem["places"][0]["where"]
    return {
        "timestamp": kept.received.time,
        "failureType": details.get("error") or "NotJSON",
        "errors": errors,
        "schema": message.get("schemaKey"),
        "data": _data(kept, where),
        "componentName": COLLECTOR.removesuffix(f"-{__version__}"),
        "componentVersion": __version__,
    }


def _data(kept: Kept, where: str) -> Json:
    """What was wrong: the event, an entity, or the raw fields."""
    if where == "event" and kept.contents.event:
        return kept.contents.event.data
    if where.startswith("context "):
        return kept.contents.entities[int(where.removeprefix("context "))].data
    return {**(kept.parameters or {})}
