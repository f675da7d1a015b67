"""Logs very many records, and says how long the calls took and how much memory it has."""

from __future__ import annotations

import json
import os
import sys
import time
from array import array
from pathlib import Path

from tests.faults.application import Application

TEXT = "a line of a log as applications write them, of some length, about order %d of %s"


def resident_bytes() -> int:
    """Returns the memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def main() -> None:
    """Runs the program."""
    application = Application()
    handler = application.configure()
    info, more = application.logger.info, application.settings.more
    calls, burst, rest = more["calls"], more["burst"], more["rest"]
    name = "x" * more["size"]
    times = array("d", [1.0]) * calls
    info(TEXT, -1, "everything is imported")
    before = most = resident_bytes()
    for number in range(more["fill"]):
        info(TEXT, number, name)
    for number in range(calls):
        began = time.perf_counter()
        info(TEXT, number, name)
        times[number] = time.perf_counter() - began
        if number % burst == 0:
            most = max(most, resident_bytes())
            time.sleep(rest)
    most = max(most, resident_bytes())
    stats = handler.stats()
    ordered = sorted(times)
    figures = {
        "p50": ordered[calls // 2],
        "p99.9": ordered[calls * 999 // 1000],
        "longest": ordered[-1],
        "growth": most - before,
        "pending": stats.pending,
        "dropped": stats.dropped,
        "delivered": stats.delivered,
    }
    json.dump(figures, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # what is queued is of no interest here


if __name__ == "__main__":
    main()
