"""Serves the shop: the standard library's WSGI server, with a thread for each request."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import IO, TYPE_CHECKING, Any, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

if TYPE_CHECKING:
    from collections.abc import Generator

    from _typeshed.wsgi import WSGIApplication as Application

HOST = "127.0.0.1"
IDLE_TIMEOUT = 10.0  # seconds after which a silent connection is given up
POLL_INTERVAL = 0.02  # seconds, at most, until the server sees that it shall end

access_log = logging.getLogger("shop.access")
server_log = logging.getLogger("shop.server")


@contextmanager
def serving(application: Application) -> Generator[tuple[str, int], None, None]:
    """Serves on a free port of loopback while the block runs; gives host and port.

    All requests are answered and logged, and all threads have ended, when it returns.
    """
    with _Server((HOST, 0), _Request) as server:
        server.set_app(application)
        thread = threading.Thread(
            target=server.serve_forever, args=(POLL_INTERVAL,), name="shop", daemon=True
        )
        thread.start()
        try:
            yield HOST, server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    request_queue_size = 128

    def server_bind(self) -> None:
        """Binds without asking the DNS for this machine's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]
        self.setup_environ()


class _Request(WSGIRequestHandler):
    timeout = IDLE_TIMEOUT

    def handle(self) -> None:
        """Answers one request, like its parent but with a handler that logs failures."""
        self._began = time.perf_counter()
        self.raw_requestline = self.rfile.readline(65537)
        if not self.parse_request():
            return
        environ = self.get_environ()
        streams = cast("IO[bytes]", self.rfile), cast("IO[bytes]", self.wfile)
        handler = _Handler(*streams, self.get_stderr(), environ, multithread=True)
        handler.request_handler = self
        handler.run(cast("Application", cast("_Server", self.server).get_app()))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs the request where the application logs, not on stderr."""
        took_ms = round((time.perf_counter() - self._began) * 1000, 3)
        access_log.info(
            "%s %s %s",
            self.command,
            self.path,
            code,
            extra={
                "method": self.command,
                "path": self.path,
                "status": int(code),
                "bytes": int(size),
                "duration_ms": took_ms,
            },
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
        """Logs what else there is to say."""
        server_log.warning(format, *args)


class _Handler(ServerHandler):
    request_handler: _Request  # by which its parent logs the request

    def log_exception(self, exc_info: Any) -> None:
        """Logs an exception of the application, which is answered with a 500."""
        server_log.error("unhandled exception at %s", self.request_handler.path, exc_info=exc_info)
