"""Acts on what the outbox decides: sends a batch, books the outcome, calls the callbacks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snowplow_logging._batch import Drop, Outcome
from snowplow_logging._guard import delivering
from snowplow_logging._losses import show_exception
from snowplow_logging._retry import Verdict, judge
from snowplow_logging._transport import Answer
from snowplow_logging.payload import as_dict, sequence_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from snowplow_logging._batch import Batch
    from snowplow_logging._disk import Disk
    from snowplow_logging._outbox import Outbox
    from snowplow_logging._shelf import Held
    from snowplow_logging._transport import Transport
    from snowplow_logging.payload import Payload

SHORTEST_TIMEOUT = 0.1  # seconds that even the last attempt before a deadline has


class Callbacks:
    """The application's callbacks, of which none can hurt a delivery.

    Args:
        on_success: Gets the payloads that were delivered.
        on_failure: Gets how many of a batch were delivered, and the payloads that were not.
        on_drop: Gets the reason and the payloads that were given up.
    """

    def __init__(
        self,
        on_success: Callable[[list[dict[str, Any]]], object] | None,
        on_failure: Callable[[int, list[dict[str, Any]]], object] | None,
        on_drop: Callable[[str, list[dict[str, Any]]], object] | None,
    ) -> None:
        self._on_success = on_success
        self._on_failure = on_failure
        self._on_drop = on_drop

    def outcome(self, outcome: Outcome) -> None:
        """Tells what became of a batch."""
        if self._on_success is not None and outcome.delivered:
            _call(self._on_success, [as_dict(p) for p in outcome.delivered])
        if self._on_failure is not None and outcome.error is not None:
            refused = [p for drop in outcome.dropped for p in drop.payloads]
            unsent = [as_dict(p) for p in sorted([*outcome.unsent, *refused])]
            _call(self._on_failure, len(outcome.delivered), unsent)

    def drops(self, drops: Iterable[Drop]) -> None:
        """Tells what was given up."""
        if self._on_drop is not None:
            for drop in drops:
                _call(self._on_drop, drop.reason, [as_dict(p) for p in drop.payloads])


def _call(callback: Callable[..., object], *arguments: object) -> None:
    try:
        with delivering():
            callback(*arguments)
    except (Exception, SystemExit):  # noqa: BLE001 - the application may raise anything
        show_exception()


class Sender:
    """Sends batches.

    Args:
        outbox: Where batches come from and outcomes go.
        callbacks: Told of every outcome.
        clock: Seconds of a monotonic clock.
        one_by_one: Whether each event is a request of its own, as with GET.
        request_timeout: Seconds that a request may wait.
        custom_retry_codes: HTTP statuses with a verdict of their own.
        disk: Deletes what is delivered or dropped; None: nothing is on disk.
    """

    def __init__(
        self,
        outbox: Outbox,
        callbacks: Callbacks,
        clock: Callable[[], float],
        *,
        one_by_one: bool,
        request_timeout: float,
        custom_retry_codes: Mapping[int, bool],
        disk: Disk | None = None,
    ) -> None:
        self._outbox = outbox
        self.callbacks = callbacks
        self._clock = clock
        self._one_by_one = one_by_one
        self._request_timeout = request_timeout
        self._custom_retry_codes = custom_retry_codes
        self._disk = disk

    def send(self, batch: Batch, transport: Transport, deadline: float = math.inf) -> None:
        """Sends ``batch`` until ``deadline``, books the outcome and tells the callbacks."""
        outcome = Outcome(unsent=batch.payloads)
        try:
            with delivering():
                self._attempt(outcome, transport, deadline)
        finally:
            drops = self._settle(batch, outcome)
        self.callbacks.outcome(outcome)
        self.callbacks.drops(drops)

    def give_up(self, batch: Batch, reason: str) -> None:
        """Drops ``batch``, books that and tells the callbacks."""
        outcome = Outcome(dropped=[Drop(reason, batch.payloads)])
        self.callbacks.drops(self._settle(batch, outcome))

    def put_back(self, batch: Batch) -> None:
        """Drops of ``batch`` what is too old for it."""
        self.callbacks.drops(self._settle(batch, Outcome(unsent=batch.payloads)))

    def _settle(self, batch: Batch, outcome: Outcome) -> list[Drop]:
        held = batch.held
        # Before it is booked: who waits for that may end the process then.
        self._delete(held, batch, outcome)
        drops = self._outbox.settle(batch, outcome)
        if batch.held is not held:  # a close has written it meanwhile
            self._delete(batch.held, batch, outcome)
        return drops

    def _delete(self, held: Held | None, batch: Batch, outcome: Outcome) -> None:
        if held is not None and self._disk is not None:
            left = set(map(sequence_of, outcome.unsent))
            self._disk.delete(held.segment, [p for p in batch.all if sequence_of(p) not in left])

    def _attempt(self, outcome: Outcome, transport: Transport, deadline: float) -> None:
        """Moves payloads from ``outcome.unsent`` to where they come to be, part by part."""
        payloads = outcome.unsent
        parts = [[p] for p in reversed(payloads)] if self._one_by_one else [payloads]
        while parts and payloads:
            began = self._clock()
            remaining = deadline - began
            if remaining <= 0 and outcome.requests:
                return
            part = parts.pop()
            timeout = min(self._request_timeout, max(remaining, SHORTEST_TIMEOUT))
            answer = _answer(transport, part, timeout)
            cut_short = timeout < self._request_timeout and self._clock() - began >= timeout
            if answer.status is None and cut_short:
                outcome.error = answer.error
                return  # by us, which says nothing of the collector
            outcome.requests += 1
            verdict = judge(answer.status, self._custom_retry_codes)
            if verdict is Verdict.SPLIT and len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
                continue
            if verdict is not Verdict.DELIVERED:
                outcome.error = answer.error
            if verdict is Verdict.RETRY:
                outcome.failed = True
                outcome.retry_after = answer.retry_after
                return
            outcome.unsent = outcome.unsent[len(part) :]
            if verdict is Verdict.DELIVERED:
                outcome.delivered += part
            else:
                reason = "oversize" if verdict is Verdict.SPLIT else "rejected"
                outcome.dropped.append(Drop(reason, part))


def _answer(transport: Transport, part: list[Payload], timeout: float) -> Answer:
    try:
        return transport.send(part, timeout)
    except Exception as error:  # noqa: BLE001 - a transport may be anybody's
        return Answer(None, f"{type(error).__name__}: {error}"[:200])
