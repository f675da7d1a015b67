"""Events as Micro's API shows them, good and bad, with short ways to what tests look at."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable


class Event(dict[str, Any]):
    """An item of ``/micro/good`` or ``/micro/bad``, as it is."""

    @property
    def is_good(self) -> bool:
        """Whether it is good."""
        return "event" in self

    @property
    def id(self) -> str | None:
        """Its ``event_id``; of a bad event the one that it was sent with, if it was."""
        return self.fields.get("event_id") or self.parameters.get("eid")

    @property
    def schema(self) -> str | None:
        """The URI of its schema; of a bad event, of what it was sent with."""
        found: str | None = self.get("schema") or self._described.get("schema")
        return found

    @property
    def data(self) -> dict[str, Any]:
        """The data of a self-describing event; of others, nothing."""
        return _mapping(self._described.get("data"))

    @property
    def contexts(self) -> list[dict[str, Any]]:
        """Its entities, each with ``schema`` and ``data``."""
        whole = self.fields.get("contexts") or self._sent("cx", "co")
        return [_mapping(each) for each in _list(_mapping(whole).get("data"))]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the enriched event that have a value; of a bad event, nothing."""
        fields = _mapping(self.get("event"))
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def parameters(self) -> dict[str, str]:
        """The fields of the tracker protocol that it was sent with."""
        return _mapping(_mapping(self.get("rawEvent")).get("parameters"))

    @property
    def reasons(self) -> list[str]:
        """Why it is bad, in a line each; nothing for a good event."""
        errors: list[str] = [str(error) for error in _list(self.get("errors"))]
        rows = [_mapping(_parsed(error)) for error in errors[1:]]
        failures = [_mapping(_mapping(row.get("data")).get("failure")) for row in rows]
        return [line for failure in failures for line in _reasons(failure)] or errors[:1]

    @property
    def _described(self) -> dict[str, Any]:
        whole = self.fields.get("unstruct_event") or self._sent("ue_px", "ue_pr")
        return _mapping(_mapping(whole).get("data"))

    def _sent(self, encoded: str, plain: str) -> object:
        """What was sent in one of two fields, where it can be read."""
        text = self.parameters.get(plain, "")
        if encoded in self.parameters:
            value = self.parameters[encoded]
            try:
                text = urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
            except ValueError:
                return None
        return _parsed(text)


class Events(list[Event]):
    """Events, newest first; ``why`` is said where there are none.

    Args:
        events: The events.
        why: What was asked for, and what comes near it.
    """

    def __init__(self, events: Iterable[Event] = (), why: str = "") -> None:
        super().__init__(events)
        self.why = why

    def __repr__(self) -> str:
        names = [name_of(event.schema) or event.get("eventType") or "unreadable" for event in self]
        if not names:
            return f"<no event with {self.why}>" if self.why else "<no event>"
        return f"<{len(self)} event{'s' if len(self) > 1 else ''}: {', '.join(names)}>"


def name_of(schema: str | None) -> str:
    """Returns the name in a schema's URI, such as ``order_placed``."""
    parts = (schema or "").split("/")
    return parts[1] if len(parts) > 1 else ""


def _reasons(failure: dict[str, Any]) -> list[str]:
    """The lines of a bad row's failure, whichever its format."""
    messages = [_mapping(each) for each in _list(failure.get("messages"))]
    return [line for message in messages or [failure] if message for line in _lines(message)]


def _lines(message: dict[str, Any]) -> list[str]:
    error, uri = message.get("error"), message.get("schemaKey")
    if not isinstance(error, dict):
        said = message.get("expectation") or error
        for name in ("field", "actualSizeBytes", "json"):
            if name in message:
                return [f"{message[name]}: {said}"]
        criterion = message.get("schemaCriterion")
        return [f"{uri}: expected {criterion}" if criterion else json.dumps(message)]
    found = cast("dict[str, Any]", error)
    reports = [*_list(found.get("dataReports")), *_list(found.get("schemaIssues"))]
    if reports:
        return [f"{uri}: {_mapping(report).get('message')}" for report in reports]
    places = [str(_mapping(each).get("repository")) for each in _list(found.get("lookupHistory"))]
    return [f"{uri}: unknown schema, looked for in {', '.join(places)}"]


def _parsed(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return value


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
