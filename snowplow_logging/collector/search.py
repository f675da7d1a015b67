"""What ``POST /micro/events`` asks for: flat events, filtered, sorted, in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowplow_logging.collector import asked
from snowplow_logging.collector.flat import flat_event
from snowplow_logging.collector.strict_json import encode
from snowplow_logging.collector.tables import Filter

if TYPE_CHECKING:
    from snowplow_logging.collector.asked import Fields
    from snowplow_logging.collector.store import Store
    from snowplow_logging.collector.strict_json import Json

MAX_PAGE_SIZE = 1_000


@dataclass(frozen=True)
class Search:
    """A search for flat events.

    Attributes:
        page: Its number, from 1.
        page_size: How many events it has.
        filters: Columns, each with a text that its value must contain, in whichever case.
        valid: Whether good events are wanted, or failed ones; None for both.
        start: The time from which they came, ISO 8601.
        end: The time before which they came.
        column: By which they are sorted; None for newest first.
        descending: Whether from high to low.
    """

    page: int
    page_size: int
    filters: tuple[tuple[str, str], ...] = ()
    valid: bool | None = None
    start: str | None = None
    end: str | None = None
    column: str | None = None
    descending: bool = False

    def run(self, store: Store) -> dict[str, Json]:
        """The page, and how many pages and events there are."""
        found: list[tuple[str, int]] = []
        for kept in store.find(Filter(good=self.valid)):
            event = flat_event(kept)
            if event is not None and self._wants(event):
                found.append((_text(event, self.column or ""), kept.seq))
        if self.column is not None:
            found.sort(key=lambda item: item[0], reverse=self.descending)
        first = (self.page - 1) * self.page_size
        page = (store.get(str(seq)) for _, seq in found[first : first + self.page_size])
        return {
            "events": [flat_event(kept) for kept in page if kept],
            "totalPages": max(1, -(-len(found) // self.page_size)),
            "totalItems": len(found),
        }

    def _wants(self, event: dict[str, Json]) -> bool:
        time = str(event["collector_tstamp"])
        return (
            (self.start is None or time >= self.start)
            and (self.end is None or time < self.end)
            and all(part.lower() in _text(event, name).lower() for name, part in self.filters)
        )


def search_of(fields: Fields) -> Search:
    """The search that the body of a request asks for.

    Raises:
        ValueError: It asks for something else.
    """
    page, page_size = asked.integer(fields, "page"), asked.integer(fields, "pageSize")
    if not page or page < 1 or not page_size or page_size < 1:
        message = "filters: expected page and pageSize, each a whole number from 1"
        raise ValueError(message)
    times = asked.fields(fields, "timeRange")
    sorting = asked.fields(fields, "sorting")
    return Search(
        page=page,
        page_size=min(page_size, MAX_PAGE_SIZE),
        filters=tuple(
            (asked.string(item, "column") or "", asked.string(item, "value") or "")
            for item in asked.objects(fields, "filters")
        ),
        valid=asked.flag(fields, "validEvents"),
        start=asked.time(times, "start"),
        end=asked.time(times, "end"),
        column=asked.string(sorting, "column"),
        descending=asked.flag(sorting, "desc") or False,
    )


def _text(event: dict[str, Json], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else "" if value is None else encode(value)
