"""``ship --check``: what the first lines become; nothing is sent, and nothing is remembered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from snowplow_logging.schema.screen import document, say
from snowplow_logging.ship.lines import MalformedError, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging.ship.files import Files
    from snowplow_logging.ship.mapping import LineMapper

LINES = 3  # of each file that are shown


def check(files: Files, mapper: LineMapper, max_line: int) -> bool:
    """Shows what the first lines of each file become; says whether all are records."""
    well = True
    for path, number, line in _first_lines(files):
        try:
            said = parsed(line, max_line)
            if said is None:
                continue
            event, created_ms, _ = mapper.mapped(said)
        except (MalformedError, TypeError, ValueError) as error:
            say(f"{path}:{number}: malformed, {error}", "bold red")
            well = False
            continue
        say(f"{path}:{number}: {mapper.format_of(said)}", "bold")
        if event is None:
            say("is not sent: it names no schema, and schema is None")
            continue
        shown: dict[str, Any] = {
            "dtm": created_ms if created_ms is not None else "the time of reading",
            "schema": event.schema,
            "data": json.loads(event.data),
            "contexts": [json.loads(entity) for entity in event.entities],
        }
        if not shown["contexts"]:
            del shown["contexts"]
        document(json.dumps(shown, ensure_ascii=False, indent=2))
    return well


def _first_lines(files: Files) -> Iterator[tuple[str, int, bytes]]:
    seen: dict[str, int] = {}
    for chunk in files:
        if chunk is None:
            continue
        path = chunk.file.path
        for number, line in enumerate(chunk.lines.lines, chunk.lines.begin.lines + 1):
            if seen.get(path, 0) == LINES:
                chunk.file.is_at_end = True  # enough of it
                break
            seen[path] = seen.get(path, 0) + 1
            yield path, number, line
