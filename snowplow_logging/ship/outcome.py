"""What came of one run, in numbers, in words, and as an exit status. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowplow_logging._losses import describe

if TYPE_CHECKING:
    from snowplow_logging._stats import Stats

LOST, MALFORMED = 1, 3
STOPPED = 128  # and the signal's number, as shells have it


@dataclass
class Counts:
    """What became of the lines that were read.

    Attributes:
        lines: All of them.
        malformed: Those that are no records.
        empty: Those that say nothing.
        left_out: Those under the least level, or plain ones where those are not sent.
        timeless: Those whose events have the time of reading, as they say none.
        incomplete: Last lines of files that are left to the next run.
        unreadable: Files that could not be read.
    """

    lines: int = 0
    malformed: int = 0
    empty: int = 0
    left_out: int = 0
    timeless: int = 0
    incomplete: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Args:
        counts: What became of the lines.
        stats: What became of their events.
        signal: The signal that ended it; 0: none did.
        gave_up: Why it ended, if nothing could be delivered; else empty.
        can_repeat: Whether what is under way will be read again: of a pipe nothing is.
    """

    counts: Counts
    stats: Stats
    signal: int = 0
    gave_up: str = ""
    can_repeat: bool = True

    @property
    def lost(self) -> int:
        """Events that nobody will deliver any more."""
        return self.stats.dropped + (0 if self.can_repeat else self.stats.pending)

    def status(self, *, follows: bool) -> int:
        """Returns the exit status.

        Args:
            follows: Whether a signal is the way for it to end.
        """
        if self.lost or self.gave_up or self.counts.unreadable:
            return LOST
        if self.counts.malformed:
            return MALFORMED
        return 0 if follows or not self.signal else STOPPED + self.signal

    def problem(self) -> str | None:
        """Returns what kept events from being delivered."""
        if self.gave_up:
            return f"{self.gave_up} (last error: {self.stats.last_error or 'none'})"
        return describe(self.stats) if self.stats.dropped else None

    def summary(self) -> str:
        """Returns all of it in a line; what is nothing is left out."""
        counts = self.counts
        parts = [f"{counts.lines} lines", f"{self.stats.delivered} delivered"]
        others = {
            "malformed": counts.malformed,
            "empty": counts.empty,
            "left out": counts.left_out,
            "without a time that can be read": counts.timeless,
            "lost": self.lost,
            "unfinished at the end of a file, left to the next run": counts.incomplete,
            "under way, left to the next run": self.stats.pending if self.can_repeat else 0,
            "unreadable": counts.unreadable,
        }
        return ", ".join(
            [*parts, *(f"{number} {what}" for what, number in others.items() if number)]
        )
