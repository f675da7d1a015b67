"""The collector's address, from what users write."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from snowplow_logging.payload import GET_PATH, POST_PATH

HOW_TO_GIVE_ONE = (
    "no endpoint: give the handler endpoint='https://collector.acme.com', "
    "or set SNOWPLOW_LOGGING_ENDPOINT in the environment"
)


class Endpoint(NamedTuple):
    """Where events go.

    Args:
        base: Scheme, host and port, fit to be shown.
        url: The URL of the requests, without user and password.
        auth: User and password, if the endpoint names them.
    """

    base: str
    url: str
    auth: tuple[str, str] | None


def parse(
    endpoint: str | None, protocol: str | None, port: int | None, method: str, path: str | None
) -> Endpoint:
    """Returns the address for an endpoint such as ``collector.acme.com``; https by default.

    Raises:
        ValueError: It is no address, or contradicts ``protocol`` or ``port``.
    """
    if not endpoint:
        raise ValueError(HOW_TO_GIVE_ONE)
    if not isinstance(endpoint, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _wrong("a URL or a host")
    written, port_in_endpoint = _split(
        endpoint if "://" in endpoint else f"{protocol or 'https'}://{endpoint}"
    )
    if written.scheme not in ("http", "https") or not written.hostname:
        raise _wrong("a host, or a URL that begins with https:// or http://")
    if written.query or written.fragment:
        raise _wrong("a URL without a query: the collector would put it into every event")
    if any(c.isspace() for c in endpoint):
        raise _wrong("a URL without spaces")
    if protocol not in (None, written.scheme):
        raise _wrong(f"no other scheme than protocol={protocol!r}")
    if port is not None and port_in_endpoint not in (None, port):
        raise _wrong(f"no other port than port={port}")
    host = f"[{written.hostname}]" if ":" in written.hostname else written.hostname
    chosen = port or port_in_endpoint
    base = f"{written.scheme}://{host}{f':{chosen}' if chosen else ''}{written.path.rstrip('/')}"
    user = written.username
    auth = None if user is None else (unquote(user), unquote(written.password or ""))
    return Endpoint(base, f"{base}/{_path(method, path)}", auth)


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        written = urlsplit(url)
    except ValueError:
        raise _wrong("a host, or a URL that begins with https:// or http://") from None
    try:
        port = written.port
    except ValueError:
        port = 0
    if port == 0:
        raise _wrong("a port from 1 to 65535")
    return written, port


def _path(method: str, path: str | None) -> str:
    if path is None:
        return GET_PATH if method == "get" else POST_PATH
    segments = path.removeprefix("/").split("/")
    wanted = (1, 2) if method == "get" else (2,)
    if len(segments) not in wanted or not all(segments) or re.search(r"[?#\s]", path):
        takes = "one or two segments" if method == "get" else "two segments"
        msg = f"path takes {takes} and no slash at its end, like /{POST_PATH}; not {path!r}"
        raise ValueError(msg)
    return "/".join(segments)


def _wrong(takes: str) -> ValueError:
    # The endpoint itself is not quoted: it may hold a password.
    return ValueError(f"endpoint takes {takes}, like https://collector.acme.com")
