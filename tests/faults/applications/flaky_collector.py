"""A collector that fails at random; it knows events by their numbers, and keeps nothing else.

What it has seen outlives it: two files have a byte for each number, which its successors
continue. ``taken`` says how often an event was taken in; ``excused`` how often one may come
again, because it was taken in and the answer was not, or perhaps not, sent.
"""

from __future__ import annotations

import json
import mmap
import random
import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from tests.delivery.support import data_of

STATUSES = [500, 503, 429, 408]
FAILING = 0.1  # of all requests: a status before the events are taken
RESETTING = 0.05  # of all requests: a reset, before the answer


class Seen:
    """The files.

    Args:
        folder: Where they are.
        records: How many numbers there are.
    """

    def __init__(self, folder: Path, records: int) -> None:
        self._lock = Lock()  # guards both
        self._taken = self._map(folder / "taken", records)
        self._excused = self._map(folder / "excused", records)

    def take(self, numbers: list[int]) -> None:
        """Notes that events were taken in, and that nobody has been told so."""
        with self._lock:
            for number in numbers:
                self._taken[number] += 1
                self._excused[number] += 1

    def told(self, numbers: list[int]) -> None:
        """Notes that the sender of events was told."""
        with self._lock:
            for number in numbers:
                self._excused[number] -= 1

    @staticmethod
    def _map(path: Path, size: int) -> mmap.mmap:
        if not path.exists():
            _ = path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            return mmap.mmap(file.fileno(), size)


class Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    seen: Seen

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""

    def do_POST(self) -> None:
        """Takes events in, or not."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        chance = random.random()
        if chance < FAILING:
            self._answer(random.choice(STATUSES))
            return
        numbers = [int(data_of(e)["message"].split()[1]) for e in json.loads(body)["data"]]
        self.seen.take(numbers)
        if chance < FAILING + RESETTING:
            self._reset()
            return
        self._answer(200)
        self.seen.told(numbers)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())
        self.close_connection = True


def main() -> None:
    """Serves until it is killed."""
    port, folder, records = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    Handler.seen = Seen(folder, records)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print("ready", flush=True)  # noqa: T201 - who has started it waits for this
    server.serve_forever()


if __name__ == "__main__":
    main()
