"""A validator's finding → a report that names path, expectation and value, each short."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from snowplow_logging.collector.problems import Report
from snowplow_logging.collector.strict_json import encode, shorten

if TYPE_CHECKING:
    from jsonschema import SchemaError, ValidationError

    Finding = ValidationError | SchemaError

    from snowplow_logging.collector.strict_json import Json

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
    targets = _targets(error)
    return Report(_path(error), keyword, _message(keyword, error), targets)


def _path(error: Finding) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return f"${''.join(steps)}"


def _targets(error: Finding) -> tuple[str, ...]:
    argument = cast("Json", error.validator_value)
    if isinstance(argument, list):
        return tuple(item if isinstance(item, str) else encode(item) for item in argument)
    return (argument,) if isinstance(argument, str) else (shorten(argument),)


def _message(keyword: str, error: Finding) -> str:
    instance = cast("Json", error.instance)
    if isinstance(instance, dict) and keyword == "required":
        missing = [name for name in _targets(error) if name not in instance]
        return f"expected the properties {', '.join(missing)}, which are missing"
    if isinstance(instance, dict) and keyword == "additionalProperties":
        known = _properties(error)
        unknown = ", ".join(shorten(name) for name in instance if name not in known)
        return f"expected no properties but {', '.join(known)}; got {unknown}"
    argument = cast("Json", error.validator_value)
    template = _EXPECTATIONS.get(keyword, f"expected {keyword} {{}}")
    return f"{template.format(_argument(argument))}, got {_got(error)}"


def _argument(value: Json) -> str:
    if isinstance(value, list):
        return " or ".join(item if isinstance(item, str) else encode(item) for item in value)
    return value if isinstance(value, str) else shorten(value)


def _properties(error: Finding) -> dict[str, Json]:
    schema = cast("Json", error.schema)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else {}


def _got(error: Finding) -> str:
    instance = cast("Json", error.instance)
    if isinstance(instance, str) and error.validator in {"maxLength", "minLength"}:
        return f"{len(instance)}: {shorten(instance)}"
    return shorten(instance)
