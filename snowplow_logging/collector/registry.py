"""The schemas that events are held against: read and checked once, at the start.

Law: after construction nothing touches the disk, and no schema is there that cannot be used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry as References
from referencing import Resource
from referencing.jsonschema import DRAFT4

from snowplow_logging.collector.formats import FORMATS
from snowplow_logging.collector.reports import describe
from snowplow_logging.collector.strict_json import parse, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.abc import Traversable

    from snowplow_logging.collector.problems import Report
    from snowplow_logging.collector.strict_json import Json

META_SCHEMA = (
    "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
)
LAYOUT = "VENDOR/NAME/jsonschema/VERSION"
MAX_REPORTS = 20  # of one event; the rest would only repeat

_VERSION = re.compile(r"[0-9]+-[0-9]+-[0-9]+")


@dataclass(frozen=True)
class Schema:
    """A self-describing schema, ready to hold data against.

    Attributes:
        uri: ``iglu:VENDOR/NAME/jsonschema/VERSION``.
        document: The schema itself.
    """

    uri: str
    document: dict[str, Json]

    @cached_property
    def _validator(self) -> Draft4Validator:
        return Draft4Validator(
            self.document,
            format_checker=FORMATS,
            registry=References(retrieve=_anything),  # type: ignore[call-arg]
        )

    def reports(self, data: Json) -> list[Report]:
        """What ``data`` has against it: nothing, or one report for each place."""
        errors = self._validator.iter_errors(data)  # pyright: ignore[reportUnknownMemberType]
        found = islice(errors, MAX_REPORTS)
        # Several missing properties are found one by one, but reported together.
        return list(dict.fromkeys(describe(error) for error in found))


class Registry:
    """The schemas of the package, of a stock pipeline, and of the user's folders.

    Args:
        folders: In static registry layout, ``DIR/VENDOR/NAME/jsonschema/VERSION`` or the
            same below ``DIR/schemas``. A later folder wins over an earlier one.

    Raises:
        ValueError: A folder does not exist or holds no schema, or a schema in it is broken.
    """

    def __init__(self, folders: Iterable[str | Path] = ()) -> None:
        """Reads all schemas."""
        self._schemas: dict[str, Schema] = {}
        self.places = ["the schemas of snowplow_logging", "the standard schemas of a pipeline"]
        self._add(resources.files("snowplow_logging") / "collector" / "standard")
        self._add(resources.files("snowplow_logging") / "schemas")
        for folder in folders:
            self._add_folder(Path(folder))

    def __len__(self) -> int:
        """The number of schemas."""
        return len(self._schemas)

    def __repr__(self) -> str:
        """Shows how many schemas there are, and where they come from."""
        return f"<Registry {len(self)} schemas, {', '.join(self.places)}>"

    def find(self, uri: str) -> Schema | None:
        """The schema with this URI, if there is one."""
        return self._schemas.get(uri)

    def _add_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            message = f"schemas: there is no folder {folder}"
            raise ValueError(message)
        if not self._add(folder) + self._add(folder / "schemas"):
            message = f"schemas: {folder} holds no schema; expected files such as {LAYOUT}"
            raise ValueError(message)
        self.places.append(str(folder))

    def _add(self, root: Traversable) -> int:
        count = 0
        for path, file in _files(root):
            self._schemas[f"iglu:{path}"] = _load(path, file)
            count += 1
        return count


def _files(root: Traversable) -> Iterator[tuple[str, Traversable]]:
    for vendor in _folders(root):
        for name in _folders(vendor):
            for version in _children(name / "jsonschema"):
                if _VERSION.fullmatch(version.name):
                    yield f"{vendor.name}/{name.name}/jsonschema/{version.name}", version


def _folders(root: Traversable) -> list[Traversable]:
    return [child for child in _children(root) if child.is_dir()]


def _children(root: Traversable) -> list[Traversable]:
    return sorted(root.iterdir(), key=lambda child: child.name) if root.is_dir() else []


def _load(path: str, file: Traversable) -> Schema:
    try:
        document = parse(file.read_text(encoding="utf-8"))
        schema = _identified(document, path)
        Draft4Validator.check_schema(schema)
        _check_patterns(schema)
    except (ValueError, SchemaError, RecursionError) as error:
        reason = describe(error).text if isinstance(error, SchemaError) else error
        message = f"schemas: {file}: {reason}"
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


def _anything(uri: str) -> Resource[bool | dict[str, object]]:
    """A schema elsewhere is not fetched: a pipeline takes any data in its place."""
    del uri
    return Resource(contents={}, specification=DRAFT4)  # type: ignore[call-arg]
