"""A request → a verdict on each event in it, synchronously.

Law: every request gives at least one verdict, and none raises. A request whose envelope is
broken gives exactly one, bad.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from snowplow_logging.collector import badrows, enriched, problems, protocol
from snowplow_logging.collector.envelope import EnvelopeError, open_get, open_post
from snowplow_logging.collector.received import COLLECTOR
from snowplow_logging.collector.selfdescribing import Contents, unwrap
from snowplow_logging.collector.strict_json import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snowplow_logging.collector.envelope import Parameters
    from snowplow_logging.collector.problems import Problem
    from snowplow_logging.collector.received import Received
    from snowplow_logging.collector.registry import Registry
    from snowplow_logging.collector.strict_json import Json

_LEVEL_KEYS = ("level", "level_name", "log_level", "severity")


@dataclass(frozen=True)
class Verdict:
    """What became of one event, or of a request that is bad as a whole.

    Attributes:
        good: Whether a pipeline would take it.
        document: The event as Micro's API shows it, JSON text in parts to be joined. The
            bad events of one request share a part: the request.
        time: When it came, ISO 8601.
        vendor: Of the request's path.
        version: Of the request's path.
        event_type: The enriched name: ``unstruct``, ``page_view`` …
        schema: The URI of the event's schema.
        contexts: The URIs of the entities' schemas.
        level: The log level that the event names, if it names one.
        reason: What is wrong, in one line; empty for a good event.
        received: The request.
        parameters: The raw fields; None for a request that is bad as a whole.
        event_id: Of the event; None where it has none that can be read.
        app_id: Of the event.
        contents: The event and the entities, decoded.
        problems: What is wrong.
    """

    good: bool
    document: tuple[bytes, ...]
    time: str
    vendor: str
    version: str
    event_type: str | None = None
    schema: str | None = None
    contexts: tuple[str, ...] = ()
    level: str | None = None
    reason: str = ""
    received: Received | None = None
    parameters: Parameters | None = None
    event_id: str | None = None
    app_id: str | None = None
    contents: Contents = field(default_factory=Contents)
    problems: tuple[Problem, ...] = ()


class Judge:
    """Holds requests against the protocol and the schemas.

    Args:
        registry: The schemas.
        new_id: Makes the ``event_id`` of an event that came without.
    """

    def __init__(
        self, registry: Registry, new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    ) -> None:
        """Keeps its arguments; holds no state."""
        self._registry = registry
        self._new_id = new_id

    def assess_get(self, received: Received) -> list[Verdict]:
        """The verdict on the event in a query string."""
        try:
            return [self._assess(received, open_get(received), _Request(received))]
        except EnvelopeError as error:
            return [_bad_request(received, error)]

    def assess_post(self, received: Received) -> list[Verdict]:
        """The verdicts on the events in a body, in their order."""
        request = _Request(received)
        size = len(received.body or b"")
        if size > protocol.MAX_SPLIT_BYTES:
            return [_oversized(received, request, size)]
        try:
            events = open_post(received)
        except EnvelopeError as error:
            return [_bad_request(received, error)]
        return [self._assess(received, parameters, request) for parameters in events]

    def _assess(self, received: Received, parameters: Parameters, request: _Request) -> Verdict:
        # Only an event that is more than the sink takes by itself is lost by its size.
        if len(received.body or b"") > protocol.MAX_SINK_BYTES:
            size = len(encode(parameters))
            if size > protocol.MAX_SINK_BYTES:
                return _oversized(received, request, size, parameters)
        event = enriched.empty()
        self._describe_request(event, received)
        found = _atomic(enriched.fill(event, parameters))
        contents = unwrap(parameters, self._registry, received.time)
        found += contents.problems
        found += _missing_event(parameters, contents)
        _describe_contents(event, parameters, contents)
        enriched.complete(event, parameters, received.milliseconds)
        found += _atomic(enriched.too_long(event, parameters))
        verdict = (
            _bad_event(received, parameters, event, found, request)
            if found
            else _good_event(received, parameters, event)
        )
        return replace(
            verdict,
            received=received,
            parameters=parameters,
            event_id=_string(event["event_id"]),
            app_id=_string(event["app_id"]),
            contents=contents,
            problems=tuple(found),
        )

    def _describe_request(self, event: enriched.Event, received: Received) -> None:
        event["event_id"] = self._new_id()
        event["collector_tstamp"] = event["etl_tstamp"] = received.time
        event["v_collector"] = event["v_etl"] = COLLECTOR
        event["user_ipaddress"] = received.address
        event["useragent"] = received.user_agent
        event["contexts"] = event["derived_contexts"] = {}


class _Request:
    """The request as the bad events in it share it; encoded when the first of them needs it."""

    def __init__(self, received: Received) -> None:
        self._received = received
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        if self._encoded is None:
            self._encoded = encode(self._received.collector_payload()).encode()
        return self._encoded


def _atomic(reports: Sequence[problems.Report]) -> list[Problem]:
    return [problems.invalid_data("atomic", protocol.ATOMIC, reports)] if reports else []


def _missing_event(parameters: Parameters, contents: Contents) -> list[Problem]:
    if parameters["e"] != "ue" or contents.event or "ue_pr" in parameters or "ue_px" in parameters:
        return []
    return [problems.not_json("ue_px", "", "expected ue_px or ue_pr in an event with e=ue")]


def _describe_contents(event: enriched.Event, parameters: Parameters, contents: Contents) -> None:
    if contents.event:
        data = contents.event.to_json()
        event["unstruct_event"] = {"schema": protocol.UNSTRUCT_EVENT, "data": data}
    if contents.entities:
        items: list[Json] = [entity.to_json() for entity in contents.entities]
        event["contexts"] = {"schema": protocol.CONTEXTS, "data": items}
    name, schema = protocol.EVENT_TYPES.get(parameters["e"], ("", None))
    if name == "unstruct" and contents.event:
        schema = contents.event.schema
    match = protocol.IGLU_URI.fullmatch(schema or "")
    for part in ("vendor", "name", "format", "version") if match else ():
        event[f"event_{part}"] = match[part] if match else None


def _good_event(received: Received, parameters: Parameters, event: enriched.Event) -> Verdict:
    event_type, schema, contexts, level = _summary(event)
    document: dict[str, Json] = {
        "rawEvent": received.raw_event(parameters),
        "eventType": event_type,
        "schema": schema,
        "contexts": [*contexts],
        "event": event,
        "incomplete": False,
    }
    return Verdict(
        good=True,
        document=(encode(document).encode(),),
        time=received.time,
        vendor=received.vendor,
        version=received.version,
        event_type=event_type,
        schema=schema,
        contexts=contexts,
        level=level,
    )


def _bad_event(
    received: Received,
    parameters: Parameters,
    event: enriched.Event,
    found: Sequence[Problem],
    request: _Request,
) -> Verdict:
    event_type, schema, contexts, level = _summary(event)
    reason = "; ".join(problem.text for problem in found)
    row = badrows.event_failure(received, parameters, event, found)
    verdict = _bad(
        received, _bad_document(request, received.raw_event(parameters), reason, row), reason
    )
    return replace(verdict, event_type=event_type, schema=schema, contexts=contexts, level=level)


def _bad_request(received: Received, error: EnvelopeError) -> Verdict:
    row = badrows.request_failure(received, error.problems, adapter=error.adapter)
    verdict = _bad(received, _bad_document(_Request(received), None, str(error), row), str(error))
    return replace(verdict, received=received, problems=error.problems)


def _oversized(
    received: Received, request: _Request, size: int, parameters: Parameters | None = None
) -> Verdict:
    reason = (
        f"size: expected at most {protocol.MAX_SINK_BYTES} bytes of an event and "
        f"{protocol.MAX_SPLIT_BYTES} of a request, got {size}"
    )
    payload = encode(parameters) if parameters else received.body_text or ""
    row = badrows.size_violation(
        received.milliseconds, payload, size, protocol.MAX_SINK_BYTES, reason
    )
    raw = received.raw_event(parameters) if parameters else None
    verdict = _bad(received, _bad_document(request, raw, reason, row), reason)
    problem = problems.wrong_input("body", None, reason)
    return replace(verdict, received=received, parameters=parameters, problems=(problem,))


def _bad(received: Received, document: tuple[bytes, ...], reason: str) -> Verdict:
    return Verdict(
        good=False,
        document=document,
        time=received.time,
        vendor=received.vendor,
        version=received.version,
        reason=reason,
    )


def _bad_document(request: _Request, raw: Json, reason: str, row: str) -> tuple[bytes, ...]:
    rest: dict[str, Json] = {"rawEvent": raw, "errors": [" ".join(reason.split()), row]}
    return (b'{"collectorPayload":', request.encoded, b",", encode(rest).encode()[1:])


def _summary(event: enriched.Event) -> tuple[str | None, str | None, tuple[str, ...], str | None]:
    """Type, schema, schemas of the entities, and level of an enriched event."""
    kind = event["event"]
    parts = [event[f"event_{part}"] for part in ("vendor", "name", "format", "version")]
    schema = f"iglu:{'/'.join(map(str, parts))}" if all(parts) else None
    entities = _list(_get(event["contexts"], "data"))
    contexts = tuple(str(_get(entity, "schema")) for entity in entities)
    described = [_get(event["unstruct_event"], "data"), *entities]
    level = next(filter(None, map(_level, described)), None)
    return (kind if isinstance(kind, str) else None), schema, contexts, level


def _level(described: Json) -> str | None:
    data = _get(described, "data")
    values = (_get(data, key) for key in _LEVEL_KEYS)
    return next((value for value in values if isinstance(value, str)), None)


def _get(value: Json, key: str) -> Json:
    return value.get(key) if isinstance(value, dict) else None


def _string(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
