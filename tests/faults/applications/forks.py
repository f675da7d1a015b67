"""Forks children while it logs, which end as any program does."""

from __future__ import annotations

import os
import sys
import threading

from tests.faults.application import Application


def main() -> None:
    """Runs the program."""
    application = Application()
    _ = application.configure()
    more = application.settings.more
    if more.get("used_before"):
        application.log_all("before")
    stopping = threading.Event()

    def log(label: str) -> None:
        while not stopping.is_set():
            application.log_all(label)
            label += "+"

    labels = [f"thread {number}" for number in range(more["threads"])]
    threads = [threading.Thread(target=log, args=(label,)) for label in labels]
    for thread in threads:
        thread.start()
    children: list[int] = []
    for number in range(more["children"]):
        children.append(os.fork())
        if not children[-1]:
            application.log_all(f"child {number}")
            application.done()
            sys.exit()
    application.log_all("after")
    ends = [os.waitpid(child, 0)[1] for child in children]
    stopping.set()
    for thread in threads:
        thread.join()
    application.done()
    sys.exit(any(ends))


if __name__ == "__main__":
    main()
