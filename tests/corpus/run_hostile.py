"""Logs the hostile corpus in a process of its own, and says what arrived of it.

    python -m tests.corpus.run_hostile SEED COUNT

Its last line is JSON: what was found wrong, and the figures.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, redirect_stderr, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pythonjsonlogger.json import JsonFormatter

from snowplow_logging import SelfDescribingJson, SnowplowHandler, Subject, contexts, traceparent
from tests.corpus.arrivals import ACME_LOG_RECORD, Arrivals, event_of
from tests.corpus.hostile import ARRIVES, Case, Hostile
from tests.delivery.support import balanced
from tests.fuzz.records import OWN, BlindRecord
from tests.fuzz.values import Values

if TYPE_CHECKING:
    from tests.corpus.arrivals import Event

CHUNK = 250  # records between two flushes
PATIENCE = 60.0  # seconds after which a flush has failed
LONGEST_QUERY = 60_000  # of a GET; the collector has no room for much longer ones
DATA = (dict, list, tuple)  # what surely becomes an event's data, whatever is in it
OPTIONS: list[dict[str, Any]] = [
    {"exceptions": "log_record"},
    {"record_entity": True, "encode_base64": False},
    {"exceptions": "log_record", "method": "get", "encode_base64": False},
    {"record_entity": True, "method": "get", "app_id": "\t" * 255, "namespace": "\U0001f600" * 64},
    {
        "exceptions": "log_record", "schema": ACME_LOG_RECORD, "encode_base64": False,
        "app_id": "\0\ud83d\x1b" * 85, "namespace": "\t\n" * 64, "platform": "headset",
        "contexts": [SelfDescribingJson(OWN, {"\ud83d": float("nan"), "big": 10**5_000})],
    },
    {"exceptions": "log_record"},  # gets a formatter of texts
    {},
    {"schema": OWN},  # gets a formatter of JSON
]  # fmt: skip
# A GET takes its time, so the handlers that use it come less often.
TURNS = [0, 1, 2, 4, 5, 6, 7, 0, 1, 3, 4, 5, 6, 7]
SHOW_EXTRAS = len(OPTIONS) - 2  # so many have each record's extras in what arrives


class Run:
    """Handlers of every kind, and what was logged with them.

    Args:
        folder: For schemas.
        seed: Of all records.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._arrivals = Arrivals(folder)
        self._handlers = [
            SnowplowHandler(self._arrivals.url, flush_interval=60, on_drop=self._on_drop, **options)
            for options in OPTIONS
        ]
        self._handlers[-1].setFormatter(JsonFormatter("%(message)s %(levelname)s"))
        self._handlers[-3].setFormatter(logging.Formatter("%(asctime)s %(message)s %(plain)s"))
        self._current = self._handlers[0]
        self._logged: Counter[SnowplowHandler] = Counter()
        self._awaited: set[int] = set()  # numbers of sane parts that must arrive
        self._hostile = Hostile(seed, Values(self._log))
        self._refused: list[dict[str, str]] = []  # events that the collector has not taken
        self._problems: list[str] = []
        self._arrived = 0

    def log_all(self, count: int) -> None:
        """Logs the corpus."""
        for position, case in enumerate(self._hostile.cases(count)):
            self._log_case(position, case)
            if position % CHUNK == CHUNK - 1:
                self._settle()
        self._settle()

    def figures(self) -> dict[str, Any]:
        """Returns what became of the corpus."""
        stats = [handler.stats() for handler in self._handlers]
        reasons: Counter[str] = Counter()
        for each in stats:
            reasons.update(each.dropped_by_reason)
        return {
            "logged": self._logged.total(),
            "delivered": sum(each.delivered for each in stats),
            "dropped": dict(reasons),
            "arrived": self._arrived,
            **self._arrivals.verdict(self._problems),
        }

    def close(self) -> None:
        for handler in self._handlers:
            handler.close()
        self._arrivals.close()

    def _log(self) -> None:
        """What a value does that logs while it is made a text."""
        self._logged[self._current] += 1
        self._current.handle(logging.makeLogRecord({"msg": "logged by a value"}))

    def _on_drop(self, reason: str, payloads: list[dict[str, str]]) -> None:
        """Keeps what was given up after it was queued."""
        self._refused += payloads

    def _log_case(self, position: int, case: Case) -> None:
        setting = TURNS[position % len(TURNS)]
        self._current = self._handlers[setting]
        self._current._tracker.subject = Subject()
        with ExitStack() as scope:
            try:
                self._prepare(case, scope)
            except Exception as error:
                self._problems.append(f"case {position}: scope or subject raised {error!r}"[:600])
            dropped = self._current.stats().dropped_by_reason
            self._logged[self._current] += 1
            try:
                self._current.handle(case.record)
            except BaseException as error:
                self._problems.append(f"case {position} raised {error!r}"[:600])
            now = self._current.stats().dropped_by_reason
        lost = [name for name in ("unmappable", "oversize") if now.get(name) != dropped.get(name)]
        if lost and not (setting == len(OPTIONS) - 1 or may_be_no_event(case.record)):
            values = shown(vars(case.record))
            self._problems.append(f"a case was dropped as {lost}: {values}")
        if not lost and case.number is not None and (setting < SHOW_EXTRAS or named(case.record)):
            self._awaited.add(case.number)

    def _prepare(self, case: Case, scope: ExitStack) -> None:
        """Enters the case's scope; what takes no such value, says so in the words it promises."""
        with suppress(TypeError):  # which is what it says of wrong entities
            _ = scope.enter_context(contexts(*case.entities))
        _ = scope.enter_context(traceparent(case.parent))
        if case.subject:
            name, arguments = case.subject
            with suppress(Exception):  # a setter may refuse a value, and the application hears it
                getattr(self._current._tracker.subject, name)(*arguments)

    def _settle(self) -> None:
        """Sends everything, and holds what arrived against what was logged."""
        found: list[str] = []
        for handler in self._handlers:
            if not handler.flush(PATIENCE):
                found.append("flush did not end")
            stats = handler.stats()
            if not balanced(stats) or stats.pending or stats.accepted != self._logged[handler]:
                found.append(f"{self._logged[handler]} logged, but {stats}")
        for event in self._arrivals.review():
            self._arrived += 1
            found += self._content_problems(event)
        for fields in self._refused:
            if len(urlencode(fields)) < LONGEST_QUERY:
                found.append(f"an event was refused that the collector takes: {str(fields)[:400]}")
            _ = self._content_problems(event_of(fields))
        self._refused.clear()
        if self._awaited:
            found.append(f"of cases {sorted(self._awaited)[:10]} the sane part did not arrive")
        self._awaited.clear()
        self._problems += found

    def _content_problems(self, event: Event) -> list[str]:
        problems: list[str] = []
        data: Any = event.event.data
        places: list[dict[str, Any]] = [event.attributes, data if type(data) is dict else {}]
        for values in places:
            number = values.get("case")
            if type(number) is not int:
                continue
            self._awaited.discard(number)
            wrong = {
                key: values.get(key, ...) for key in ARRIVES if values.get(key, ...) != ARRIVES[key]
            }
            if wrong:
                problems.append(f"case {number} arrived with {shown(wrong)}")
        return problems


