"""Where events are put without a lock, as a plain data structure; the outbox takes them in.

The law: additions alone are made without the outbox's lock, and they are atomic. The inbox is open
while there is room for all that it may hold, and somebody will look into it soon: a worker that
waits for a batch to fill, or that is busy with other events. Who adds something looks at the limits
after that, and tells a worker if they are reached; a closed one has none, so then it is told, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snowplow_logging._buffer import Buffer
    from snowplow_logging.payload import Draft

MOST = 1_000  # events
SMALL = 2_000  # bytes that an event in it may have
EACH = 2  # entries that an event is


class Inbox:
    """Events that nobody has taken in yet.

    Attributes:
        entries: Of each event the time when it was put, and then itself: all in one list, to
            which both are added at once, and which leaves no object of its own for each.
        few: How long the list is when a worker is told.
        many: How long it may be; 0: it is closed.
    """

    def __init__(self) -> None:
        self.entries: list[float | Draft] = []
        self.few = self.many = 0

    def open_for(self, buffer: Buffer) -> None:
        """Opens it for half of what there is room for, since many threads may overdo it."""
        self.many = EACH * min(MOST, buffer.room(SMALL) // 2)
        self.few = min(self.many, EACH * buffer.missing(SMALL))

    def close(self) -> None:
        """Has whoever adds something from now on tell a worker."""
        self.few = self.many = 0

    def contents(self) -> tuple[list[float], list[Draft]]:
        """Returns when what is in it was put, and what that is; in order."""
        entries: list[Any] = self.entries[:]
        return entries[::EACH], entries[1::EACH]
