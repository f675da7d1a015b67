"""Logs from green threads of eventlet, which has patched the standard library first."""

from __future__ import annotations

from importlib import import_module
from typing import Any

eventlet: Any = import_module("eventlet")
eventlet.monkey_patch()

from tests.faults.application import Application  # noqa: E402 - the patch comes first


def main() -> None:
    """Runs the program."""
    application = Application()
    _ = application.configure()
    pool = eventlet.GreenPool()
    for number in range(5):
        pool.spawn(application.log_all, f"green thread {number}")
    pool.waitall()
    application.done()


if __name__ == "__main__":
    main()
