"""Answers of ``/micro``: JSON, whole or as it is made, and what was wrong with a request."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from snowplow_logging.collector.strict_json import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from starlette.requests import Request

CHUNK = 65_536  # bytes of a list that are sent together, about

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_JSON = "application/json"


def json_answer(value: object, status: int = 200) -> Response:
    """``value`` as JSON."""
    return json_text(encode(value), status)


def json_text(text: str, status: int = 200) -> Response:
    """JSON text."""
    return Response(text, status, media_type=_JSON, headers=_HEADERS)


def json_list(items: Iterable[object]) -> Response:
    """The items as a JSON array; each is made when the connection takes it, in another thread."""
    return StreamingResponse(_chunks(items), media_type=_JSON, headers=_HEADERS)


def explained(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Has ``handler`` answer a ``ValueError`` with its text and a 400."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)

    return answer


def _chunks(items: Iterable[object]) -> Iterator[str]:
    parts: list[str] = ["["]
    size = 0
    for index, item in enumerate(items):
        parts.append(f",{encode(item)}" if index else encode(item))
        size += len(parts[-1])
        if size > CHUNK:
            yield "".join(parts)
            parts, size = [], 0
    yield "".join([*parts, "]"])