def named(record: logging.LogRecord) -> bool:
    """Says whether the record is an event of its own."""
    return type(record.msg) is SelfDescribingJson or vars(record).get("schema") is OWN


def may_be_no_event(record: logging.LogRecord) -> bool:
    """Says whether nothing can be made of a record: it names a schema, but not what this takes."""
    if type(record) is BlindRecord:
        return True
    values = vars(record)
    schema: Any = values.get("schema")
    if type(values.get("msg")) is SelfDescribingJson:
        data: Any = values["msg"].data
    elif issubclass(type(schema), str) and str.__str__(schema) == OWN:
        data = values.get("data")
    else:
        return False
    entities: Any = values.get("contexts")
    if data is not None and type(data) not in DATA:
        return True
    if entities is None:
        return False
    return type(entities) not in (list, tuple) or not all(_is_entity(item) for item in entities)


def _is_entity(value: Any) -> bool:
    return type(value) is SelfDescribingJson and type(value.data) in DATA


def shown(values: dict[str, Any]) -> str:
    """Returns the values with their types, whatever they are."""
    return ", ".join(
        f"{key!r}: {str.__repr__(value)[:60] if type(value) is str else type(value)}"
        for key, value in [*values.items()]
        if value is not None
    )


def main(seed: int, count: int) -> int:
    """Logs ``count`` records; returns the exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), seed)
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
            try:
                run.log_all(count)
            finally:
                run.close()
    seconds = round(time.monotonic() - began, 1)
    figures = {**run.figures(), "seconds": seconds}
    _ = sys.stdout.write(json.dumps(figures))
    return 1 if figures["problems"] or figures["bad"] else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
