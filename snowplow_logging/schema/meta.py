"""The self-describing meta-schema, and the path: is this file the schema that it claims to be?"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, cast

from jsonschema import Draft4Validator, exceptions

from snowplow_logging.collector.reports import describe
from snowplow_logging.collector.schema import META_SCHEMA
from snowplow_logging.collector.strict_json import shorten
from snowplow_logging.schema.findings import Flaw, path_of
from snowplow_logging.schema.rules import TYPES
from snowplow_logging.schema.walk import is_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jsonschema import ValidationError

    from snowplow_logging.collector.strict_json import Json

PATH = "com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0"


def flaws(document: Json) -> Iterator[Flaw]:
    """Gives what the meta-schema has against a document."""
    errors: Iterator[ValidationError] = _validator().iter_errors(document)  # pyright: ignore[reportUnknownMemberType]
    for found in errors:
        error = _innermost(found)
        pointer = tuple(error.absolute_path)
        message = describe(error).message
        if pointer and pointer[-1] == "type":
            named = ", ".join(sorted(TYPES))
            message = f"expected one or several of {named}; got {shorten(error.instance)}"
        yield Flaw("meta-schema", pointer, f"{path_of(pointer)}: {message}")
    uri = document.get("$schema") if is_schema(document) else META_SCHEMA
    if uri != META_SCHEMA:
        got = "nothing" if uri is None else shorten(uri, 120)
        yield Flaw("schema-uri", ("$schema",), f"$schema: expected {META_SCHEMA}, got {got}")


def path_flaws(document: Json, path: Path) -> Iterator[Flaw]:
    """Gives where ``self`` disagrees with the last four parts of the file's path."""
    own = document.get("self") if is_schema(document) else None
    if not is_schema(own):
        return
    parts = path.resolve().parts[-4:]
    names = ("vendor", "name", "format", "version")[-len(parts) :]
    for name, part in zip(names, parts, strict=True):
        if name in own and own[name] != part:
            message = f"self.{name}: expected {shorten(part)}, as the path says"
            yield Flaw("path", ("self", name), f"{message}; got {shorten(own[name])}")


def _innermost(error: ValidationError) -> ValidationError:
    """Of the alternatives in an error the one that comes closest."""
    best_match = cast(  # what jsonschema says of it is only in part a type
        "Callable[[list[ValidationError]], ValidationError]",
        exceptions.best_match,  # pyright: ignore[reportUnknownMemberType]
    )
    return best_match([error])


@cache
def _validator() -> Draft4Validator:
    text = (resources.files(__package__ or "") / PATH).read_text(encoding="utf-8")
    return Draft4Validator(json.loads(text))
