"""What is around an event's data: the constant part of its payload, written once for all.

The law: what ``size`` says is never less than what is written, so that limits can be held before
that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging.payload import CONTEXTS, FIRST_MS, UNSTRUCT_EVENT, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.payload import Form

CLOSING = b"}}"  # of what is around an event's data
_AFTER_DATA = len(b'","eid":"%b","dtm":"%d"' % (b"0" * 36, FIRST_MS))


def form_of(*, base64: bool) -> Form:
    """Returns how JSON is written, as base64 or as text."""
    return "base64" if base64 else "text"


def _opening(key: str, json: bytes, form: Form) -> bytes:
    """Returns the beginning of a field that holds JSON, up to where its data come.

    Args:
        key: The field.
        json: The JSON before the data.
        form: How it is written.
    """
    # Three bytes are four letters of base64: behind as many spaces as JSON may have there,
    # what follows can be encoded by itself.
    json += b" " * (-len(json) % 3)
    return b'"%b":"%b' % (key.encode(), written(json, form))


class Envelope:
    """What is the same for many events of one tracker and one schema.

    Args:
        fields: Those that all of them have, as members of a JSON object.
        schema: URI of the events' schema.
        beginning: What their data begin with, up to a comma between two members.
        base64: Whether JSON is sent as base64.

    Attributes:
        head: What is written before an event's data.
        form: How these are written.
    """

    def __init__(self, fields: bytes, schema: str, beginning: bytes, *, base64: bool) -> None:
        self.form: Form = form_of(base64=base64)
        names = UNSTRUCT_EVENT.encode(), schema.encode()
        json = b'{"schema":"%b","data":{"schema":"%b","data":' % names + beginning
        self.head = b"{%b,%b" % (fields, _opening("ue_px" if base64 else "ue_pr", json, self.form))
        self._around = len(self.head) + _AFTER_DATA

    def size(self, closed: bytes) -> int:
        """Returns how many bytes an event has at most with these data, without a ``rest``."""
        if self.form == "base64":
            return self._around + (len(closed) + 2) // 3 * 4
        # JSON within JSON: no more of it is escaped.
        return self._around + len(closed) + closed.count(b'"') + closed.count(b"\\")


class Contexts:
    """Writes the entities of events.

    Args:
        base64: Whether JSON is sent as base64.
    """

    def __init__(self, *, base64: bool) -> None:
        self._form: Form = form_of(base64=base64)
        json = b'{"schema":"%b","data":[' % CONTEXTS.encode()
        self._opening = _opening("cx" if base64 else "co", json, self._form)

    def field(self, entities: Sequence[bytes]) -> bytes:
        """Returns the field with ``entities``, each given as self-describing JSON."""
        closed = b",".join(entities) + b"]}"
        return b'%b%b"' % (self._opening, written(closed, self._form))
