"""What can be wrong with a request or an event: each problem in one line, and as in a bad row.

The forms of ``message`` are those of the bad rows ``tracker_protocol_violations``,
``adapter_failures`` and ``schema_violations``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowplow_logging.collector.strict_json import cut, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.collector.strict_json import Json

MAX_FIELD = 64  # characters, as the bad rows' schemas have it
MAX_EXPECTATION = 256
MAX_TARGETS = 10  # arguments of a keyword that a report lists


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        text: One line for people: where, what was expected, what came.
        message: The same for machines, an item of a bad row's ``messages``.
    """

    text: str
    message: dict[str, Json]


@dataclass(frozen=True)
class Report:
    """One place in a JSON value (or one field) that is not as it should be.

    Attributes:
        path: Where: ``$.level``, ``$[3].eid``, or the name of a field.
        keyword: The rule that was broken, as JSON Schema calls it.
        message: What was expected and what came.
        targets: The rule's arguments.
    """

    path: str
    keyword: str
    message: str
    targets: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The report in one line."""
        return f"{self.path}: {self.message}"


def wrong_input(field: str, value: str | None, expectation: str) -> Problem:
    """A part of the request, or a field, is not what it should be."""
    shown = "" if value is None else f", got {shorten(value)}"
    return Problem(
        f"{field}: {expectation}{shown}",
        {
            "field": cut(field, MAX_FIELD),
            "value": value,
            "expectation": cut(expectation, MAX_EXPECTATION),
        },
    )


def not_json(field: str, value: str, error: str) -> Problem:
    """A text should be JSON and is not."""
    return Problem(
        f"{field}: {error}", {"field": cut(field, MAX_FIELD), "value": value, "error": error}
    )


def not_self_describing(field: str, value: Json, error: str, expectation: str) -> Problem:
    """A JSON value should be self-describing and is not.

    Args:
        field: Where it stood.
        value: The JSON value.
        error: ``INVALID_DATA_PAYLOAD`` or ``INVALID_IGLUURI``.
        expectation: What is missing or malformed.
    """
    return Problem(f"{field}: {expectation}", {"json": value, "error": error})


def other_schema(field: str, schema: str, criterion: str) -> Problem:
    """A wrapper names another schema than the one that belongs there."""
    return Problem(
        f"{field}: expected the schema {criterion}, got {shorten(schema)}",
        {"schemaKey": schema, "schemaCriterion": criterion},
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
    return Problem(
        f"{field} ({schema}): {'; '.join(report.text for report in reports)}",
        {"schemaKey": schema, "error": {"error": "ValidationError", "dataReports": rows}},
    )


def unusable_schema(field: str, schema: str, error: str) -> Problem:
    """The schema exists, but data cannot be held against it."""
    return Problem(
        f"{field} ({schema}): the schema cannot be used: {error}",
        {
            "schemaKey": schema,
            "error": {
                "error": "ValidationError",
                "schemaIssues": [{"path": "$", "message": error}],
            },
        },
    )


def unknown_schema(field: str, schema: str, places: Sequence[str], now: str) -> Problem:
    """No place that was looked in has the schema.

    Args:
        field: Where the schema was named.
        schema: Its URI.
        places: Where it was looked for.
        now: The time of the look-up, ISO 8601.
    """
    history: list[Json] = [
        {
            "repository": place,
            "errors": [{"error": "NotFound"}],
            "attempts": 1,
            "lastAttempt": now,
        }
        for place in places
    ]
    return Problem(
        f"{field}: unknown schema {schema}; looked in {', '.join(places)}; "
        "to add it, put it in a folder as VENDOR/NAME/jsonschema/VERSION and give --schemas DIR",
        {"schemaKey": schema, "error": {"error": "ResolutionError", "lookupHistory": history}},
    )
