"""What people see while it ships: a bar on a terminal that has rich, else now and then a line.

The law: it goes to stderr, and of the contents of lines nothing is shown: they may be secret.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

from snowplow_logging._text import legible
from snowplow_logging.schema.screen import say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from snowplow_logging._stats import Stats
    from snowplow_logging.ship.files import Files
    from snowplow_logging.ship.outcome import Counts

SHOWN = 5  # malformed lines; the others are counted
BAR_EVERY, LINE_EVERY = 0.25, 10.0  # seconds
PATIENCE = 3.0  # seconds without success after which it says what it waits for


class Screen:
    """Shows progress and problems.

    Args:
        quiet: Whether to show problems alone.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._bar = None if quiet or not _is_rich() else _Bar()
        self._every = BAR_EVERY if self._bar else LINE_EVERY
        self._quiet = quiet
        self._began = self._shown_at = time.monotonic()
        self._malformed = 0
        self._waiting = False
        self.complaints = 0

    def complain(self, path: str, reason: str) -> None:
        """Says what is wrong with a file."""
        self.complaints += 1
        self.say(f"{path}: {reason}", "bold red")

    def malformed(self, path: str, number: int, reason: str) -> None:
        """Says what is wrong with a line, of the first few."""
        self._malformed += 1
        if self._malformed <= SHOWN:
            self.say(f"{path}:{number}: {reason}", "yellow")
        elif self._malformed == SHOWN + 1:
            self.say("more malformed lines are counted, not shown", "yellow")

    def progress(self, files: Files, counts: Counts, stats: Stats, stuck: float) -> None:
        """Shows how far it is, unless it has just done so."""
        self._say_waiting(stats, stuck)
        if not self._quiet and time.monotonic() - self._shown_at >= self._every:
            self._shown_at = time.monotonic()
            read, total = files.read_bytes, files.total_bytes
            said = self._said(counts, stats)
            if self._bar is not None:
                self._bar.show(read, total, said)
            else:
                share = f"{read / 2**20:.0f} of {total / 2**20:.0f} MiB read: " if total else ""
                self.say(f"{share}{counts.lines} lines, {said}")

    def end(self, files: Files, counts: Counts, stats: Stats) -> None:
        """Shows the end on the bar, and leaves it; what is said later is said without one."""
        if self._bar is not None:
            self._bar.show(files.read_bytes, files.total_bytes, self._said(counts, stats))
        self.close()

    def say(self, text: str, style: str = "") -> None:
        """Writes a line, where no terminal can be steered by it."""
        line = " ".join(legible(text).split())
        if self._bar is not None:
            self._bar.say(line, style)
        else:
            say(f"snowplow-logging ship: {line}", style, sys.stderr)

    def close(self) -> None:
        """Leaves the bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _said(self, counts: Counts, stats: Stats) -> str:
        rate = counts.lines / (time.monotonic() - self._began)
        return f"{stats.delivered} delivered, {counts.malformed} malformed, {rate:.0f} lines/s"

    def _say_waiting(self, stats: Stats, stuck: float) -> None:
        waiting = stuck > PATIENCE and stats.last_error is not None
        if waiting and not self._waiting:
            self.say(f"waiting for the collector: {stats.last_error}", "yellow")
        elif self._waiting and not stuck:
            self.say("the collector takes events again", "green")
        self._waiting = waiting or (self._waiting and stuck > 0)


class _Bar:
    """A progress bar; it is drawn by who calls, so there is no thread."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - of an extra
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True, highlight=False, markup=False)
        said = TextColumn("{task.description}")
        columns = (BarColumn(20), DownloadColumn(), TimeRemainingColumn(), said)
        self._progress: Progress = Progress(*columns, console=console, auto_refresh=False)
        self._task: TaskID = self._progress.add_task("", total=None)
        self._progress.start()

    def show(self, read: int, total: int, said: str) -> None:
        """Draws it."""
        self._progress.update(
            self._task, completed=read, total=max(read, total) if total else None, description=said
        )
        self._progress.refresh()

    def say(self, line: str, style: str) -> None:
        """Writes a line above it."""
        self._progress.console.print(line, style=style, soft_wrap=True)

    def close(self) -> None:
        """Leaves it as it is."""
        self._progress.stop()


def _is_rich() -> bool:
    return sys.stderr.isatty() and find_spec("rich") is not None
