"""A collector on loopback that records every request and misbehaves on command.

Each request gets the next answer of a script and, when that is at its end, what ``otherwise``
says: an answer, or a function that makes one from the request.

    with FaultyCollector(503, RESET, Answer(429, {"Retry-After": "1"})) as collector:
        emitter = Emitter(collector.url)
        ...
        assert collector.wait_for(1)

The law: a request is recorded before it is answered, and its events count as accepted if its
answer says so to the sender: a 2xx, or a 3xx that leads nowhere.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

PATIENCE = 20.0  # seconds after which waiting has failed


@dataclass(frozen=True)
class Answer:
    """What one request gets.

    Args:
        status: The HTTP status.
        headers: Its headers, beside ``Content-Length``.
        body: Its body.
        fault: What goes wrong: ``hang`` (silence until ``release``, then the connection ends),
            ``reset`` (the connection is reset before the status line), ``reset_midway`` (or
            right after it), ``garbage`` (something that is no HTTP).
        delay: Seconds before the status line.
        drip: Seconds between two bytes of the answer.
        hang_up: Whether the connection is closed after the answer, without announcement, as
            load balancers do with idle ones.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"ok"
    fault: Literal["hang", "reset", "reset_midway", "garbage"] | None = None
    delay: float = 0.0
    drip: float = 0.0
    hang_up: bool = False

    @property
    def accepts(self) -> bool:
        """Whether it tells the sender that the events were taken."""
        if self.fault not in (None, "reset_midway"):
            return False
        return 200 <= self.status < 300 or (300 <= self.status < 400 and not self.headers)


OK = Answer()
HANG = Answer(fault="hang")
RESET = Answer(fault="reset")
RESET_MIDWAY = Answer(fault="reset_midway")
GARBAGE = Answer(fault="garbage")


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Args:
        method: Its method.
        target: Path and query.
        headers: Its headers, by names in lower case.
        body: Its raw body.
        at: When it came, in seconds of the monotonic clock.
        connection: The client's port, which is the same for requests on one connection.
        events: What it carries, as fields of the tracker protocol.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float
    connection: int
    events: list[dict[str, str]]

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path


AnswerLike: TypeAlias = "int | Answer"
Rule: TypeAlias = "AnswerLike | Callable[[Request], AnswerLike]"


def redirect(location: str | None, status: int = 308) -> Answer:
    """Returns a redirect to ``location``; None: to nowhere."""
    return Answer(status, {} if location is None else {"Location": location})


def at_most(size: int) -> Rule:
    """Returns the rule that takes bodies of up to ``size`` bytes, and answers 413 to others."""
    return lambda request: 413 if len(request.body) > size else 200


def closed_port() -> int:
    """Returns a port of loopback on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


class FaultyCollector:
    """The collector; it serves from construction to ``close``.

    Args:
        script: The first answers; a number is the answer with that status.
        otherwise: The answer to all other requests, or a function that makes one.
        port: Where to listen; 0: on any free port.
    """

    def __init__(self, *script: AnswerLike, otherwise: Rule = OK, port: int = 0) -> None:
        self._changed = threading.Condition()  # guards the five below
        self._script = deque(script)
        self._otherwise = otherwise
        self._requests: list[tuple[Request, Answer]] = []
        self._accepted = 0
        self._connections: set[socket.socket] = set()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", port), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Its address, as an endpoint takes it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in the order in which they came."""
        with self._changed:
            return [request for request, _ in self._requests]

    def answer(self, *script: AnswerLike, otherwise: Rule = OK) -> None:
        """Replaces what is left of the script, and the rule."""
        with self._changed:
            self._script = deque(script)
            self._otherwise = otherwise

    def events(self) -> list[dict[str, str]]:
        """Returns the fields of every event accepted, in the order in which they came."""
        with self._changed:
            accepted = [request for request, answer in self._requests if answer.accepts]
        return [event for request in accepted for event in request.events]

    def event_ids(self) -> list[str]:
        """Returns the ``eid`` of every event accepted."""
        return [event["eid"] for event in self.events()]

    def wait_for(self, number: int, seconds: float = PATIENCE) -> bool:
        """Waits until ``number`` events are accepted; says whether they were in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._accepted >= number, seconds)

    def wait_for_requests(self, number: int, seconds: float = PATIENCE) -> bool:
        """Waits until ``number`` requests have come; says whether they did in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._requests) >= number, seconds)

    def release(self) -> None:
        """Ends the requests that hang or are slow; from now on none is."""
        self._released.set()

    def close(self) -> None:
        """Stops listening and ends all connections."""
        self.release()
        self._server.shutdown()
        self._thread.join()
        with self._changed:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        with self._changed:
            return f"<{type(self).__name__} {self.url} {self._accepted} events accepted>"

    def connected(self, connection: socket.socket) -> None:
        """Notes that a connection begins."""
        with self._changed:
            self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        """Notes that a connection ends."""
        with self._changed:
            self._connections.discard(connection)

    def record(self, request: Request) -> Answer:
        """Notes a request; returns its answer."""
        with self._changed:
            rule: Rule = self._script.popleft() if self._script else self._otherwise
            given = rule(request) if callable(rule) else rule
            answer = Answer(given) if isinstance(given, int) else given
            self._requests.append((request, answer))
            self._accepted += len(request.events) if answer.accepts else 0
            self._changed.notify_all()
            return answer

    def pause(self, seconds: float | None) -> None:
        """Waits for ``seconds``, or for ever, but not after ``release``."""
        self._released.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, collector: FaultyCollector, *arguments: Any) -> None:
        self._collector = collector
        super().__init__(*arguments)

    def setup(self) -> None:
        super().setup()
        self._collector.connected(self.connection)

    def handle(self) -> None:
        with suppress(OSError):  # the client has gone
            super().handle()

    def finish(self) -> None:
        self._collector.disconnected(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer = self._collector.record(
            Request(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                body,
                time.monotonic(),
                self.client_address[1],
                _events(self.path, body),
            )
        )
        if answer.delay:
            self._collector.pause(answer.delay)
        if answer.fault == "hang":
            self._collector.pause(None)
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
        if answer.status != 204:
            lines.append(f"Content-Length: {len(answer.body)}")
        head = "\r\n".join([*lines, "", ""]).encode()
        if answer.fault == "reset_midway":
            self._write(head, answer.drip)
            self._reset()
            return
        self._write(head + (answer.body if answer.status not in (204, 304) else b""), answer.drip)
        self.close_connection = self.close_connection or answer.hang_up

    def _write(self, content: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(content)
            return
        for byte in content:
            self.wfile.write(bytes([byte]))
            self._collector.pause(drip)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())
        self.close_connection = True


def _events(target: str, body: bytes) -> list[dict[str, str]]:
    """Returns the events of a request; none where it carries none."""
    if body:
        try:
            events: list[dict[str, str]] = json.loads(body)["data"]
        except (ValueError, KeyError, TypeError):
            return []
        return events
    fields = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
    return [fields] if "eid" in fields else []
