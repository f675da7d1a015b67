"""Tests of the schemas that the package ships."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest

from snowplow_logging._options import LOG_RECORD as DEFAULT
from snowplow_logging.formatter import (
    MAX_ATTRIBUTES,
    MAX_EXCEPTION_MESSAGE,
    MAX_FILE,
    MAX_INT,
    MAX_MESSAGE,
    MAX_NAME,
    MAX_STACK_INFO,
    MAX_STACK_TRACE,
    MAX_THREAD_ID,
)
from tests.iglu_central import (
    LOG_RECORD,
    META_SCHEMA,
    OWN_FOLDER,
    needs_iglu_central,
    problems,
    schema,
)

OWN = sorted(
    f"iglu:{path.relative_to(OWN_FOLDER).as_posix()}"
    for path in OWN_FOLDER.rglob("*")
    if path.is_file()
)
PROPERTIES: dict[str, dict[str, Any]] = schema(LOG_RECORD)["properties"]


def types(of: dict[str, Any]) -> set[str]:
    """Returns the types that a property takes."""
    return {of["type"]} if isinstance(of["type"], str) else set(of["type"])


def test_the_default_schema_is_shipped() -> None:
    """The schema of plain records is in the package, where a static registry has it."""
    path = DEFAULT.removeprefix("iglu:")

    assert LOG_RECORD == DEFAULT
    assert LOG_RECORD in OWN
    assert (files("snowplow_logging") / "schemas" / path).is_file()


@needs_iglu_central
@pytest.mark.parametrize("uri", OWN)
def test_self_describing(uri: str) -> None:
    """Each schema is valid against the meta-schema, and says of itself what its path says."""
    own = schema(uri)
    vendor, name, format_, version = uri.removeprefix("iglu:").split("/")

    assert problems(META_SCHEMA, own) == []
    assert own["self"] == {"vendor": vendor, "name": name, "format": format_, "version": version}
    assert own["$schema"] == schema(META_SCHEMA)["$schema"]
    assert own["description"]


def test_a_flat_closed_object() -> None:
    """A log record is one object of known fields, all of which are plain values."""
    own = schema(LOG_RECORD)

    assert own["type"] == "object"
    assert own["additionalProperties"] is False
    assert own["required"] == ["message"]
    assert set(own["required"]) <= PROPERTIES.keys()
    assert set(own) == {
        "$schema", "description", "self", "type", "properties", "required", "additionalProperties"
    }  # fmt: skip


@pytest.mark.parametrize("name", PROPERTIES)
def test_fields_are_warehouse_friendly(name: str) -> None:
    """A field has a snake_case name, a description, one type with null, and bounds."""
    field = PROPERTIES[name]
    required = name in schema(LOG_RECORD)["required"]

    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
    assert field["description"]
    assert ("null" in types(field)) is not required
    (kind,) = types(field) - {"null"}
    bounds = {"string": {"maxLength"}, "integer": {"minimum", "maximum"}}[kind]
    assert field.keys() == {"type", "description"} | bounds


def test_bounds_are_those_of_the_code() -> None:
    """The formatter keeps the very bounds that the schema states."""
    lengths = {
        name: field["maxLength"] for name, field in PROPERTIES.items() if "maxLength" in field
    }
    names = dict.fromkeys(
        ("level", "logger", "function", "process_name", "thread_name", "task_name"), MAX_NAME
    )

    assert lengths == names | {
        "message": MAX_MESSAGE,
        "file": MAX_FILE,
        "exception_type": MAX_NAME,
        "exception_message": MAX_EXCEPTION_MESSAGE,
        "stack_trace": MAX_STACK_TRACE,
        "stack_info": MAX_STACK_INFO,
        "attributes": MAX_ATTRIBUTES,
        "trace_id": 32,
        "span_id": 16,
    }
    for name in ("line", "process_id"):
        assert (PROPERTIES[name]["minimum"], PROPERTIES[name]["maximum"]) == (0, MAX_INT)
    assert PROPERTIES["thread_id"]["maximum"] == MAX_THREAD_ID
    assert PROPERTIES["level_number"]["minimum"] == -MAX_INT
