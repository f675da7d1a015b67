"""Micro's REST API: ``/micro/all``, ``reset``, ``good``, ``bad``, ``iglu`` and the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from snowplow_logging.collector.live import Live
from snowplow_logging.collector.rows import details_of
from snowplow_logging.collector.strict_json import JsonError, encode, parse, shorten
from snowplow_logging.collector.ui import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request

    from snowplow_logging.collector.changes import Changes
    from snowplow_logging.collector.judge import Verdict
    from snowplow_logging.collector.registry import Registry
    from snowplow_logging.collector.store import Store
    from snowplow_logging.collector.strict_json import Json

PATHS = (
    "/micro/all /micro/good /micro/bad /micro/reset /micro/iglu/… /micro/ui "
    "/micro/rows /micro/live /micro/event/… /micro/wait"
)
IGLU_PATH = "/micro/iglu/{vendor}/{name}/jsonschema/{version}"
MAX_FILTER_BYTES = 65_536
DEFAULT_ROWS = 100
MAX_ROWS = 1_000  # in one answer
DEFAULT_WAIT = 10.0  # seconds
MAX_WAIT = 600.0

Filters = dict[str, "Json"]

_NUMBER = re.compile(r"[0-9]{1,18}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Micro:
    """The handlers of the API.

    Args:
        store: The verdicts.
        registry: The schemas.
        changes: Of the store.
    """

    def __init__(self, store: Store, registry: Registry, changes: Changes) -> None:
        """Keeps its arguments."""
        self._store = store
        self._changes = changes
        self._live = Live(store, changes)
        self._registry = registry

    def routes(self) -> list[Route]:
        """The paths; the last one takes what no other took."""
        # As an application, not a function, it takes every method.
        unknown = PlainTextResponse(f"The paths here are: {PATHS}\n", 404)
        return [
            Route("/micro/all", self._all, methods=["GET", "POST"]),
            Route("/micro/reset", self._reset, methods=["GET", "POST"]),
            Route("/micro/good", self._good, methods=["GET", "POST"]),
            Route("/micro/bad", self._bad, methods=["GET", "POST"]),
            Route(IGLU_PATH, self._schema, methods=["GET"]),
            *Page().routes(),
            Route("/micro/rows", self._rows, methods=["GET"]),
            Route("/micro/live", self._stream, methods=["GET"]),
            Route("/micro/event/{key}", self._event, methods=["GET"]),
            Route("/micro/wait", self._wait, methods=["GET"]),
            Route("/micro", unknown),
            Route("/micro/{rest:path}", unknown),
        ]

    async def _all(self, request: Request) -> Response:
        del request
        return _json(encode(self._store.counts().to_json()).encode())

    async def _reset(self, request: Request) -> Response:
        del request
        return _json(encode(self._store.reset().to_json()).encode())

    async def _good(self, request: Request) -> Response:
        return await self._query(request, matcher_of_good)

    async def _bad(self, request: Request) -> Response:
        return await self._query(request, matcher_of_bad)

    async def _query(
        self, request: Request, matcher: Callable[[Filters], Callable[[Verdict], bool]]
    ) -> Response:
        try:
            filters = await _filters(request) if request.method == "POST" else {}
            found = self._store.find(matcher(filters), _integer(filters, "limit"))
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return _json(b"[" + b",".join(b"".join(verdict.document) for verdict in found) + b"]")

    async def _rows(self, request: Request) -> Response:
        try:
            after = _number(request, "after", 0)
            before = _number(request, "before", None)
            limit = min(_number(request, "limit", DEFAULT_ROWS), MAX_ROWS)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        counts = self._store.counts().to_json()
        first, last = self._store.first(), self._store.last() or None
        rows = self._store.rows(after, before, limit)
        return _json(encode({**counts, "first": first, "last": last, "rows": rows}).encode())

    async def _stream(self, request: Request) -> Response:
        try:
            after = _number(request, "after", None)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        # A browser that connects again says it so, and leaves the query string as it was.
        seen = request.headers.get("last-event-id", "")
        return self._live.response(int(seen) if _NUMBER.fullmatch(seen) else after)

    async def _event(self, request: Request) -> Response:
        key = request.path_params["key"]
        kept = self._store.get(key)
        if kept is None:
            text = f"No event with the number or id {key!a} is kept here\n"
            return PlainTextResponse(text, 404)
        details = encode(details_of(kept.verdict)).encode()
        parts = (
            b'{"row":',
            encode(kept.row).encode(),
            b',"document":',
            *kept.verdict.document,
            b",",
            details[1:],
        )
        return _json(b"".join(parts))

    async def _wait(self, request: Request) -> Response:
        try:
            wanted = [_number(request, name, 0) for name in ("total", "good", "bad")]
            timeout = _seconds(request, "timeout", DEFAULT_WAIT)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        counts = await self._changes.wait_until(lambda counts: counts.reach(*wanted), timeout)
        answer = _json(encode(counts.to_json()).encode())
        answer.status_code = 200 if counts.reach(*wanted) else 408
        return answer

    async def _schema(self, request: Request) -> Response:
        path = request.path_params
        uri = f"iglu:{path['vendor']}/{path['name']}/jsonschema/{path['version']}"
        schema = self._registry.find(uri)
        if schema is None:
            places = ", ".join(self._registry.places)
            return PlainTextResponse(f"There is no schema {uri} in {places}\n", 404)
        return _json(encode(schema.document).encode())


def matcher_of_good(filters: Filters) -> Callable[[Verdict], bool]:
    """Whether a verdict is a good event that the filters of ``/micro/good`` let through.

    Raises:
        ValueError: A filter has a wrong type.
    """
    event_type = _string(filters, "event_type")
    schema = _string(filters, "schema")
    contexts = _strings(filters, "contexts")
    return lambda verdict: (
        verdict.good
        and event_type in {None, verdict.event_type}
        and schema in {None, verdict.schema}
        and contexts.issubset(verdict.contexts)
    )


def matcher_of_bad(filters: Filters) -> Callable[[Verdict], bool]:
    """Whether a verdict is a bad event that the filters of ``/micro/bad`` let through.

    Raises:
        ValueError: A filter has a wrong type.
    """
    vendor = _string(filters, "vendor")
    version = _string(filters, "version")
    return lambda verdict: (
        not verdict.good and vendor in {None, verdict.vendor} and version in {None, verdict.version}
    )


_T = TypeVar("_T")


def _number(request: Request, name: str, default: _T) -> int | _T:
    """A whole number in the query string."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        message = f"{name}: expected a whole number from 0, got {shorten(text)}"
        raise ValueError(message)
    return int(text)


