"""A client for collectors that logs nothing: what it does must not become events of a test."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from string import punctuation
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from snowplow_logging.testing.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 20.0  # seconds for a connection, and for an answer

# What belongs to one connection, and must not be taken to another.
_OF_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Upstream:
    """A collector elsewhere.

    Args:
        url: Its address, such as ``http://127.0.0.1:9090``.

    Raises:
        ValueError: The address is none.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = f"expected an address such as http://127.0.0.1:9090, got {url!r}"
            raise ValueError(msg)
        self.url = url.rstrip("/")
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")

    def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Sends a request; returns its answer.

        Raises:
            OSError: There is none.
        """
        kept = {k: v for k, v in (headers or {}).items() if k.lower() not in _OF_CONNECTION}
        connection = self._kind(self._host, self._port, timeout=TIMEOUT)
        try:
            # What is not ASCII, a client should have quoted.
            quoted = quote((self._path + target).encode("latin-1"), safe=punctuation)
            connection.request(method, quoted, body or None, kept)
            response = connection.getresponse()
            content = response.read()
        except HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()
        given = {k: v for k, v in response.getheaders() if k.lower() not in _OF_CONNECTION}
        return Answer(response.status, given, content)
