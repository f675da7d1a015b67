"""A tracker whose requests can be read: what an emitter would send, decoded and checked."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NoReturn

from snowplow_logging import Emitter, Subject, Tracker
from snowplow_logging._transport import Answer
from snowplow_logging.payload import MAX_EVENT_BYTES, request_body
from tests.iglu_central import (
    APPLICATION_ERROR,
    CONTEXTS,
    LOG_RECORD,
    PAYLOAD_DATA,
    UNSTRUCT_EVENT,
    problems,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.payload import Payload

MAX_DEPTH = 40


class CapturingTransport:
    """Keeps the bodies of requests, and answers 200 to each."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        assert timeout > 0
        self.bodies.append(request_body(batch, 1_700_000_000_000))
        return Answer(200)

    def close(self) -> None:
        """Has nothing to free."""


class Wire:
    """A tracker, and what it sent.

    Args:
        subject: As the tracker takes it.
        app_id: As the tracker takes it.
        namespace: As the tracker takes it.
        base64: Whether JSON in an event is sent as base64.
    """

    def __init__(
        self,
        subject: Subject | None = None,
        app_id: str | None = "shop",
        namespace: str | None = "python",
        *,
        base64: bool = True,
    ) -> None:
        self.transport = CapturingTransport()
        self.emitter = Emitter("https://c.acme.com", transport=lambda: self.transport)
        self.tracker = Tracker(namespace, self.emitter, subject, app_id, base64)

    def events(self) -> list[dict[str, str]]:
        """Returns the fields of every event sent."""
        return [event for body in self.transport.bodies for event in loads(body)["data"]]

    def event(self) -> dict[str, str]:
        """Returns the fields of the only event sent."""
        (event,) = self.events()
        return event

    def problems(self) -> list[str]:
        """Returns what the reference schemas find wrong with all that was sent."""
        return [problem for body in self.transport.bodies for problem in body_problems(body)]


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON"
    raise ValueError(message)


def loads(text: bytes | str) -> Any:
    """Returns what JSON says; unlike ``json.loads``, takes no NaN."""
    decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    assert decoded.encode("utf-8")
    return json.loads(decoded, parse_constant=_no_constant)


def unstruct_event(fields: dict[str, str]) -> dict[str, Any]:
    """Returns the wrapper of the event with ``fields``."""
    wrapper: dict[str, Any] = loads(_text(fields, "ue_px", "ue_pr"))
    return wrapper


def contexts(fields: dict[str, str]) -> dict[str, Any] | None:
    """Returns the wrapper of the entities of the event with ``fields``."""
    return loads(_text(fields, "cx", "co")) if fields.keys() & {"cx", "co"} else None


def _text(fields: dict[str, str], base64_key: str, key: str) -> bytes | str:
    return base64.urlsafe_b64decode(fields[base64_key]) if base64_key in fields else fields[key]


def depth(value: object) -> int:
    """Returns how deep objects and arrays nest in ``value``, which was read from JSON."""
    levels = 0
    layer: list[Any] = [value]
    while layer := [item for item in layer if type(item) in (dict, list)]:
        levels += 1
        layer = [
            item
            for container in layer
            for item in (container.values() if hasattr(container, "values") else container)
        ]
    return levels


def event_problems(schema: str, data: object) -> list[str]:
    """Returns what is wrong with the data of an event or entity, as far as we know its schema."""
    return problems(schema, data) if schema in (LOG_RECORD, APPLICATION_ERROR) else []


def body_problems(body: bytes) -> list[str]:
    """Returns what the pipeline would find wrong with a request's body."""
    request = loads(body)
    found = [] if request["schema"] == PAYLOAD_DATA else [f"schema is {request['schema']}"]
    found += problems(PAYLOAD_DATA, request["data"])
    for fields in request["data"]:
        if len(json.dumps(fields, ensure_ascii=False).encode()) > MAX_EVENT_BYTES + 1_000:
            found.append("an event is too long for an SQS buffer")
        for wrapper, uri in (
            (unstruct_event(fields), UNSTRUCT_EVENT),
            (contexts(fields), CONTEXTS),
        ):
            if wrapper is None:
                continue
            if wrapper["schema"] != uri:
                found.append(f"wrapper is {wrapper['schema']}")
            if depth(wrapper) > MAX_DEPTH:
                found.append(f"{uri} nests {depth(wrapper)} deep")
            found += problems(uri, wrapper["data"])
            data = wrapper["data"]
            for json_ in [data] if hasattr(data, "keys") else data:
                found += event_problems(json_["schema"], json_["data"])
    return found
