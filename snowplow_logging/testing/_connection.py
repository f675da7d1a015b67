"""HTTP as ``FaultyCollector`` speaks it: reads requests, carries out answers, good and bad."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol

from snowplow_logging.testing.answers import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable


_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Served(Protocol):
    """Whoever decides on the answers."""

    def connected(self, connection: socket.socket) -> None:
        """Notes that a connection begins."""

    def disconnected(self, connection: socket.socket) -> None:
        """Notes that a connection ends."""

    def take(self, request: Request) -> Answer:
        """Takes a request; returns its answer."""
        ...

    def pause(self, seconds: float | None) -> None:
        """Waits for ``seconds``, or for ever, but not after a release."""


class Server(ThreadingHTTPServer):
    """Has a thread for each connection."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, handler: Callable[..., Connection]) -> None:
        """Binds; until ``server_activate`` is called, who connects is refused."""
        super().__init__(("127.0.0.1", port), handler, bind_and_activate=False)
        try:
            self.server_bind()
        except OSError:
            self.server_close()
            raise


class Connection(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, served: Served, *arguments: Any) -> None:
        self._served = served
        super().__init__(*arguments)

    def setup(self) -> None:
        """Makes the connection known."""
        super().setup()
        self._served.connected(self.connection)

    def handle(self) -> None:
        """Serves until either side has had enough."""
        with suppress(OSError):  # the client has gone
            super().handle()

    def finish(self) -> None:
        """Forgets the connection."""
        self._served.disconnected(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""

    def do_GET(self) -> None:
        """Serves one request, as all methods do."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True  # its body has not been read
            self._respond(Answer(411, body=b"Length Required\n"))
            return
        body = self.rfile.read(int(length))
        self._carry_out(
            self._served.take(
                Request(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    body,
                    time.monotonic(),
                    self.client_address[1],
                )
            )
        )

    do_POST = do_OPTIONS = do_HEAD = do_GET  # noqa: N815 - their names there

    def _carry_out(self, answer: Answer) -> None:
        if answer.delay:
            self._served.pause(answer.delay)
        if answer.fault == "hang":
            self._served.pause(None)
            self.close_connection = True
        elif answer.fault == "reset":
            self._reset()
        elif answer.fault == "garbage":
            self._write(b"\x16\x03\x01 this is no HTTP\r\n\r\n", answer.drip)
            self.close_connection = True
        else:
            self._respond(answer)

    def _respond(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('Odd',))[0]}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(answer.body)}")
        head = "\r\n".join([*lines, "", ""]).encode()
        if answer.fault == "reset_midway":
            self._write(head, answer.drip)
            self._reset()
            return
        bare = self.command == "HEAD" or answer.status in _WITHOUT_BODY
        self._write(head + (b"" if bare else answer.body), answer.drip)
        self.close_connection = self.close_connection or answer.hang_up

    def _write(self, content: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(content)
            return
        for byte in content:
            self.wfile.write(bytes([byte]))
            self._served.pause(drip)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())
        self.close_connection = True
