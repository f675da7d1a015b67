"""A validator's finding → a report that names path, expectation and value, each short."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from snowplow_logging.collector.problems import Report, pointer
from snowplow_logging.collector.strict_json import encode, shorten

if TYPE_CHECKING:
    from jsonschema import SchemaError, ValidationError

    Finding = ValidationError | SchemaError

    from snowplow_logging.collector.strict_json import Json

MAX_NAMES = 10  # of properties that a message lists

# keyword → what it asks for, with {} for its argument
_EXPECTATIONS = {
    "type": "expected {}",
    "enum": "expected one of {}",
    "maxLength": "expected at most {} characters",
    "minLength": "expected at least {} characters",
    "maximum": "expected at most {}",
    "minimum": "expected at least {}",
    "maxItems": "expected at most {} items",
    "minItems": "expected at least {} items",
    "maxProperties": "expected at most {} properties",
    "minProperties": "expected at least {} properties",
    "pattern": "expected text with the pattern {}",
    "format": "expected the format {}",
    "multipleOf": "expected a multiple of {}",
    "uniqueItems": "expected items that differ",
}


def describe(error: Finding) -> Report:
    """The report of a finding of ``jsonschema``."""
    keyword = str(error.validator)
    expected, got, size = _expected_and_got(keyword, error)
    place = pointer([*error.absolute_path, *_unknown(error)[:1]])
    return Report(_path(error), keyword, expected, got, _targets(error), size, place)


def _path(error: Finding) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return f"${''.join(steps)}"


def _targets(error: Finding) -> tuple[str, ...]:
    argument = cast("Json", error.validator_value)
    if isinstance(argument, list):
        return tuple(item if isinstance(item, str) else encode(item) for item in argument)
    return (argument,) if isinstance(argument, str) else (shorten(argument),)


def _expected_and_got(keyword: str, error: Finding) -> tuple[str, str | None, int | None]:
    """What was expected, the value that came, and its length where that was wrong."""
    instance = cast("Json", error.instance)
    if isinstance(instance, dict) and keyword == "required":
        missing = [name for name in _targets(error) if name not in instance]
        return f"expected the properties {', '.join(missing)}, which are missing", None, None
    if isinstance(instance, dict) and keyword == "additionalProperties":
        unknown = ", ".join(map(shorten, _unknown(error)))
        return f"expected no properties but {_listed([*_properties(error)])}", unknown, None
    argument = cast("Json", error.validator_value)
    template = _EXPECTATIONS.get(keyword, f"expected {keyword} {{}}")
    counts = isinstance(instance, str) and keyword in {"maxLength", "minLength"}
    size = len(cast("str", instance)) if counts else None
    return template.format(_argument(argument)), shorten(instance), size


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= MAX_NAMES else [*names[:MAX_NAMES], f"… ({len(names)} in all)"]
    return ", ".join(shown)


def _argument(value: Json) -> str:
    if isinstance(value, list):
        return " or ".join(item if isinstance(item, str) else encode(item) for item in value)
    return value if isinstance(value, str) else shorten(value)


def _properties(error: Finding) -> dict[str, Json]:
    schema = cast("Json", error.schema)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else {}


def _unknown(error: Finding) -> list[str]:
    """The properties that should not be there, where that is what is wrong."""
    instance = cast("Json", error.instance)
    if error.validator != "additionalProperties" or not isinstance(instance, dict):
        return []
    known = _properties(error)
    patterns = cast("dict[str, Json]", error.schema).get("patternProperties")
    others = list(patterns) if isinstance(patterns, dict) else []
    return [
        name
        for name in instance
        if name not in known and not any(re.search(pattern, name) for pattern in others)
    ]
