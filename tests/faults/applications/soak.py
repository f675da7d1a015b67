"""Logs at a steady rate for minutes, and looks at its account and its memory all the time."""

from __future__ import annotations

import json
import sys
import time

from tests.delivery.support import balanced
from tests.faults.application import Application
from tests.faults.applications.pressure import resident_bytes
from tests.faults.console import show

TICK = 0.02  # seconds


def main() -> None:
    """Runs the program; writes a line a second."""
    application = Application()
    handler = application.configure()
    seconds, rate = application.settings.more["seconds"], application.settings.more["rate"]
    began = time.monotonic()
    number = ticks = 0
    longest = 0.0
    while number < seconds * rate:
        due = int(min(time.monotonic() - began, seconds) * rate)
        while number < due:
            before = time.perf_counter()
            application.logger.info("record %d of a soak", number)
            longest = max(longest, time.perf_counter() - before)
            number += 1
        ticks += 1
        if ticks % int(1 / TICK) == 0:
            tell(application, number, longest, began)
        time.sleep(TICK)
    flushed = handler.flush(60)
    tell(application, number, longest, began)
    sys.exit(not flushed)


def tell(application: Application, number: int, longest: float, began: float) -> None:
    """Writes a line."""
    stats = application.handlers[0].stats()
    line = {
        "at": time.monotonic() - began,
        "exact": balanced(stats) and stats.accepted == number,
        "accepted": stats.accepted,
        "delivered": stats.delivered,
        "dropped": stats.dropped,
        "pending": stats.pending,
        "retried": stats.retried,
        "requests": stats.requests,
        "longest": longest,
        "resident": resident_bytes(),
    }
    show(json.dumps(line))


if __name__ == "__main__":
    main()
