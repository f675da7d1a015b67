"""Logs its records and ends in one of several ways."""

from __future__ import annotations

import signal
import sys
import time

from snowplow_logging import drain_on_signal
from tests.faults.application import Application


def leave(*_: object) -> None:
    """Ends the program, as servers' signal handlers do."""
    sys.exit(4)


def main() -> None:
    """Runs the program."""
    application = Application()
    _ = application.configure()
    application.log_all("record")
    end = application.settings.more.get("end")
    if end == "handled signal":
        _ = signal.signal(signal.SIGTERM, leave)
    if end in ("signal", "handled signal"):
        drain_on_signal()
    application.done()
    if end == "sys.exit":
        sys.exit(3)
    if end == "exception":
        message = "the end"
        raise KeyError(message)
    while end is not None:
        time.sleep(1)  # until the signal


if __name__ == "__main__":
    main()
