"""A request → a verdict on each event in it, synchronously.

Law: every request gives at least one verdict, and none raises. A request whose envelope is
broken gives exactly one, bad.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowplow_logging.collector import enriched, problems, protocol
from snowplow_logging.collector.envelope import EnvelopeError, open_get, open_post
from snowplow_logging.collector.selfdescribing import Contents, unwrap
from snowplow_logging.collector.strict_json import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from snowplow_logging.collector.envelope import Parameters
    from snowplow_logging.collector.problems import Problem
    from snowplow_logging.collector.received import Received
    from snowplow_logging.collector.registry import Registry


@dataclass(frozen=True)
class Verdict:
    """What became of one event, or of a request that is bad as a whole.

    Attributes:
        received: The request.
        parameters: The raw fields; None for a request that is bad as a whole.
        event_id: Of the event, or the one that it was given; None for a whole request.
        contents: The event and its entities, as far as they can be read.
        bad_row: The kind of bad row that a pipeline would write; None for a good event.
        problems: What is wrong.
    """

    received: Received
    parameters: Parameters | None
    event_id: str | None
    contents: Contents
    bad_row: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def good(self) -> bool:
        """Whether a pipeline would take it."""
        return self.bad_row is None

    @property
    def reason(self) -> str:
        """What is wrong, in one line; empty for a good event."""
        return "; ".join(problem.text for problem in self.problems)


class Judge:
    """Holds requests against the protocol and the schemas; may be used from any thread.

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
            return [self._assess(received, open_get(received))]
        except EnvelopeError as error:
            return [_bad_request(received, error)]

    def assess_post(self, received: Received) -> list[Verdict]:
        """The verdicts on the events in a body, in their order."""
        size = len(received.body or b"")
        if size > protocol.MAX_SPLIT_BYTES:
            return [_oversized(received, size)]
        try:
            events = open_post(received)
        except EnvelopeError as error:
            return [_bad_request(received, error)]
        return [self._assess(received, parameters) for parameters in events]

    def _assess(self, received: Received, parameters: Parameters) -> Verdict:
        event_id = enriched.event_id_of(parameters) or self._new_id()
        # Only an event that is more than the sink takes by itself is lost by its size.
        size = _size(received, parameters)
        if size > protocol.MAX_SINK_BYTES:
            return _oversized(received, size, parameters, event_id)
        contents, found = unwrap(parameters, self._registry, received.time)
        if not enriched.is_surely_right(received, parameters, contents):
            _, reports = enriched.enrich(received, parameters, event_id, contents)
            if reports:
                found.insert(0, problems.invalid_data("atomic", protocol.ATOMIC, reports))
        found += _missing_event(parameters, contents)
        bad_row = problems.SCHEMA_VIOLATIONS if found else None
        return Verdict(received, parameters, event_id, contents, bad_row, tuple(found))


def _size(received: Received, parameters: Parameters) -> int:
    """The bytes of an event; 0, if its whole request is small enough."""
    whole = len(received.body or b"") + len(received.query)
    return len(encode(parameters)) if whole > protocol.MAX_SINK_BYTES else 0


def _missing_event(parameters: Parameters, contents: Contents) -> Iterable[Problem]:
    if parameters["e"] != "ue" or contents.event or "ue_pr" in parameters or "ue_px" in parameters:
        return ()
    return [problems.not_json("ue_px", "", "expected ue_px or ue_pr in an event with e=ue")]


def _oversized(
    received: Received,
    size: int,
    parameters: Parameters | None = None,
    event_id: str | None = None,
) -> Verdict:
    found = (problems.too_large(size),)
    return Verdict(received, parameters, event_id, Contents(), problems.SIZE_VIOLATION, found)


def _bad_request(received: Received, error: EnvelopeError) -> Verdict:
    kind = problems.ADAPTER_FAILURES if error.adapter else problems.TRACKER_PROTOCOL_VIOLATIONS
    return Verdict(received, None, None, Contents(), kind, error.problems)
