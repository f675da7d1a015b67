"""The tracker protocol: the fields of an event, the body of a request, the collector's limits.

The law: the data of an event are encoded once, where it is tracked, and it has its id and its time
from there on. What is the same for many events is encoded once for all of them, held once by the
queue, and written before their data by who sends. Each attempt writes the same but for ``stm``.
"""

from __future__ import annotations

import json
from binascii import b2a_base64
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from snowplow_logging._json import encode
from snowplow_logging._text import clean, cut, shown
from snowplow_logging._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal, TypeAlias

PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
UNSTRUCT_EVENT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
TRACKER_VERSION = f"py-snowplow-logging-{__version__}"
CONTENT_TYPE = "application/json; charset=utf-8"
POST_PATH = "com.snowplowanalytics.snowplow/tp2"
GET_PATH = "i"
PLATFORMS = ("srv", "web", "iot", "app", "mob", "pc", "cnsl", "tv", "headset")

MAX_EVENT_BYTES = 190_000
"""What every sink takes: an SQS buffer's limit of 192 000 bytes is the lowest there is."""

REQUIRED_FIELDS = frozenset({"e", "p", "tv"})
KNOWN_FIELDS = REQUIRED_FIELDS | {
    "aid", "cd", "co", "cx", "dtm", "duid", "eid", "ip", "lang", "page", "refr", "res", "se_ac",
    "se_ca", "se_la", "se_pr", "se_va", "sid", "stm", "tid", "tna", "tnuid", "ttm", "tz", "ua",
    "ue_pr", "ue_px", "uid", "url", "vid", "vp",
}  # fmt: skip
"""Fields that a server's events have; ``payload_data/1-0-4`` knows more, for browsers."""

FIRST_MS, LAST_MS = -62_167_219_200_000, 253_402_300_799_999  # the years 0 to 9999

FIELD_LIMITS = {
    "tv": 100, "tna": 128, "aid": 255, "uid": 255, "duid": 128, "tnuid": 128, "ip": 128,
    "ua": 1000, "tz": 255, "lang": 255, "url": 4096, "page": 2000, "refr": 4096,
}  # fmt: skip
"""UTF-16 units that the pipeline's atomic fields take."""

_PLUS, _SLASH = b"+/"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BODY_HEAD = b'{"schema":"' + PAYLOAD_DATA.encode() + b'","data":['
_STM = b',"stm":"%d"}'
STM_BYTES = len(_STM % 10**13) + 1  # with the comma between two events


Form: TypeAlias = 'Literal["base64", "text", "finished"]'
Draft: TypeAlias = "tuple[bytes, Form, bytes, int, int, bytes, bytes, int]"
"""An event that nobody has queued yet: what is written before its data, in which form these are
written, its ``eid``, its ``dtm`` (ms since epoch), the logging level of its record, its data,
further members of its JSON object (each after a comma), and how many bytes that has at most.

It is a plain tuple of nothing but bytes, texts and numbers, as a payload is, too: the garbage
collector soon lets go of such. Were they objects, a million that wait would add half to what each
costs.
"""

Payload: TypeAlias = "tuple[int, float, Draft]"
"""One event in the queue: its place among all that were accepted, when it was accepted (seconds of
the emitter's clock), and all else. It never changes, and so neither does what is written of it.
Payloads sort by their places, of which no two are the same.
"""

sequence_of: Callable[[Payload], int] = itemgetter(0)
queued_at_of: Callable[[Payload], float] = itemgetter(1)
draft_of: Callable[[Payload], Draft] = itemgetter(2)
time_of_draft: Callable[[Draft], int] = itemgetter(3)
severity_of_draft: Callable[[Draft], int] = itemgetter(4)
size_of_draft: Callable[[Draft], int] = itemgetter(7)


def created_ms_of(payload: Payload) -> int:
    """Returns its ``dtm``, ms since epoch."""
    return time_of_draft(draft_of(payload))


def severity_of(payload: Payload) -> int:
    """Returns the logging level of its record."""
    return severity_of_draft(draft_of(payload))


