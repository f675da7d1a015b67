"""One schema, ready to hold data against: draft 4, types taken strictly.

Two validators do it. ``jsonschema_rs``, which is a hundred times as fast, says which data are
valid; where it does not say so, ``jsonschema`` finds what is wrong, and says it in full. Where the
two disagree, which is about the regular expressions and decimals that are Python's alone, the data
are valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING

import jsonschema_rs
from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry as References
from referencing import Resource
from referencing.jsonschema import DRAFT4

from snowplow_logging.collector.formats import FORMATS
from snowplow_logging.collector.reports import describe
from snowplow_logging.collector.strict_json import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging.collector.problems import Report
    from snowplow_logging.collector.strict_json import Json

META_SCHEMA = (
    "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
)
MAX_REPORTS = 20  # of one event; the rest would only repeat

_FORMATS: dict[str, Callable[..., bool]] = {
    name: partial(FORMATS.conforms, format=name) for name in FORMATS.checkers
}


@dataclass(frozen=True)
class Schema:
    """A self-describing schema, ready to hold data against.

    Attributes:
        uri: ``iglu:VENDOR/NAME/jsonschema/VERSION``.
        document: The schema itself.
    """

    uri: str
    document: dict[str, Json]

    def reports(self, data: Json) -> list[Report]:
        """What ``data`` has against it: nothing, or one report for each place."""
        return [] if self._takes(data) else self.explain(data)

    def explain(self, data: Json) -> list[Report]:
        """What ``data`` has against it, found slowly; a schema without end raises here."""
        errors = self._validator.iter_errors(data)  # pyright: ignore[reportUnknownMemberType]
        found = islice(errors, MAX_REPORTS)
        # Several missing properties are found one by one, but reported together.
        return list(dict.fromkeys(describe(error) for error in found))

    def _takes(self, data: Json) -> bool:
        """Whether ``data`` is valid beyond doubt."""
        if self._fast is None:
            return False
        try:
            return self._fast.is_valid(data)
        except (ValueError, RecursionError):  # a lone surrogate; too deep
            return False

    @cached_property
    def _fast(self) -> jsonschema_rs.Draft4Validator | None:
        # Of these it would know neither.
        schema = {
            key: value for key, value in self.document.items() if key not in {"$schema", "self"}
        }
        try:
            return jsonschema_rs.Draft4Validator(
                schema, formats=_FORMATS, validate_formats=True, retriever=_nothing
            )
        except (ValueError, jsonschema_rs.ReferencingError):
            return None  # a regular expression of Python's alone; a reference that leads nowhere

    @cached_property
    def _validator(self) -> Draft4Validator:
        return Draft4Validator(
            self.document,
            format_checker=FORMATS,
            registry=References(retrieve=_anything),  # type: ignore[call-arg]
        )


def read_schema(document: Json, path: str) -> Schema:
    """The schema in a document.

    Args:
        document: What a registry holds.
        path: Where it holds it: ``VENDOR/NAME/jsonschema/VERSION``.

    Raises:
        ValueError: It is another schema, or none.
    """
    try:
        schema = _identified(document, path)
        Draft4Validator.check_schema(schema)
        _check_patterns(schema)
    except SchemaError as error:
        raise ValueError(describe(error).text) from None
    except RecursionError:
        message = "it nests too deep"
        raise ValueError(message) from None
    return Schema(f"iglu:{path}", schema)


def _identified(document: Json, path: str) -> dict[str, Json]:
    """The document, if it is the self-describing schema that its path promises."""
    if not isinstance(document, dict):
        message = f"expected a JSON object, got {shorten(document)}"
        raise ValueError(message)  # noqa: TRY004 - the file is wrong, not the argument
    if document.get("$schema") != META_SCHEMA:
        message = f"$schema: expected {META_SCHEMA}, got {shorten(document.get('$schema'))}"
        raise ValueError(message)
    expected = dict(zip(("vendor", "name", "format", "version"), path.split("/"), strict=True))
    if document.get("self") != expected:
        message = f"self: expected {expected}, as the path says, got {document.get('self')}"
        raise ValueError(message)
    return document


def _check_patterns(schema: Json) -> None:
    """Finds the regular expressions that would fail only when data come."""
    if isinstance(schema, list):
        for item in schema:
            _check_patterns(item)
    elif isinstance(schema, dict):
        pattern = schema.get("pattern")
        patterns = [pattern] if isinstance(pattern, str) else []
        named = schema.get("patternProperties")
        patterns += named if isinstance(named, dict) else []
        for text in patterns:
            _compile(text)
        for item in schema.values():
            _check_patterns(item)


def _compile(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"pattern {shorten(pattern)}: {error}"
        raise ValueError(message) from None


def _nothing(uri: str) -> dict[str, Json]:
    """A schema elsewhere is not fetched: a pipeline takes any data in its place."""
    del uri
    return {}


def _anything(uri: str) -> Resource[bool | dict[str, object]]:
    """The same."""
    return Resource(contents={**_nothing(uri)}, specification=DRAFT4)  # type: ignore[call-arg]
