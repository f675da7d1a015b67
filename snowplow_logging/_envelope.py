"""What is around an event's data: the constant part of its payload, written once for all.

The law: what ``size`` says is never less than what ``body`` writes, so that limits can be held
before anything is written.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING

from snowplow_logging._json import encode
from snowplow_logging.payload import CONTEXTS, FIRST_MS, UNSTRUCT_EVENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.payload import Payload

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
CLOSING = b"}}"  # of what is around an event's data
_STAMPS = b'%b","dtm":"%d",'
_STAMPS_BYTES = len(_STAMPS % (b"0" * 36, FIRST_MS))


class Wrapper:
    """A field that holds JSON in a constant wrapper, as base64 or as text.

    Args:
        key: ``ue_px`` or ``cx`` with base64, ``ue_pr`` or ``co`` without.
        opening: The JSON before the data.
        base64: Whether the field is written as base64.
    """

    def __init__(self, key: str, opening: bytes, *, base64: bool) -> None:
        # Three bytes are four letters of base64: behind as many spaces as JSON may have there,
        # what follows can be encoded by itself.
        opening += b" " * (-len(opening) % 3)
        self._as_base64 = base64
        self.opening = b'"%b":"%b' % (key.encode(), self.written(opening))

    def written(self, closed: bytes) -> bytes:
        """Returns what comes after the opening, and before the quote that ends the field.

        Args:
            closed: The data, with the JSON that closes the wrapper.
        """
        if self._as_base64:
            return b2a_base64(closed, newline=False).translate(_URL_SAFE)
        return encode(closed.decode())[1:-1]

    def size(self, closed: bytes) -> int:
        """Returns how long ``written`` is."""
        if self._as_base64:
            return (len(closed) + 2) // 3 * 4
        return len(closed) + closed.count(b'"') + closed.count(b"\\")  # JSON escapes no more of it


class Envelope:
    """Writes the payloads of events of one tracker and one schema.

    Args:
        head: The fields of all its events, without the brace before and the comma after.
        schema: URI of the events' schema.
        base64: Whether JSON is sent as base64.
    """

    def __init__(self, head: bytes, schema: str, *, base64: bool) -> None:
        names = UNSTRUCT_EVENT.encode(), schema.encode()
        opening = b'{"schema":"%b","data":{"schema":"%b","data":' % names
        self._wrapper = Wrapper("ue_px" if base64 else "ue_pr", opening, base64=base64)
        self._opening, self._written = self._wrapper.opening, self._wrapper.written
        self._head = b'{%b,"eid":"' % head
        self._size = len(self._head + self._wrapper.opening) + _STAMPS_BYTES + 1

    def size(self, closed: bytes) -> int:
        """Returns how many bytes ``body`` writes at most, without a ``rest``."""
        return self._size + self._wrapper.size(closed)

    def body(self, payload: Payload) -> bytes:
        """Returns the JSON object of ``payload``, without the closing brace."""
        _, _, _, event_id, created_ms, _, closed, rest, _ = payload
        times = b'","dtm":"%d",' % created_ms
        written = self._written(closed)
        return b"".join((self._head, event_id, times, self._opening, written, b'"', rest))


class Contexts:
    """Writes the entities of events.

    Args:
        base64: Whether JSON is sent as base64.
    """

    def __init__(self, *, base64: bool) -> None:
        opening = b'{"schema":"%b","data":[' % CONTEXTS.encode()
        self._wrapper = Wrapper("cx" if base64 else "co", opening, base64=base64)

    def field(self, entities: Sequence[bytes]) -> bytes:
        """Returns the field with ``entities``, each given as self-describing JSON."""
        closed = b",".join(entities) + b"]}"
        return b'%b%b"' % (self._wrapper.opening, self._wrapper.written(closed))
