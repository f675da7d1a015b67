"""What makes a schema contradict itself, or its data hard to load: one function for each rule.

Law: a rule looks at one place of a schema and gives the flaws there; it never fails, and says
nothing of what the meta-schema says already.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from snowplow_logging.collector.strict_json import shorten
from snowplow_logging.schema.findings import Flaw, path_of
from snowplow_logging.schema.walk import (
    MAX_LENGTH,
    is_schema,
    number,
    properties,
    required,
    types,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.collector.strict_json import Json
    from snowplow_logging.schema.walk import Place, Schema

# keyword → the types of data that it says something about
KEYWORDS_OF = {
    **dict.fromkeys(("maxLength", "minLength", "pattern", "format"), ("string",)),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        ("integer", "number"),
    ),
    **dict.fromkeys(
        ("items", "additionalItems", "minItems", "maxItems", "uniqueItems"), ("array",)
    ),
    **dict.fromkeys(
        (
            "properties", "patternProperties", "additionalProperties", "required",
            "minProperties", "maxProperties", "dependencies",
        ),
        ("object",),
    ),
}  # fmt: skip
KEYWORDS = {
    *KEYWORDS_OF, "type", "enum", "allOf", "anyOf", "oneOf", "not", "description", "title",
    "default", "definitions", "id", "$ref", "$schema", "self", "$supersedes", "$supersededBy",
    "$comment",
}  # fmt: skip
TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
FORMATS = ("date-time", "date", "email", "hostname", "ipv4", "ipv6", "uri", "uuid")
SHORT_FORMATS = ("date-time", "date", "ipv4", "ipv6", "uuid")
"""Formats whose texts cannot be long, so that they need no ``maxLength``."""
UNTYPED = ("allOf", "anyOf", "oneOf", "not", "patternProperties", "dependencies", "$ref")
"""Keywords for which a warehouse has no type of column."""

_RANGES = (("minLength", "maxLength"), ("minItems", "maxItems"), ("minimum", "maximum"),
           ("minProperties", "maxProperties"))  # fmt: skip
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_INT64 = 2**63


def flaws(schema: Schema) -> Iterator[Flaw]:
    """Gives all flaws of a schema."""
    for place in walk(schema):
        for rule in (*_CONTRADICTIONS, *(_HABITS if place.role != "branch" else ())):
            yield from rule(place)


def _warning(rule: str, place: Place, message: str, *steps: str | int) -> Flaw:
    return Flaw(rule, (*place.pointer, *steps), f"{path_of(place.pointer)}: {message}", "warning")


def _error(rule: str, place: Place, message: str, *steps: str | int) -> Flaw:
    return Flaw(rule, (*place.pointer, *steps), f"{path_of(place.pointer)}: {message}")


def _unknown_keyword(place: Place) -> Iterator[Flaw]:
    for keyword in place.schema:
        if keyword not in KEYWORDS:
            message = f"{shorten(keyword)} is no keyword of draft-04, and says nothing there"
            yield _warning("unknown-keyword", place, message, keyword)


def _misplaced(place: Place) -> Iterator[Flaw]:
    named = types(place.schema)
    is_known = bool(named) and TYPES.issuperset(named)
    for keyword in place.schema if is_known else ():
        fitting = KEYWORDS_OF.get(keyword)
        if fitting and not set(fitting) & set(named):
            message = f"{keyword} says nothing about {' or '.join(named)}"
            yield _error("misplaced", place, message, keyword)


def _bounds(place: Place) -> Iterator[Flaw]:
    for least, most in _RANGES:
        low, high = number(place.schema, least), number(place.schema, most)
        if low is not None and high is not None and low > high:
            message = f"{least} {low} is over {most} {high}, so no value fits"
            yield _error("bounds", place, message, least)


def _required(place: Place) -> Iterator[Flaw]:
    if place.schema.get("additionalProperties") is False and not is_schema(
        place.schema.get("patternProperties")
    ):
        for index, name in enumerate(required(place.schema)):
            if name not in properties(place.schema):
                message = f"required names {shorten(name)}, which is no property"
                yield _error("required", place, message, "required", index)


def _enum(place: Place) -> Iterator[Flaw]:
    enum, named = place.schema.get("enum"), types(place.schema)
    most = number(place.schema, "maxLength")
    for index, value in enumerate(enum if isinstance(enum, list) else ()):
        if named and not any(_is_a(value, name) for name in named):
            message = f"the value {shorten(value)} is no {' or '.join(named)}"
            yield _error("enum", place, message, "enum", index)
        elif isinstance(value, str) and most is not None and len(value) > most:
            message = f"the value {shorten(value)} is longer than maxLength {most}"
            yield _error("enum", place, message, "enum", index)
    if isinstance(enum, list) and "null" in named and None not in enum:
        yield _error("enum", place, "the type takes null, but enum does not list it", "enum")


def _pattern(place: Place) -> Iterator[Flaw]:
    pattern = place.schema.get("pattern")
    if isinstance(pattern, str):
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            message = f"pattern {shorten(pattern)} is no regular expression: {error}"
            yield _error("pattern", place, message, "pattern")


def _format(place: Place) -> Iterator[Flaw]:
    named = place.schema.get("format")
    if isinstance(named, str) and named not in FORMATS:
        message = f"expected one of the formats {', '.join(FORMATS)}; got {shorten(named)}"
        yield _warning("format", place, message, "format")


def _root_object(place: Place) -> Iterator[Flaw]:
    if place.role == "root" and types(place.schema) != ["object"]:
        yield _error("root-object", place, "data are an object: expected type object", "type")


def _type(place: Place) -> Iterator[Flaw]:
    for keyword in UNTYPED:
        if keyword in place.schema:
            message = (
                f"{keyword} has no column of its own type: a warehouse stores such data as JSON"
            )
            yield _warning("composition", place, message, keyword)
    kinds = set(types(place.schema)) - {"null"}
    if not kinds and place.role != "root" and not set(UNTYPED) & place.schema.keys():
        yield _warning("type", place, "expected a type, such as string", "type")
    elif len(kinds) > 1 and kinds != {"integer", "number"}:
        message = f"expected one type besides null, got {' and '.join(sorted(kinds))}"
        yield _warning("type", place, message, "type")


def _string_length(place: Place) -> Iterator[Flaw]:
    schema = place.schema
    most = number(schema, "maxLength")
    if most is not None and most > MAX_LENGTH:
        message = f"maxLength {most} is over {MAX_LENGTH}, which Redshift's columns take"
        yield _warning("string-length", place, message, "maxLength")
    bounded = "enum" in schema or "maxLength" in schema or schema.get("format") in SHORT_FORMATS
    if "string" in types(schema) and not bounded:
        yield _warning("string-length", place, "a string needs maxLength")


def _number_range(place: Place) -> Iterator[Flaw]:
    schema, named = place.schema, types(place.schema)
    missing = [word for word in ("minimum", "maximum") if word not in schema]
    if {"integer", "number"} & set(named) and missing and "enum" not in schema:
        kind = "an integer" if "integer" in named else "a number"
        yield _warning("number-range", place, f"{kind} needs {' and '.join(missing)}")
    for word in ("minimum", "maximum") if "integer" in named else ():
        limit = number(schema, word)
        if limit is not None and not -_INT64 <= limit < _INT64:
            message = f"{word} {shorten(schema[word], 24)} does not fit an integer of 64 bits"
            yield _warning("number-range", place, message, word)


def _array(place: Place) -> Iterator[Flaw]:
    if "array" in types(place.schema):
        if not is_schema(place.schema.get("items")):
            yield _warning("free-form", place, "an array needs items, one schema for all of them")
        if "maxItems" not in place.schema:
            yield _warning("array-length", place, "an array needs maxItems")


def _object(place: Place) -> Iterator[Flaw]:
    schema = place.schema
    if "object" not in types(schema):
        return
    if not properties(schema):
        yield _warning("free-form", place, "an object needs properties: name what may be in it")
    elif schema.get("additionalProperties") is not False:
        message = "expected additionalProperties false: what is not named here has no column"
        yield _warning("additional-properties", place, message, "additionalProperties")


def _description(place: Place) -> Iterator[Flaw]:
    text = place.schema.get("description")
    if place.role != "item" and not (isinstance(text, str) and text.strip()):
        yield _warning("description", place, "expected a description", "description")


def _optional_null(place: Place) -> Iterator[Flaw]:
    named = types(place.schema)
    if place.role == "property" and not place.required and named and "null" not in named:
        message = f'it is optional, so its type takes null, too: ["{named[0]}", "null"]'
        yield _warning("optional-null", place, message, "type")


def _names(place: Place) -> Iterator[Flaw]:
    columns: dict[str, str] = {}
    for name in properties(place.schema):
        pointer, column = (*place.pointer, "properties", name), _column(name)
        if not _SNAKE_CASE.fullmatch(name):
            message = f"expected a name in snake_case such as {column}"
            path = path_of(pointer)
            yield Flaw("name", pointer, f"{path}: {message}", "warning", on_key=True)
        other = columns.setdefault(column, name)
        if other != name:
            message = f"{path_of(pointer)}: it has the same column, {column}, as {other}"
            yield Flaw("name", pointer, message, on_key=True)


def _column(name: str) -> str:
    words = _HUMP.sub("_", name).strip("_").lower()
    return re.sub(r"[^a-z0-9_]", "", words) or "some_name"


def _is_a(value: Json, name: str) -> bool:
    if isinstance(value, bool) or value is None:
        return name == ("null" if value is None else "boolean")
    if isinstance(value, float):
        return name == "number"
    kinds = {int: ("integer", "number"), str: ("string",), list: ("array",), dict: ("object",)}
    return name in kinds[type(value)]


_CONTRADICTIONS = (
    _unknown_keyword, _misplaced, _bounds, _required, _enum, _pattern, _format, _root_object,
)  # fmt: skip
_HABITS = (
    _type, _string_length, _number_range, _array, _object, _description, _optional_null, _names,
)  # fmt: skip
