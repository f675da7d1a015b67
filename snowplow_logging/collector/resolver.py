"""The configuration file of an Iglu resolver, ``resolver-config/1-0-x``, as Micro takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from snowplow_logging.collector.repositories import Folder, HttpRepository
from snowplow_logging.collector.schema import Schema
from snowplow_logging.collector.strict_json import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snowplow_logging.collector.repositories import Repository

NAME = "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-"
BUNDLED = "/iglu-client-embedded"  # where Iglu's clients carry the schemas of every pipeline
DEFAULT_SIZE = 500  # schemas
DEFAULT_TTL = 600.0  # seconds

_TEXT = {"type": "string", "minLength": 1}
_CONNECTION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "http": {
            "type": "object",
            "properties": {"uri": _TEXT, "apikey": {"type": ["string", "null"]}},
            "required": ["uri"],
            "additionalProperties": False,
        },
        "embedded": {
            "type": "object",
            "properties": {"path": _TEXT},
            "required": ["path"],
            "additionalProperties": False,
        },
    },
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
_REPOSITORY = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "priority": {"type": "integer"},
        "vendorPrefixes": {"type": "array", "items": {"type": "string"}},
        "connection": _CONNECTION,
    },
    "required": ["name", "priority", "connection"],
    "additionalProperties": False,
}
_FILE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "schema": {"type": "string", "pattern": f"^{NAME}[0-9]+$"},
        "data": {
            "type": "object",
            "properties": {
                "cacheSize": {"type": "integer", "minimum": 0},
                "cacheTtl": {"type": ["integer", "null"], "minimum": 0},
                "repositories": {"type": "array", "items": _REPOSITORY},
            },
            "required": ["cacheSize", "repositories"],
        },
    },
    "required": ["schema", "data"],
}


@dataclass(frozen=True)
class Source:
    """A repository, and when it is its turn.

    Attributes:
        repository: It.
        priority: The lower, the earlier.
        prefixes: Of the vendors whose schemas it is asked for first.
    """

    repository: Repository
    priority: int = 0
    prefixes: tuple[str, ...] = ()

    def names(self, vendor: str) -> bool:
        """Whether it is asked first for schemas of this vendor."""
        return any(vendor.startswith(prefix) for prefix in self.prefixes)


@dataclass(frozen=True)
class Resolver:
    """What the file says.

    Attributes:
        sources: Its repositories.
        cache_size: How many schemas of registries are remembered.
        cache_ttl: For how many seconds.
    """

    sources: list[Source]
    cache_size: int
    cache_ttl: float


def read_resolver(file: Path, bundled: Callable[[], list[Source]]) -> Resolver:
    """Reads the configuration of a resolver.

    Args:
        file: Its path. Paths in it are relative to the folder that it is in.
        bundled: Gives the schemas of every pipeline, which a resolver may name as embedded.

    Raises:
        ValueError: The file cannot be read, or is of another form.
    """
    try:
        document = parse(file.read_text(encoding="utf-8"))
        reports = Schema(f"{NAME}x", _FILE).reports(document)
        if reports:
            raise ValueError(reports[0].text)  # noqa: TRY301 - all has the file's name before it
        data = cast("dict[str, Any]", document)["data"]
        sources = [
            source
            for repository in data["repositories"]
            for source in _sources(repository, file.parent, bundled)
        ]
    except OSError as error:
        message = f"resolver: {file}: {error.strerror or error}"
        raise ValueError(message) from None
    except ValueError as error:
        message = f"resolver: {file}: {error}"
        raise ValueError(message) from None
    ttl = data.get("cacheTtl")
    return Resolver(sources, data["cacheSize"], DEFAULT_TTL if ttl is None else float(ttl))


def _sources(
    repository: dict[str, Any], folder: Path, bundled: Callable[[], list[Source]]
) -> list[Source]:
    priority = repository["priority"]
    prefixes = tuple(repository.get("vendorPrefixes", ()))
    connection = repository["connection"]
    if "http" in connection:
        http = connection["http"]
        remote = HttpRepository(http["uri"], repository["name"], api_key=http.get("apikey"))
        return [Source(remote, priority, prefixes)]
    path = connection["embedded"]["path"]
    root = folder / path
    if root.is_dir():
        return [Source(Folder(repository["name"], root, root / "schemas"), priority, prefixes)]
    if path == BUNDLED:
        return bundled()
    message = f"embedded: there is no folder {root}"
    raise ValueError(message)
