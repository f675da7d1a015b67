"""FloodFilter: a rate with a burst for each place in the code that logs.

The law: every record that is held back is counted in exactly one report. A report is a record of
its own, not an extra of the next one: an event with a schema of its own has no field for it. The
lock is held for the arithmetic alone; reports are made and handled outside of it.
"""

from __future__ import annotations

import logging
import math
import threading
import weakref
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging import _lifecycle
from snowplow_logging._clock import Clock
from snowplow_logging._guard import forking, is_delivering
from snowplow_logging._losses import say
from snowplow_logging._text import class_name, cut, is_a, shown, text
from snowplow_logging.self_describing_json import SelfDescribingJson, is_schema_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

MAX_SAMPLE = 200  # UTF-16 units of the message that a report shows

Site = tuple[str, int, int]
"""Where records come from: file, line and level."""


class FloodFilter(logging.Filter):
    """Lets ``rate`` records a second pass from each place in the code, after a ``burst``.

    For handlers (or loggers) in a ``dictConfig``:

        "filters": {"flood": {"()": "snowplow_logging.FloodFilter", "rate": 5, "burst": 50}}

    What was held back is reported as one record per place, with the level, logger, file and line
    of the records that it stands for, and their number as the extra ``suppressed``: once
    ``interval`` has passed since the first of them, when any record is judged; at
    ``snowplow_logging.flush()`` and at exit; and by ``report()``. It goes to the handlers that
    have this filter, and to no other.

    One filter may be on several handlers: it judges each record once. A forked child starts
    anew; what its parent has held back is the parent's to report.

    Args:
        rate: Records a second, of each place.
        burst: Records that may come at once, from a place that has been quiet.
        interval: The longest that a place's report waits for others like it, in seconds.
        max_sites: Places that are remembered; the one that was quiet for longest is forgotten.
        events: Whether records that name a schema are held back, too. Those are what analysts
            count, so by default they all pass.
        clock: Replaces the time in tests.

    Raises:
        ValueError: An argument takes no such value.
    """

    def __init__(
        self,
        rate: float = 1.0,
        burst: int = 100,
        *,
        interval: float = 60.0,
        max_sites: int = 1_000,
        events: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__()
        self._rate = _number("rate", rate, "records a second, over 0", above=0.0)
        self._burst = int(_number("burst", burst, "a number of records from 1", least=1.0))
        self._interval = _number("interval", interval, "seconds from 0", least=0.0)
        self._max_sites = int(_number("max_sites", max_sites, "a number from 1", least=1.0))
        self._events = events
        self._clock = clock or Clock()
        self._renew()
        _lifecycle.register(self)  # reports at flush and exit; starts anew in a forked child

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._buckets: OrderedDict[Site, _Bucket] = OrderedDict()  # the quietest first
        self._held: dict[Site, _Held] = {}  # the oldest first
        self._suppressed = 0
        # One record's handlers are called one after the other, in one thread.
        self._of_thread = threading.local()

    @property
    def suppressed(self) -> int:
        """How many records this filter has held back in this process, reported or not."""
        return self._suppressed

    def filter(self, record: logging.LogRecord) -> bool:
        """Says whether ``record`` passes; before it, reports what is due."""
        judged: _Judged | None = getattr(self._of_thread, "judged", None)
        if judged is not None and judged.record() is record:
            return judged.passes
        passes = self._judge(record)
        self._of_thread.judged = _Judged(weakref.ref(record), passes)
        return passes

    def report(self) -> None:
        """Reports all that is held back now."""
        if is_delivering() or self._is_entered():
            return  # the handler would keep it out; a later report counts it
        with self._lock:
            held, self._held = self._held, {}
        self._tell(list(held.values()))

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - as emitters have it
        """Has nothing to wait for: the report is made by ``hurrying``, before emitters flush."""
        return True

    def close(self) -> None:
        """Reports all that is held back."""
        self.report()

    @contextmanager
    def hurrying(self) -> Generator[None]:
        """Reports all that is held back, so that the emitters' flush includes it."""
        self.report()
        yield

    def before_fork(self) -> None:
        """Has nothing to leave."""

    def after_fork_in_parent(self) -> None:
        """Has nothing to do: nothing was stopped for the fork."""

    def after_fork_in_child(self) -> None:
        """Starts anew: what was held back before the fork is the parent's to report."""
        self._renew()

    def __del__(self) -> None:
        """Says what nobody can be handed any more: its handlers are gone, as after dictConfig."""
        for held in getattr(self, "_held", {}).values():
            say(held.text)

    def __repr__(self) -> str:
        each = f"{self._rate:g}/s, burst {self._burst}"
        return f"<{type(self).__name__} {each}, {self._suppressed} suppressed>"

    def _is_entered(self) -> bool:
        """Whether this thread is inside already, or forks.

        If it is inside, a finaliser or a signal handler logs. If it forks, a hook does, perhaps in
        the child, where nobody may be left to release the lock.
        """
        lock: Any = self._lock
        return bool(lock._is_owned()) or forking.is_here()  # noqa: SLF001 - as Condition asks

    def _judge(self, record: logging.LogRecord) -> bool:
        if (not self._events and _is_event(record)) or self._is_entered():
            return True
        values = vars(record).get
        site = _text(values("pathname")), _integer(values("lineno")), _integer(values("levelno"))
        message = _sample(values("msg"))
        origin = _text(values("name")), _text(values("funcName"))
        now = self._clock.monotonic()
        with self._lock:
            passes = self._take(site, now)
            if not passes:
                self._suppressed += 1
                held = self._held.get(site) or _Held(site, *origin, message, now, 0)
                self._held[site] = held._replace(number=held.number + 1)
            # What handlers log of a report would else be reported inside it, without end.
            due = [] if self._is_telling() else self._take_due(now)
        self._tell(due)
        return passes

    def _is_telling(self) -> bool:
        return getattr(self._of_thread, "is_telling", False)

    def _take(self, site: Site, now: float) -> bool:
        """Takes a token of ``site``, if there is one."""
        tokens, at = self._buckets.pop(site, _Bucket(self._burst, now))
        tokens = min(self._burst, tokens + max(0.0, now - at) * self._rate)
        passes = tokens >= 1
        self._buckets[site] = _Bucket(tokens - passes, max(now, at))
        if len(self._buckets) > self._max_sites:
            _ = self._buckets.popitem(last=False)
        return passes

    def _take_due(self, now: float) -> list[_Held]:
        """Takes out what is to be reported now."""
        due: list[_Held] = []
        while self._held:
            site, oldest = next(iter(self._held.items()))
            if now - oldest.since < self._interval and len(self._held) <= self._max_sites:
                break
            due.append(self._held.pop(site))
        return due

    def _tell(self, due: list[_Held]) -> None:
        """Hands reports to whoever has this filter."""
        self._of_thread.is_telling = True
        try:
            for held in due:
                self._tell_of(held)
        finally:
            self._of_thread.is_telling = False

    def _tell_of(self, held: _Held) -> None:
        try:
            report = self._report(held)
            owners = self._owners(held.name)
            if not owners:
                say(held.text)
            for owner in owners:
                self._of_thread.judged = _Judged(weakref.ref(report), passes=True)
                _ = owner(report)
        except Exception as error:  # noqa: BLE001 - filters, factories and handlers of others
            say(f"{held.text} (no report: {type(error).__name__})")

    def _report(self, held: _Held) -> logging.LogRecord:
        path, line, level = held.site
        make = logging.getLogRecordFactory()
        report = make(held.name, level, path, line, held.text, (), None, held.function)
        vars(report)["suppressed"] = held.number
        return report

    def _owners(self, name: str) -> list[Callable[[logging.LogRecord], Any]]:
        """Returns what handles records for the logger or the handlers that have this filter."""
        logger = logging.getLogger(name)
        if self in logger.filters:
            return [logger.handle]
        # A handler behind a queue or a buffer is on no logger, so the loggers are not asked.
        references: list[Any] = list(getattr(logging, "_handlerList", []))
        handlers = [handler for handler in (each() for each in references) if handler is not None]
        return [handler.handle for handler in handlers if self in handler.filters]


class _Bucket(NamedTuple):
    tokens: float
    at: float


class _Held(NamedTuple):
    """What one place has had held back, not yet reported."""

    site: Site
    name: str
    function: str
    message: str
    since: float
    number: int

    @property
    def text(self) -> str:
        """What a report says."""
        records = "record" if self.number == 1 else "records"
        return f"suppressed {self.number} {records} like this one: {self.message}"


class _Judged(NamedTuple):
    """What was decided on the record that this thread has judged last."""

    record: weakref.ref[logging.LogRecord]
    passes: bool


def _is_event(record: logging.LogRecord) -> bool:
    values = vars(record).get
    return is_a(values("msg"), SelfDescribingJson) or is_schema_uri(values("schema"))


def _sample(message: object) -> str:
    """Returns what a report shows of a message: its text before the arguments come in."""
    return cut(message, MAX_SAMPLE) if type(message) is str else class_name(message)


def _text(value: object) -> str:
    return value if type(value) is str else text(value)


def _integer(value: object) -> int:
    return value if type(value) is int else 0


def _number(
    name: str, value: Any, takes: str, *, least: float = -math.inf, above: float = -math.inf
) -> float:
    """Returns ``value``, also given as text, if it is a number within bounds."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= least and number > above):
        msg = f"{name} takes {takes}; not {shown(value)}"
        raise ValueError(msg)
    return number
