"""What can be wrong with a request or an event: each problem in one line, and as in a bad row.

The forms of ``message`` are those of the bad rows ``tracker_protocol_violations``,
``adapter_failures`` and ``schema_violations``; for a ``size_violation`` it is the ``failure``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowplow_logging.collector import protocol
from snowplow_logging.collector.strict_json import cut, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snowplow_logging.collector.registry import Searched
    from snowplow_logging.collector.strict_json import Json

# The kinds of bad rows.
_VENDOR = "com.snowplowanalytics.snowplow.badrows"
SCHEMA_VIOLATIONS = f"iglu:{_VENDOR}/schema_violations/jsonschema/2-0-1"
TRACKER_PROTOCOL_VIOLATIONS = f"iglu:{_VENDOR}/tracker_protocol_violations/jsonschema/1-0-1"
ADAPTER_FAILURES = f"iglu:{_VENDOR}/adapter_failures/jsonschema/1-0-0"
SIZE_VIOLATION = f"iglu:{_VENDOR}/size_violation/jsonschema/1-0-0"

MAX_FIELD = 64  # characters, as the bad rows' schemas have it
MAX_EXPECTATION = 256
MAX_SHOWN = 200  # of a value that is wrong
MAX_TARGETS = 10  # arguments of a keyword that a report lists


@dataclass(frozen=True)
class Report:
    """One place in a JSON value (or one field) that is not as it should be.

    Attributes:
        path: Where: ``$.level``, ``$[3].eid``, or the name of a field.
        keyword: The rule that was broken, as JSON Schema calls it.
        expected: What was expected: ``expected string``.
        got: The value that came, short, as JSON text; None where something is missing.
        targets: The rule's arguments.
        size: What was counted, where a length was wrong.
        pointer: Where, as a JSON Pointer (RFC 6901): ``/level``, ``/3/eid``.
    """

    path: str
    keyword: str
    expected: str
    got: str | None = None
    targets: tuple[str, ...] = ()
    size: int | None = None
    pointer: str = ""

    @property
    def message(self) -> str:
        """What was expected and what came."""
        if self.got is None:
            return self.expected
        size = "" if self.size is None else f"{self.size}: "
        mark = ";" if self.keyword == "additionalProperties" else ","
        return f"{self.expected}{mark} got {size}{self.got}"

    @property
    def text(self) -> str:
        """The report in one line."""
        return f"{self.path}: {self.message}"


@dataclass(frozen=True)
class Place:
    """A place in an event, or in a request, and what is wrong there.

    Attributes:
        where: ``event``, ``context 0`` (and so on), ``payload`` (the raw fields), ``request``.
        path: A JSON Pointer: into the self-describing JSON of the event or entity
            (``/data/total_cents``), the raw fields (``/eid``), or the request (``/body/data/0``).
        expected: What was expected there.
        value: The value that came, short, as JSON text; None where something is missing.
        text: The whole as a sentence.
    """

    where: str
    path: str
    expected: str
    value: str | None
    text: str

    def to_json(self) -> dict[str, Json]:
        """All of it."""
        return {
            "where": self.where,
            "path": self.path,
            "expected": self.expected,
            "value": self.value,
            "text": self.text,
        }


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        text: One line for people: where, what was expected, what came.
        message: The same for machines, an item of a bad row's ``messages``.
        places: Where in the event it shows.
    """

    text: str
    message: dict[str, Json]
    places: tuple[Place, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """All of it."""
        places: list[Json] = [place.to_json() for place in self.places]
        return {"text": self.text, "message": self.message, "places": places}


def pointer(steps: Iterable[str | int]) -> str:
    """The JSON Pointer of the place that ``steps`` lead to."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def wrong_input(field: str, value: str | None, expectation: str) -> Problem:
    """A part of the request, or a field, is not what it should be."""
    shown = "" if value is None else f", got {shorten(value)}"
    return _problem(
        field,
        f"{field}: {expectation}{shown}",
        {
            "field": cut(field, MAX_FIELD),
            "value": value,
            "expectation": cut(expectation, MAX_EXPECTATION),
        },
        expectation,
        value,
    )


def too_large(size: int) -> Problem:
    """A request or an event is larger than a pipeline takes; ``size`` is its bytes."""
    expectation = (
        f"expected at most {protocol.MAX_SINK_BYTES} bytes of an event and "
        f"{protocol.MAX_SPLIT_BYTES} of a request"
    )
    text = f"size: {expectation}, got {size}"
    message: dict[str, Json] = {
        "maximumAllowedSizeBytes": protocol.MAX_SINK_BYTES,
        "actualSizeBytes": size,
        "expectation": cut(text, MAX_EXPECTATION),
    }
    return Problem(text, message, (Place("request", "/body", expectation, str(size), text),))


def not_json(field: str, value: str, error: str) -> Problem:
    """A text should be JSON and is not."""
    message: dict[str, Json] = {"field": cut(field, MAX_FIELD), "value": value, "error": error}
    return _problem(field, f"{field}: {error}", message, error, value or None)


def not_self_describing(field: str, value: Json, error: str, expectation: str) -> Problem:
    """A JSON value should be self-describing and is not.

    Args:
        field: Where it stood.
        value: The JSON value.
        error: ``INVALID_DATA_PAYLOAD`` or ``INVALID_IGLUURI``.
        expectation: What is missing or malformed.
    """
    message: dict[str, Json] = {"json": value, "error": error}
    return _problem(field, f"{field}: {expectation}", message, expectation, value)


def other_schema(field: str, schema: str, criterion: str) -> Problem:
    """A wrapper names another schema than the one that belongs there."""
    expectation = f"expected the schema {criterion}"
    return _problem(
        field,
        f"{field}: {expectation}, got {shorten(schema)}",
        {"schemaKey": schema, "schemaCriterion": criterion},
        expectation,
        schema,
    )


def invalid_data(field: str, schema: str, reports: Sequence[Report]) -> Problem:
    """Data do not fit the schema that they name."""
    rows: list[Json] = [
        {
            "message": report.text,
            "path": report.path,
            "keyword": report.keyword,
            "targets": [*report.targets[:MAX_TARGETS]],
        }
        for report in reports
    ]
    where, start = _start(field)
    inside = "" if where == "payload" else "/data"
    return Problem(
        f"{field} ({schema}): {'; '.join(report.text for report in reports)}",
        {"schemaKey": schema, "error": {"error": "ValidationError", "dataReports": rows}},
        tuple(
            Place(
                where, f"{start}{inside}{report.pointer}", report.expected, report.got, report.text
            )
            for report in reports
        ),
    )


def unusable_schema(field: str, schema: str, error: str) -> Problem:
    """The schema exists, but data cannot be held against it."""
    text = f"{field} ({schema}): the schema cannot be used: {error}"
    return _problem(
        field,
        text,
        {
            "schemaKey": schema,
            "error": {
                "error": "ValidationError",
                "schemaIssues": [{"path": "$", "message": error}],
            },
        },
        "expected a schema that can be used",
        schema,
        inside="/schema",
    )


def unknown_schema(field: str, schema: str, places: Sequence[Searched], now: str) -> Problem:
    """No place that was looked in has the schema.

    Args:
        field: Where the schema was named.
        schema: Its URI.
        places: Where it was looked for.
        now: The time of the look-up, ISO 8601.
    """
    history: list[Json] = [
        {
            "repository": place.name,
            "errors": [_failure(place)],
            "attempts": 1,
            "lastAttempt": now,
        }
        for place in places
    ]
    looked_in = ", ".join(place.text for place in places)
    return _problem(
        field,
        f"{field}: unknown schema {schema}; looked in {looked_in}; "
        "to add it, put it in a folder as VENDOR/NAME/jsonschema/VERSION and give --schemas DIR",
        {"schemaKey": schema, "error": {"error": "ResolutionError", "lookupHistory": history}},
        f"expected a schema that is in {looked_in}",
        schema,
        inside="/schema",
    )


def _failure(place: Searched) -> dict[str, Json]:
    if place.error is None:
        return {"error": "NotFound"}
    return {"error": "RepoFailure", "message": cut(place.error, MAX_EXPECTATION)}


def _problem(
    field: str,
    text: str,
    message: dict[str, Json],
    expected: str,
    value: Json,
    *,
    inside: str = "",
) -> Problem:
    """A problem that shows in one place."""
    where, start = _start(field)
    shown = None if value is None else shorten(value, MAX_SHOWN)
    return Problem(text, message, (Place(where, f"{start}{inside}", expected, shown, text),))


def _start(field: str) -> tuple[str, str]:
    """Where a field stands: the part of the event, and the path to it there."""
    if field == "unstruct_event":
        return "event", ""
    if field.startswith("contexts["):
        return f"context {field[9:-1]}", ""
    if field == "atomic":
        return "payload", ""
    if field in protocol.SELF_DESCRIBING_KEYS:
        return "payload", f"/{field}"
    return "request", pointer([field])
