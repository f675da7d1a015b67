"""Files → findings: JSON, the meta-schema, the path, the rules, and the versions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging.schema import evolution, meta, rules
from snowplow_logging.schema.evolution import Kind, follow, parse_version, said, write
from snowplow_logging.schema.findings import Finding, Flaw
from snowplow_logging.schema.folders import (
    files_below,
    is_laid_out,
    load,
    load_schema,
    versions_beside,
)
from snowplow_logging.schema.positions import SourceError
from snowplow_logging.schema.walk import is_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from snowplow_logging.schema.evolution import Change, Version
    from snowplow_logging.schema.walk import Schema

_KINDS = {Kind.ADDITION: "an addition", Kind.REVISION: "a revision", Kind.BREAK: "a break"}


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files to lint: those given, and the schemas below folders that are given.

    Raises:
        ValueError: A path does not exist, or a folder holds no schema.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            message = f"there is no file or folder {path}"
            raise ValueError(message)
        found |= dict.fromkeys(files_below(path) if path.is_dir() else [path])
    return list(found)


def lint(file: Path, published: Published | None = None) -> list[Finding]:
    """What is wrong with one file, in the order of its lines.

    Args:
        file: The schema. The other versions in its folder are what it is held against.
        published: What may not change any more.
    """
    try:
        document = load(file)
    except SourceError as error:
        return [Finding(str(file), error.line, "error", "syntax", str(error))]
    except OSError as error:
        return [Finding(str(file), 1, "error", "syntax", f"cannot be read: {error.strerror}")]
    found: list[Flaw] = [*meta.flaws(document.value)]
    if is_laid_out(file):
        found += meta.path_flaws(document.value, file)
    if is_schema(document.value):
        found += rules.flaws(document.value)
        found += _version_flaws(document.value, file, published or Published())
    findings = {
        Finding(
            str(file),
            document.line(flaw.pointer, key=flaw.on_key),
            flaw.severity,
            flaw.rule,
            flaw.message,
        )
        for flaw in found
    }
    return sorted(findings)


class Published:
    """The schemas that are out in the world, by vendor and name and by version.

    Args:
        folder: A copy of the registry; without one nothing is known to be published.

    Raises:
        ValueError: There is no such folder, or no schema in it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._schemas: dict[tuple[object, object], dict[Version, Schema]] = {}
        for file in files_below(folder) if folder else ():
            schema = load_schema(file)
            if schema is not None:
                self._add(schema)

    def versions(self, schema: Schema) -> dict[Version, Schema]:
        """The published versions of ``schema``."""
        return self._schemas.get(_identity(schema)[:2], {})

    def _add(self, schema: Schema) -> None:
        vendor, name, version = _identity(schema)
        if version is not None:
            self._schemas.setdefault((vendor, name), {})[version] = schema


def _identity(schema: Schema) -> tuple[str | None, str | None, Version | None]:
    own = schema.get("self")
    fields = own if is_schema(own) else {}
    vendor, name = fields.get("vendor"), fields.get("name")
    return (
        vendor if isinstance(vendor, str) else None,
        name if isinstance(name, str) else None,
        parse_version(fields.get("version")),
    )


def _version_flaws(schema: Schema, file: Path, published: Published) -> Iterator[Flaw]:
    version = _identity(schema)[2]
    if version is None:
        return
    place = ("self", "version")
    known = published.versions(schema)
    if version in known and known[version] != schema:
        message = f"{write(version)} is published, and published versions do not change: "
        message += f"make it {write(follow(version, Kind.ADDITION))} or higher"
        yield Flaw("published", place, message)
    beside = versions_beside(file) if is_laid_out(file) else {}
    earlier = [other for other in {*beside, *known} if other < version]
    if not earlier and version != (1, 0, 0) and is_laid_out(file):
        message = f"{write(version)} is the first version here; expected 1-0-0 before it"
        yield Flaw("version-gap", place, message, "warning")
    before = max(earlier, default=None)
    old = (known.get(before) or load_schema(beside[before])) if before else None
    if before and old is not None:
        yield from _step_flaws(before, old, version, schema)


def _step_flaws(before: Version, old: Schema, version: Version, new: Schema) -> Iterator[Flaw]:
    place = ("self", "version")
    found = list(evolution.changes(old, new))
    needed = max((change.kind for change in found), default=Kind.NONE)
    claimed = said(before, version)
    next_ones = [write(follow(before, kind)) for kind in _KINDS]
    if write(version) not in next_ones:
        message = f"{write(version)} does not follow {write(before)}: expected "
        yield Flaw("version-gap", place, message + " or ".join(next_ones), "warning")
    for change in found:
        if change.kind > claimed:
            yield _too_low(change, before, version)
    if needed < claimed:
        step = f"{write(version)} says {_KINDS[claimed]} since {write(before)}"
        what = f"the changes are {_KINDS[needed]}" if needed else "nothing changed"
        yield Flaw("version", place, f"{step}, but {what}", "warning")


def _too_low(change: Change, before: Version, version: Version) -> Flaw:
    is_break = change.kind is Kind.BREAK and not change.in_redshift
    where = " in Redshift" if change.in_redshift else ""
    message = (
        f"{change.message}, since {write(before)}: {_KINDS[change.kind]}{where}, "
        f"so expected {write(follow(before, change.kind))}, got {write(version)}"
    )
    return Flaw("version", change.pointer, message, "error" if is_break else "warning")
