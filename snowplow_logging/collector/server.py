"""``LocalCollector``: the collector in a thread of its own, for tests, demos and the command.

Law: starting and stopping it leaves no trace in the process: no signal handlers, no logging
configuration, no thread and no socket after ``close``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from snowplow_logging.collector.app import Collector, make_app
from snowplow_logging.collector.changes import Changes
from snowplow_logging.collector.documents import details_of, document_of
from snowplow_logging.collector.judge import Judge
from snowplow_logging.collector.registry import Registry
from snowplow_logging.collector.store import DEFAULT_MAX_EVENTS, Store
from snowplow_logging.collector.tables import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from snowplow_logging.collector.judge import Verdict

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9090
CLOSE_TIMEOUT = 5.0  # seconds
WAIT_TIMEOUT = 10.0
_BACKLOG = 128  # connections that may wait
_GRACE = 2  # seconds that requests under way have at the end

# What the server's thread logs, must not become events of the application under test.
_LOGGERS = ("uvicorn.error", "uvicorn.access", "asyncio")


class LocalCollector:
    """A collector on this machine that answers as a Snowplow pipeline would.

    What was sent to it is assessed before the sender has its answer, so that nothing need
    wait: send, then look.

        with LocalCollector(port=0) as collector:
            send_something_to(collector.url)
            assert collector.all() == {"total": 1, "good": 1, "bad": 0}

    Args:
        host: The address to serve; others than loopback are open to the network.
        port: The port; 0 takes a free one.
        schemas: Folders of schemas, ``DIR/VENDOR/NAME/jsonschema/VERSION``, and addresses of
            Iglu registries. The key for private schemas is the environment's
            ``SNOWPLOW_LOGGING_IGLU_API_KEY``.
        resolver: A configuration file of an Iglu resolver, as Micro takes it.
        paths: Further paths that events are taken at: ``com.acme/track``.
        max_events: How many events are kept; the counts are of all.
        storage: A file to keep them in, so that they survive; in memory without it.
        on_event: Is called with the verdict on each event, in the server's thread.

    Raises:
        ValueError: A folder or a schema in it, an address, a path or a file is of no use, or a
            number is out of range.
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        *,
        schemas: Iterable[str | Path] = (),
        resolver: str | Path | None = None,
        paths: Iterable[str] = (),
        max_events: int = DEFAULT_MAX_EVENTS,
        storage: str | Path | None = None,
        on_event: Callable[[Verdict], None] | None = None,
    ) -> None:
        """Reads the schemas; serves nothing before ``start``."""
        if not 0 <= port <= 65535:  # noqa: PLR2004 - the range of ports
            message = f"port: expected a number from 0 to 65535, got {port}"
            raise ValueError(message)
        self._host = host
        self._port = port
        self._on_event = on_event
        self._registry = Registry(schemas, resolver)
        self._store = Store(max_events, storage)
        self._collector = Collector(
            Judge(self._registry),
            self._store,
            self._notify,
            in_thread=self._registry.is_remote,
            paths=paths,
        )
        self._address: tuple[str, int] | None = None
        self._server: _Server | None = None
        self._changes: Changes | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        """Shows the address and the counts."""
        where = self.url if self._address else "not started"
        counts = self._store.counts()
        return f"<LocalCollector {where} {counts.good} good, {counts.bad} bad>"

    def start(self) -> Self:
        """Serves from a thread in the background, until ``close``; returns itself.

        Raises:
            OSError: The address is taken or is not this machine's.
        """
        if self._thread is not None:
            return self
        listener = _bind(self._host, self._port)
        self._address = self._host, listener.getsockname()[1]
        self._changes = changes = Changes(self._store)
        app = make_app(self._collector, self._registry, self._store, changes, self._host)
        self._server = _Server(app)
        self._thread = threading.Thread(
            target=self._server.serve_on,
            args=(listener,),
            name=f"snowplow-logging-collector-{self.port}",
            daemon=True,
        )
        self._thread.start()
        return self

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Stops serving; the events stay readable. Does nothing the second time.

        Args:
            timeout: Seconds after which it no longer waits for the thread to end.
        """
        thread, self._thread = self._thread, None
        if thread is None or self._server is None or self._changes is None:
            return
        self._changes.close()
        self._server.should_exit = True
        thread.join(timeout)
        self._store.close()

    def __enter__(self) -> Self:
        """Starts."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes."""
        self.close()

    @property
    def port(self) -> int:
        """The port that is served.

        Raises:
            RuntimeError: It was never started.
        """
        if self._address is None:
            message = "the collector has not been started: with LocalCollector(…) as collector"
            raise RuntimeError(message)
        return self._address[1]

    @property
    def url(self) -> str:
        """The address to send to, without a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def ui_url(self) -> str:
        """The address of the page."""
        return f"{self.url}/micro/ui"

    def good(self) -> list[dict[str, Any]]:
        """The good events that are kept, newest first, as ``/micro/good`` has them."""
        return self._documents(Filter(good=True))

    def bad(self) -> list[dict[str, Any]]:
        """The bad events that are kept, newest first, as ``/micro/bad`` has them."""
        return self._documents(Filter(good=False))

    def all(self) -> dict[str, int]:
        """How many events came since the last reset: ``total``, ``good``, ``bad``."""
        return self._store.counts().to_json()

    def events(self) -> list[dict[str, Any]]:
        """The events that are kept, good and bad, newest first, as ``/micro/rows`` has them."""
        return [json.loads(row) for row in self._store.rows(0, None, sys.maxsize)]

    def event(self, key: str | int) -> dict[str, Any] | None:
        """One event in full, as ``/micro/event/…`` has it; None if it is not kept.

        Args:
            key: Its ``event_id`` or its number, ``seq``.
        """
        kept = self._store.get(str(key))
        return None if kept is None else cast("dict[str, Any]", details_of(kept))

    def wait_for(
        self, total: int = 0, *, good: int = 0, bad: int = 0, timeout: float = WAIT_TIMEOUT
    ) -> dict[str, int]:
        """Waits until so many events came since the last reset, at least; returns the counts.

        Args:
            total: Good and bad ones together.
            good: Good ones.
            bad: Bad ones.
            timeout: Seconds after which it waits no longer.

        Raises:
            TimeoutError: So many did not come in time.
        """
        counts = self._store.wait(total, good, bad, timeout)
        if not counts.reach(total, good, bad):
            message = (
                f"expected {total} events, {good} good and {bad} bad at least, within {timeout} s; "
                f"got {counts.total}, {counts.good} good and {counts.bad} bad"
            )
            raise TimeoutError(message)
        return counts.to_json()

    def reset(self) -> dict[str, int]:
        """Forgets all events; returns the counts, which are zero."""
        return self._store.reset().to_json()

    def _documents(self, wanted: Filter) -> list[dict[str, Any]]:
        return [cast("dict[str, Any]", document_of(kept)) for kept in self._store.find(wanted)]

    def _notify(self, verdict: Verdict) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(verdict)
        except Exception:  # noqa: BLE001 - the sender must not pay for the listener's fault
            traceback.print_exc()


class _Config(uvicorn.Config):
    def configure_logging(self) -> None:
        """Leaves the logging of the process alone."""


class _Server(uvicorn.Server):
    """A server that runs in a thread, on a socket that is bound already."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            _Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
            )
        )

    def serve_on(self, listener: socket.socket) -> None:
        """Serves until ``should_exit``."""
        silence = _Silence(threading.get_ident())
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        for logger in loggers:
            logger.addFilter(silence)
        try:
            asyncio.run(self.serve(sockets=[listener]))
        finally:
            listener.close()
            for logger in loggers:
                logger.removeFilter(silence)


class _Silence(logging.Filter):
    """Drops the records of one thread."""

    def __init__(self, thread: int) -> None:
        super().__init__()
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return threading.get_ident() != self._thread


def _bind(host: str, port: int) -> socket.socket:
    """A socket that listens: the port is known, and connections queue, before the thread runs."""
    listener: socket.socket | None = None
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each
        # answer on a connection that stays open waits 40 ms for the acknowledgement of its head.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        message = f"cannot serve {host}:{port}: {error.strerror or error}"
        raise OSError(error.errno, message) from None
    return listener
