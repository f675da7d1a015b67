"""Wire parameters → the enriched event, with what a pipeline objects to on the way.

Pure: the clock and new identifiers are arguments. ``is_surely_right`` tells in a fraction of the
time that there is nothing to object to; where it does not, ``enrich`` finds out.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from snowplow_logging.collector import protocol
from snowplow_logging.collector.problems import Report
from snowplow_logging.collector.received import COLLECTOR
from snowplow_logging.collector.strict_json import shorten
from snowplow_logging.collector.timestamps import MAX_MS, MIN_MS, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snowplow_logging.collector.received import Received
    from snowplow_logging.collector.selfdescribing import Contents
    from snowplow_logging.collector.strict_json import Json

Event = dict[str, "Json"]
Values = tuple["Json", ...]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SIZE = re.compile(r"([0-9]{1,10})x([0-9]{1,10})")
_MAX_INTEGER = 2**31
_SURE_LENGTH = min(protocol.LENGTHS[name] for name in ("user_ipaddress", "event_format")) // 2


def enrich(
    received: Received, parameters: Mapping[str, str], event_id: str, contents: Contents
) -> tuple[Event, list[Report]]:
    """The enriched event, and what is wrong with its fields.

    Args:
        received: The request.
        parameters: The wire fields.
        event_id: For an event that came without one that can be read.
        contents: The event and its entities, as far as they can be read.
    """
    event = empty()
    event["event_id"] = event_id
    event["collector_tstamp"] = event["etl_tstamp"] = received.time
    event["v_collector"] = event["v_etl"] = COLLECTOR
    event["user_ipaddress"] = received.address
    event["useragent"] = received.user_agent
    event["network_userid"] = received.network_user_id
    event["contexts"] = event["derived_contexts"] = {}
    reports = fill(event, parameters)
    _describe(event, parameters, contents)
    complete(event, parameters, received.milliseconds)
    return event, reports + too_long(event, parameters)


def is_surely_right(received: Received, parameters: Mapping[str, str], contents: Contents) -> bool:
    """Whether ``enrich`` would surely find nothing wrong."""
    others = (received.user_agent, received.address, schema_of(parameters, contents))
    return all(len(text or "") <= _SURE_LENGTH for text in others) and all(
        _is_surely_right(key, value) for key, value in parameters.items()
    )


def event_id_of(parameters: Mapping[str, str]) -> str | None:
    """The event's id, if it has one that can be read."""
    values = _uuid(parameters.get("eid", ""))
    return str(values[0]) if values else None


def schema_of(parameters: Mapping[str, str], contents: Contents) -> str | None:
    """The URI of the event's schema: its own, or the one of its type."""
    if contents.event and parameters["e"] == "ue":
        return contents.event.schema
    return protocol.EVENT_TYPES.get(parameters["e"], ("", None))[1]


def empty() -> Event:
    """An enriched event of which nothing is known yet."""
    return dict.fromkeys(protocol.ENRICHED)


def fill(event: Event, parameters: Mapping[str, str]) -> list[Report]:
    """Reads ``parameters`` into ``event``.

    Args:
        event: Is changed.
        parameters: The wire fields; those with no place in an event are left alone.

    Returns:
        One report for each parameter that cannot be read.
    """
    reports: list[Report] = []
    for key, (kind, names) in protocol.FIELDS.items():
        if key not in parameters:
            continue
        read, expectation = _READERS[kind]
        values = read(parameters[key])
        if values is None:
            reports.append(
                Report(
                    key,
                    "atomic_field_parse_error",
                    f"expected {expectation}",
                    shorten(parameters[key]),
                    pointer=f"/{key}",
                )
            )
        else:
            # ``tnuid`` wins over ``nuid``, and stands behind it in the table.
            event.update(zip(names, values, strict=True))
    return reports


def complete(event: Event, parameters: Mapping[str, str], collector_ms: int) -> None:
    """Sets what follows from the other fields: the derived time, the parts of URLs."""
    event["derived_tstamp"] = iso(_derived_ms(event, parameters, collector_ms))
    _split_url(event, "page_url", "page_url")
    _split_url(event, "page_referrer", "refr_url")


def too_long(event: Event, parameters: Mapping[str, str]) -> list[Report]:
    """One report for each field that is longer than the warehouse takes."""
    reports: list[Report] = []
    for name, limit in protocol.LENGTHS.items():
        value = event[name]
        if isinstance(value, str) and utf16_length(value) > limit:
            reports.append(
                Report(
                    name,
                    "atomic_field_length_exceeded",
                    f"expected at most {limit} UTF-16 units",
                    shorten(value),
                    size=utf16_length(value),
                    pointer=f"/{protocol.key_of(name, parameters)}",
                )
            )
    return reports


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units: what the JVM of a pipeline counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def _is_surely_right(key: str, value: str) -> bool:
    """Whether this field surely can be read, and is not too long."""
    kind = _KINDS.get(key)
    if kind is None:  # fills no field
        return True
    if kind in {"text", "ip"}:
        # Each character is two UTF-16 units at most, and none is changed on the way.
        return len(value) * 2 <= _LIMITS[key] and value.isprintable()
    if kind == "timestamp":  # to write it takes longer than all else here
        return _is_timestamp(value)
    return _READERS[kind][0](value) is not None


