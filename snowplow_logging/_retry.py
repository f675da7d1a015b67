"""What an answer means, and when to try again. Pure: clock and randomness are arguments.

The law: one failure that began while the collector was thought to be up opens the breaker
once, however many requests were under way; from then on only probes, one at a time, move the
delay. So the delay grows with the length of an outage, not with the number of workers.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIRST_RETRY_DELAY = 1.0  # seconds; the jitter is between 0 and this, doubled with each failure
RETRY_CODES = frozenset({408, 425, 429})


class Verdict(Enum):
    """What becomes of the events of a request."""

    DELIVERED = "delivered"
    RETRY = "retry"
    SPLIT = "split"
    REJECTED = "rejected"


def judge(status: int | None, custom_retry_codes: Mapping[int, bool]) -> Verdict:
    """Says what an answer's status means; None stands for no answer at all.

    Args:
        status: The final HTTP status, after redirects.
        custom_retry_codes: Statuses to retry (True) or to give up on (False), before the rules.
    """
    if status is None:
        return Verdict.RETRY
    if 200 <= status < 400:  # noqa: PLR2004 - the classes of HTTP
        return Verdict.DELIVERED
    if status in custom_retry_codes:
        return Verdict.RETRY if custom_retry_codes[status] else Verdict.REJECTED
    if status == 413:  # noqa: PLR2004 - content too large
        return Verdict.SPLIT
    if status in RETRY_CODES or status >= 500:  # noqa: PLR2004 - the classes of HTTP
        return Verdict.RETRY
    return Verdict.REJECTED


class Breaker:
    """Holds the whole pool back while the collector fails, but for one probe at a time.

    Args:
        max_delay: The longest rest between two probes, in seconds; a longer ``Retry-After``
            is cut to it.
        uniform: Gives a random number between its two arguments.
    """

    def __init__(self, max_delay: float, uniform: Callable[[float, float], float]) -> None:
        self._max_delay = max_delay
        self._uniform = uniform
        self._failures = 0
        self._probing = False
        self._retry_at = 0.0
        self.failed_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the collector is thought to be down."""
        return self._failures > 0

    def delay(self, now: float) -> float | None:
        """Returns the seconds until a request may begin; None: not before the probe's answer."""
        if self._probing:
            return None
        return max(0.0, self._retry_at - now) if self.is_open else 0.0

    def begin(self) -> int:
        """Notes that a request begins; returns what ``failed`` wants to know of it."""
        self._probing = self.is_open
        return self._failures

    def failed(self, began: int, now: float, retry_after: float) -> None:
        """Notes a failure of the request for which ``begin`` returned ``began``."""
        if began == self._failures:
            self._failures += 1
            self._probing = False
            cap = min(self._max_delay, FIRST_RETRY_DELAY * 2 ** min(began, 30))
            self._retry_at = now + self._uniform(0.0, cap)
        self._retry_at = max(self._retry_at, now + min(retry_after, self._max_delay))
        self.failed_at = now

    def gave_up(self, began: int) -> None:
        """Notes that a request ended before anybody could know: the next one is the probe."""
        if began == self._failures:
            self._probing = False

    def succeeded(self) -> None:
        """Notes that the collector answered: everybody may go on."""
        self._failures = 0
        self._probing = False
