"""A collector that only counts, in a process of its own: ``python -m tests.ship.sink BYTES``.

It says its port, and at the end of its stdin what arrived. The ids of events hold the place of
their lines, so that each is counted apart, in one byte for each place where a line may begin.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread

SHORTEST = 128  # bytes of a line, at least
_PLACE = re.compile(rb'"eid":"[0-9a-f-]{24}([0-9a-f]{12})"')


class Sink(ThreadingTCPServer):
    """Takes events of a file.

    Args:
        size: Bytes of the file.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, size: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._lock = Lock()  # guards the two below
        self._times = bytearray(size // SHORTEST + 1)
        self.requests = 0

    def take(self, body: bytes) -> None:
        """Counts the events of a request."""
        places = [int(place, 16) // SHORTEST for place in _PLACE.findall(body)]
        with self._lock:
            self.requests += 1
            for place in places:
                self._times[place] += 1

    def counts(self) -> dict[str, int]:
        """Returns how many lines arrived, and how many copies beyond the first."""
        with self._lock:
            lines = len(self._times) - self._times.count(0)
            return {"lines": lines, "copies": sum(self._times) - lines, "requests": self.requests}


class _Handler(StreamRequestHandler):
    """Serves one connection, with as little work as can be."""

    disable_nagle_algorithm = True
    rbufsize = 1 << 20

    def handle(self) -> None:
        with suppress(OSError):  # the other side was killed
            self._serve()

    def _serve(self) -> None:
        while True:
            size = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                if line[:15].lower() == b"content-length:":
                    size = int(line[15:])
            if not size:
                return
            sink: Sink = self.server  # type: ignore[assignment]
            sink.take(self.rfile.read(size))
            _ = self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def main() -> None:
    """Serves until stdin ends."""
    with Sink(int(sys.argv[1])) as sink:
        Thread(target=sink.serve_forever, args=(0.05,), daemon=True).start()
        print(sink.server_address[1], flush=True)  # noqa: T201 - to who started it
        _ = sys.stdin.read()
        print(json.dumps(sink.counts()))  # noqa: T201
        sink.shutdown()


if __name__ == "__main__":
    main()