def _describe(event: Event, parameters: Mapping[str, str], contents: Contents) -> None:
    """Sets the event, its entities, and what its schema says of it."""
    if contents.event:
        event["unstruct_event"] = {
            "schema": protocol.UNSTRUCT_EVENT,
            "data": contents.event.to_json(),
        }
    if contents.entities:
        items: list[Json] = [entity.to_json() for entity in contents.entities]
        event["contexts"] = {"schema": protocol.CONTEXTS, "data": items}
    match = protocol.IGLU_URI.fullmatch(schema_of(parameters, contents) or "")
    for part in ("vendor", "name", "format", "version") if match else ():
        event[f"event_{part}"] = match[part] if match else None


def _derived_ms(event: Event, parameters: Mapping[str, str], collector_ms: int) -> int:
    if event["true_tstamp"] is not None:
        return int(parameters["ttm"])
    if event["dvce_created_tstamp"] is None or event["dvce_sent_tstamp"] is None:
        return collector_ms
    return collector_ms - max(0, int(parameters["stm"]) - int(parameters["dtm"]))


def _split_url(event: Event, source: str, target: str) -> None:
    url = event[source]
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return
    event[f"{target}scheme"] = parts.scheme or None
    event[f"{target}host"] = parts.hostname
    event[f"{target}port"] = port or (443 if parts.scheme == "https" else 80)
    event[f"{target}path"] = parts.path or None
    event[f"{target}query"] = parts.query or None
    event[f"{target}fragment"] = parts.fragment or None


def _text(text: str) -> Values | None:
    # Enriched events travel as tab-separated lines.
    return (_CONTROL.sub("", text.replace("\t", "    ")) or None,)


def _event(text: str) -> Values | None:
    return (protocol.EVENT_TYPES[text][0],) if text in protocol.EVENT_TYPES else None


def _platform(text: str) -> Values | None:
    return (text,) if text in protocol.PLATFORMS else None


def _uuid(text: str) -> Values | None:
    return (text.lower(),) if _UUID.fullmatch(text.lower()) else None


def _timestamp(text: str) -> Values | None:
    return (iso(int(text)),) if _is_timestamp(text) else None


def _is_timestamp(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None and MIN_MS <= int(text) <= MAX_MS


def _integer(text: str) -> Values | None:
    if text.lower() == "null":
        return (None,)
    if not _INTEGER.fullmatch(text) or not -_MAX_INTEGER <= int(text) < _MAX_INTEGER:
        return None
    return (int(text),)


def _decimal(text: str) -> Values | None:
    if text.lower() == "null":
        return (None,)
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return (number if math.isfinite(number) else None,)


def _flag(text: str) -> Values | None:
    return (text == "1",) if text in {"0", "1"} else None


def _size(text: str) -> Values | None:
    match = _SIZE.fullmatch(text)
    if not match or any(int(side) >= _MAX_INTEGER for side in match.groups()):
        return None
    return tuple(int(side) for side in match.groups())


def _ip(text: str) -> Values | None:
    # A forwarding chain names the client first.
    return _text(re.split(r"[,| ]", text, maxsplit=1)[0])


# kind → (reads a text, or gives None where it cannot; what it can read)
_READERS: dict[str, tuple[Callable[[str], Values | None], str]] = {
    "text": (_text, "text"),
    "event": (_event, f"one of {' '.join(protocol.EVENT_TYPES)}"),
    "platform": (_platform, f"one of {' '.join(protocol.PLATFORMS)}"),
    "uuid": (_uuid, "a UUID such as c6ef3124-b53a-4b13-a233-0088f79dcbcb"),
    "timestamp": (_timestamp, "milliseconds since the epoch, of a year from 0 to 9999"),
    "integer": (_integer, "an integer of 32 bits"),
    "decimal": (_decimal, "a decimal number"),
    "flag": (_flag, "0 or 1"),
    "size": (_size, "a width and height such as 1920x1080"),
    "ip": (_ip, "an IP address"),
}

_KINDS = {key: kind for key, (kind, _) in protocol.FIELDS.items()}
_LIMITS = {
    key: min(protocol.LENGTHS.get(name, _MAX_INTEGER) for name in names)
    for key, (_, names) in protocol.FIELDS.items()
}
