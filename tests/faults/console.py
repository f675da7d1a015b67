"""Results go to stdout, progress to stderr."""

from __future__ import annotations

import sys


def show(text: str) -> None:
    """Writes a result."""
    _ = sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(text: str, end: str = "\n") -> None:
    """Writes how far the work is."""
    _ = sys.stderr.write(f"{text}{end}")
    sys.stderr.flush()
