"""SnowplowHandler: the logging contract, and nothing else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from pythonjsonlogger.core import BaseJsonFormatter

from snowplow_logging._guard import is_delivering
from snowplow_logging._losses import say
from snowplow_logging._options import (
    LOG_RECORD,
    AsyncEmitterOptions,
    HandlerOptions,
    from_environment,
    resolve,
)
from snowplow_logging.emitter import AsyncEmitter, Emitter
from snowplow_logging.formatter import LogRecordFormatter, integer
from snowplow_logging.record import RecordMapper
from snowplow_logging.subject import Subject
from snowplow_logging.tracker import Tracker

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from snowplow_logging._stats import Stats


class SnowplowHandler(logging.Handler):
    """Turns log records into Snowplow events and delivers them in the background.

    ``emit`` never raises and never waits for the network. What cannot be mapped is counted
    as ``unmappable`` and shown by ``logging.Handler.handleError``.

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
        super().__init__(level)
        given: dict[str, Any] = dict(options)
        existing = given.pop("tracker", None) or given.pop("emitter", None)
        values = resolve(given, _OWN_OPTIONS, environment=existing is None)
        self._schema: str | None = values["schema"]
        self._mapper = RecordMapper(
            schema=self._schema,
            exceptions=values["exceptions"],
            record_entity=values["record_entity"],
            contexts=values["contexts"],
        )
        if existing is not None:
            _refuse_both(existing, endpoint, given)
        self._owned: Emitter | None = None
        if not isinstance(existing, (Tracker, Emitter)):
            delivery = {name: values[name] for name in AsyncEmitterOptions.__annotations__}
            address = endpoint or from_environment("endpoint") or ""
            existing = self._owned = AsyncEmitter(address, **delivery)
        self._tracker = existing if isinstance(existing, Tracker) else _tracker(existing, values)

    def createLock(self) -> None:  # noqa: N802 - logging's name
        """Has no lock: ``emit`` is safe in threads, and waits for nobody."""
        self.lock = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Keeps out what the delivery itself logs; else as any handler's filters say.

        It is here, not in ``emit``, because ``logging.shutdown`` enters the handler before it
        waits for the delivery.
        """
        return False if is_delivering() else super().filter(record)

    def handle(self, record: logging.LogRecord) -> bool:
        """Emits a record that passes the filters, without the lock that other handlers take."""
        passed = cast("object", self.filter(record))  # from Python 3.12 on perhaps a record
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Queues the event that ``record`` becomes."""
        try:
            event = self._mapper.event(record, self.formatter)
            if event is not None:
                severity = integer(record.levelno) or logging.NOTSET
                _ = self._tracker.track(*event, record.created * 1000, severity=severity)
        except Exception:  # noqa: BLE001 - a logging call never raises
            self._tracker.refuse("unmappable")
            self._show_error(record)

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
        return self._tracker.flush(timeout)

    def close(self) -> None:
        """Delivers what it can within ``shutdown_timeout``, and gives up and reports the rest.

        A handler that gets another record after it opens again.
        """
        if self._owned is not None:
            self._owned.close()
        else:
            _ = self._tracker.flush()
        super().close()

    def stats(self) -> Stats:
        """Returns the account of all events: ``accepted = delivered + dropped + pending``."""
        return self._tracker.emitters[0].stats()

    def __repr__(self) -> str:
        emitter = repr(self._tracker.emitters[0]).partition(" ")[2]
        return f"<{type(self).__name__} {emitter}"

    def _show_error(self, record: logging.LogRecord) -> None:
        try:
            self.handleError(record)
        except Exception as error:  # noqa: BLE001 - it lets RecursionError through, for one
            say(f"a record of {record.name!r} could not be shown: {type(error).__name__}")


_OWN_OPTIONS = [
    name for name in HandlerOptions.__annotations__ if name not in ("emitter", "tracker")
]


def _refuse_both(existing: object, endpoint: str | None, given: dict[str, Any]) -> None:
    """Raises where options would be ignored, because who delivers exists already."""
    kind = "tracker" if isinstance(existing, Tracker) else "emitter"
    if not isinstance(existing, (Tracker, Emitter)):
        msg = f"tracker takes a Tracker, emitter an Emitter; not {type(existing).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - configuration errors are ValueErrors
    theirs = [*AsyncEmitterOptions.__annotations__]
    if kind == "tracker":
        theirs += ["app_id", "namespace", "platform", "subject", "encode_base64"]
    both = [name for name in theirs if name in given] + (["endpoint"] if endpoint else [])
    if both:
        msg = f"{', '.join(both)}: give this to the {kind} itself, which exists already"
        raise ValueError(msg)


def _tracker(emitter: Emitter, values: dict[str, Any]) -> Tracker:
    subject: Subject = values["subject"] or Subject()
    if values["platform"] is not None:
        _ = subject.set_platform(values["platform"])
    return Tracker(values["namespace"], emitter, subject, values["app_id"], values["encode_base64"])
