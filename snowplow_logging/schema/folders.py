"""Schemas on disk: files laid out as a static registry, ``VENDOR/NAME/jsonschema/VERSION``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from snowplow_logging.schema.evolution import Version, parse_version
from snowplow_logging.schema.positions import SourceError, read
from snowplow_logging.schema.walk import is_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from snowplow_logging.schema.positions import Document
    from snowplow_logging.schema.walk import Schema

FORMAT = "jsonschema"
LAYOUT = f"VENDOR/NAME/{FORMAT}/VERSION"
OWN = "to publish"
STANDARD = "in any pipeline"


@dataclass(frozen=True)
class Shipped:
    """A schema in a folder that is known to be one.

    Attributes:
        path: ``VENDOR/NAME/jsonschema/VERSION``.
        text: The file's text.
        source: Where it comes from, in words.
    """

    path: str
    text: str
    source: str

    @property
    def uri(self) -> str:
        """The Iglu URI."""
        return f"iglu:{self.path}"

    @property
    def name(self) -> str:
        """The name of the event or the entity."""
        return self.path.split("/")[1]

    @property
    def description(self) -> str:
        """What it says of itself, in one line."""
        try:
            value = read(self.text).value
        except SourceError as error:
            return f"({error})"
        text = value.get("description") if is_schema(value) else None
        return " ".join(text.split()) if isinstance(text, str) else ""


def shipped() -> list[Shipped]:
    """The schemas of the package, and those of a stock pipeline that it uses."""
    package = Path(str(resources.files("snowplow_logging")))
    places = (package / "schemas", OWN), (package / "collector" / "standard", STANDARD)
    return [schema for folder, source in places for schema in _read_all(folder, source)]


def in_folder(folder: Path) -> list[Shipped]:
    """The schemas in a folder, or below its folder ``schemas``.

    Raises:
        ValueError: There is no such folder, or no schema in it.
    """
    found = _read_all(folder, str(folder)) + _read_all(folder / "schemas", str(folder))
    if not found:
        raise nothing_in(folder)
    return found


def files_below(folder: Path) -> list[Path]:
    """All files that are meant to be schemas: named like a version, or in a ``jsonschema``.

    Raises:
        ValueError: There is no such folder, or no schema in it.
        OSError: A folder in it cannot be read.
    """
    found = sorted(path for path in _walk(folder) if is_laid_out(path)) if folder.is_dir() else []
    if not found:
        raise nothing_in(folder)
    return found


def is_laid_out(path: Path) -> bool:
    """Whether a path claims to be in the layout of a static registry."""
    return parse_version(path.name) is not None or path.parent.resolve().name == FORMAT


def version_of(path: str) -> Version:
    """The version that ends a path in the layout."""
    return parse_version(path.rpartition("/")[2]) or (0, 0, 0)


def nothing_in(folder: Path) -> ValueError:
    """The error that ``folder`` holds no schema."""
    if not folder.is_dir():
        return ValueError(f"there is no folder {folder}")
    return ValueError(f"{folder} holds no schema; expected files such as {LAYOUT}")


def versions_beside(path: Path) -> dict[Version, Path]:
    """The files in the folder of ``path`` that are named like a version."""
    named = {parse_version(file.name): file for file in path.parent.iterdir() if file.is_file()}
    return {version: file for version, file in named.items() if version is not None}


def load(path: Path) -> Document:
    """Reads a file.

    Raises:
        SourceError: It is not JSON in UTF-8.
        OSError: It cannot be read.
    """
    content = path.read_bytes()
    try:
        return read(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"expected UTF-8: {error.reason}"
        raise SourceError(message, line) from None


def load_schema(path: Path) -> Schema | None:
    """Reads a file that another is held against; None where it is no JSON object."""
    try:
        value = load(path).value
    except (SourceError, OSError):
        return None
    return value if is_schema(value) else None


def write_new(folder: Path, texts: Mapping[str, str]) -> list[tuple[Path, bool]]:
    """Writes schemas below ``folder/schemas``; all or, where one is there already, none.

    Args:
        folder: The root of the registry; it is made.
        texts: Texts by their paths in the layout.

    Returns:
        Each file, and whether it is new: one with the same text may stay as it is.

    Raises:
        ValueError: A file is there with another text, or a path would leave the folder.
    """
    outside = [path for path in texts if {".", ".."} & set(path.split("/"))]
    if outside:
        message = f"no folder of a registry can have the name of this vendor: {outside[0]}"
        raise ValueError(message)
    paths = {folder / "schemas" / path: text.encode() for path, text in texts.items()}
    others = [file for file, text in paths.items() if _differs(file, text)]
    if others:
        message = f"there already, with other contents, so nothing was written: {_list(others)}"
        raise ValueError(message)
    written: list[tuple[Path, bool]] = []
    for file, text in paths.items():
        is_new = not file.exists()
        if is_new:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as opened:  # never over what somebody else wrote meanwhile
                _ = opened.write(text)
        written.append((file, is_new))
    return written


def _differs(file: Path, text: bytes) -> bool:
    return os.path.lexists(file) and (not file.is_file() or file.read_bytes() != text)


def _list(files: Iterable[Path]) -> str:
    return ", ".join(map(str, files))


def _read_all(folder: Path, source: str) -> list[Shipped]:
    found = sorted(folder.glob(f"*/*/{FORMAT}/*"))
    return [
        Shipped(file.relative_to(folder).as_posix(), file.read_text("utf-8", "replace"), source)
        for file in found
        if file.is_file() and parse_version(file.name)
    ]


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (Path(root, name) for name in names if not name.startswith("."))
        # To read a pipe or a device may never end; a link to nothing is told of when it is read.
        yield from (file for file in files if file.is_file() or not file.exists())


def _raise(error: OSError) -> None:
    raise error
