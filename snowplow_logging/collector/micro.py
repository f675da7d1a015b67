"""Micro's REST API: counts, reset, good and bad events, schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from snowplow_logging.collector import asked
from snowplow_logging.collector.answers import explained, json_answer, json_list
from snowplow_logging.collector.documents import document_of
from snowplow_logging.collector.flat import flat_event
from snowplow_logging.collector.search import search_of
from snowplow_logging.collector.tables import Filter

if TYPE_CHECKING:
    from starlette.requests import Request

    from snowplow_logging.collector.registry import Registry
    from snowplow_logging.collector.store import Store

IGLU_PATH = "/micro/iglu/{vendor}/{name}/jsonschema/{version}"


class Micro:
    """The handlers of the API.

    Args:
        store: The events.
        registry: The schemas.
    """

    def __init__(self, store: Store, registry: Registry) -> None:
        """Keeps its arguments."""
        self._store = store
        self._registry = registry

    def routes(self) -> list[Route]:
        """The paths."""
        return [
            Route("/micro/all", self._all, methods=["GET", "POST"]),
            Route("/micro/reset", self._reset, methods=["GET", "POST"]),
            Route("/micro/good", explained(self._good), methods=["GET", "POST"]),
            Route("/micro/bad", explained(self._bad), methods=["GET", "POST"]),
            Route("/micro/events", explained(self._events), methods=["GET", "POST"]),
            Route(IGLU_PATH, self._schema, methods=["GET"]),
        ]

    async def _all(self, request: Request) -> Response:
        del request
        return json_answer(self._store.counts().to_json())

    async def _reset(self, request: Request) -> Response:
        del request
        return json_answer(self._store.reset().to_json())

    async def _good(self, request: Request) -> Response:
        fields = await asked.fields_of(request) if request.method == "POST" else {}
        return self._found(asked.filter_of_good(fields), asked.integer(fields, "limit"))

    async def _bad(self, request: Request) -> Response:
        fields = await asked.fields_of(request) if request.method == "POST" else {}
        return self._found(asked.filter_of_bad(fields), asked.integer(fields, "limit"))

    async def _events(self, request: Request) -> Response:
        if request.method != "POST":
            events = map(flat_event, self._store.find(Filter()))
            return json_list(event for event in events if event is not None)
        search = search_of(await asked.fields_of(request))
        return json_answer(await run_in_threadpool(search.run, self._store))

    def _found(self, wanted: Filter, limit: int | None) -> Response:
        return json_list(map(document_of, self._store.find(wanted, limit)))

    async def _schema(self, request: Request) -> Response:
        path = request.path_params
        uri = f"iglu:{path['vendor']}/{path['name']}/jsonschema/{path['version']}"
        found = await run_in_threadpool(self._registry.look_up, uri)
        if found.schema is None:
            places = ", ".join(place.text for place in found.places)
            return PlainTextResponse(f"There is no schema {uri} in {places}\n", 404)
        return json_answer(found.schema.document)


def unknown(routes: list[Route]) -> list[Route]:
    """What answers a path under ``/micro`` that is none of ``routes``: with those that are."""
    paths = dict.fromkeys("/".join(route.path.split("/")[:3]) for route in routes)
    # As an application, not a function, it takes every method.
    answer = PlainTextResponse(f"The paths here are: {' '.join(paths)}\n", 404)
    return [Route("/micro", answer), Route("/micro/{rest:path}", answer)]
