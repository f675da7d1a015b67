"""Logs the real corpus in a process of its own, and says what arrived of it.

    python -m tests.corpus.run_real COUNT

Its last line is JSON: what was found wrong, and the figures. Each record goes to a handler of
each kind, so that there are as many events of each as there are records.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging import SnowplowHandler
from snowplow_logging._text import CUT_MARK
from tests.corpus import frameworks, real
from tests.corpus.arrivals import Arrivals
from tests.delivery.support import balanced
from tests.iglu_central import APPLICATION_ERROR, LOG_RECORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.corpus.arrivals import Event

CHUNK = 200  # records between two flushes
PATIENCE = 60.0  # seconds after which a flush has failed
RARE = 5  # times that a source is asked which logs much at once
COMPARED = 500  # characters of a text
OPTIONS: dict[str, dict[str, Any]] = {
    "errors": {},
    "records": {"exceptions": "log_record", "encode_base64": False},
    "entities": {"record_entity": True},
}
ILLEGIBLE = re.compile(r"\x1b\[[0-9;]*m|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


_frameworks: Any = frameworks  # which have no types


class Fact(NamedTuple):
    """What a record said when it was logged.

    Args:
        message: Its message; None for one without a text of its own.
        level: Name of its level.
        logger: Name of its logger.
        line: Where it was logged.
        exception: Name of the class of its exception.
        text: What the exception says.
        extras: Those of its extras that are JSON.
    """

    message: str | None
    level: str
    logger: str
    line: int
    exception: str | None
    text: str
    extras: dict[str, Any]


class Forwarding(logging.Handler):
    """Gives each record to all handlers, and keeps what it said.

    Args:
        handlers: The handlers.
    """

    def __init__(self, handlers: list[SnowplowHandler]) -> None:
        super().__init__()
        self._handlers = handlers
        self.facts: list[Fact] = []

    def emit(self, record: logging.LogRecord) -> None:
        # What the delivery itself logs is none of the corpus: the handlers keep it out.
        taken = [handler.handle(record) for handler in self._handlers]
        if all(taken):
            self.facts.append(_fact(record))


def _fact(record: logging.LogRecord) -> Fact:
    message: Any = record.msg
    error = record.exc_info[1] if record.exc_info else None
    members: dict[str, Any] = cast("Any", message) if isinstance(message, dict) else {}
    extras = {**members, **vars(record)}
    return Fact(
        members.get("event") if members else record.getMessage(),
        record.levelname,
        record.name,
        record.lineno,
        type(error).__name__ if error else None,
        str(error),
        {
            key: extras[key]
            for key in extras
            if key not in STANDARD and type(extras[key]) in (str, int, bool, type(None), float)
        },
    )


class Run:
    """The handlers, and what was logged with them.

    Args:
        folder: For schemas.
    """

    def __init__(self, folder: Path) -> None:
        self._arrivals = Arrivals(folder)
        self._handlers = {
            name: SnowplowHandler(self._arrivals.url, app_id=name, flush_interval=60, **options)
            for name, options in OPTIONS.items()
        }
        self._forwarding = Forwarding([*self._handlers.values()])
        self._arrived: dict[str, list[Event]] = {name: [] for name in OPTIONS}
        self._problems: list[str] = []

    def log_all(self, count: int) -> None:
        """Logs the corpus: the sources that log much, then the others until there are enough."""
        logging.captureWarnings(True)
        root = logging.getLogger()
        root.setLevel(logging.DEBUG)
        root.addHandler(self._forwarding)
        try:
            _frameworks.set_up()
            for number in range(RARE):
                for source in (*real.RARELY, *_frameworks.RARELY):
                    self._ask(source, number)
            number = 0
            while len(self._forwarding.facts) < count:
                for source in real.OFTEN:
                    self._ask(source, number)
                    number += 1
        finally:
            root.removeHandler(self._forwarding)
        self._settle()

    def _ask(self, source: Callable[[logging.Logger, int], None], number: int) -> None:
        before = len(self._forwarding.facts)
        source(logging.getLogger(f"shop.{source.__name__}"), number)
        if len(self._forwarding.facts) // CHUNK > before // CHUNK:
            self._settle()

    def _settle(self) -> None:
        for handler in self._handlers.values():
            if not handler.flush(PATIENCE):
                self._problems.append("flush did not end")
        for event in self._arrivals.review():
            self._arrived[event.fields["aid"]].append(event)

    def judge(self) -> None:
        """Holds the accounts and the contents of all events against what was logged."""
        for name, handler in self._handlers.items():
            stats, events = handler.stats(), self._arrived[name]
            exact = balanced(stats) and stats.accepted == len(self._forwarding.facts)
            if not exact or not stats.accepted == stats.delivered == len(events):
                self._problems.append(f"{len(events)} arrived of {name}: {stats}")
            for fact, event in zip(self._forwarding.facts, events, strict=False):
                wrong = [what for what, right in _facts(fact, event, name).items() if not right]
                self._problems += [f"{what} of {name}: {fact} {event}"[:3_000] for what in wrong]

    def figures(self) -> dict[str, Any]:
        """Returns what became of the corpus."""
        facts = self._forwarding.facts
        return {
            "logged": len(facts),
            "with an exception": sum(fact.exception is not None for fact in facts),
            "loggers": len({fact.logger for fact in facts}),
            "delivered": sum(handler.stats().delivered for handler in self._handlers.values()),
            "dropped": sum(handler.stats().dropped for handler in self._handlers.values()),
            "arrived": sum(map(len, self._arrived.values())),
            **self._arrivals.verdict(self._problems),
        }

    def close(self) -> None:
        for handler in self._handlers.values():
            handler.close()
        self._arrivals.close()


def _facts(fact: Fact, event: Event, name: str) -> dict[str, bool]:
    """Says of each thing that is to be in an event whether it is."""
    is_error = name != "records" and fact.exception is not None
    schema = APPLICATION_ERROR if is_error else LOG_RECORD
    if event.event.schema != schema:
        return {f"schema {schema}": False}
    message = event.event.data["message"]
    found = {"message": fact.message is None or _says(message, fact.message)}
    if is_error:
        found["exception's name"] = _ends(event.event.data["exceptionName"], fact.exception)
        found["trace"] = _is_traced(fact, event.event.data["stackTrace"])
    if event.log_record is None:
        return found
    data = event.log_record
    if fact.exception:
        found["type"] = _ends(data["exception_type"], fact.exception)
        found["stack trace"] = _is_traced(fact, data["stack_trace"])
    found["level"] = data["level"] == fact.level
    found["logger"] = _says(data["logger"], fact.logger)
    found["line"] = data.get("line") == fact.line
    attributes = event.attributes
    found |= {f"extra {key!r}": _is(attributes.get(key), fact.extras[key]) for key in fact.extras}
    return found


def _ends(found: str, expected: str | None) -> bool:
    return found.rpartition(".")[2] == expected


def _is_traced(fact: Fact, trace: str) -> bool:
    """Says whether a traceback names the exception, or has room only for the end of its text."""
    return str(fact.exception) in trace or (
        len(fact.text.encode("utf-16-le", "replace")) > len(trace.encode("utf-16-le"))
        and trace.startswith(CUT_MARK)
    )


def _is(found: object, expected: object) -> bool:
    if isinstance(expected, str):
        return isinstance(found, str) and _says(found, expected)
    if isinstance(expected, float) and expected != expected:  # noqa: PLR0124 - NaN
        return found is None
    return type(found) is type(expected) and found == expected


def _says(found: str, expected: str) -> bool:
    """Says whether a text is there, but for what is not legible, up to where it may be cut."""
    kept = ILLEGIBLE.sub("", found.removesuffix(CUT_MARK))
    whole = ILLEGIBLE.sub("", expected)
    return kept == whole or (kept[:COMPARED] == whole[: len(kept)][:COMPARED] and CUT_MARK in found)


def main(count: int) -> int:
    """Logs ``count`` records; returns the exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        try:
            run.log_all(count)
            run.judge()
        finally:
            run.close()
    figures = {**run.figures(), "seconds": round(time.monotonic() - began, 1)}
    _ = sys.stdout.write(json.dumps(figures))
    return 1 if figures["problems"] or figures["bad"] else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
