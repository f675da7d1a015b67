"""Where the demo's events go: to a collector of its own, or to the user's."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from snowplow_logging import _endpoint
from snowplow_logging.collector import LocalCollector
from snowplow_logging.demo.arrivals import Arrival, ask_micro, of_bad, of_good, of_payload
from snowplow_logging.demo.logs import undisturbed

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from snowplow_logging.demo.outcome import Outcome

SCHEMAS = Path(__file__).with_name("schemas")
OUR_SCHEMAS = Path(__file__).parents[1] / "schemas"
RECORDS_PER_REQUEST = 4  # that the shop logs, at most


class Target(Protocol):
    """A collector, as the demo needs it."""

    @property
    def endpoint(self) -> str:
        """What the handler is given."""
        ...

    @property
    def address(self) -> str:
        """Where it is, in words."""
        ...

    @property
    def page(self) -> str | None:
        """The address of its page, if it has one."""
        ...

    @property
    def stays(self) -> bool:
        """Whether it is there after the demo."""
        ...

    def advice(self, outcome: Outcome) -> str | None:
        """Returns what helps where something is wrong."""
        ...

    def arrivals(self, delivered: Sequence[dict[str, Any]]) -> tuple[list[Arrival], bool]:
        """Returns the events of the payloads that were delivered, and whether it judged them."""
        ...


class Local:
    """The local collector.

    Args:
        collector: It.
    """

    def __init__(self, collector: LocalCollector) -> None:
        self._collector = collector
        self.endpoint = collector.url
        self.address = f"{collector.url} (on this machine, which nothing leaves)"
        self.page: str | None = collector.ui_url
        self.stays = False

    def arrivals(self, delivered: Sequence[dict[str, Any]]) -> tuple[list[Arrival], bool]:
        """Returns all events that came, whatever is said to be delivered."""
        del delivered
        good, bad = self._collector.good(), self._collector.bad()
        return [*map(of_good, good), *map(of_bad, bad)], True

    def advice(self, outcome: Outcome) -> str | None:
        """Returns none: here, nothing depends on the user."""
        del outcome
        return None


class Remote:
    """A collector of the user's own.

    Args:
        endpoint: Its address.

    Raises:
        ValueError: It is no address.
    """

    def __init__(self, endpoint: str) -> None:
        self._parsed = _endpoint.parse(endpoint, None, None, "post", None)
        self.endpoint = endpoint
        self.address = self._parsed.base
        self.page: str | None = None
        self.stays = True

    def arrivals(self, delivered: Sequence[dict[str, Any]]) -> tuple[list[Arrival], bool]:
        """Returns what it says of the events, if it is one that does; else what it was sent."""
        ids = [str(payload["eid"]) for payload in delivered]
        known = ask_micro(self._parsed.base, self._parsed.auth, ids) if ids else None
        if known is None:
            return [of_payload(payload) for payload in delivered], False
        self.page = f"{self._parsed.base}/micro/ui"
        return known, True

    def advice(self, outcome: Outcome) -> str | None:
        """Returns what the user can do about it."""
        if not outcome.stats.delivered:
            return f"Is there a collector at {self.address}? To run one: snowplow-logging collector"
        if outcome.bad:
            return f"The schemas of these events, for your collector: {SCHEMAS} {OUR_SCHEMAS}"
        return None


@contextmanager
def local(requests: int) -> Generator[Target, None, None]:
    """Runs a collector that has room for the events of so many requests."""
    room = requests * RECORDS_PER_REQUEST + 1
    with undisturbed(), LocalCollector(port=0, schemas=[SCHEMAS], max_events=room) as collector:
        yield Local(collector)


@contextmanager
def remote(endpoint: str) -> Generator[Target, None, None]:
    """Gives the user's collector."""
    yield Remote(endpoint)
