"""What the demo shows on the terminal. Needs the extra ``collector``, for rich.

The law: what is written to a pipe is plain text.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.json import JSON
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from snowplow_logging.demo.arrivals import Arrival
    from snowplow_logging.demo.outcome import Outcome

ORIGINS = {
    "application_error": "a record with an exception",
    "log_record": "any other record",
    "order_placed": "the shop's own event",
}
LEVELS = {"DEBUG": "dim", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}
ORDER = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Screen:
    """Writes to stdout, in colour where that is a terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False)

    def say(self, text: str = "", style: str = "") -> None:
        """Writes one line; the terminal may break it, nothing cuts it."""
        self._console.print(text, style=style, soft_wrap=True)

    def title(self, text: str) -> None:
        """Begins a new part."""
        self.say()
        self.say(text, "bold")

    def facts(self, **facts: str) -> None:
        """Writes names and values in two columns."""
        for name, value in facts.items():
            self.say(f"  {name:<10} {value}")

    @contextmanager
    def progress(self, text: str, total: int) -> Generator[Callable[[], None], None, None]:
        """Shows a bar while the block runs; gives a function that moves it by one."""
        columns = [TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn()]
        hidden = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=hidden) as bar:
            task = bar.add_task(text, total=total)
            yield lambda: bar.advance(task)

    @contextmanager
    def waiting(self, text: str) -> Generator[None, None, None]:
        """Shows on a terminal that something is being waited for while the block runs."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(f"  {text}"):
            yield

    def table(self, outcome: Outcome) -> None:
        """Shows how many events of which schema and level there are."""
        counts = Counter((*_row(arrival), arrival.good) for arrival in outcome.arrivals)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
        table.add_column("  Event", "  All")
        table.add_column("Made of")
        table.add_column("Level")
        if outcome.judged:
            table.add_column("Good", str(outcome.good), justify="right")
            table.add_column("Bad", str(outcome.bad), justify="right")
        else:
            table.add_column("Sent", str(len(outcome.arrivals)), justify="right")
        shown = ""
        for event, level in sorted({key[:2] for key in counts}, key=_position):
            name = event.partition(" ")[0]
            made_of = ORIGINS.get(name, "")
            verdicts = (True, False) if outcome.judged else (None,)
            numbers = [str(counts[event, level, verdict]) for verdict in verdicts]
            names = ("", "") if event == shown else (f"  {event}", made_of)
            table.add_row(*names, Text(level, LEVELS.get(level, "")), *numbers)
            shown = event
        self._console.print(table)

    def event(self, arrival: Arrival) -> None:
        """Shows one event in full."""
        ascii_only = not self._console.encoding.lower().startswith("utf")
        body = JSON.from_data(arrival.document, ensure_ascii=ascii_only)
        self._console.print(body, soft_wrap=True)

    def problems(self, problems: Sequence[str]) -> None:
        """Says what is wrong."""
        for problem in problems:
            self.say(f"Wrong: {problem}", "bold red")


def _row(arrival: Arrival) -> tuple[str, str]:
    _, _, path = arrival.schema.partition("/")
    name, _, version = path.partition("/jsonschema/")
    level = arrival.identity.level if arrival.identity else "?"
    return f"{name or '(unreadable)'} {version}".rstrip(), level


def _position(row: tuple[str, str]) -> tuple[str, int]:
    event, level = row
    return event, ORDER.index(level) if level in ORDER else len(ORDER)
