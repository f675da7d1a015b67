"""What is in a spool, for people. Whoever uses the file meanwhile is not disturbed."""

from __future__ import annotations

import base64
import json
import logging
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging._claims import holder
from snowplow_logging._spool import Row, SpoolBrokenError, SpoolError, SpoolFile

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from snowplow_logging._spool import Segment

_FIRST_MS = -62_135_596_800_000  # since epoch, at the beginning of the year 1
_DELETED_AT_ONCE = 5_000  # events, after which others may write


class Part(NamedTuple):
    """What one emitter has written, and is left of it.

    Args:
        segment: Its origin.
        events: How many.
        size: Their bytes.
        first_ms: When the first was logged, in ms since epoch.
        last_ms: When the last was logged, in ms since epoch.
        holder: The process that has it in its care; None: there is none that runs.
    """

    segment: Segment
    events: int
    size: int
    first_ms: int | None
    last_ms: int | None
    holder: int | None


class Contents:
    """A spool that is there already.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    @contextmanager
    def opened(self) -> Generator[SpoolFile]:
        """Opens the file.

        Raises:
            ValueError: It is no spool, or cannot be used.
        """
        try:
            with closing(SpoolFile(self.path, create=False)) as file:
                yield file
        except FileNotFoundError:
            message = f"there is no spool at {self.path}"
        except SpoolBrokenError as error:
            message = f"{self.path} is no spool, or is broken: {error}"
        except SpoolError as error:
            message = str(error) if self.path in str(error) else f"{self.path}: {error}"
        else:
            return
        raise ValueError(message)

    def parts(self) -> list[Part]:
        """Returns what there is of each emitter that has events."""
        with self.opened() as file:
            found = [Part(s, *file.sums(s.id), self._holder(s)) for s in file.segments()]
        return [part for part in found if part.events]

    def left(self, endpoint: str | None) -> int:
        """Returns how many events for ``endpoint``, or for any, no running process has."""
        with self.opened() as file:
            free = [s for s in file.segments(endpoint) if self._holder(s) is None]
            return sum(file.count(segment.id) for segment in free)

    def rows(self) -> Iterator[tuple[Segment, Row]]:
        """Yields all events, those that were written first by each emitter first."""
        with self.opened() as file:
            for segment in file.segments():
                for row in file.rows(segment.id):
                    yield segment, row

    def drop(self, before_ms: int) -> int:
        """Deletes all events that were logged before a time; returns how many."""
        with self.opened() as file:
            dropped = 0
            while deleted := file.delete_before(before_ms, _DELETED_AT_ONCE):
                dropped += deleted
            file.shrink(0)
            return dropped

    def set_aside(self) -> list[Path]:
        """Returns the broken files that were set aside."""
        path = Path(self.path)
        return sorted(
            each
            for each in path.parent.glob(f"{path.name}.broken*")
            if each.suffix.removeprefix(".broken").isdecimal()
        )

    def _holder(self, segment: Segment) -> int | None:
        return holder(Path(f"{self.path}-claims", str(segment.id)))


class Event(NamedTuple):
    """An event, decoded.

    Args:
        eid: Its id.
        logged: When, in UTC.
        level: The name of its logging level.
        size: Its bytes.
        schema: Its schema.
        data: Its data.
        contexts: Its entities.
    """

    eid: str
    logged: datetime
    level: str
    size: int
    schema: str
    data: Any
    contexts: Any


def payload(row: Row) -> dict[str, Any]:
    """Returns the fields of the tracker protocol; none of what cannot be read."""
    try:
        fields: dict[str, Any] = json.loads(row.body + b"}")
    except ValueError:
        return {}
    return fields


def decoded(row: Row) -> Event:
    """Returns what is in ``row``."""
    fields = payload(row)
    event = _json(fields, "ue_px", "ue_pr")
    return Event(
        eid=str(fields.get("eid", "?")),
        logged=time_of(row.created_ms),
        level=logging.getLevelName(row.severity) if row.severity else "",
        size=len(row.body),
        schema=str(_member(event, "schema") or "?"),
        data=_member(event, "data"),
        contexts=_json(fields, "cx", "co") or [],
    )


def time_of(milliseconds: int) -> datetime:
    """Returns the time in UTC of ms since epoch; what is before the year 1 is at its beginning."""
    since_first = max(milliseconds - _FIRST_MS, 0)
    return datetime.min.replace(tzinfo=timezone.utc) + timedelta(milliseconds=since_first)


def _json(fields: dict[str, Any], base64_key: str, key: str) -> Any:
    """Returns what a self-describing field wraps; None: there is none that can be read."""
    try:
        if base64_key in fields:
            return _member(json.loads(base64.urlsafe_b64decode(fields[base64_key])), "data")
        return _member(json.loads(fields[key]), "data") if key in fields else None
    except (ValueError, TypeError):
        return None


def _member(value: Any, key: str) -> Any:
    return cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
