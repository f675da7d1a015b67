"""What the page reads: rows, the stream of them, one event in full; and waiting for a count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from snowplow_logging.collector import asked
from snowplow_logging.collector.answers import explained, json_answer, json_text
from snowplow_logging.collector.documents import details_of
from snowplow_logging.collector.live import Live
from snowplow_logging.collector.strict_json import encode

if TYPE_CHECKING:
    from starlette.requests import Request

    from snowplow_logging.collector.changes import Changes
    from snowplow_logging.collector.store import Store

DEFAULT_ROWS = 100
MAX_ROWS = 1_000  # in one answer
DEFAULT_WAIT = 10.0  # seconds


class View:
    """The handlers.

    Args:
        store: The events.
        changes: Of the store.
    """

    def __init__(self, store: Store, changes: Changes) -> None:
        """Keeps its arguments."""
        self._store = store
        self._changes = changes
        self._live = Live(store, changes)

    def routes(self) -> list[Route]:
        """The paths."""
        return [
            Route("/micro/rows", explained(self._rows), methods=["GET"]),
            Route("/micro/live", explained(self._stream), methods=["GET"]),
            Route("/micro/event/{key}", self._event, methods=["GET"]),
            Route("/micro/wait", explained(self._wait), methods=["GET"]),
        ]

    async def _rows(self, request: Request) -> Response:
        after = asked.number(request, "after", 0)
        before = asked.number(request, "before", None)
        limit = min(asked.number(request, "limit", DEFAULT_ROWS), MAX_ROWS)
        counts = self._store.counts().to_json()
        bounds = {"first": self._store.first(), "last": self._store.last() or None}
        rows = ",".join(self._store.rows(after, before, limit))
        return json_text(f'{encode({**counts, **bounds})[:-1]},"rows":[{rows}]}}')

    async def _stream(self, request: Request) -> Response:
        after = asked.number(request, "after", None)
        # A browser that connects again leaves the query string as it was.
        seen = asked.last_event_id(request)
        return self._live.response(after if seen is None else seen)

    async def _event(self, request: Request) -> Response:
        key = request.path_params["key"]
        kept = self._store.get(key)
        if kept is None:
            text = f"No event with the number or id {key!a} is kept here\n"
            return PlainTextResponse(text, 404)
        return json_answer(await run_in_threadpool(details_of, kept))

    async def _wait(self, request: Request) -> Response:
        total, good, bad = (asked.number(request, name, 0) for name in ("total", "good", "bad"))
        timeout = asked.seconds(request, "timeout", DEFAULT_WAIT)
        counts = await self._changes.wait_until(
            lambda counts: counts.reach(total, good, bad), timeout
        )
        return json_answer(counts.to_json(), 200 if counts.reach(total, good, bad) else 408)
