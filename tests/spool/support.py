"""What the tests of the spool share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging._spool import SpoolFile

if TYPE_CHECKING:
    from pathlib import Path


def events_on(spool: Path) -> int:
    """Returns how many events are on disk."""
    file = SpoolFile(str(spool), create=False)
    try:
        return sum(file.count(segment.id) for segment in file.segments())
    finally:
        file.close()
