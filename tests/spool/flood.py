"""Logs as fast as it can, and says how long it took until everything was delivered."""

from __future__ import annotations

import json
import os
import sys
import time

from tests.faults.application import Application

TEXT = "a line of a log as applications write them, of some length, about order %d"


def main() -> None:
    """Runs the program."""
    application = Application()
    handler = application.configure()
    calls = application.settings.more["calls"]
    application.logger.info(TEXT, -1)
    assert handler.flush(20)
    began = time.perf_counter()
    for number in range(calls):
        application.logger.info(TEXT, number)
    assert handler.flush(120)
    seconds = time.perf_counter() - began
    assert handler.stats().delivered == calls + 1, handler.stats()
    json.dump(calls / seconds, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
