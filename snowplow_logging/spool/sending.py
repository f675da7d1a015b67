"""Sends what is left in a spool with all that an application's emitter does for its events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from snowplow_logging._keeper import Keeper
from snowplow_logging.emitter import AsyncEmitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging._disk import Disk
    from snowplow_logging._stats import Stats
    from snowplow_logging.spool.contents import Contents

POLL = 0.1  # seconds between looks at how far it is
IDLE_LOOKS = 4
LAST_WAIT = 2.0  # seconds that an interrupted sending waits for its last answers


class Sending(AsyncEmitter):
    """An emitter that takes over what others have left, and has no events of its own.

    Args:
        endpoint: Where to.
        contents: The spool.
        meant_for: The endpoint for which events were logged; None: any.
        threads: How many requests are under way at once.
    """

    def __init__(
        self, endpoint: str, contents: Contents, meant_for: str | None, threads: int
    ) -> None:
        self._contents = contents
        self._meant_for = meant_for
        forever: dict[str, Any] = {"max_age": 1e8, "max_retry_delay": 5, "spool_bytes": 2**53}
        super().__init__(endpoint, spool=contents.path, thread_count=threads, **forever)

    def send(self, patience: float, tell: Callable[[Stats], None]) -> Stats:
        """Sends until nothing is left, or nothing goes any more.

        Args:
            patience: Seconds without any event delivered or dropped, after which it ends.
            tell: Gets the account now and then.

        Returns:
            The account: what is pending was not sent, and is still in the spool.
        """
        if self._contents.left(self._meant_for):
            self._pool.start()
        settled, moved_at = 0, time.monotonic()
        try:
            while self._has_more():
                stats = self.stats()
                tell(stats)
                if stats.delivered + stats.dropped > settled:
                    settled, moved_at = stats.delivered + stats.dropped, time.monotonic()
                if time.monotonic() - moved_at > patience:
                    break
                time.sleep(POLL)
        finally:
            self.close(LAST_WAIT)
        tell(self.stats())
        return self.stats()

    def _has_more(self) -> bool:
        """Says whether there is more to send.

        Who asks for that takes each claim for a moment, and must not be in the way of who takes
        them for good. That one comes first, so it is asked when nothing came for a while.
        """
        for _ in range(IDLE_LOOKS):
            if self.stats().pending:
                return True
            time.sleep(POLL)
        return self._contents.left(self._meant_for) > 0

    def _open_disk(self, on_lost: Callable[[], None]) -> Disk:
        options = self._options
        return Keeper(
            options["spool"],
            self._meant_for,
            self._clock,
            max_bytes=options["spool_bytes"],
            on_lost=on_lost,
        )
