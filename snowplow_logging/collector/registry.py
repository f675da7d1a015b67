"""All schemas that events are held against, wherever they come from.

Law: what is on this machine is asked first. A remote repository is asked at most once in a while
for one schema, whatever it answers; meanwhile what it said is remembered.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from snowplow_logging.collector.repositories import (
    LAYOUT,
    Folder,
    HttpRepository,
    RepositoryError,
)
from snowplow_logging.collector.resolver import (
    DEFAULT_SIZE,
    DEFAULT_TTL,
    Resolver,
    Source,
    read_resolver,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snowplow_logging.collector.schema import Schema

API_KEY = "SNOWPLOW_LOGGING_IGLU_API_KEY"  # in the environment
MISSING_TTL = 5.0  # seconds after which a schema that was not found is looked for again

_PACKAGE = resources.files("snowplow_logging")


@dataclass(frozen=True)
class Searched:
    """A place where a schema was looked for, in vain.

    Attributes:
        name: Of the repository.
        error: Why it is not known whether it has the schema; None where it has it not.
    """

    name: str
    error: str | None = None

    @property
    def text(self) -> str:
        """Both, in words."""
        return self.name if self.error is None else f"{self.name} ({self.error})"


@dataclass(frozen=True)
class Found:
    """The outcome of a look-up.

    Attributes:
        schema: What was looked for; None, if it was not found.
        places: Where it was looked for in vain.
    """

    schema: Schema | None
    places: tuple[Searched, ...] = ()


class Registry:
    """The schemas of the user's folders and registries, of the package, and of a stock pipeline.

    Args:
        schemas: Folders in static registry layout, ``DIR/VENDOR/NAME/jsonschema/VERSION`` or the
            same below ``DIR/schemas``, and addresses of registries. A later one wins. The key for
            private schemas is the environment's ``SNOWPLOW_LOGGING_IGLU_API_KEY``.
        resolver: A file of the form ``resolver-config``, as Iglu's clients take it.
        missing_ttl: Seconds after which a schema that was not found is looked for again.

    Raises:
        ValueError: A folder does not exist or holds no schema, a schema in it is broken, an
            address is none, or the resolver's file cannot be used.
    """

    def __init__(
        self,
        schemas: Iterable[str | Path] = (),
        resolver: str | Path | None = None,
        missing_ttl: float = MISSING_TTL,
    ) -> None:
        """Reads all folders."""
        own = [_source(place) for place in schemas][::-1]
        configured = (
            read_resolver(Path(resolver), _bundled)
            if resolver
            else Resolver([], DEFAULT_SIZE, DEFAULT_TTL)
        )
        sources = [*own, *_bundled(), *configured.sources]
        self._local = [source for source in sources if not source.repository.is_remote]
        self._remote = [source for source in sources if source.repository.is_remote]
        self._lock = threading.Lock()  # guards the cache
        self._cache: OrderedDict[str, tuple[float, Found]] = OrderedDict()
        self._size, self._ttl = configured.cache_size, configured.cache_ttl
        self._missing_ttl = missing_ttl

    def __len__(self) -> int:
        """The number of schemas that are on this machine."""
        folders = (source.repository for source in self._local)
        return sum(len(folder) for folder in folders if isinstance(folder, Folder))

    def __repr__(self) -> str:
        """Shows how many schemas there are, and where they come from."""
        names = (source.repository.name for source in (*self._local, *self._remote))
        return f"<Registry {len(self)} schemas, {', '.join(names)}>"

    @property
    def is_remote(self) -> bool:
        """Whether a look-up may take a while."""
        return bool(self._remote)

    def find(self, uri: str) -> Schema | None:
        """The schema with this URI, if it can be found."""
        return self.look_up(uri).schema

    def look_up(self, uri: str) -> Found:
        """The schema with this URI, or where it was looked for."""
        path = uri.removeprefix("iglu:")
        here = _search(self._local, path)
        if here.schema or not self._remote:
            return here
        with self._lock:
            expires, found = self._cache.get(uri, (0.0, here))
        if expires > time.monotonic():
            return found
        found = _search(_in_order(self._remote, path), path)
        if found.schema is None:
            found = Found(None, here.places + found.places)
        self._remember(uri, found)
        return found

    def _remember(self, uri: str, found: Found) -> None:
        expires = time.monotonic() + (self._ttl if found.schema else self._missing_ttl)
        with self._lock:
            self._cache[uri] = expires, found
            self._cache.move_to_end(uri)
            while len(self._cache) > self._size:
                self._cache.popitem(last=False)


def _search(sources: Sequence[Source], path: str) -> Found:
    places: list[Searched] = []
    for source in sources:
        repository = source.repository
        try:
            schema = repository.find(path)
        except RepositoryError as error:
            places.append(Searched(repository.name, str(error)))
            continue
        if schema is not None:
            return Found(schema)
        places.append(Searched(repository.name))
    return Found(None, tuple(places))


def _in_order(sources: Sequence[Source], path: str) -> list[Source]:
    """First those that name the vendor; of these, and of the others, by their priority."""
    vendor = path.partition("/")[0]
    return sorted(sources, key=lambda source: (not source.names(vendor), source.priority))


def _source(place: str | Path) -> Source:
    text = str(place)
    try:
        if text.startswith(("http://", "https://")):
            return Source(HttpRepository(text, api_key=os.environ.get(API_KEY)))
        return Source(_folder(Path(place)))
    except ValueError as error:
        message = f"schemas: {error}"
        raise ValueError(message) from None


def _folder(path: Path) -> Folder:
    if not path.is_dir():
        message = f"there is no folder {path}"
        raise ValueError(message)
    folder = Folder(str(path), path, path / "schemas")
    if not len(folder):
        message = f"{path} holds no schema; expected files such as {LAYOUT}"
        raise ValueError(message)
    return folder


def _bundled() -> list[Source]:
    """What every pipeline has, and the schemas of this package."""
    standard = _PACKAGE / "collector" / "standard"
    return [
        Source(Folder("the schemas of snowplow_logging", _PACKAGE / "schemas")),
        Source(Folder("the standard schemas of a pipeline", standard)),
    ]
