"""A collector on loopback that records every request and misbehaves on command.

The law: a request is recorded before it is answered, and its events count as accepted if its
answer says so to the sender: a 2xx, or a 3xx that leads nowhere.
"""

from __future__ import annotations

import random
import socket
import threading
from collections import deque
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from snowplow_logging.testing._connection import Connection, Server
from snowplow_logging.testing._upstream import Upstream
from snowplow_logging.testing.answers import OK, Answer, Request, Rule, answer_to, redirect

if TYPE_CHECKING:
    from collections.abc import Generator

    from typing_extensions import Self

PATIENCE = 20.0  # seconds after which waiting has failed


def closed_port() -> int:
    """Returns a port of loopback on which nobody listens, nor will who asks for any free one."""
    while True:
        port = random.randrange(10_000, 32_000)  # noqa: S311 - systems give those above to anybody
        with suppress(OSError), socket.socket() as unused:
            unused.bind(("127.0.0.1", port))
            return port


class FaultyCollector:
    """The collector; it serves from construction to ``close``.

    Each request gets the next answer of a script and, when that is at its end, what ``otherwise``
    says.

        with FaultyCollector(503, RESET, Answer(429, {"Retry-After": "1"})) as collector:
            emitter = Emitter(collector.url)
            ...
            assert collector.wait_for(1)

    Args:
        script: The first answers; a number is the answer with that status.
        otherwise: The answer to all other requests, or a function that makes one.
        port: Where to listen; 0: on any free port.
        upstream: The address of a collector that gets what is accepted, and whose answer the
            sender gets; also its questions, such as ``/micro/all``, which are not recorded.

    Raises:
        OSError: The port is taken.
    """

    def __init__(
        self, *script: Rule, otherwise: Rule = OK, port: int = 0, upstream: str | None = None
    ) -> None:
        self._changed = threading.Condition()  # guards the six below
        self._script = deque(script)
        self._otherwise = otherwise
        self._requests: list[tuple[Request, Answer]] = []
        self._accepted = 0
        self._connections: set[socket.socket] = set()
        self._released = threading.Event()
        self._upstream = Upstream(upstream) if upstream is not None else None
        self._server = Server(port, partial(Connection, self))
        self._thread = self._serve()

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

    @property
    def answers(self) -> list[Answer]:
        """What they got, in the same order."""
        with self._changed:
            return [answer for _, answer in self._requests]

    @property
    def accepted(self) -> int:
        """How many events were accepted."""
        with self._changed:
            return self._accepted

    def answer(self, *script: Rule, otherwise: Rule = OK) -> None:
        """Replaces what is left of the script, and the rule."""
        with self._changed:
            self._script = deque(script)
            self._otherwise = otherwise

    @contextmanager
    def failing(self, answer: Rule = 503, *, times: int | None = None) -> Generator[None]:
        """Answers so while the block runs; then what hangs ends, and all is as before.

        Args:
            answer: What requests get.
            times: How many of them, at most; None: all of them.
        """
        with self._changed:
            before = self._script, self._otherwise
            self._script = deque([] if times is None else [answer] * times)
            self._otherwise = answer if times is None else self._otherwise
        try:
            yield
        finally:
            with self._changed:
                self._script, self._otherwise = before
                released, self._released = self._released, threading.Event()
            released.set()

    @contextmanager
    def refusing(self) -> Generator[None]:
        """Refuses connections while the block runs, and ends those that there are."""
        port = self.port
        self.close()
        self._server = Server(port, partial(Connection, self))  # nobody else gets the port
        try:
            yield
        finally:
            self._released = threading.Event()
            self._thread = self._serve()

    def forget(self) -> None:
        """Forgets all requests so far."""
        with self._changed:
            self._requests.clear()
            self._accepted = 0

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
        """Stops listening and ends all connections. Does nothing the second time."""
        self.release()
        if self._thread.is_alive():
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
        return f"<{type(self).__name__} {self.url} {self.accepted} events accepted>"

    def connected(self, connection: socket.socket) -> None:
        """Notes that a connection begins."""
        with self._changed:
            self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        """Notes that a connection ends."""
        with self._changed:
            self._connections.discard(connection)

    def take(self, request: Request) -> Answer:
        """Notes a request; returns its answer."""
        if self._upstream is None:
            with self._changed:
                return self._record(request, self._planned(request))
        if request.asks:
            return _ask(self._upstream, request)
        with self._changed:
            answer = self._planned(request)
        if answer.accepts:
            answer = answer.saying(_ask(self._upstream, request))
        with self._changed:
            return self._record(request, answer)

    def pause(self, seconds: float | None) -> None:
        """Waits for ``seconds``, or for ever, but not after ``release``."""
        self._released.wait(seconds)

    def _serve(self) -> threading.Thread:
        self._server.server_activate()
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        return thread

    def _planned(self, request: Request) -> Answer:
        return answer_to(request, self._script.popleft() if self._script else self._otherwise)

    def _record(self, request: Request, answer: Answer) -> Answer:
        self._requests.append((request, answer))
        self._accepted += len(request.events) if answer.accepts else 0
        self._changed.notify_all()
        return answer


def _ask(upstream: Upstream, request: Request) -> Answer:
    """Hands a request on; an upstream that does not answer is a bad gateway."""
    if "text/event-stream" in request.headers.get("accept", ""):
        return redirect(upstream.url + request.target, 307)  # its answer has no end
    try:
        return upstream.ask(request.method, request.target, request.headers, request.body)
    except OSError as error:
        return Answer(502, body=f"{upstream.url}: {error}\n".encode())
