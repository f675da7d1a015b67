"""What every program of the fault table does: log records, time each call, leave a report.

The law: a process reports for itself alone, into a file named by its id, so children of any
kind can do so, too. What it says of deliveries is only compared; they are counted where they
arrive.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from snowplow_logging import SnowplowHandler

VARIABLE = "FAULTS_SETTINGS"  # not the command line, which belongs to gunicorn and Celery


@dataclass(frozen=True)
class Settings:
    """What the table tells a program.

    Args:
        endpoint: The collector.
        folder: Where reports go.
        options: Options of the handler.
        records: How many records the program logs, each process of it.
        pause: Seconds between two records.
        more: What only this program knows.
    """

    endpoint: str
    folder: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    records: int = 50
    pause: float = 0.0
    more: dict[str, Any] = field(default_factory=dict[str, Any])

    def environment(self) -> dict[str, str]:
        """Returns the variable in which a program finds them."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> Settings:
        """Returns what ``environment`` has said."""
        return cls(**json.loads(os.environ[VARIABLE]))


@dataclass
class Report:
    """What a process says of itself.

    Args:
        pid: Its id.
        logged: How many logging calls returned.
        longest_call: Seconds that the longest of them took.
        done_at: When it had no more to log, on the monotonic clock that all processes share.
        final: Whether the exit's drain is over, so that what is pending stays so.
        accepted: Of its handlers' accounts, together.
        delivered: Likewise.
        dropped: Likewise, by reason.
        pending: Likewise.
        notes: What only this program measures.
    """

    pid: int
    logged: int
    longest_call: float
    done_at: float
    final: bool
    accepted: int
    delivered: int
    dropped: dict[str, int]
    pending: int
    notes: dict[str, float]


class Application:
    """Logs to one handler, or one after the other, and knows what it has logged.

    It must be made before any emitter: exit functions run in reverse order, and the last
    report is to be written after the drain.
    """

    def __init__(self) -> None:
        self.settings = Settings.from_environment()
        self.handlers: list[SnowplowHandler] = []
        self.logger = logging.getLogger("shop")
        self.notes: dict[str, float] = {}
        self._calls: list[float] = []  # appended to by any thread, which is atomic
        self._done_at = 0.0
        atexit.register(self.report, final=True)
        os.register_at_fork(after_in_child=self._calls.clear)

    def configure(self) -> SnowplowHandler:
        """Gives the logger a handler with the options of the settings."""
        handler = SnowplowHandler(self.settings.endpoint, **self.settings.options)
        self.handlers.append(handler)
        self.logger.setLevel(logging.DEBUG)
        self.logger.addHandler(handler)
        return handler

    def log(
        self, message: object, *arguments: object, level: int = logging.INFO, **named: Any
    ) -> None:
        """Logs a record, and keeps how long that took."""
        began = time.perf_counter()
        self.logger.log(level, message, *arguments, **named)
        self._calls.append(time.perf_counter() - began)

    def log_all(self, label: str) -> None:
        """Logs all records, numbered, under a label that no other process or thread has.

        Every fourth record is an error.
        """
        for number in range(self.settings.records):
            level = logging.INFO if number % 4 else logging.ERROR
            self.log("%s %d", label, number, level=level)
            if self.settings.pause:
                time.sleep(self.settings.pause)

    def done(self) -> None:
        """Notes that there is no more to log, and says so."""
        self._done_at = time.monotonic()
        self.report()

    def report(self, *, final: bool = False) -> None:
        """Writes what is known by now; whoever reads it never sees half a report."""
        accounts = [handler.stats() for handler in self.handlers]
        dropped: dict[str, int] = {}
        for account in accounts:
            for reason, count in account.dropped_by_reason.items():
                dropped[reason] = dropped.get(reason, 0) + count
        report = Report(
            pid=os.getpid(),
            logged=len(self._calls),
            longest_call=max(self._calls, default=0.0),
            done_at=self._done_at,
            final=final,
            accepted=sum(account.accepted for account in accounts),
            delivered=sum(account.delivered for account in accounts),
            dropped=dropped,
            pending=sum(account.pending for account in accounts),
            notes=self.notes,
        )
        path = Path(self.settings.folder, f"{report.pid}.json")
        half = path.with_suffix(".half")
        _ = half.write_text(json.dumps(asdict(report)), encoding="utf-8")
        _ = half.replace(path)
