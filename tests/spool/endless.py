"""Logs from several threads until it is killed; what it has logged outlives it, in a file."""

from __future__ import annotations

import os
import struct
import threading
import time

from tests.faults.application import Application

LOGGED = struct.Struct("=iid")  # thread, number, and when the logging call had returned


def main() -> None:
    """Runs the program."""
    application = Application()
    _ = application.configure()
    more = application.settings.more
    file = os.open(more["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def log(thread: int) -> None:
        number = 0
        while True:
            application.logger.info("run %d thread %d number %d", more["run"], thread, number)
            _ = os.write(file, LOGGED.pack(thread, number, time.monotonic()))
            number += 1
            time.sleep(more["pause"])

    threads = [threading.Thread(target=log, args=(each,)) for each in range(more["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:  # else Python 3.12 has no main thread, and starts no more
        thread.join()


if __name__ == "__main__":
    main()
