"""What a collector received, read by Micro's API, which the local collector has as well."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import requests

from snowplow_logging.demo.logs import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOG_RECORD = "/log_record/jsonschema/"
PACKED = ("ue_px", "ue_pr", "cx", "co")  # parameters that hold JSON
ASK_TIMEOUT = 5.0  # seconds for one question
SETTLE_TIMEOUT = 10.0  # seconds that Micro has to judge what it was sent
SETTLE_PAUSE = 0.2  # seconds between questions
EXTRA_EVENTS = 1_000  # asked for beside our own, because others may send at the same time


@dataclass(frozen=True)
class Arrival:
    """An event, as it was sent and as it was judged.

    Args:
        event_id: Its id.
        schema: Its own schema; empty where it cannot be read.
        identity: The record that it was made of, if it says so.
        good: Whether it is valid; None where nobody knows.
        reason: Why it is not.
        document: All of it, as far as known.
    """

    event_id: str
    schema: str
    identity: Identity | None
    good: bool | None
    reason: str = ""
    document: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)


def of_good(document: Mapping[str, Any]) -> Arrival:
    """Reads a good event, such as ``/micro/good`` has them."""
    filled = {key: value for key, value in document["event"].items() if value not in (None, {})}
    nested = {key: filled.pop(key) for key in ("unstruct_event", "contexts") if key in filled}
    return _read(document["rawEvent"]["parameters"], filled | nested, good=True)


def of_bad(document: Mapping[str, Any]) -> Arrival:
    """Reads a bad event, such as ``/micro/bad`` has them; it may be a whole request."""
    raw: dict[str, Any] = document.get("rawEvent") or {}
    parameters: dict[str, Any] = raw.get("parameters") or {}
    errors = document.get("errors") or ["no reason given"]
    return _read(parameters, _readable(parameters), good=False, reason=str(errors[0]))


def of_payload(payload: Mapping[str, Any]) -> Arrival:
    """Reads a payload that was delivered and of which nothing more is known."""
    return _read(payload, _readable(payload), good=None)


def ask_micro(base: str, auth: tuple[str, str] | None, sent: Iterable[str]) -> list[Arrival] | None:
    """Asks the collector at ``base`` what became of the events with the ids ``sent``.

    Returns:
        What it says of them once it has judged them all, or at the end of its time; None if
        it does not answer as Micro does.
    """
    wanted = set(sent)
    deadline = time.monotonic() + SETTLE_TIMEOUT
    while True:
        limit = {"limit": len(wanted) + EXTRA_EVENTS}
        good = _ask(f"{base}/micro/good", auth, limit)
        bad = _ask(f"{base}/micro/bad", auth, limit)
        if good is None or bad is None:
            return None
        try:
            arrivals = [*map(of_good, good), *map(of_bad, bad)]
        except (KeyError, TypeError, AttributeError):
            return None
        ours = [arrival for arrival in arrivals if arrival.event_id in wanted]
        if {arrival.event_id for arrival in ours} == wanted or time.monotonic() > deadline:
            return ours
        time.sleep(SETTLE_PAUSE)


def _ask(
    url: str, auth: tuple[str, str] | None, filters: dict[str, int]
) -> list[dict[str, Any]] | None:
    try:
        answer = requests.post(url, json=filters, auth=auth, timeout=ASK_TIMEOUT)
        found = answer.json() if answer.ok else None
    except requests.RequestException:  # it is also what json() raises
        return None
    return cast("list[dict[str, Any]]", found) if isinstance(found, list) else None


def _read(
    parameters: Mapping[str, Any], document: dict[str, Any], *, good: bool | None, reason: str = ""
) -> Arrival:
    event: dict[str, Any] = _json(parameters, "ue").get("data") or {}
    entities: list[dict[str, Any]] = _json(parameters, "c").get("data") or []
    records = [each["data"] for each in (event, *entities) if LOG_RECORD in each.get("schema", "")]
    return Arrival(
        event_id=str(parameters.get("eid", "")),
        schema=str(event.get("schema", "")),
        identity=_identity(records[0]) if records else None,
        good=good,
        reason=reason,
        document=document,
    )


def _readable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters with the JSON in them unpacked."""
    nested = {key: _json(parameters, key) for key in ("ue", "c")}
    plain = {key: value for key, value in parameters.items() if key not in PACKED}
    return plain | {key: value for key, value in nested.items() if value}


def _identity(record: Mapping[str, Any]) -> Identity:
    return Identity(*(str(record.get(key)) for key in ("logger", "level", "message")))


def _json(parameters: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Returns the self-describing JSON in ``ue_px`` or ``ue_pr``, ``cx`` or ``co``."""
    packed, plain = ("ue_px", "ue_pr") if kind == "ue" else ("cx", "co")
    try:
        if packed in parameters:
            found = json.loads(urlsafe_b64decode(parameters[packed] + "=="))
        else:
            found = json.loads(parameters.get(plain, "{}"))
    except ValueError:  # of base64, of UTF-8 or of JSON
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
