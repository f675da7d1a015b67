"""What a relay counts beside the account of its deliveries."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass
class Counts:
    """The counts.

    Attributes:
        acknowledged: Entries delivered and acknowledged in Redis.
        dead: Entries set aside, by reason.
        dead_detail: Why the last one was.
        adopted: Entries taken over from relays that were silent.
        gone: Entries that were trimmed from the stream while relays held them: lost, but for
            those of relays that live.
        redis_errors: Commands that Redis did not do.
        redis_error: What the last one failed of.
    """

    acknowledged: int = 0
    dead: Counter[str] = field(default_factory=Counter[str])
    dead_detail: str = ""
    adopted: int = 0
    gone: int = 0
    redis_errors: int = 0
    redis_error: str | None = None


class Tally:
    """Counts, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the counts
        self._counts = Counts()

    @contextmanager
    def changing(self) -> Generator[Counts]:
        """Gives the counts, to be changed while it is entered."""
        with self._lock:
            yield self._counts

    def redis_failed(self, error: str) -> None:
        """Notes a command that Redis did not do."""
        with self.changing() as counts:
            counts.redis_errors += 1
            counts.redis_error = error

    def snapshot(self) -> Counts:
        """Returns the counts of this moment."""
        with self._lock:
            return deepcopy(self._counts)
