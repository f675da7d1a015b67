"""Who may ask ``/micro`` what came: on loopback, this machine and the pages that it serves.

A web page elsewhere can let its own name point to 127.0.0.1, and would then read, as its own,
what a collector on loopback answers ("DNS rebinding"). The name in ``Host`` betrays it. And it can
send requests to 127.0.0.1 whose answers it does not see, such as a reset; ``Origin`` and
``Sec-Fetch-Site`` betray those.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PAGE = "/micro/ui"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is served at ``host``."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def cors(headers: Headers) -> dict[str, str]:
    """What lets the page that asks read the answer."""
    return {
        "Access-Control-Allow-Origin": headers.get("origin", "*"),
        "Access-Control-Allow-Credentials": "true",
    }


def preflight(headers: Headers) -> Response:
    """The answer to a browser that asks whether a page may ask."""
    allowed = {
        "Access-Control-Allow-Headers": "Content-Type, SP-Anonymous",
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Max-Age": "3600",
    }
    return Response(headers={**cors(headers), **allowed})


class HostGuard:
    """Refuses ``/micro`` to foreign names and pages; events are taken from everywhere.

    Args:
        app: The application behind.
        host: The address that is served; unless it is loopback, nothing is refused.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        """Keeps its arguments."""
        self._app = app
        self._host = host
        self._guards = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 403."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/micro/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["path"], headers) if self._guards else None
        if refusal:
            await PlainTextResponse(f"{refusal}\n", 403)(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await preflight(headers)(scope, receive, send)
        elif "origin" in headers:
            await self._app(scope, receive, _with_cors(headers, send))
        else:
            await self._app(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> str | None:
        name = _name(headers.get("host", ""))
        if not self._is_here(name):
            return f"Not served under the name {name!a}: only to this machine"
        origin = headers.get("origin")
        if origin is not None and not self._is_here(_origin_name(origin)):
            return f"Not served to pages of {origin!a}: only to those of this machine"
        if headers.get("sec-fetch-site") == "cross-site" and origin is None and path != _PAGE:
            return "Not served to pages elsewhere: only to those of this machine"
        return None

    def _is_here(self, name: str) -> bool:
        return name == self._host or is_loopback(name)


def _with_cors(headers: Headers, send: Send) -> Send:
    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(cors(headers))
        await send(message)

    return send_with_cors


def _name(host: str) -> str:
    """The name in a ``Host`` header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _origin_name(origin: str) -> str:
    with suppress(ValueError):
        return urlsplit(origin).hostname or ""
    return ""
