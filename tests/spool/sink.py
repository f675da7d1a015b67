"""A collector that takes everything, in a process of its own, and costs as little as it can."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.delivery.support import ROOT
from tests.program import Program

if TYPE_CHECKING:
    from collections.abc import Generator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def sink() -> Generator[str]:
    """Starts one; gives its URL."""
    with Program[str](
        [sys.executable, "-m", "tests.spool.sink"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def serve(connection: socket.socket) -> None:
    """Answers the requests of one connection."""
    file = connection.makefile("rb")
    while request := file.readline():
        size = 0
        while (line := file.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        if request.startswith(b"POST"):
            _ = file.read(size)
        connection.sendall(OK)


def main() -> None:
    """Serves until it is killed."""
    listening = socket.create_server(("127.0.0.1", 0))
    _ = sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
