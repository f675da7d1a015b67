"""What a request to ``/micro`` asks for: filters in its body, numbers in its query string.

Each function raises a ``ValueError`` that names what is wrong with it: it becomes a 400.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from snowplow_logging.collector.strict_json import JsonError, parse, shorten
from snowplow_logging.collector.tables import Filter
from snowplow_logging.collector.timestamps import MAX_MS, MIN_MS, iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeGuard

    from starlette.requests import Request

    from snowplow_logging.collector.strict_json import Json

MAX_FILTER_BYTES = 65_536
MAX_SECONDS = 600.0

Fields = dict[str, "Json"]
T = TypeVar("T")

_NUMBER = re.compile(r"[0-9]{1,18}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


async def fields_of(request: Request) -> Fields:
    """The JSON object in the body; empty, if there is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FILTER_BYTES:
            message = f"filters: expected at most {MAX_FILTER_BYTES} bytes"
            raise ValueError(message)
    try:
        value = parse(body.decode("utf-8")) if body.strip() else {}
    except (UnicodeDecodeError, JsonError) as error:
        message = f"filters: {error}"
        raise ValueError(message) from None
    if not isinstance(value, dict):
        message = f"filters: expected a JSON object, got {shorten(value)}"
        raise ValueError(message)  # noqa: TRY004 - all of it becomes a 400
    return value


def filter_of_good(fields: Fields) -> Filter:
    """The filters of ``/micro/good``."""
    return Filter(
        good=True,
        event_type=string(fields, "event_type"),
        schema=string(fields, "schema"),
        contexts=strings(fields, "contexts"),
    )


def filter_of_bad(fields: Fields) -> Filter:
    """The filters of ``/micro/bad``."""
    return Filter(good=False, vendor=string(fields, "vendor"), version=string(fields, "version"))


def string(fields: Fields, name: str) -> str | None:
    """A text in the body, or nothing."""
    value = fields.get(name)
    if value is not None and not _is_text(value):
        raise _wrong(name, "a string", value)
    return value


def integer(fields: Fields, name: str) -> int | None:
    """A whole number in the body, or nothing."""
    value = fields.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _wrong(name, "an integer", value)
    return value


def strings(fields: Fields, name: str) -> frozenset[str]:
    """Texts in the body, or none."""
    value = fields.get(name)
    items: Iterable[Json] = value if isinstance(value, list) else ()
    found = [item for item in items if _is_text(item)]
    if value is not None and (not isinstance(value, list) or len(found) != len(value)):
        raise _wrong(name, "an array of strings", value)
    return frozenset(found)


def flag(fields: Fields, name: str) -> bool | None:
    """True or false in the body, or nothing."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def fields(of: Fields, name: str) -> Fields:
    """An object in the body; an empty one, if there is none."""
    value = of.get(name)
    if value is not None and not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value or {}


def objects(of: Fields, name: str) -> list[Fields]:
    """Objects in the body, or none."""
    value = of.get(name)
    items: Iterable[Json] = value if isinstance(value, list) else ()
    found = [item for item in items if isinstance(item, dict)]
    if value is not None and (not isinstance(value, list) or len(found) != len(value)):
        raise _wrong(name, "an array of objects", value)
    return found


def time(of: Fields, name: str) -> str | None:
    """A time in the body, as the collector writes it, or nothing."""
    value = of.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, int) and not isinstance(value, bool) and MIN_MS <= value <= MAX_MS:
            return iso(value)
        text = value.replace("Z", "+00:00") if isinstance(value, str) else ""
        return iso(round(datetime.fromisoformat(text).timestamp() * 1000))
    except (ValueError, OverflowError):
        raise _wrong(name, "a time in ISO 8601, or milliseconds since the epoch", value) from None


def number(request: Request, name: str, default: T) -> int | T:
    """A whole number in the query string."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        message = f"{name}: expected a whole number from 0, got {shorten(text)}"
        raise ValueError(message)
    return int(text)


def seconds(request: Request, name: str, default: float) -> float:
    """A number of seconds in the query string."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _SECONDS.fullmatch(text) or float(text) > MAX_SECONDS:
        message = f"{name}: expected seconds from 0 to {MAX_SECONDS:.0f}, got {shorten(text)}"
        raise ValueError(message)
    return float(text)


def last_event_id(request: Request) -> int | None:
    """What a browser that connects again says it saw last."""
    text = request.headers.get("last-event-id", "")
    return int(text) if _NUMBER.fullmatch(text) else None


def _is_text(value: Json) -> TypeGuard[str]:
    """Whether it is a text that can be looked for: a lone surrogate stands nowhere."""
    return isinstance(value, str) and value == value.encode("utf-8", "replace").decode("utf-8")


def _wrong(name: str, expectation: str, value: Json) -> ValueError:
    return ValueError(f"filters: {name}: expected {expectation}, got {shorten(value)}")
