"""Logs in children of multiprocessing, which end without ``atexit``, and flush nothing."""

from __future__ import annotations

import multiprocessing
import sys

from tests.faults.application import Application

application = Application()
_ = application.configure()  # as programs do: in children that are not forked, too


def work(label: str) -> None:
    """Is what a child does."""
    application.log_all(label)
    application.report()


def main() -> None:
    """Runs the program."""
    application.log_all("parent")
    more = application.settings.more
    multiprocessing.set_start_method(more["method"])
    labels = [f"child {number}" for number in range(more["children"])]
    children = [multiprocessing.Process(target=work, args=(label,)) for label in labels]
    for child in children:
        child.start()
    for child in children:
        child.join()
    application.done()
    sys.exit(any(child.exitcode for child in children))


if __name__ == "__main__":
    main()
