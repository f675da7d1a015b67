"""Micro's API, as a client: of Snowplow Micro, or of the local collector, which speaks it too."""

from __future__ import annotations

import json
from typing import Any

from snowplow_logging.testing._upstream import Upstream
from snowplow_logging.testing.events import Event, Events


class Micro:
    """A collector that says what became of the events.

    Args:
        url: Its address, such as ``http://127.0.0.1:9090``.
        synchronous: Whether an event is there by the time its sender has an answer.

    Raises:
        ValueError: The address is none.
    """

    def __init__(self, url: str, *, synchronous: bool) -> None:
        self._upstream = Upstream(url)
        self.synchronous = synchronous

    @property
    def url(self) -> str:
        """Its address."""
        return self._upstream.url

    def all(self) -> dict[str, int]:
        """How many events came since the last reset: ``total``, ``good``, ``bad``.

        Raises:
            OSError: There is no answer, or none that Micro would give.
        """
        counts: dict[str, int] = self._ask("all")
        return counts

    def reset(self) -> None:
        """Forgets all events; raises as ``all`` does."""
        self._ask("reset")

    def good(self, **filters: object) -> Events:
        """The good events, newest first; raises as ``all`` does.

        Args:
            filters: ``event_type``, ``schema`` and ``contexts``, a list of schemas.
        """
        return Events(map(Event, self._ask("good", filters)))

    def bad(self) -> Events:
        """The bad events, newest first; raises as ``all`` does."""
        return Events(map(Event, self._ask("bad")))

    def _ask(self, what: str, filters: dict[str, object] | None = None) -> Any:
        method, body, headers = "GET", b"", {"Accept": "application/json"}
        if filters:
            method, body = "POST", json.dumps(filters).encode()
            headers["Content-Type"] = "application/json"
        answer = self._upstream.ask(method, f"/micro/{what}", headers, body)
        try:
            if answer.status == 200:  # noqa: PLR2004 - HTTP's OK
                return json.loads(answer.body)
        except ValueError:
            pass
        said = answer.body[:200].decode("utf-8", "replace").strip()
        raise ConnectionError(f"{self.url}/micro/{what} answers {answer.status} {said}")
