"""Wire parameters → the enriched event, with what a pipeline objects to on the way.

Pure: the clock and new identifiers are arguments.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from snowplow_logging.collector import protocol
from snowplow_logging.collector.problems import Report
from snowplow_logging.collector.strict_json import shorten
from snowplow_logging.collector.timestamps import MAX_MS, MIN_MS, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snowplow_logging.collector.strict_json import Json

Event = dict[str, "Json"]
Values = tuple["Json", ...]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SIZE = re.compile(r"([0-9]{1,10})x([0-9]{1,10})")
_MAX_INTEGER = 2**31


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
    if not _INTEGER.fullmatch(text) or not MIN_MS <= int(text) <= MAX_MS:
        return None
    return (iso(int(text)),)


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
