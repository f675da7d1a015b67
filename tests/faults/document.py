"""Writes what was measured into a document, between comments that name the command that does."""

from __future__ import annotations

import os
import platform
from pathlib import Path

COMMAND = "python -m tests.faults"
DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"


def markers(name: str, command: str = COMMAND) -> tuple[str, str]:
    """Returns the comments between which the part ``name`` is."""
    return f"<!-- {name}: written by {command} -->\n", f"<!-- end of {name} -->"


def replaced(document: str, name: str, part: str, command: str = COMMAND) -> str:
    """Returns ``document`` with the part ``name`` replaced."""
    begin, end = markers(name, command)
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    assert found, f"no place for {name}"
    return f"{before}{begin}\n{part}\n\n{_machine()}\n{end}{after}"


def write(name: str, part: str, path: Path = DOCUMENT, command: str = COMMAND) -> None:
    """Replaces the part ``name`` of the document."""
    document = path.read_text(encoding="utf-8")
    _ = path.write_text(replaced(document, name, part, command), encoding="utf-8")


def _machine() -> str:
    """Returns where the figures come from."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} on {platform.system()} ({platform.machine()}), {os.cpu_count()} cores."
