"""``SnowplowCollector``: what arrived, for assertions; and what goes wrong, on command.

The law: what was sent from this process before a question, is in its answer. A question that is
an assertion raises an ``AssertionError`` that shows what arrived instead.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from snowplow_logging.testing import report
from snowplow_logging.testing.events import Event, Events
from snowplow_logging.testing.matching import Criteria

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from snowplow_logging.testing.answers import Answer, Request, Rule
    from snowplow_logging.testing.faulty_collector import FaultyCollector
    from snowplow_logging.testing.micro import Micro

POLL = 0.02  # seconds between two looks
T = TypeVar("T")


class SnowplowCollector:
    """A collector of a test's own.

    Args:
        front: What the events are sent to; it passes them on to ``micro``.
        micro: What judges and keeps them.
        flush: Called with the address before each question, to send what is queued for it.
        timeout: The longest to wait for events, in seconds.
    """

    def __init__(
        self,
        front: FaultyCollector,
        micro: Micro,
        flush: Callable[[str], object],
        timeout: float,
    ) -> None:
        self._front = front
        self._micro = micro
        self._flush = flush
        self._timeout = timeout
        self._uncounted = 0  # of the events that were accepted, those that never came to be seen
        self._missed: Criteria | None = None

    @property
    def url(self) -> str:
        """The address to send to; Micro's API answers there, too."""
        return self._front.url

    @property
    def ui_url(self) -> str:
        """The address of the page that shows the events."""
        return f"{self._micro.url}/micro/ui"

    @property
    def requests(self) -> list[Request]:
        """The requests that brought events, or tried to, in the order in which they came."""
        return self._front.requests

    @property
    def answers(self) -> list[Answer]:
        """What they got, in the same order."""
        return self._front.answers

    def all(self) -> dict[str, int]:
        """How many events arrived since the last reset: ``total``, ``good``, ``bad``."""
        self._settle()
        return self._micro.all()

    def good(
        self,
        schema: str | None = None,
        *,
        event_type: str | None = None,
        contexts: Sequence[str] = (),
    ) -> Events:
        """The good events, newest first.

        Args:
            schema: Only events with this schema.
            event_type: Only events of this type, such as ``page_view``.
            contexts: Only events with entities of all these schemas.
        """
        self._settle()
        asked = {"schema": schema, "event_type": event_type, "contexts": [*contexts]}
        return self._micro.good(**{name: value for name, value in asked.items() if value})

    def bad(self) -> Events:
        """The bad events, newest first; their ``reasons`` say what is wrong."""
        self._settle()
        return self._micro.bad()

    def events_with(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        schema: str | None = None,
        contexts: Sequence[Mapping[str, Any]] = (),
        **fields: Any,
    ) -> Events:
        """The good events that match, newest first.

        Args:
            data: What the data of the event must hold, among others.
            schema: The URI of its schema.
            contexts: Entities that it must have, among others: ``{"schema": …, "data": …}``, of
                which ``data`` may be left out, or hold a part.
            fields: Fields of the enriched event, such as ``app_id="shop"`` or ``page_url=…``.
        """
        return self._find(Criteria(schema, data, contexts, fields))

    def one(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        schema: str | None = None,
        contexts: Sequence[Mapping[str, Any]] = (),
        **fields: Any,
    ) -> Event:
        """The good event that matches; see ``events_with`` for the arguments.

        Raises:
            AssertionError: None does, or several do.
        """
        __tracebackhide__ = True
        criteria = Criteria(schema, data, contexts, fields)
        found = self._find(criteria)
        if len(found) == 1:
            return found[0]
        title = f"expected one event with {criteria}; {len(found)} match"
        shown = report.listing(found) if found else self._nearest(criteria)
        raise AssertionError("\n".join([title, *shown]))

    def event(self, event_id: str) -> Event:
        """The event with this id, good or bad.

        Raises:
            AssertionError: There is none.
        """
        __tracebackhide__ = True
        self._settle()
        found = self._until(lambda: [e for e in self._arrived() if e.id == event_id])
        if not found:
            raise AssertionError(f"expected an event with the id {event_id}; there is none")
        return found[0]

    def wait_for(
        self, total: int = 0, *, good: int = 0, bad: int = 0, timeout: float | None = None
    ) -> None:
        """Waits until so many events have arrived, of whoever sends them.

        Args:
            total: How many, good and bad together.
            good: How many good ones.
            bad: How many bad ones.
            timeout: The longest to wait, in seconds; by default as the settings say.

        Raises:
            AssertionError: Fewer came in time.
        """
        __tracebackhide__ = True
        self._flush(self.url)
        wanted = {"total": total, "good": good, "bad": bad}
        counts: dict[str, int] = {}

        def arrived() -> bool:
            counts.update(self._micro.all())
            return all(counts[name] >= number for name, number in wanted.items())

        seconds = self._timeout if timeout is None else timeout
        if not _poll(arrived, seconds):
            asked = ", ".join(f"{name} {number}" for name, number in wanted.items() if number)
            got = ", ".join(f"{name} {number}" for name, number in counts.items())
            raise AssertionError(f"waited {seconds:g} s for events: {asked}; there are {got}")

    def assert_no_bad(self) -> None:
        """Fails if there is a bad event, and says what is wrong with each.

        Raises:
            AssertionError: There is one.
        """
        __tracebackhide__ = True
        bad = self.bad()
        if bad:
            title = f"expected no bad event; {len(bad)} arrived"
            raise AssertionError("\n".join([title, *report.listing(bad)]))

    def reset(self) -> None:
        """Forgets all events and requests so far."""
        self._settle()
        self._micro.reset()
        self._front.forget()
        self._uncounted = 0

    def flush(self) -> bool:
        """Sends what is queued for this collector; says whether all of it went."""
        return bool(self._flush(self.url))

    @contextmanager
    def failing(self, answer: Rule = 503, *, times: int | None = None) -> Generator[None]:
        """Answers so while the block runs.

        Args:
            answer: What requests get: a status, an ``Answer``, or a function that makes one from
                the request, such as ``at_most(1000)``.
            times: How many requests get it, at most; what is queued is then sent before the block
                ends. None: all of them.
        """
        with self._front.failing(answer, times=times):
            yield
            if times is not None:
                self._flush(self.url)

    def refusing(self) -> AbstractContextManager[None]:
        """Refuses connections while the block runs, and ends those that there are."""
        return self._front.refusing()

    def wait_for_requests(self, number: int, *, timeout: float | None = None) -> None:
        """Waits until so many requests have come, whatever they got.

        Raises:
            AssertionError: Fewer came in time.
        """
        __tracebackhide__ = True
        seconds = self._timeout if timeout is None else timeout
        if not self._front.wait_for_requests(number, seconds):
            came = [f"{each.method} {each.path}" for each in self.requests]
            raise AssertionError(f"waited {seconds:g} s for {number} requests; there came {came}")

    def close(self) -> None:
        """Waits for what is on its way, and ends the connections."""
        try:
            self._settle()
        finally:
            self._front.close()

    def summary(self) -> list[str]:
        """The lines that a failed test shows."""
        counts = self._micro.all()
        title = f"good {counts['good']}, bad {counts['bad']}, requests {len(self.requests)}"
        missed = self._missed
        why = [f"no event with {missed}", *self._nearest(missed), ""] if missed else []
        good, bad = self._micro.good(), self._micro.bad()
        return [title, *why, *report.listing(good), *report.listing(bad)]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    def _settle(self) -> None:
        """Has all that was sent from here arrive where it is looked at."""
        self._missed = None
        self._flush(self.url)
        if self._micro.synchronous:
            return
        expected = self._front.accepted - self._uncounted
        counts: dict[str, int] = {}

        def settled() -> bool:
            counts.update(self._micro.all())
            return counts["total"] >= expected

        if not _poll(settled, self._timeout):
            # A request that is bad as a whole counts as one: its events are not waited for again.
            self._uncounted = self._front.accepted - counts["total"]

    def _until(self, look: Callable[[], T]) -> T:
        """What ``look`` finds; where events take their time, it looks until it finds something."""
        return _poll(look, 0.0 if self._micro.synchronous else self._timeout)

    def _find(self, criteria: Criteria) -> Events:
        self._settle()
        found = self._until(
            lambda: [each for each in self._micro.good() if not criteria.differences(each)]
        )
        self._missed = None if found else criteria
        return Events(found, why=str(criteria))

    def _arrived(self) -> list[Event]:
        return [*self._micro.good(), *self._micro.bad()]

    def _nearest(self, criteria: Criteria) -> list[str]:
        return report.comparison(criteria, self._arrived())


def _poll(look: Callable[[], T], seconds: float) -> T:
    """Looks until it finds something, for at most ``seconds``; returns what it found last."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() >= deadline:
            return found
        time.sleep(POLL)
