"""Tracker: gives events their ids and times, and their finished bytes to emitters."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from snowplow_logging import _lifecycle
from snowplow_logging._json import encode_within
from snowplow_logging._text import class_name, is_a
from snowplow_logging.payload import (
    CONTEXTS,
    MAX_EVENT_BYTES,
    STM_BYTES,
    TRACKER_VERSION,
    UNSTRUCT_EVENT,
    fields,
    milliseconds,
    new_event_id,
    self_describing_field,
)
from snowplow_logging.self_describing_json import (
    SelfDescribingJson,
    encoded_data,
    encoded_entity,
)
from snowplow_logging.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snowplow_logging.emitter import Emitter


class Tracker:
    """Tracks events for one application.

    Args:
        namespace: Name of this tracker, to tell several apart (128 UTF-16 units).
        emitters: Who delivers; each of several gets every event.
        subject: User, session and device of the events; by default a server.
        app_id: Id of the application (255 UTF-16 units).
        encode_base64: Whether JSON in an event is sent as base64.
    """

    def __init__(
        self,
        namespace: str | None,
        emitters: Emitter | Iterable[Emitter],
        subject: Subject | None = None,
        app_id: str | None = None,
        encode_base64: bool = True,  # noqa: FBT001, FBT002 - the seed tracker's signature
    ) -> None:
        self.emitters: list[Emitter] = (
            [emitters] if hasattr(emitters, "enqueue") else list(emitters)  # type: ignore[list-item]
        )
        if not self.emitters:
            msg = "emitters takes an emitter or several, not none"
            raise ValueError(msg)
        self.subject = Subject() if subject is None else subject
        self._encode_base64 = encode_base64
        constant = {"e": "ue", "tv": TRACKER_VERSION, "tna": namespace, "aid": app_id}
        self._head = b"{" + fields(constant) + b","

    def track_unstruct_event(
        self,
        event: SelfDescribingJson,
        contexts: Sequence[SelfDescribingJson] | None = None,
        tstamp: float | None = None,
    ) -> str:
        """Tracks a self-describing event.

        Args:
            event: The event.
            contexts: The entities that go with it.
            tstamp: When it truly happened, in ms since epoch (``ttm``), where the application
                knows better than the clock of this moment.

        Returns:
            The event's id, a UUID.

        Raises:
            TypeError: ``event`` or an entity is no SelfDescribingJson, or its data is no JSON
                object or array.
        """
        for part in (event, *(contexts or ())):
            if not is_a(part, SelfDescribingJson):
                msg = f"events and contexts are SelfDescribingJson, not {class_name(part)}"
                raise TypeError(msg)
        entities = [encoded_entity(context.schema, context.data) for context in contexts or ()]
        now_ms = time.time_ns() // 1_000_000
        return self.track(event.schema, encoded_data(event.data), entities, now_ms, true_ms=tstamp)

    track_self_describing_event = track_unstruct_event

    def track(
        self,
        schema: str,
        data: bytes,
        entities: Sequence[bytes],
        created_ms: float,
        *,
        true_ms: float | None = None,
        severity: int = 0,
        event_id: str | None = None,
    ) -> str:
        """Tracks an event whose parts are encoded already.

        Args:
            schema: The event's schema.
            data: Its data, as JSON.
            entities: Its entities, each as self-describing JSON.
            created_ms: When it was created, in ms since epoch (``dtm``).
            true_ms: When it truly happened, in ms since epoch (``ttm``).
            severity: How much it matters when the queue is full; a logging level.
            event_id: Its UUID, where the caller can say it again; by default a new one.

        Returns:
            The event's id.
        """
        event_id = event_id or new_event_id()
        created_ms = milliseconds(created_ms)
        stamps = b',"eid":"%s","dtm":"%d",' % (event_id.encode(), created_ms)
        if true_ms is not None:
            stamps += b'"ttm":"%d",' % milliseconds(true_ms)
        head = self._head + self.subject.rendered + stamps
        body = head + self._wrapped(schema, data, entities)
        if len(body) + STM_BYTES > MAX_EVENT_BYTES:
            fitting = self._fit(head, schema, data, entities)
            if fitting is None:
                self.refuse("oversize")
                return event_id
            body = fitting
        for emitter in self.emitters:
            emitter.enqueue(body, created_ms, severity)
        return event_id

    def refuse(self, reason: str) -> None:
        """Counts an event that cannot be sent, in every emitter's account."""
        for emitter in self.emitters:
            emitter.refuse(reason)

    def flush(self, timeout: float | None = None) -> bool:
        """Flushes every emitter; see ``Emitter.flush``. They share ``timeout``."""
        return _lifecycle.flush(self.emitters, timeout)

    def __repr__(self) -> str:
        return f"<Tracker {', '.join(repr(emitter) for emitter in self.emitters)}>"

    def _wrapped(self, schema: str, data: bytes, entities: Sequence[bytes]) -> bytes:
        base64 = self._encode_base64
        event = self_describing_field(
            UNSTRUCT_EVENT,
            b'{"schema":"%s","data":%s}' % (schema.encode(), data),
            "ue_px" if base64 else "ue_pr",
            base64=base64,
        )
        if not entities:
            return event
        joined = b"[" + b",".join(entities) + b"]"
        contexts = self_describing_field(CONTEXTS, joined, "cx" if base64 else "co", base64=base64)
        return event + b"," + contexts

    def _fit(
        self, head: bytes, schema: str, data: bytes, entities: Sequence[bytes]
    ) -> bytes | None:
        """Cuts texts of an event that is too long, of the event and of its entities alike."""
        room = MAX_EVENT_BYTES - STM_BYTES - len(head) - 1_000
        envelopes = [json.loads(entity) for entity in entities]
        parts: list[Any] = [json.loads(data), *(envelope["data"] for envelope in envelopes)]
        sizes = [len(part) for part in (data, *entities)]
        # Base64 takes a third more; JSON in a JSON text takes what its quotes need.
        for share in (0.74, 0.5, 0.25, 0.12):
            limit = _fair_limit(sizes, int(room * share))
            cut = [part for part in (encode_within(p, limit) for p in parts) if part is not None]
            if len(cut) < len(parts):
                return None
            rebuilt = [
                b'{"schema":"%s","data":%s}' % (envelope["schema"].encode(), part)
                for envelope, part in zip(envelopes, cut[1:], strict=True)
            ]
            body = head + self._wrapped(schema, cut[0], rebuilt)
            if len(body) + STM_BYTES <= MAX_EVENT_BYTES:
                return body
        return None


def _fair_limit(sizes: Sequence[int], room: int) -> int:
    """Returns the size above which a part is cut, so that all fit and small ones stay whole."""
    fair = room
    for index, size in enumerate(sorted(sizes)):
        fair = room // (len(sizes) - index)
        if size > fair:
            break
        room -= size
    return max(fair, 64)
