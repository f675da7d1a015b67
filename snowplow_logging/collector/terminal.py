"""The lines that the command prints: one for each event."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from snowplow_logging.collector.rows import row_of
from snowplow_logging.collector.strict_json import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging.collector.judge import Verdict
    from snowplow_logging.collector.rows import Row

_LEVEL_STYLES = {
    "DEBUG": "dim",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "bold red",
}


class Lines(Console):
    """The console that events are printed to, until nobody reads them any more.

    Args:
        on_broken: Is called when nobody reads any more.
    """

    def __init__(self, on_broken: Callable[[], None]) -> None:
        """Prints to stdout."""
        super().__init__(highlight=False, markup=False)
        self._on_broken = on_broken

    def on_broken_pipe(self) -> None:
        """Ends the output, where rich would end the thread."""
        self.quiet = True
        # Or else the interpreter complains of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        self._on_broken()


def line(verdict: Verdict) -> Text:
    """``ok  12:00:00.000  order_placed 1-0-0  INFO``, or BAD with the reason."""
    text = Text()
    text.append("ok   " if verdict.good else "BAD  ", "green" if verdict.good else "bold red")
    row = row_of(verdict)
    text.append(f"{verdict.received.time[11:23]}  ", "dim")
    text.append(_plain(_name(row)))
    level = row["level"]
    if isinstance(level, str):
        text.append(f"  {_plain(level)}", _LEVEL_STYLES.get(level.upper(), ""))
    message = row["message"]
    if isinstance(message, str):
        text.append(f"  {_plain(message)}", "dim")
    if not verdict.good:
        text.append(f"  {_plain(verdict.reason)}", "red")
    return text


def json_line(verdict: Verdict) -> Text:
    """The row of an event as JSON."""
    return Text(encode(row_of(verdict)))


def _name(row: Row) -> str:
    schema = row["schema"]
    if not isinstance(schema, str):
        return str(row["type"] or "request")
    _, name, _, version = schema.split("/")
    return f"{name} {version}"


def _plain(text: str) -> str:
    """In one line, without what could steer a terminal."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "\ufffd" for character in line)
