"""Whether an event is what a test expects, and where it differs.

A match is partial: a mapping may have more keys than are expected, and an event more entities.
All else is as it is: a list has the same length, and ``1`` is neither ``"1"`` nor ``true``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from snowplow_logging.testing.events import Event

MAX_SHOWN = 120  # characters of a value in a message
MISSING = object()
"""What stands where there is nothing."""


@dataclass(frozen=True)
class Difference:
    """One place where an event is not as expected.

    Args:
        path: Where, such as ``data.lines[0].sku``.
        expected: What should be there.
        got: What is.
    """

    path: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        got = "is missing" if self.got is MISSING else f"got {show(self.got)}"
        return f"{self.path}: expected {show(self.expected)}, {got}"


@dataclass(frozen=True)
class Criteria:
    """What a test expects of an event; what is None or empty, is not asked.

    Args:
        schema: The URI of its schema.
        data: The data of a self-describing event.
        contexts: Entities, each with ``schema`` and perhaps ``data``.
        fields: Fields of the enriched event, such as ``app_id`` and ``page_url``.
    """

    schema: str | None
    data: Mapping[str, Any] | None
    contexts: Sequence[Mapping[str, Any]]
    fields: Mapping[str, Any]

    def differences(self, event: Event) -> list[Difference]:
        """What is not as expected in ``event``; nothing: it matches."""
        found: list[Difference] = []
        if self.schema is not None:
            found += _differences(self.schema, event.schema, "schema")
        found += _differences(self.data or {}, event.data, "data")
        for context in self.contexts:
            found += _nearest_context(context, event.contexts)
        for name, value in self.fields.items():
            found += _differences(value, event.fields.get(name, MISSING), name)
        return found

    def __str__(self) -> str:
        parts = {"schema": self.schema, "data": self.data, "contexts": self.contexts}
        asked = {**{name: value for name, value in parts.items() if value}, **self.fields}
        return ", ".join(f"{name} {show(value)}" for name, value in asked.items())


def nearest(criteria: Criteria, events: Iterable[Event]) -> Event | None:
    """The event that differs in the fewest places, of equals the first; None: there is none."""
    return min(events, key=lambda event: len(criteria.differences(event)), default=None)


def show(value: object, limit: int = MAX_SHOWN) -> str:
    """Returns a value as JSON, cut to ``limit`` characters."""
    text = json.dumps(value, default=repr, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _nearest_context(
    expected: Mapping[str, Any], contexts: Sequence[dict[str, Any]]
) -> list[Difference]:
    """What is not as expected in the entity that is the most like it."""
    same = [each for each in contexts if each.get("schema") == expected.get("schema")]
    path = f"contexts[{expected.get('schema')}]"
    found = [list(_differences(expected, each, path)) for each in same or contexts]
    return min(found, key=len, default=[Difference(path, expected, MISSING)])


def _differences(expected: Any, got: Any, path: str) -> Iterator[Difference]:
    if isinstance(expected, Mapping) and isinstance(got, dict):
        mapping = cast("dict[object, object]", got)
        for key, value in cast("Mapping[object, object]", expected).items():
            yield from _differences(value, mapping.get(key, MISSING), f"{path}.{key}")
    elif _are_lists_of_one_length(expected, got):
        pairs = zip(cast("list[object]", expected), cast("list[object]", got), strict=True)
        for index, (item, other) in enumerate(pairs):
            yield from _differences(item, other, f"{path}[{index}]")
    elif got is MISSING or not _equal(expected, got):
        yield Difference(path, expected, got)


def _are_lists_of_one_length(one: Any, other: Any) -> bool:
    return isinstance(one, list) and isinstance(other, list) and len(one) == len(other)  # pyright: ignore[reportUnknownArgumentType]


def _equal(expected: Any, got: Any) -> bool:
    """Whether they are equal, for JSON, in which true is not 1; ``expected`` may be a matcher."""
    number = isinstance(expected, (bool, int, float))
    if number and isinstance(expected, bool) != isinstance(got, bool):
        return False
    return bool(expected == got)
