"""SnowplowHandler: the logging contract, and nothing else."""

from __future__ import annotations

import logging
import time
from copy import copy
from typing import TYPE_CHECKING, Any, cast

from pythonjsonlogger.core import BaseJsonFormatter

from snowplow_logging._guard import is_delivering
from snowplow_logging._losses import say, show_exception
from snowplow_logging._options import (
    LOG_RECORD,
    AsyncEmitterOptions,
    HandlerOptions,
    from_environment,
    resolve,
)
from snowplow_logging._text import is_a, shown
from snowplow_logging.emitter import AsyncEmitter, Emitter
from snowplow_logging.flood import FloodFilter
from snowplow_logging.formatter import LogRecordFormatter, integer
from snowplow_logging.payload import LAST_MS, milliseconds
from snowplow_logging.record import RecordMapper
from snowplow_logging.subject import Subject
from snowplow_logging.tracker import Tracker

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from snowplow_logging._stats import Stats


class SnowplowHandler(logging.Handler):
    """Turns log records into Snowplow events and delivers them in the background.

    ``emit`` never raises and never waits for the network. What cannot be mapped is counted
    as ``unmappable`` and shown by ``handleError``.

    Args:
        endpoint: The collector, such as ``https://collector.acme.com``.
        level: The least level that is taken.
        options: See the table of options in the README. What is not given is looked up in the
            environment, as ``SNOWPLOW_LOGGING_ENDPOINT``, ``SNOWPLOW_LOGGING_APP_ID``, ….
            ``tracker`` or ``emitter`` take one that exists; it is flushed, not closed.

    Raises:
        ValueError: An option takes no such value, or there is no endpoint.
        TypeError: There is no such option.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        level: int | str = logging.NOTSET,
        **options: Unpack[HandlerOptions],
    ) -> None:
        given: dict[str, Any] = dict(options)
        existing = _existing(endpoint, given)
        values = resolve(given, _OWN_OPTIONS, environment=True)
        self._schema: str | None = values["schema"]
        self._mapper = RecordMapper(
            schema=self._schema,
            exceptions=values["exceptions"],
            record_entity=values["record_entity"],
            contexts=[*values["contexts"], *filter(None, [values["application"]])],
            redactor=values["redact"],
        )
        self._owned: Emitter | None = None
        if existing is None:
            delivery = {name: values[name] for name in AsyncEmitterOptions.__annotations__}
            address = endpoint or from_environment("endpoint") or ""
            existing = self._owned = AsyncEmitter(address, **delivery)
        self._tracker = existing if isinstance(existing, Tracker) else _tracker(existing, values)
        # Last: it makes the handler known to logging, which would flush half a one.
        super().__init__(level)

    def createLock(self) -> None:  # noqa: N802 - logging's name
        """Has no lock: ``emit`` is safe in threads, and waits for nobody."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Emits a record that passes the filters, without the lock that other handlers take.

        What the delivery itself logs is kept out here, not in ``emit``, because
        ``logging.shutdown`` enters a handler before it waits for the delivery.
        """
        if is_delivering():
            return False
        if self.filters:
            passed = cast("object", self.filter(record))  # from Python 3.12 on perhaps a record
            if not passed:
                return False
            record = passed if isinstance(passed, logging.LogRecord) else record
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Queues the event that ``record`` becomes."""
        try:
            parts = self._mapper.parts(record, self.formatter)
            if parts is not None:
                schema, beginning, data, entities = parts
                values = record.__dict__
                created, severity = values.get("created"), values.get("levelno")
                if type(created) is float and 0 < created < _LAST_SECOND:  # as logging makes it
                    created_ms = int(created * 1000)
                else:
                    created_ms = _created_ms(created)
                if type(severity) is not int or not 0 <= severity < _HIGHEST_LEVEL:
                    severity = integer(severity, _HIGHEST_LEVEL) or logging.NOTSET
                self._tracker.track(
                    schema, data, entities, created_ms, severity, None, None, beginning
                )
        except Exception:  # noqa: BLE001 - a logging call never raises
            self._refuse(record)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - logging's name
        """Sets who makes the message or, if it is python-json-logger's, all data.

        Raises:
            ValueError: It makes all data, but ``schema`` is ours, which has fields of its own.
        """
        makes_all = isinstance(fmt, BaseJsonFormatter) and not isinstance(fmt, LogRecordFormatter)
        if makes_all and self._schema == LOG_RECORD:
            msg = (
                f"formatter {type(fmt).__name__} makes the whole data of events, so schema takes "
                "a schema of your own that describes them, such as "
                "iglu:com.acme/log_record/jsonschema/1-0-0"
            )
            raise ValueError(msg)
        super().setFormatter(fmt)

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]
        """Sends what is queued; see ``Emitter.flush``.

        Args:
            timeout: The longest to wait, in seconds; ``shutdown_timeout`` by default.

        Returns:
            Whether all events accepted before the call are delivered or dropped.
        """
        self._report_floods()
        return self._tracker.flush(timeout)

    def close(self) -> None:
        """Delivers what it can within ``shutdown_timeout``, and gives up and reports the rest.

        A handler that gets another record after it opens again. A tracker or an emitter that
        the handler was given is flushed, and lives on.
        """
        self._report_floods()
        if self._owned is not None:
            self._owned.close()
        else:
            _ = self._tracker.flush()
        super().close()

    def stats(self) -> Stats:
        """Returns the account of all events: ``accepted = delivered + dropped + pending``.

        Of a tracker with several emitters it is that of the first.
        """
        return self._tracker.emitters[0].stats()

    def __repr__(self) -> str:
        emitter = repr(self._tracker.emitters[0]).partition(" ")[2]
        return f"<{type(self).__name__} {emitter}"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Shows on stderr why ``record`` is no event, if ``logging.raiseExceptions`` is set.

        Logging's own shows all of the record, however much that would be.
        """
        if not logging.raiseExceptions:
            return
        values = vars(record)
        show_exception()
        place = f"{shown(values.get('pathname'))}, line {shown(values.get('lineno'))}"
        redact = self._mapper.redact
        message = shown(values.get("msg"), redact=redact)
        arguments = shown(values.get("args"), redact=redact)
        say(f"no event from {place}: message {message}, arguments {arguments}")

    def _report_floods(self) -> None:
        for each in self.filters:
            if isinstance(each, FloodFilter):
                each.report()

    def _refuse(self, record: logging.LogRecord) -> None:
        try:
            self._tracker.refuse("unmappable")
            self.handleError(record)
        except Exception as error:  # noqa: BLE001 - handleError lets RecursionError through
            say(f"a record could not be shown: {type(error).__name__}")


_LAST_SECOND = LAST_MS / 1000
_HIGHEST_LEVEL = 2**63
_OWN_OPTIONS = [
    name for name in HandlerOptions.__annotations__ if name not in ("emitter", "tracker")
]


def _created_ms(created: Any) -> int:
    """Returns in ms when a record was made; of one that does not know, now."""
    try:
        return milliseconds(created * 1000 if is_a(created, (int, float)) else None)
    except Exception:  # noqa: BLE001 - whatever else it holds can be sent
        return time.time_ns() // 1_000_000


def _existing(endpoint: str | None, given: dict[str, Any]) -> Tracker | Emitter | None:
    """Takes tracker or emitter out of ``given``; refuses options that would be ignored then."""
    existing: dict[str, Any] = {}
    for name, kind in (("tracker", Tracker), ("emitter", Emitter)):
        value = given.pop(name, None)
        if isinstance(value, kind):
            existing[name] = value
        elif value is not None:
            msg = f"{name} takes {kind.__name__}s, not {type(value).__name__}"
            raise ValueError(msg)
    if not existing:
        return None
    theirs = ["endpoint", *AsyncEmitterOptions.__annotations__]
    if "tracker" in existing:
        theirs += ["emitter", "app_id", "namespace", "platform", "subject", "encode_base64"]
    chosen = next(iter(existing))
    also = {"endpoint": endpoint} if endpoint else {}
    both = [name for name in theirs if name in {**given, **also, **existing} and name != chosen]
    if both:
        msg = f"{', '.join(both)}: give this to the {chosen} itself, which exists already"
        raise ValueError(msg)
    return cast("Tracker | Emitter", existing[chosen])


def _tracker(emitter: Emitter, values: dict[str, Any]) -> Tracker:
    subject: Subject = values["subject"] or Subject()
    if values["platform"] is not None:
        subject = copy(subject)  # the application's own stays as it is
        _ = subject.set_platform(values["platform"])
    return Tracker(values["namespace"], emitter, subject, values["app_id"], values["encode_base64"])
