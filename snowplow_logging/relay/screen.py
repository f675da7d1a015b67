"""What a relay shows: a line that is kept up to date on a terminal, else one now and then."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from rich.console import Console

from snowplow_logging._losses import say

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from snowplow_logging.relay.relay import Relay

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_WARNINGS = 60.0


class Screen:
    """Shows how a relay gets on, and warns of what goes wrong.

    Args:
        relay: The relay.
        quiet: Whether only warnings are shown.
    """

    def __init__(self, relay: Relay, *, quiet: bool) -> None:
        self._relay = relay
        self._console = Console(highlight=False, markup=False, quiet=quiet)
        self._status = self._console.status("…") if self._console.is_terminal else None
        self._shown = ""
        self._shown_at = 0.0
        self._delivered = (0.0, 0)  # when, and how many by then
        self._rate = 0.0
        self._warned: dict[str, tuple[float, str | int | None]] = {}  # by kind: when, and what

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def tell(self, line: str) -> None:
        """Shows a line that stays."""
        encoding = self._console.encoding
        plain = line.encode(encoding, "backslashreplace").decode(encoding)
        self._console.print(plain, soft_wrap=True)

    def update(self) -> None:
        """Shows how things stand; to be called several times a second."""
        now = time.monotonic()
        self._warn(now)
        line = self._line(now)
        if self._status is not None:
            self._status.update(line)
        elif line != self._shown and now - self._shown_at >= SECONDS_BETWEEN_LINES:
            self._shown, self._shown_at = line, now
            self.tell(line)

    def end(self, left: int) -> None:
        """Shows how it ended, with so many entries handed back."""
        self._warn(math.inf)
        counts = self._relay.counts()
        handed = f", {left:,} handed back for other relays" if left else ""
        aside = f", {sum(counts.dead.values()):,} set aside" if counts.dead else ""
        self.tell(f"{self._relay.stats().delivered:,} delivered{aside}{handed}")

    def _line(self, now: float) -> str:
        delivered = self._relay.stats().delivered
        since, before = self._delivered
        if now - since >= 1:
            self._rate = (delivered - before) / (now - since) if since else 0.0
            self._delivered = (now, delivered)
        dead = sum(self._relay.counts().dead.values())
        aside = f", {dead:,} set aside" if dead else ""
        return f"{delivered:,} delivered, {self._rate:,.0f}/s, {self._relay.held():,} held{aside}"

    def _warn(self, now: float) -> None:
        """Says what has changed for the worse, of each kind at most once a minute."""
        counts = self._relay.counts()
        dead = sum(counts.dead.values())
        collector = self._relay.failing()["collector"]
        warnings: dict[str, str | int | None] = {
            "redis": counts.redis_errors
            and f"Redis: {counts.redis_error} ({counts.redis_errors} errors so far)",
            "collector": collector and f"{self._relay.collector}: {collector}",
            "dead": dead and f"{dead} events set aside so far, the last for: {counts.dead_detail}",
            "gone": counts.gone
            and f"{counts.gone} entries were trimmed while relays held them: raise maxlen",
        }
        for kind, warning in warnings.items():
            said_at, said = self._warned.get(kind, (-SECONDS_BETWEEN_WARNINGS, None))
            if not warning:
                self._warned[kind] = (said_at, None)
            elif warning != said and now - said_at >= SECONDS_BETWEEN_WARNINGS:
                self._warned[kind] = (now, warning)
                say(str(warning))
