"""What a failed test shows of the events that arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging.testing.matching import nearest, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.testing.events import Event
    from snowplow_logging.testing.matching import Criteria

MAX_EVENTS = 10  # that are shown
MAX_DATA = 400  # characters of an event's data
INDENT = "     "


def describe(event: Event) -> list[str]:
    """The lines that show an event: what it is, what it holds, what is wrong with it."""
    kind = "good" if event.is_good else "bad "
    title = event.schema or event.get("eventType") or "(cannot be read)"
    lines = [f"{kind} {title}{f'  {event.id}' if event.id else ''}"]
    if event.data:
        lines.append(f"{INDENT}{show(event.data, MAX_DATA)}")
    lines += [
        f"{INDENT}+ {context.get('schema')} {show(context.get('data'))}"
        for context in event.contexts
    ]
    return lines + [f"{INDENT}! {reason}" for reason in event.reasons]


def listing(events: Sequence[Event]) -> list[str]:
    """The lines that show events, the last ones, newest first."""
    lines = [line for event in events[:MAX_EVENTS] for line in describe(event)]
    more = len(events) - MAX_EVENTS
    return [*lines, f"… and {more} older ones"] if more > 0 else lines


def comparison(criteria: Criteria, events: Sequence[Event]) -> list[str]:
    """The lines that show the event that is the most like what was expected, and how it differs."""
    closest = nearest(criteria, events)
    if closest is None:
        return []
    differences = [f"{INDENT}- {each}" for each in criteria.differences(closest)]
    return ["the nearest is", *describe(closest), *differences]
