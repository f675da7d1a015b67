"""The HTTP side of the collector: what comes in, and what is answered.

Law: 200 is not acceptance. An event is answered alike, be it good or bad; what became of it,
``/micro`` says, and says it by the time of the answer.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
import uuid
from base64 import b64decode
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from snowplow_logging.collector import protocol
from snowplow_logging.collector.hosts import HostGuard, cors, preflight
from snowplow_logging.collector.micro import Micro, unknown
from snowplow_logging.collector.received import Received
from snowplow_logging.collector.ui import Page
from snowplow_logging.collector.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from snowplow_logging.collector.changes import Changes
    from snowplow_logging.collector.judge import Judge, Verdict
    from snowplow_logging.collector.registry import Registry
    from snowplow_logging.collector.store import Store

PIXEL = b64decode("R0lGODlhAQABAPAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
NOTHING = f"POST /{protocol.SNOWPLOW}/tp2, GET /i, GET /health and GET /micro/ui are here\n"
MAX_DRAINED_BYTES = 67_108_864  # of a body that is refused, so that its sender hears of it
MAX_INLINE_BYTES = 65_536  # of a body that is assessed at once; others wait longer for more
MAX_LARGE = 2  # bodies larger than that which are assessed at the same time: each takes memory

COOKIE = "sp"
COOKIE_SECONDS = 31_536_000  # a year
ANONYMOUS = "00000000-0000-0000-0000-000000000000"

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PATH = re.compile(r"/?([^/?#\s]+)/([^/?#\s]+)")


class Collector:
    """The endpoints of a collector.

    Args:
        judge: Assesses the requests.
        store: Keeps the verdicts.
        on_event: Is called with each verdict, in the thread of the server.
        in_thread: Whether assessing may have to wait for a registry.
        paths: Further ones that stand for the tracker protocol's: ``com.acme/track``.

    Raises:
        ValueError: A path does not have two segments, or is taken.
    """

    def __init__(
        self,
        judge: Judge,
        store: Store,
        on_event: Callable[[Verdict], None],
        *,
        in_thread: bool = False,
        paths: Iterable[str] = (),
    ) -> None:
        """Keeps its arguments."""
        self._judge = judge
        self._store = store
        self._on_event = on_event
        self._in_thread = in_thread
        self._large = asyncio.Semaphore(MAX_LARGE)
        self._paths = {checked_path(path) for path in paths}

    def routes(self) -> list[Route]:
        """The paths, for one server; two segments are a vendor and a version, whichever."""
        self._large = asyncio.Semaphore(MAX_LARGE)  # belongs to the loop of that server
        own = [Route(f"/{'/'.join(path)}", self._get, methods=["GET"]) for path in self._paths]
        return [
            Route("/i", self._get, methods=["GET"]),
            Route("/i", _preflight, methods=["OPTIONS"]),
            *own,
            Route("/{vendor}/{version}", self._post, methods=["POST"]),
            Route("/{vendor}/{version}", _preflight, methods=["OPTIONS"]),
            Route("/health", _health, methods=["GET"]),
            # Takes every method too: a path with another one is a 404, not a 405.
            Route("/{rest:path}", PlainTextResponse(NOTHING, 404)),
        ]

    async def _get(self, request: Request) -> Response:
        version = "tp1" if request.url.path == "/i" else "tp2"
        received = _received(request, (protocol.SNOWPLOW, version), None)
        answer = Response(PIXEL, media_type="image/gif", headers=cors(request.headers))
        answer.headers["Cache-Control"] = "no-cache, no-store, must-revalidate"
        return await self._taken(request, received, answer)

    async def _post(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            text = f"The body is larger than {protocol.MAX_BODY_BYTES} bytes\n"
            return PlainTextResponse(text, 413, headers=cors(request.headers))
        path = request.path_params["vendor"], request.path_params["version"]
        standard = (protocol.SNOWPLOW, "tp2")
        received = _received(request, standard if path in self._paths else path, body)
        answer = PlainTextResponse("ok", headers=cors(request.headers))
        return await self._taken(request, received, answer)

    async def _taken(self, request: Request, received: Received, answer: Response) -> Response:
        """The answer, once the events are assessed and kept."""
        try:
            if len(received.body or b"") > MAX_INLINE_BYTES:
                async with self._large:
                    verdicts = await run_in_threadpool(self._take, received)
            elif self._in_thread:
                verdicts = await run_in_threadpool(self._take, received)
            else:
                verdicts = self._take(received)
        except sqlite3.Error as error:
            return PlainTextResponse(f"The events could not be stored: {error}\n", 503)
        for verdict in verdicts:
            self._on_event(verdict)
        if not _is_anonymous(request):
            answer.set_cookie(
                COOKIE,
                received.network_user_id or "",
                max_age=COOKIE_SECONDS,
                httponly=True,
                samesite="lax",
            )
        return answer

    def _take(self, received: Received) -> list[Verdict]:
        assess = self._judge.assess_get if received.body is None else self._judge.assess_post
        verdicts = assess(received)
        self._store.add(verdicts)
        return verdicts


def make_app(
    collector: Collector, registry: Registry, store: Store, changes: Changes, host: str
) -> ASGIApp:
    """The whole application: Micro's API first, since its paths are pairs of segments too.

    Args:
        collector: The endpoints that take events.
        registry: The schemas.
        store: The events.
        changes: Of the store.
        host: The address that is served; on a loopback address the API answers local names only.
    """
    micro = [*Micro(store, registry).routes(), *Page().routes(), *View(store, changes).routes()]
    app = Starlette(routes=[*micro, *unknown(micro), *collector.routes()])
    app.router.redirect_slashes = False
    return HostGuard(app, host)


def checked_path(path: str) -> tuple[str, str]:
    """The two segments of a path.

    Raises:
        ValueError: It has not two, or is one of ``/micro``.
    """
    match = _PATH.fullmatch(path)
    if not match or match[1] == "micro":
        message = f"paths: expected two segments such as com.acme/track, got {path!a}"
        raise ValueError(message)
    return match[1], match[2]


async def _body(request: Request) -> bytes | None:
    """The body, or None if it is too large."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= protocol.MAX_BODY_BYTES:
            chunks.append(chunk)
        elif size > MAX_DRAINED_BYTES:
            break
        else:
            chunks.clear()
    return b"".join(chunks) if size <= protocol.MAX_BODY_BYTES else None


