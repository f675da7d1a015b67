"""A deadline for a whole answer: the time-out of requests counts anew with each byte received.

A collector (or something in between) that answers a byte a second would else hold its worker,
or who waits in flush, for as long as it likes.
"""

from __future__ import annotations

import io
import time
from functools import cache
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import socket


class DeadlineAdapter(HTTPAdapter):
    """Gives each answer, from its first byte to its last, the time that one read would have."""

    def close(self) -> None:
        """Closes the connections, which urllib3 leaves to a finalizer that exits run before us."""
        pools: Any = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 - it cannot be iterated over
            pools[key].close()
        super().close()

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """Returns a pool whose connections have deadlines."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pool.ConnectionCls = _with_deadline(pool.ConnectionCls)
        return pool


@cache
def _with_deadline(connection: type[Any]) -> type[Any]:
    if getattr(connection, "response_class", None) is _Response:
        return connection
    return type(connection.__name__, (connection,), {"response_class": _Response})


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        timeout = sock.gettimeout()
        if timeout is not None:
            self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, timeout))

    def _read_status(self) -> tuple[str, int, str]:
        # http.client skips 100 (Continue) alone; any other interim answer it takes for the final
        # one, and the final one for the answer to the next request.
        parent: Any = super()
        version, status, reason = parent._read_status()  # noqa: SLF001 - there is no public way
        return version, 100 if 100 < status < 200 else status, reason  # noqa: PLR2004


class _Reader(io.RawIOBase):
    """Reads from a socket's file, each time with what is left until the deadline."""

    def __init__(self, raw: Any, sock: socket.socket, timeout: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            msg = "the answer took too long"
            raise TimeoutError(msg)
        self._sock.settimeout(remaining)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
