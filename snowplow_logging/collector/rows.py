"""A verdict as one line of a table: what the page and the terminal show of it.

Pure; the texts in a row are bounded, so that hundreds of rows are a small answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging.collector import protocol
from snowplow_logging.collector.enriched import schema_of
from snowplow_logging.collector.strict_json import cut

if TYPE_CHECKING:
    from snowplow_logging.collector.judge import Verdict
    from snowplow_logging.collector.selfdescribing import Described
    from snowplow_logging.collector.strict_json import Json

Row = dict[str, "Json"]

MAX_MESSAGE = 200  # characters
MAX_REASON = 300
MAX_TEXT = 255

_WITH_MESSAGE = ("log_record", "application_error")
_LEVEL_KEYS = ("level", "level_name", "log_level", "severity")
_LOGGER_KEYS = ("logger", "logger_name")


def row_of(verdict: Verdict) -> Row:
    """The row of a verdict; of a request that is bad as a whole, only time and reason are known."""
    parameters = verdict.parameters or {"e": ""}
    described = verdict.contents.described
    return {
        "event_id": verdict.event_id,
        "good": verdict.good,
        "time": verdict.received.time,
        "type": protocol.EVENT_TYPES.get(parameters["e"], (None,))[0],
        "schema": schema_of(parameters, verdict.contents),
        "app_id": cut(parameters.get("aid", ""), MAX_TEXT) or None,
        "level": _first(described, _LEVEL_KEYS),
        "logger": _first(described, _LOGGER_KEYS),
        "message": _message(described),
        "reason": None if verdict.good else cut(verdict.reason.partition("\n")[0], MAX_REASON),
    }


def _message(described: list[Described]) -> str | None:
    named = [item for item in described if item.schema.split("/")[1] in _WITH_MESSAGE]
    message = _first(named, ("message",))
    return None if message is None else cut(message, MAX_MESSAGE)


def _first(described: list[Described], keys: tuple[str, ...]) -> str | None:
    """The first text under one of the keys."""
    for item in described:
        data = item.data if isinstance(item.data, dict) else {}
        for key in keys:
            value = data.get(key)
            if isinstance(value, str):
                return cut(value, MAX_TEXT)
    return None
