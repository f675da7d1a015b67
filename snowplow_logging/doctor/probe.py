"""What a handler would send, found by having it make events that are kept, not sent."""

from __future__ import annotations

import io
import json
import logging
import sys
from base64 import urlsafe_b64decode
from contextlib import redirect_stderr
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging.doctor.findings import Findings, note, ok, one_line, problem
from snowplow_logging.payload import body_of

if TYPE_CHECKING:
    from snowplow_logging.emitter import Emitter
    from snowplow_logging.handler import SnowplowHandler
    from snowplow_logging.payload import Draft

LOGGER = "snowplow_logging.doctor"


class Described(NamedTuple):
    """An event or an entity: the URI of its schema, and its data."""

    schema: str
    data: Any


class Sample(NamedTuple):
    """An event as a handler makes it.

    Args:
        body: Its finished bytes, as emitters take them.
        fields: Its fields of the tracker protocol.
        event: The event itself.
        entities: Its entities.
    """

    body: bytes
    fields: dict[str, str]
    event: Described
    entities: list[Described]


def emitter_of(handler: SnowplowHandler) -> Emitter:
    """Returns who delivers for ``handler``."""
    return handler._tracker.emitters[0]  # noqa: SLF001 - of this package


def record(message: str, *, error: bool = False, **extra: Any) -> logging.LogRecord:
    """Returns a record, with an exception if it is to be an error."""
    info: Any = None
    level = logging.INFO
    if error:
        level = logging.ERROR
        try:
            raise RuntimeError(message)  # noqa: TRY301 - to be an exception with a traceback
        except RuntimeError:
            info = sys.exc_info()
    made = logging.LogRecord(LOGGER, level, __file__, 1, message, (), info, "doctor")
    vars(made).update(extra)
    return made


def sample(handler: SnowplowHandler, of: logging.LogRecord) -> Sample | None:
    """Returns the event that a record becomes; None, if it becomes none.

    Raises:
        ValueError: The handler cannot map it.
    """
    tracker = handler._tracker  # noqa: SLF001 - of this package
    emitters, kept = tracker.emitters, _Kept()
    tracker.emitters = [kept]  # type: ignore[list-item]
    try:
        with redirect_stderr(io.StringIO()):  # logging prints a traceback
            handler.emit(of)  # without its filters, which are for the application's records
    finally:
        tracker.emitters = emitters
    if kept.refused:
        raise ValueError(kept.refused[0])
    return _read(kept.bodies[0]) if kept.bodies else None


class _Kept:
    """Stands in for an emitter."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.refused: list[str] = []

    def enqueue(self, draft: Draft) -> None:
        """Keeps an event."""
        self.bodies.append(body_of((0, 0.0, draft)))

    def refuse(self, reason: str) -> None:
        """Keeps why there is no event; the handler calls it while it handles the error."""
        error = sys.exc_info()[1]
        self.refused.append(f"{reason}: {one_line(error)}" if error else reason)


def _read(body: bytes) -> Sample:
    fields: dict[str, str] = json.loads(body + b"}")
    event = _unwrapped(fields, "ue_px", "ue_pr")
    entities: list[Any] = _unwrapped(fields, "cx", "co") or []
    return Sample(
        body,
        fields,
        Described(event["schema"], event["data"]),
        [Described(each["schema"], each["data"]) for each in entities],
    )


def _unwrapped(fields: dict[str, str], base64: str, text: str) -> Any:
    if base64 in fields:
        value = fields[base64]
        return json.loads(urlsafe_b64decode(value + "=" * (-len(value) % 4)))["data"]
    return json.loads(fields[text])["data"] if text in fields else None


def examine(handler: SnowplowHandler) -> Findings[list[Sample]]:
    """Finds what ``handler`` would send, of records without and with an exception."""
    made: list[Sample] = []
    for what, error in (("records", False), ("errors", True)):
        try:
            found = sample(handler, record("an example", error=error))
        except ValueError as failure:
            yield problem(what, str(failure), "mend the handler's formatter or its schema")
            continue
        if found is None:
            yield ok(what, "are not sent, unless they name a schema")
            continue
        made.append(found)
        entities = ", ".join(short(each.schema) for each in found.entities)
        more = f" with {entities}" if entities else ""
        yield ok(what, f"are sent as {short(found.event.schema)}{more}")
    if made:
        yield from _identity(made[0].fields)
    yield ok("to", emitter_of(handler).endpoint)
    return made


def _identity(fields: dict[str, str]) -> Findings[None]:
    named = {"app_id": fields.get("aid"), "namespace": fields.get("tna"), "platform": fields["p"]}
    yield ok("as", ", ".join(f"{name} {value}" for name, value in named.items() if value))
    if not named["app_id"]:
        text = "no app_id: analysts cannot tell your applications apart"
        yield note("as", text, 'give the handler "app_id": "checkout", say')


def short(uri: str) -> str:
    """Returns an Iglu URI as people say it, such as ``com.acme/order_placed 1-0-0``."""
    vendor, name, _, version = uri.removeprefix("iglu:").split("/")
    return f"{vendor}/{name} {version}"
