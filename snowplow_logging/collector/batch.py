"""The verdicts on one request as they are kept: JSON text, made before anybody is kept waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging.collector.rows import row_of
from snowplow_logging.collector.strict_json import cut, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.collector.judge import Verdict

# Each bad event shows the body of its request: all those of one request show so many characters.
MAX_SHOWN = 8_388_608
MIN_SHOWN = 1_000  # … but each of them so many, at least

_OVERHEAD = 200  # bytes of an event beside its texts


class Event(NamedTuple):
    """A row of the table of events, but for its number and that of its request."""

    weight: int
    bad_row: str | None
    event_type: str | None
    schema: str | None
    contexts: str
    vendor: str
    version: str
    event_id: str | None
    row: str
    parameters: str | None
    problems: str


class Batch(NamedTuple):
    """What is kept of one request.

    Attributes:
        total: How many events it had.
        good: How many of them are good.
        received: The request but for its body.
        body: Of the request; None where no document shows it.
        events: Those that are kept.
    """

    total: int
    good: int
    received: str
    body: str | None
    events: list[Event]

    @property
    def weight(self) -> int:
        """Bytes of all that is kept."""
        return sum(event.weight for event in self.events)


def batch_of(verdicts: Sequence[Verdict], max_events: int) -> Batch:
    """What is kept of the verdicts on one request.

    Args:
        verdicts: They; at least one.
        max_events: How many events are kept, at most: the last ones.
    """
    received = encode(verdicts[0].received.to_json())
    body = _shown_body(verdicts)
    events = [_event_of(verdict) for verdict in verdicts[-max_events:]]
    # The request goes with the last of its events.
    last = events[-1]
    events[-1] = last._replace(weight=last.weight + len(received) + len(body or ""))
    return Batch(len(verdicts), sum(verdict.good for verdict in verdicts), received, body, events)


def _shown_body(verdicts: Sequence[Verdict]) -> str | None:
    bad = sum(not verdict.good for verdict in verdicts)
    text = verdicts[0].received.body_text
    return cut(text, max(MIN_SHOWN, MAX_SHOWN // bad)) if bad and text is not None else None


def _event_of(verdict: Verdict) -> Event:
    row = row_of(verdict)
    event_type, schema = row["type"], row["schema"]
    text = encode(row)
    parameters = None if verdict.parameters is None else encode(verdict.parameters)
    problems = encode([problem.to_json() for problem in verdict.problems])
    return Event(
        weight=len(text) + len(parameters or "") + len(problems) + _OVERHEAD,
        bad_row=verdict.bad_row,
        event_type=event_type if isinstance(event_type, str) else None,
        schema=schema if isinstance(schema, str) else None,
        contexts="".join(f"\n{entity.schema}\n" for entity in verdict.contents.entities),
        vendor=verdict.received.vendor,
        version=verdict.received.version,
        event_id=verdict.event_id,
        row=text,
        parameters=parameters,
        problems=problems,
    )
