"""A JSON Schema → the subschemas in it, each with its place and its part.

Law: a walk never fails, whatever JSON it is given; what is no schema is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.collector.strict_json import Json
    from snowplow_logging.schema.positions import Pointer

Schema = dict[str, "Json"]
Role = Literal["root", "property", "item", "branch"]

BRANCHES = ("allOf", "anyOf", "oneOf")
SCALARS = {"string", "integer", "number", "boolean"}
MAX_LENGTH = 65_535
"""Bytes in the widest text column of Redshift, the narrowest there is."""


class Place(NamedTuple):
    """A schema within a schema.

    Args:
        pointer: What leads to it.
        schema: The schema itself.
        role: ``branch`` is one that others complete, such as a member of ``anyOf``.
        required: Whether it is a property that must be there.
    """

    pointer: Pointer
    schema: Schema
    role: Role = "root"
    required: bool = True


def walk(schema: Schema) -> Iterator[Place]:
    """Gives ``schema`` itself and all schemas in it."""
    waiting = [Place((), schema)]
    while waiting:
        place = waiting.pop()
        yield place
        waiting += [*_members(place), *_items(place), *_branches(place)]


def is_schema(value: object) -> TypeGuard[Schema]:
    """Whether a value is a JSON object, as a schema of draft-04 is."""
    return isinstance(value, dict)


def types(schema: Schema) -> list[str]:
    """The types that a schema names."""
    named = schema.get("type")
    listed = named if isinstance(named, list) else [named]
    return [name for name in listed if isinstance(name, str)]


def properties(schema: Schema) -> dict[str, Schema]:
    """The properties of an object by their names."""
    found = schema.get("properties")
    members = found if is_schema(found) else {}
    return {name: member for name, member in members.items() if is_schema(member)}


def required(schema: Schema) -> list[str]:
    """The names of the properties that must be there."""
    found = schema.get("required")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def number(schema: Schema, keyword: str) -> float | None:
    """The number that ``keyword`` states, if it states one."""
    value = schema.get(keyword)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def takes_null(schema: Schema) -> bool:
    """Whether null is among the types and, where values are listed, among those."""
    enum = schema.get("enum")
    named = types(schema)
    return (not named or "null" in named) and (not isinstance(enum, list) or None in enum)


def _members(place: Place) -> Iterator[Place]:
    here, schema = place.pointer, place.schema
    for name, member in properties(schema).items():
        must = name in required(schema)
        role: Role = "branch" if place.role == "branch" else "property"
        yield Place((*here, "properties", name), member, role, must)
    others = schema.get("additionalProperties")
    if is_schema(others):
        yield Place((*here, "additionalProperties"), others, "branch")


def _items(place: Place) -> Iterator[Place]:
    items = place.schema.get("items")
    role: Role = "branch" if place.role == "branch" else "item"
    if is_schema(items):
        yield Place((*place.pointer, "items"), items, role)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if is_schema(item):
            yield Place((*place.pointer, "items", index), item, role)


def _branches(place: Place) -> Iterator[Place]:
    for keyword in BRANCHES:
        members = place.schema.get(keyword)
        for index, member in enumerate(members if isinstance(members, list) else ()):
            if is_schema(member):
                yield Place((*place.pointer, keyword, index), member, "branch")
