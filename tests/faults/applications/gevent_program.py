"""Logs from greenlets of gevent, which has patched the standard library first."""

from __future__ import annotations

from importlib import import_module
from typing import Any

gevent: Any = import_module("gevent")
import_module("gevent.monkey").patch_all()

from tests.faults.application import Application  # noqa: E402 - the patch comes first


def main() -> None:
    """Runs the program."""
    application = Application()
    _ = application.configure()
    labels = [f"greenlet {number}" for number in range(5)]
    gevent.joinall([gevent.spawn(application.log_all, label) for label in labels])
    application.done()


if __name__ == "__main__":
    main()
