"""An entry of the stream, and the event in it. Pure.

The law: what ``event`` returns can share a request with other events. A collector answers 200 to a
request of which one event breaks the protocol, and then all of its events are one bad row; so such
an event must not get there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging._text import is_a
from snowplow_logging.payload import (
    KNOWN_FIELDS,
    MAX_EVENT_BYTES,
    REQUIRED_FIELDS,
    STM_BYTES,
    milliseconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELD = b"event"  # that _redis.py writes
ALLOWED_FIELDS = KNOWN_FIELDS - {"stm"}


class UnfitError(ValueError):
    """An entry holds no event that can be sent.

    Args:
        reason: ``malformed`` or ``oversize``.
        detail: What is wrong, without anything that the event says.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Event(NamedTuple):
    """An event as a ``Payload`` has it: its JSON without the closing brace, and its ``dtm``."""

    body: bytes
    created_ms: int


class Dead(NamedTuple):
    """An entry that cannot be sent, and why: the reason in a word, and in detail."""

    id: bytes
    fields: Mapping[bytes, bytes]
    reason: str
    detail: str


def event(fields: Mapping[bytes, bytes]) -> Event:
    """Returns the event of an entry with ``fields``.

    Raises:
        UnfitError: There is none that could be sent.
    """
    if FIELD not in fields:
        raise UnfitError("malformed", "no field named event")
    written = fields[FIELD].strip()
    if len(written) - len(b"{}") + STM_BYTES > MAX_EVENT_BYTES:
        raise UnfitError("oversize", f"{len(written)} bytes, of {MAX_EVENT_BYTES} that sinks take")
    try:
        said: Any = json.loads(written.decode())
    except (ValueError, RecursionError) as error:
        raise UnfitError("malformed", f"no JSON: {type(error).__name__}") from None
    if not is_a(said, dict):
        raise UnfitError("malformed", "no JSON object")
    members: dict[str, Any] = said
    return Event(written[:-1], _checked(members))


def _checked(members: Mapping[str, Any]) -> int:
    """Returns when an event was made, in ms since epoch, or 0; raises where it breaks the rules."""
    if missing := sorted(REQUIRED_FIELDS - members.keys()):
        raise UnfitError("malformed", f"missing {', '.join(missing)}")
    if unknown := members.keys() - ALLOWED_FIELDS:
        raise UnfitError("malformed", f"{len(unknown)} keys that no event has before it is sent")
    if others := [key for key in members if not is_a(members[key], str)]:
        raise UnfitError("malformed", f"{', '.join(others)}: no text")
    try:
        return milliseconds(members.get("dtm", 0))
    except ValueError:
        raise UnfitError("malformed", "dtm is no time") from None
