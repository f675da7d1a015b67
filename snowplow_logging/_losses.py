"""Tells people of losses: a line on stderr, at most once a minute, and one at the end."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

from snowplow_logging._stats import DROP_ADVICE

if TYPE_CHECKING:
    from snowplow_logging._stats import Stats

SECONDS_BETWEEN_LINES = 60.0


class Losses:
    """What was said of one emitter's losses, and when.

    Args:
        name: The emitter, as the line names it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._said = 0
        self._said_at: float | None = None
        self._said_pending = 0

    def report(self, stats: Stats, now: float, *, last: bool = False) -> None:
        """Says what was lost since the last line, unless that one was less than a minute ago."""
        pending = stats.pending - stats.spooled  # the others are kept
        if last and pending not in (0, self._said_pending):
            self._said_pending = pending
            say(f"{self._name}: {pending} events are under way without an answer{_of(stats)}")
        recent = self._said_at is not None and now - self._said_at < SECONDS_BETWEEN_LINES
        if stats.dropped == self._said or (recent and not last):
            return
        self._said, self._said_at = stats.dropped, now
        say(f"{self._name}: {describe(stats)}")


def describe(stats: Stats) -> str:
    """Returns how many events were lost, why, and what would have helped."""
    reasons = "; ".join(
        f"{count} {reason}: {DROP_ADVICE.get(reason, 'see the documentation')}"
        for reason, count in sorted(stats.dropped_by_reason.items())
    )
    return f"{stats.dropped} of {stats.accepted} events lost so far ({reasons}){_of(stats)}"


def _of(stats: Stats) -> str:
    return f" (last error: {stats.last_error})" if stats.last_error else ""


def say(line: str) -> None:
    """Writes one line to stderr, where there is one."""
    _write(f"snowplow_logging: {' '.join(line.splitlines())}\n")


def show_exception() -> None:
    """Writes the traceback of what is being handled to stderr, as logging does with its own."""
    if logging.raiseExceptions:
        _write(traceback.format_exc())


def _write(text: str) -> None:
    stderr = sys.stderr
    # Where it is closed, gone, full or at its end, there is nobody left to tell.
    with suppress(OSError, ValueError, AttributeError, RuntimeError):
        stderr.write(text)
        stderr.flush()
