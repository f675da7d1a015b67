"""What changed between two versions of a schema, and what SchemaVer calls such a change.

Law: a version is MODEL-REVISION-ADDITION. An addition leaves all data that exist valid; a
revision may make some of them invalid; a break gives a column another type, or none, so that
old and new data cannot stand in one table. The table is Snowplow's own, of its loaders:
https://docs.snowplow.io/docs/fundamentals/schemas/versioning
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging.collector.strict_json import shorten
from snowplow_logging.schema.findings import path_of
from snowplow_logging.schema.walk import is_schema, number, properties, required, takes_null, types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.schema.positions import Pointer
    from snowplow_logging.schema.walk import Schema

Version = tuple[int, int, int]

_VERSION = re.compile(r"([0-9]{1,9})-([0-9]{1,9})-([0-9]{1,9})")
_COLUMN_FORMATS = ("date", "date-time")
_INTEGER_BITS = (16, 32, 64)
_WORDS = ("title", "description", "$comment", "default", "self", "$schema", "id", "$supersedes",
          "$supersededBy")  # fmt: skip
_APART = {"type", "properties", "required", "items", *_WORDS}


class Kind(IntEnum):
    """Kinds of changes; each includes what is below it."""

    NONE = 0
    ADDITION = 1
    REVISION = 2
    BREAK = 3


class Change(NamedTuple):
    """One difference.

    Args:
        kind: What SchemaVer calls it.
        pointer: The place in the newer schema; where it is gone, what held it.
        message: What changed.
        in_redshift: Whether it breaks there alone (and in Databricks), and is a revision elsewhere.
    """

    kind: Kind
    pointer: Pointer
    message: str
    in_redshift: bool = False


def parse_version(text: object) -> Version | None:
    """The three numbers of a version, or None if it is none."""
    match = _VERSION.fullmatch(text) if isinstance(text, str) else None
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def said(old: Version, new: Version) -> Kind:
    """The kind of change that the step from one version to the next claims."""
    if new[0] != old[0]:
        return Kind.BREAK
    return Kind.REVISION if new[1] != old[1] else Kind.ADDITION


def follow(version: Version, kind: Kind) -> Version:
    """The next version after a change of this kind."""
    model, revision, addition = version
    if kind is Kind.BREAK:
        return model + 1, 0, 0
    return (model, revision + 1, 0) if kind is Kind.REVISION else (model, revision, addition + 1)


def write(version: Version) -> str:
    """The text of a version."""
    return "-".join(map(str, version))


def changes(old: Schema, new: Schema, pointer: Pointer = ()) -> Iterator[Change]:
    """Gives what changed from one schema to another.

    Args:
        old: The older schema.
        new: The newer one.
        pointer: The place of both.
    """
    before, after = set(types(old)) - {"null"}, set(types(new)) - {"null"}
    if before != after:
        message = f"{path_of(pointer)}: type changed from {_names(before)} to {_names(after)}"
        yield Change(Kind.BREAK, (*pointer, "type"), message)
        return  # whatever else changed, changed because of that
    yield from _properties(old, new, pointer)
    yield from _items(old, new, pointer)
    yield from _constraints(old, new, pointer)
    if any(old.get(word) != new.get(word) for word in _WORDS if word not in ("self", "$schema")):
        yield Change(Kind.ADDITION, pointer, f"{path_of(pointer)}: its wording changed")


def _properties(old: Schema, new: Schema, pointer: Pointer) -> Iterator[Change]:
    before, after = properties(old), properties(new)
    must_before, must_after = set(required(old)), set(required(new))
    inside = (*pointer, "properties")
    for name in before.keys() - after.keys():
        was, kind = ("required", Kind.BREAK) if name in must_before else ("optional", Kind.REVISION)
        yield Change(kind, inside, f"{path_of((*inside, name))}: the {was} property is gone")
    for name in after.keys() - before.keys():
        now, kind = ("required", Kind.BREAK) if name in must_after else ("optional", Kind.ADDITION)
        yield Change(kind, (*inside, name), f"{path_of((*inside, name))}: {now} property is new")
    for name in before.keys() & after.keys():
        place = (*inside, name)
        could = name not in must_before or takes_null(before[name])
        can = name not in must_after or takes_null(after[name])
        if could and not can:
            message = f"{path_of(place)}: it was optional and is required now"
            yield Change(Kind.BREAK, place, message)
        elif can and not could:
            message = f"{path_of(place)}: it was required and is optional now"
            yield Change(Kind.BREAK, place, message, in_redshift=True)
        elif takes_null(before[name]) != takes_null(after[name]):
            message = f"{path_of(place)}: whether it takes null changed"
            yield Change(Kind.REVISION, (*place, "type"), message)
        yield from changes(before[name], after[name], place)


def _items(old: Schema, new: Schema, pointer: Pointer) -> Iterator[Change]:
    before, after = old.get("items"), new.get("items")
    place = (*pointer, "items")
    if is_schema(before) and is_schema(after):
        if takes_null(before) != takes_null(after):
            message = f"{path_of(place)}: whether it takes null changed"
            yield Change(Kind.BREAK, place, message, in_redshift=True)
        yield from changes(before, after, place)
    elif before != after:
        yield Change(Kind.BREAK, place, f"{path_of(place)}: items of another kind")


def _constraints(old: Schema, new: Schema, pointer: Pointer) -> Iterator[Change]:
    for keyword in sorted((old.keys() | new.keys()) - _APART):
        before, after = old.get(keyword), new.get(keyword)
        if keyword in old and keyword in new and before == after:
            continue
        change = f"from {_shown(old, keyword)} to {_shown(new, keyword)}"
        message = f"{path_of(pointer)}: {keyword} changed {change}"
        place = (*pointer, keyword)
        if keyword == "format" and (before in _COLUMN_FORMATS or after in _COLUMN_FORMATS):
            yield Change(Kind.BREAK, place, message)
        elif keyword in {"minimum", "maximum"} and _bits(old) != _bits(new):
            yield Change(Kind.BREAK, place, message, in_redshift=True)
        else:
            yield Change(Kind.REVISION, place, message)


def _bits(schema: Schema) -> int | None:
    """The width of the column that Redshift and Databricks give an integer."""
    low, high = number(schema, "minimum"), number(schema, "maximum")
    if "integer" not in types(schema) or low is None or high is None:
        return None
    fits = (bits for bits in _INTEGER_BITS if -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1))
    return next(fits, 0)


def _names(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds)) or "nothing"


def _shown(schema: Schema, keyword: str) -> str:
    return shorten(schema[keyword], 40) if keyword in schema else "nothing"
