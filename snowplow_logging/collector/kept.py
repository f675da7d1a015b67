"""An event as the store keeps it: what came, and what was found; all else follows from these."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from snowplow_logging.collector.selfdescribing import Contents, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging.collector.received import Received
    from snowplow_logging.collector.strict_json import Json


@dataclass(frozen=True)
class Kept:
    """An event that is kept.

    Attributes:
        seq: Its number: one more than that of the event before, never the same again.
        row: It, as a line of a table.
        received: The request that it came with.
        parameters: Its raw fields; None for a request that is bad as a whole.
        event_id: Its id.
        bad_row: The kind of bad row that a pipeline would write; None for a good event.
        problems: What is wrong: of each ``Problem``, what ``to_json`` gives.
    """

    seq: int
    row: dict[str, Json]
    received: Received
    parameters: Mapping[str, str] | None
    event_id: str | None
    bad_row: str | None
    problems: list[dict[str, Any]]

    @property
    def good(self) -> bool:
        """Whether a pipeline would take it."""
        return self.bad_row is None

    @cached_property
    def contents(self) -> Contents:
        """The event and its entities, as far as they can be read."""
        return read(self.parameters)[0] if self.parameters else Contents()

    @property
    def reason(self) -> str:
        """What is wrong, in one line."""
        return " ".join("; ".join(problem["text"] for problem in self.problems).split())
