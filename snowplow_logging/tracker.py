"""Tracker: gives events their ids, times and envelopes, and gives them to emitters."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from snowplow_logging import _lifecycle
from snowplow_logging._envelope import CLOSING, Contexts, Envelope
from snowplow_logging._event_ids import new_event_id
from snowplow_logging._json import encode_within
from snowplow_logging._text import class_name, is_a
from snowplow_logging.payload import (
    MAX_EVENT_BYTES,
    STM_BYTES,
    TRACKER_VERSION,
    fields,
    milliseconds,
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

ENVELOPES = 2_000  # that are remembered: one a schema, line that logs, and state of the subject
_MAX_SIZE = MAX_EVENT_BYTES - STM_BYTES


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
        constant = fields({"e": "ue", "tv": TRACKER_VERSION, "tna": namespace, "aid": app_id})

        @lru_cache(ENVELOPES)
        def envelope(subject: bytes, schema: str, beginning: bytes) -> Envelope:
            return Envelope(constant + b"," + subject, schema, beginning, base64=encode_base64)

        self._envelope = envelope
        self._contexts = Contexts(base64=encode_base64)

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
        true_ms = None if tstamp is None else milliseconds(tstamp)
        now_ms = time.time_ns() // 1_000_000
        data = encoded_data(event.data)
        return self.track(event.schema, data, entities, now_ms, true_ms=true_ms).decode()

    track_self_describing_event = track_unstruct_event

    def track(  # noqa: PLR0917 - Python calls what takes nothing by name alone in a shorter way
        self,
        schema: str,
        data: bytes,
        entities: Sequence[bytes],
        created_ms: int,
        severity: int = 0,
        true_ms: int | None = None,
        event_id: bytes | None = None,
        beginning: bytes = b"",
    ) -> bytes:
        """Tracks an event whose parts are encoded already.

        Args:
            schema: The event's schema.
            data: Its data, as JSON.
            entities: Its entities, each as self-describing JSON.
            created_ms: When it was created, in ms since epoch (``dtm``), within the years 0 to
                9999.
            severity: How much it matters when the queue is full; a logging level.
            true_ms: When it truly happened, as ``created_ms`` (``ttm``).
            event_id: Its UUID, where the caller can say it again; by default a new one.
            beginning: What comes before ``data``, up to a comma between two members, if it is the
                same for many events: it is encoded once, and queued once.

        Returns:
            The event's id.
        """
        event_id = event_id or new_event_id()
        rest = self._rest(entities, true_ms) if entities or true_ms is not None else b""
        envelope = self._envelope(self.subject.rendered, schema, beginning)
        # To close them here copies the data: the encoder's own bytes lie in a much larger block.
        closed = data + CLOSING
        size = envelope.size(closed) + len(rest)
        if size > _MAX_SIZE:
            envelope = self._envelope(self.subject.rendered, schema, b"")
            fitting = self._fit(envelope, beginning + data, entities, true_ms)
            if fitting is None:
                self.refuse("oversize")
                return event_id
            closed, rest = fitting
            size = envelope.size(closed) + len(rest)
        draft = envelope.head, envelope.form, event_id, created_ms, severity, closed, rest, size
        for emitter in self.emitters:
            emitter.enqueue(draft)
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

    def _rest(self, entities: Sequence[bytes], true_ms: int | None) -> bytes:
        rest = b"" if true_ms is None else b',"ttm":"%d"' % true_ms
        if entities:
            rest += b"," + self._contexts.field(entities)
        return rest

    def _fit(
        self, envelope: Envelope, data: bytes, entities: Sequence[bytes], true_ms: int | None
    ) -> tuple[bytes, bytes] | None:
        """Cuts texts of an event that is too long, of the event and of its entities alike.

        Returns:
            The closed data, and the rest; or None where even short texts do not fit.
        """
        room = _MAX_SIZE - envelope.size(b"") - 1_000
        envelopes = [json.loads(entity) for entity in entities]
        parts: list[Any] = [json.loads(data), *(each["data"] for each in envelopes)]
        sizes = [len(part) for part in (data, *entities)]
        # Base64 takes a third more; JSON in a JSON text takes what its quotes need.
        for share in (0.74, 0.5, 0.25, 0.12):
            limit = _fair_limit(sizes, int(room * share))
            cut = [part for part in (encode_within(p, limit) for p in parts) if part is not None]
            if len(cut) < len(parts):
                return None
            rebuilt = [
                b'{"schema":"%s","data":%s}' % (each["schema"].encode(), part)
                for each, part in zip(envelopes, cut[1:], strict=True)
            ]
            rest = self._rest(rebuilt, true_ms)
            closed = cut[0] + CLOSING
            if envelope.size(closed) + len(rest) <= _MAX_SIZE:
                return closed, rest
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