def _seconds(request: Request, name: str, default: float) -> float:
    """A number of seconds in the query string."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _SECONDS.fullmatch(text) or float(text) > MAX_WAIT:
        message = f"{name}: expected seconds from 0 to {MAX_WAIT:.0f}, got {shorten(text)}"
        raise ValueError(message)
    return float(text)


async def _filters(request: Request) -> Filters:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FILTER_BYTES:
            message = f"filters: expected at most {MAX_FILTER_BYTES} bytes"
            raise ValueError(message)
    try:
        value = parse(body.decode("utf-8")) if body.strip() else {}
    except (UnicodeDecodeError, JsonError) as error:
        message = f"filters: {error}"
        raise ValueError(message) from None
    if not isinstance(value, dict):
        message = f"filters: expected a JSON object, got {shorten(value)}"
        raise ValueError(message)  # noqa: TRY004 - all of it becomes a 400
    return value


def _string(filters: Filters, name: str) -> str | None:
    value = filters.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "a string", value)
    return value


def _integer(filters: Filters, name: str) -> int | None:
    value = filters.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _wrong(name, "an integer", value)
    return value


def _strings(filters: Filters, name: str) -> frozenset[str]:
    value = filters.get(name)
    items: Iterable[Json] = value if isinstance(value, list) else ()
    strings = [item for item in items if isinstance(item, str)]
    if value is not None and (not isinstance(value, list) or len(strings) != len(value)):
        raise _wrong(name, "an array of strings", value)
    return frozenset(strings)


def _wrong(name: str, expectation: str, value: Json) -> ValueError:
    return ValueError(f"filters: {name}: expected {expectation}, got {shorten(value)}")


def _json(body: bytes) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(body, media_type="application/json", headers=headers)
