"""``ship --check``: what the first lines become; nothing is sent, and nothing is remembered."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from snowplow_logging.schema.screen import document, say
from snowplow_logging.ship.lines import MalformedError, parsed
from snowplow_logging.ship.logfile import LogFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snowplow_logging.ship.mapping import LineMapper

LINES = 3  # of each file that are shown


def check(paths: Iterable[str], mapper: LineMapper, max_line: int) -> bool:
    """Shows what the first lines of each file become; says whether all are records.

    Raises:
        OSError: A file cannot be read.
    """
    are_well = [
        _check(f"{path}:{number}", line, mapper, max_line)
        for path in paths
        for number, line in enumerate(_first_lines(path, max_line), 1)
    ]
    return all(are_well)


def _check(place: str, line: bytes, mapper: LineMapper, max_line: int) -> bool:
    try:
        said = parsed(line, max_line)
        if said is not None:
            _show(place, said, mapper)
    except MalformedError as error:
        say(f"{place}: malformed, {error}", "bold red")
        return False
    return True


def _first_lines(path: str, max_line: int) -> list[bytes]:
    file = LogFile(path, max_line)
    try:
        chunk = None
        while chunk is None and not file.is_at_end:
            chunk = file.take(to_end=True)
        return chunk.lines.lines[:LINES] if chunk else []
    finally:
        file.close()


def _iso(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds")


def _show(place: str, said: dict[str, Any], mapper: LineMapper) -> None:
    mapped = mapper.mapped(said)
    say(f"{place}: {mapper.format_of(said)}", "bold")
    if mapped.event is None:
        say("is not sent: it names no schema, and plain records have none")
        return
    schema, data, entities = mapped.event
    shown: dict[str, Any] = {
        "dtm": "the time of reading" if mapped.created_ms is None else _iso(mapped.created_ms),
        "schema": schema,
        "data": json.loads(data),
    }
    if entities:
        shown["contexts"] = [json.loads(entity) for entity in entities]
    document(json.dumps(shown, ensure_ascii=False, indent=2))
