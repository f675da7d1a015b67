"""Which names a request may call this machine by.

A web page elsewhere can let its own name point to 127.0.0.1, and would then read, as its own,
what a collector on loopback answers ("DNS rebinding"). The name in ``Host`` betrays it.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is served at ``host``."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HostGuard:
    """Refuses ``/micro`` to foreign names; events are taken under any name.

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
        if self._guards and scope["type"] == "http" and f"{scope['path']}/".startswith("/micro/"):
            name = _name(dict(scope["headers"]).get(b"host", b"").decode("latin-1"))
            if name != self._host and not is_loopback(name):
                text = f"Not served under the name {name!a}: only to this machine\n"
                await PlainTextResponse(text, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _name(host: str) -> str:
    """The name in a ``Host`` header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
