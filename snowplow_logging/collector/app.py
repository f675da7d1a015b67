"""The HTTP side of the collector: what comes in, and what is answered.

Law: 200 is not acceptance. An event is answered alike, be it good or bad; what became of it,
``/micro`` says, and says it by the time of the answer.
"""

from __future__ import annotations

import time
from base64 import b64decode
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from snowplow_logging.collector import protocol
from snowplow_logging.collector.hosts import HostGuard
from snowplow_logging.collector.micro import Micro
from snowplow_logging.collector.received import Received

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from snowplow_logging.collector.changes import Changes
    from snowplow_logging.collector.judge import Judge, Verdict
    from snowplow_logging.collector.registry import Registry
    from snowplow_logging.collector.store import Store

PIXEL = b64decode("R0lGODlhAQABAPAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
NOTHING = f"POST /{protocol.SNOWPLOW}/tp2, GET /i, GET /health and GET /micro/ui are here\n"
MAX_DRAINED_BYTES = 67_108_864  # of a body that is refused, so that its sender hears of it


class Collector:
    """The endpoints of a collector.

    Args:
        judge: Assesses the requests.
        store: Keeps the verdicts.
        on_event: Is called with each verdict, in the thread of the server.
    """

    def __init__(self, judge: Judge, store: Store, on_event: Callable[[Verdict], None]) -> None:
        """Keeps its arguments."""
        self._judge = judge
        self._store = store
        self._on_event = on_event

    def routes(self) -> list[Route]:
        """The paths; two segments are a vendor and a version, whichever they are."""
        return [
            Route("/i", self._get, methods=["GET"]),
            Route("/i", _preflight, methods=["OPTIONS"]),
            Route("/{vendor}/{version}", self._post, methods=["POST"]),
            Route("/{vendor}/{version}", _preflight, methods=["OPTIONS"]),
            Route("/health", _health, methods=["GET"]),
            # Takes every method too: a path with another one is a 404, not a 405.
            Route("/{rest:path}", PlainTextResponse(NOTHING, 404)),
        ]

    async def _get(self, request: Request) -> Response:
        received = _received(request, protocol.SNOWPLOW, "tp1", None)
        self._keep(self._judge.assess_get(received))
        headers = {"Cache-Control": "no-cache, no-store, must-revalidate", **_cors(request)}
        return Response(PIXEL, media_type="image/gif", headers=headers)

    async def _post(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            text = f"The body is larger than {protocol.MAX_BODY_BYTES} bytes\n"
            return PlainTextResponse(text, 413, headers=_cors(request))
        path = request.path_params
        received = _received(request, path["vendor"], path["version"], body)
        self._keep(self._judge.assess_post(received))
        return PlainTextResponse("ok", headers=_cors(request))

    def _keep(self, verdicts: list[Verdict]) -> None:
        self._store.add(verdicts)
        for verdict in verdicts:
            self._on_event(verdict)


def make_app(
    *,
    registry: Registry,
    judge: Judge,
    store: Store,
    on_event: Callable[[Verdict], None],
    host: str,
    changes: Changes,
) -> ASGIApp:
    """The whole application: Micro's API first, since its paths are pairs of segments too.

    Args:
        registry: The schemas.
        judge: Assesses the requests.
        store: Keeps the verdicts.
        on_event: Is called with each verdict, in the thread of the server.
        host: The address that is served; on a loopback address the API answers local names only.
        changes: Of the store.
    """
    routes = [
        *Micro(store, registry, changes).routes(),
        *Collector(judge, store, on_event).routes(),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return HostGuard(app, host)


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


def _received(request: Request, vendor: str, version: str, body: bytes | None) -> Received:
    headers = request.headers
    content_type = headers.get("content-type") if body is not None else None
    anonymous = "sp-anonymous" in headers
    shown = [
        f"{name.title()}: {value}"
        for name, value in headers.items()
        if not (anonymous and name in {"x-forwarded-for", "x-real-ip", "cookie"})
    ]
    return Received(
        vendor=vendor,
        version=version,
        milliseconds=time.time_ns() // 1_000_000,
        query=request.scope["query_string"].decode("latin-1"),
        content_type=content_type,
        body=body,
        headers=tuple(shown),
        hostname=_hostname(headers.get("host")),
        address=None if anonymous else _address(request),
        user_agent=headers.get("user-agent"),
        referer=headers.get("referer"),
    )


def _hostname(host: str | None) -> str | None:
    return host.rpartition(":")[0] or host if host else None


def _address(request: Request) -> str | None:
    forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
    return forwarded or (request.client.host if request.client else None)


def _cors(request: Request) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": request.headers.get("origin", "*"),
        "Access-Control-Allow-Credentials": "true",
    }


async def _preflight(request: Request) -> Response:
    allowed = {
        "Access-Control-Allow-Headers": "Content-Type, SP-Anonymous",
        "Access-Control-Max-Age": "3600",
    }
    return Response(headers={**_cors(request), **allowed})


async def _health(request: Request) -> Response:
    del request
    return PlainTextResponse("ok")
