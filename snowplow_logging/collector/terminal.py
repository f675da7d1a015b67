"""The lines that the command prints: one for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from snowplow_logging.collector.rows import row_of

if TYPE_CHECKING:
    from rich.console import Console

    from snowplow_logging.collector.judge import Verdict
    from snowplow_logging.collector.rows import Row

_LEVEL_STYLES = {
    "DEBUG": "dim",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "bold red",
}


def line(verdict: Verdict) -> Text:
    """``ok  12:00:00.000  order_placed 1-0-0  INFO``, or BAD with the reason."""
    text = Text(no_wrap=verdict.good, overflow="ellipsis")
    text.append("ok   " if verdict.good else "BAD  ", "green" if verdict.good else "bold red")
    row = row_of(verdict)
    text.append(f"{verdict.received.time[11:23]}  ", "dim")
    text.append(_plain(_name(row)))
    level = row["level"]
    if isinstance(level, str):
        text.append(f"  {_plain(level)}", _LEVEL_STYLES.get(level.upper(), ""))
    if not verdict.good:
        text.append(f"  {_plain(verdict.reason)}", "red")
    return text


def printer(console: Console, verdict: Verdict) -> None:
    """Prints the line of ``verdict``."""
    console.print(line(verdict), soft_wrap=True)


def _name(row: Row) -> str:
    schema = row["schema"]
    if not isinstance(schema, str):
        return str(row["type"] or "request")
    _, name, _, version = schema.split("/")
    return f"{name} {version}"


def _plain(text: str) -> str:
    """Without what could steer a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