def size_of(payload: Payload) -> int:
    """Returns how many bytes ``body_of`` it has at most."""
    return size_of_draft(draft_of(payload))


def body_of(payload: Payload) -> bytes:
    """Returns its JSON object, finished but for ``stm`` and the closing brace."""
    return _body(draft_of(payload))


def finished(body: bytes, created_ms: int, severity: int = 0) -> Draft:
    """Returns an event of which the whole JSON object is there, but for the closing brace."""
    return b"", "finished", b"", created_ms, severity, body, b"", len(body)


def written(data: bytes, form: Form) -> bytes:
    """Returns JSON as the text of a field, as it comes between the quotes."""
    if form == "text":
        return encode(data.decode())[1:-1]
    letters = b2a_base64(data, newline=False)
    # Few have any of the two; to look for them takes half as long as to translate.
    if _PLUS in letters or _SLASH in letters:
        return letters.translate(_URL_SAFE)
    return letters


def _body(draft: Draft) -> bytes:
    head, form, event_id, created_ms, _, data, rest, _ = draft
    if form == "finished":
        return data
    times = b'","dtm":"%d"' % created_ms
    return b"".join((head, written(data, form), b'","eid":"', event_id, times, rest))


def milliseconds(value: Any) -> int:
    """Returns ms since epoch as a whole number within the years 0 to 9999 that the pipeline takes.

    Raises:
        ValueError: ``value`` is no number, or infinite.
    """
    try:
        return min(max(int(value), FIRST_MS), LAST_MS)
    except (OverflowError, TypeError, ValueError):
        msg = f"a time takes ms since epoch; not {shown(value)}"
        raise ValueError(msg) from None


def check_fields(payload: Mapping[str, object]) -> None:
    """Raises ValueError where the pipeline would refuse ``payload`` and its whole request."""
    missing, unknown = REQUIRED_FIELDS - payload.keys(), payload.keys() - KNOWN_FIELDS
    if missing or unknown:
        msg = f"a payload needs e, p, tv and takes {', '.join(sorted(KNOWN_FIELDS))}; "
        raise ValueError(msg + f"missing {sorted(missing)}, unknown {sorted(unknown)}")


def field(key: str, value: object) -> str:
    """Returns ``value`` as the text of the field ``key``, cut to what the pipeline takes."""
    # The pipeline makes four spaces of a tab before it measures.
    return cut(clean(str(value)).replace("\t", " "), FIELD_LIMITS.get(key, 1 << 24))


def fields(pairs: Mapping[str, object]) -> bytes:
    """Returns the members of a JSON object, without its braces; None and "" are left out."""
    kept = {key: field(key, value) for key, value in pairs.items() if value not in (None, "")}
    return encode(kept)[1:-1]


def request_body(batch: Sequence[Payload], now_ms: int) -> bytes:
    """Returns the body of a POST: ``payload_data/1-0-4`` with every event of ``batch``.

    ``stm`` is ``now_ms``, but never before an event's own ``dtm``: were the clock set back
    meanwhile, the pipeline could not correct the event's time.
    """
    drafts = list(map(draft_of, batch))
    if max(map(time_of_draft, drafts)) > now_ms:
        events = b",".join(_body(d) + _STM % max(now_ms, time_of_draft(d)) for d in drafts)
        return b"".join((_BODY_HEAD, events, b"]}"))
    stm = _STM % now_ms
    bodies = list(map(_body, drafts))
    # What begins and ends the body is added to its first and last event: so much is copied once.
    bodies[0] = _BODY_HEAD + bodies[0]
    bodies[-1] += stm + b"]}"
    return (stm + b",").join(bodies)


def as_dict(payload: Payload) -> dict[str, Any]:
    """Returns the fields of ``payload``, as callbacks get them."""
    loaded: dict[str, Any] = json.loads(body_of(payload) + b"}")
    return loaded


def query(payload: Payload, now_ms: int) -> dict[str, str]:
    """Returns the query of a GET: the fields of one event with ``stm``."""
    return {**as_dict(payload), "stm": str(max(now_ms, created_ms_of(payload)))}
