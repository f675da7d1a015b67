"""The page at ``/micro/ui``, and its parts at ``/micro/ui/…``.

Law: only the page's own scripts and styles run, whatever an event contains, and they talk to this
collector alone.
"""

from __future__ import annotations

import hashlib
import secrets
from importlib import resources
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

_TYPES = {".css": "text/css", ".js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Page:
    """The handlers of the page; reads its files once."""

    def __init__(self) -> None:
        """Reads the page and its parts."""
        folder = resources.files("snowplow_logging") / "collector" / "page"
        self._html = (folder / "page.html").read_text(encoding="utf-8")
        files = [file for file in folder.iterdir() if file.name.endswith(tuple(_TYPES))]
        self._parts = {file.name: file.read_bytes() for file in files}
        # Parts belong together: a new version of one is a new version of all.
        whole = b"".join(content for _, content in sorted(self._parts.items()))
        self._tag = f'"{hashlib.sha256(whole).hexdigest()[:16]}"'

    def routes(self) -> list[Route]:
        """The paths of the page and of its parts."""
        return [
            Route("/micro/ui", self._page, methods=["GET"]),
            Route("/micro/ui/{part}", self._part, methods=["GET"]),
        ]

    async def _page(self, request: Request) -> Response:
        del request
        nonce = secrets.token_urlsafe(16)
        policy = _POLICY.format(nonce=nonce)
        headers = {**_SAFE, "Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(self._html.replace("@NONCE@", nonce), headers=headers)

    async def _part(self, request: Request) -> Response:
        """A script or a style; a browser that has it is told so, without it."""
        name = request.path_params["part"]
        if name not in self._parts:
            return PlainTextResponse(f"The page has no part {name!a}\n", 404)
        headers = {**_SAFE, "Cache-Control": "no-cache", "ETag": self._tag}
        if request.headers.get("if-none-match") == self._tag:
            return Response(status_code=304, headers=headers)
        kind = _TYPES[name[name.rindex(".") :]]
        return Response(self._parts[name], media_type=kind, headers=headers)
