"""The account of every event: ``accepted = delivered + dropped + pending``, exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

DROP_ADVICE = {
    "queue_full": "raise queue_size or queue_bytes",
    "shutdown": "raise shutdown_timeout",
    "expired": "raise max_age",
    "rejected": "check endpoint and path: the collector refused them (see last_error)",
    "oversize": "log less data in one event",
    "interrupted": "let signal handlers set a flag rather than raise",
    "spool_full": "raise spool_bytes",
    "spool_lost": "see what was said of the spool: its file is broken, gone, or was emptied",
    "unmappable": "see the traceback that logging printed for the record",
}
"""Every reason for which an event is dropped, with what would have helped."""


@dataclass(frozen=True)
class Stats:
    """A snapshot of an emitter's account; its numbers are of one moment.

    Attributes:
        accepted: Events taken in, including those refused at once, and those that others have
            left in the spool for this emitter to send.
        delivered: Events whose request was answered with 2xx or 3xx.
        dropped: Events given up, in total.
        pending: Events queued, under way, or in the spool.
        dropped_by_reason: Events given up, by the reasons of ``DROP_ADVICE``.
        retried: Times that an event went back into the queue after a failed attempt.
        requests: Requests made.
        queue_high_water: The most events that were ever queued.
        last_error: What the last failed request failed of.
        last_delivery: When the last request succeeded, in seconds since epoch.
        spooled: How many of the pending events are on disk, and so outlive the process.
        adopted: How many of the accepted events others have left in the spool.
    """

    accepted: int
    delivered: int
    dropped: int
    pending: int
    dropped_by_reason: dict[str, int]
    retried: int
    requests: int
    queue_high_water: int
    last_error: str | None
    last_delivery: float | None
    spooled: int = 0
    adopted: int = 0


@dataclass
class Account:
    """The counters behind ``Stats``; whoever holds it guards it by a lock of its own."""

    accepted: int = 0
    delivered: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    retried: int = 0
    requests: int = 0
    high_water: int = 0
    last_error: str | None = None
    last_delivery: float | None = None
    adopted: int = 0

    @property
    def settled(self) -> int:
        """Events that are not pending any more."""
        return self.delivered + sum(self.dropped.values())

    def snapshot(self, pending: int, spooled: int = 0) -> Stats:
        """Returns the account with what is ``pending`` now, and ``spooled`` of it."""
        return Stats(
            accepted=self.accepted,
            delivered=self.delivered,
            dropped=sum(self.dropped.values()),
            pending=pending,
            dropped_by_reason=dict(self.dropped),
            retried=self.retried,
            requests=self.requests,
            queue_high_water=self.high_water,
            last_error=self.last_error,
            last_delivery=self.last_delivery,
            spooled=spooled,
            adopted=self.adopted,
        )
