"""What the command writes: in colour on a terminal, plain text otherwise.

The law: nothing that was read from a spool can steer the terminal, and no encoding makes it fail.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence


def say(text: str) -> None:
    """Writes a line."""
    _ = sys.stdout.write(_clean(text, sys.stdout) + "\n")


def complain(text: str) -> None:
    """Writes a line to stderr."""
    _ = sys.stderr.write(_clean(f"snowplow-logging spool: {text}", sys.stderr) + "\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    """Writes a table.

    Args:
        headings: Of its columns.
        rows: Its cells.
        right: The columns that are aligned to the right.
    """
    clean = [[_clean(cell, sys.stdout) for cell in row] for row in rows]
    if sys.stdout.isatty() and find_spec("rich") is not None:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for number, heading in enumerate(headings):
            shown.add_column(heading, justify="right" if number in right else "left")
        for row in clean:
            shown.add_row(*map(Text, row))
        Console().print(shown)
        return
    lines = [list(headings), *clean]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        _ = sys.stdout.write("  ".join(cells).rstrip() + "\n")


@contextmanager
def progress(text: str, total: int) -> Generator[Callable[[int], None]]:
    """Shows on a terminal how far something is; gives a function that takes how much is done."""
    from rich.console import Console  # noqa: PLC0415 - an extra
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    ]
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(text, total=total, rate="")

        def move(done: int) -> None:
            speed = bar.tasks[0].speed
            rate = "" if speed is None else f"{speed:,.0f}/s"
            bar.update(task, completed=done, total=max(total, done), rate=rate)

        yield move


def size(number: int) -> str:
    """Returns bytes in the unit that suits them."""
    value = float(number)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def _clean(text: str, stream: TextIO) -> str:
    kept = "".join(c if c.isprintable() else "\ufffd" for c in text)
    encoding = stream.encoding or "ascii"
    return kept.encode(encoding, "backslashreplace").decode(encoding)
