"""The comparison of what was logged with what arrived. Pure.

The law: nothing is wrong only if every record that was logged arrived once, as it was logged,
and was found valid.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from snowplow_logging._stats import DROP_ADVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging._stats import Stats
    from snowplow_logging.demo.arrivals import Arrival
    from snowplow_logging.demo.logs import Identity

REASONS_SHOWN = 3


@dataclass(frozen=True)
class Outcome:
    """What a run of the demo came to.

    Args:
        logged: The records, counted beside the handler.
        stats: The handler's own account.
        arrivals: The events, as far as known.
        judged: Whether somebody has told good from bad.
        answers: The statuses that the shop's customers got; None where they got none.
    """

    logged: Counter[Identity]
    stats: Stats
    arrivals: Sequence[Arrival]
    judged: bool
    answers: Counter[int | None] = field(default_factory=Counter["int | None"])

    @property
    def good(self) -> int:
        """The number of valid events."""
        return sum(arrival.good is True for arrival in self.arrivals)

    @property
    def bad(self) -> int:
        """The number of invalid events."""
        return sum(arrival.good is False for arrival in self.arrivals)

    def summary(self) -> str:
        """Returns the one line that says it all."""
        verdict = f"{self.good} good, {self.bad} bad" if self.judged else "good or bad unknown"
        return f"{self.logged.total()} logged, {self.stats.delivered} delivered, {verdict}"

    def problems(self) -> list[str]:
        """Returns what is wrong, in words; nothing where nothing is."""
        found = [*self._of_traffic(), *self._of_delivery()]
        # What was not delivered is missing; that need not be said again in other words.
        return found or [*self._of_judgement(), *self._of_identity()]

    def _of_traffic(self) -> list[str]:
        unanswered = self.answers[None]
        return [f"{unanswered} requests to the shop got no answer"] if unanswered else []

    def _of_delivery(self) -> list[str]:
        stats, logged = self.stats, self.logged.total()
        found: list[str] = []
        if stats.accepted != logged:
            found.append(f"the handler took {stats.accepted} of {logged} records")
        if stats.dropped:
            reasons = ", ".join(
                f"{reason}: {DROP_ADVICE.get(reason, reason)}" for reason in stats.dropped_by_reason
            )
            found.append(f"{stats.dropped} of {logged} events were given up ({reasons})")
        if stats.pending:
            found.append(f"{stats.pending} events are still waiting to be sent")
        if found and stats.last_error:
            found.append(f"the last attempt to deliver ended with {stats.last_error}")
        return found

    def _of_judgement(self) -> list[str]:
        reasons = Counter(arrival.reason for arrival in self.arrivals if arrival.good is False)
        return [
            f"{count} events are bad: {reason}"
            for reason, count in reasons.most_common(REASONS_SHOWN)
        ]

    def _of_identity(self) -> list[str]:
        ids = {arrival.event_id for arrival in self.arrivals}
        found: list[str] = []
        if twice := len(self.arrivals) - len(ids):
            found.append(f"{twice} events arrived more than once")
        if missing := self.stats.delivered - len(ids):
            found.append(f"{missing} events were delivered, but the collector does not show them")
        arrived = Counter(arrival.identity for arrival in self.arrivals if arrival.identity)
        if not found and arrived != self.logged:
            different = (self.logged - arrived).total()
            found.append(f"{different} records arrived as something else than what was logged")
        return found
