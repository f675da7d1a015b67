"""A verdict as one line of a table, and in full, as JSON: what the page shows.

Pure; the texts in a row are bounded, so that hundreds of rows are a small answer.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING

from snowplow_logging.collector.strict_json import cut, encode

if TYPE_CHECKING:
    from snowplow_logging.collector.judge import Verdict
    from snowplow_logging.collector.selfdescribing import Described
    from snowplow_logging.collector.strict_json import Json

Row = dict[str, "Json"]

MAX_MESSAGE = 200  # characters
MAX_REASON = 300

_WITH_MESSAGE = ("log_record", "application_error")
_LOGGER_KEYS = ("logger", "logger_name")
_RAW_FIELDS = ("se_ca", "se_ac", "se_la", "se_pr", "se_va", "page", "url")
_SHOWN_FIELDS = 12
_SHOWN_VALUE = 60  # characters


def row_of(seq: int, verdict: Verdict) -> Row:
    """The row of a verdict.

    Args:
        seq: Its number, which grows by one with each event.
        verdict: It.
    """
    contents = verdict.contents
    described = [*filter(None, [contents.event]), *contents.entities]
    return {
        "seq": seq,
        "event_id": verdict.event_id,
        "good": verdict.good,
        "time": verdict.time,
        "type": verdict.event_type,
        "schema": verdict.schema,
        "app_id": verdict.app_id,
        "level": verdict.level,
        "logger": _first(described, _LOGGER_KEYS),
        "message": _message(described) or _summary(verdict),
        "reason": None if verdict.good else cut(verdict.reason.partition("\n")[0], MAX_REASON),
    }


def details_of(verdict: Verdict) -> dict[str, Json]:
    """What there is to see of a verdict besides its row and its document."""
    contents = verdict.contents
    return {
        "event": contents.event.to_json() if contents.event else None,
        "contexts": [entity.to_json() for entity in contents.entities],
        "payload": None if verdict.parameters is None else {**verdict.parameters},
        "headers": [*verdict.received.headers] if verdict.received else [],
        "problems": [asdict(place) for problem in verdict.problems for place in problem.places],
    }


def _message(described: list[Described]) -> str | None:
    named = [item for item in described if item.schema.split("/")[1] in _WITH_MESSAGE]
    message = _first(named, ("message",))
    return None if message is None else cut(message, MAX_MESSAGE)


def _summary(verdict: Verdict) -> str | None:
    """What an event without a message says: ``order_id=1042 total_cents=2450``."""
    raw = verdict.parameters or {}
    data = {name: raw[name] for name in _RAW_FIELDS if name in raw}
    event = verdict.contents.event
    shown = event.data if event and isinstance(event.data, dict) else data
    fields = (f"{name}={_short(value)}" for name, value in islice(shown.items(), _SHOWN_FIELDS))
    return cut(" ".join(fields), MAX_MESSAGE) or None


def _short(value: Json) -> str:
    if isinstance(value, str):
        return cut(value, _SHOWN_VALUE)
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    return encode(value)


def _first(described: list[Described], keys: tuple[str, ...]) -> str | None:
    """The first text under one of the keys."""
    datas = (item.data for item in described)
    values = (data.get(key) for data in datas if isinstance(data, dict) for key in keys)
    return next((value for value in values if isinstance(value, str)), None)