def _received(request: Request, path: tuple[str, str], body: bytes | None) -> Received:
    headers = request.headers
    content_type = headers.get("content-type") if body is not None else None
    anonymous = _is_anonymous(request)
    shown = [
        f"{name.title()}: {value}"
        for name, value in headers.items()
        if not (anonymous and name in {"x-forwarded-for", "x-real-ip", "cookie"})
    ]
    return Received(
        vendor=path[0],
        version=path[1],
        milliseconds=time.time_ns() // 1_000_000,
        query=request.scope["query_string"].decode("latin-1"),
        content_type=content_type,
        body=body,
        headers=tuple(shown),
        hostname=_hostname(headers.get("host")),
        address=None if anonymous else _address(request),
        user_agent=headers.get("user-agent"),
        referer=headers.get("referer"),
        network_user_id=ANONYMOUS if anonymous else _network_user_id(request),
    )


def _is_anonymous(request: Request) -> bool:
    return "sp-anonymous" in request.headers


def _network_user_id(request: Request) -> str:
    """What the request says, the cookie says, or a new one."""
    for known in (request.query_params.get("nuid"), request.cookies.get(COOKIE)):
        if known and _UUID.fullmatch(known):
            return known
    return str(uuid.uuid4())


def _hostname(host: str | None) -> str | None:
    return host.rpartition(":")[0] or host if host else None


def _address(request: Request) -> str | None:
    forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
    return forwarded or (request.client.host if request.client else None)


async def _preflight(request: Request) -> Response:
    return preflight(request.headers)


async def _health(request: Request) -> Response:
    del request
    return PlainTextResponse("ok")
