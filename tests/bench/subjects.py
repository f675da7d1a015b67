"""What is compared: each makes a handler, and says when all that it took is acknowledged."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.calls import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 600.0  # seconds


class Rig(NamedTuple):
    """A handler, and what waits until all that it took is acknowledged."""

    handler: logging.Handler
    finish: Callable[[], object]


@dataclass(frozen=True)
class Subject:
    """Something that takes log records.

    Args:
        text: What the table calls it.
        make: Makes it, given the collector and how many events will come.
        kind: Which calls it is measured with; see ``calls.KINDS``.
        threads: How many threads call.
        ships: Whether events arrive anywhere.
    """

    text: str
    make: Callable[[str, int], Rig]
    kind: str = "schema"
    threads: int = 1
    ships: bool = True


def null(_: str, __: int) -> Rig:
    """Does nothing: what is left of the figures is the harness."""
    return Rig(logging.NullHandler(), lambda: None)


def stream(_: str, __: int) -> Rig:
    """Writes JSON lines to nowhere, in the calling thread."""
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415 - not every subject's memory

    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    handler = logging.StreamHandler(nowhere)
    handler.setFormatter(JsonFormatter())
    return Rig(handler, handler.flush)


def queue(_: str, __: int) -> Rig:
    """Hands records to a thread that does nothing with them."""
    from logging.handlers import QueueHandler, QueueListener  # noqa: PLC0415
    from queue import SimpleQueue  # noqa: PLC0415

    records: SimpleQueue[Any] = SimpleQueue()
    listener = QueueListener(records, logging.NullHandler())
    listener.start()
    return Rig(QueueHandler(records), listener.stop)


class TrackerHandler(logging.Handler):
    """Gives what a record says to a tracker of snowplow-tracker, as applications do.

    Args:
        tracker: The tracker.
    """

    def __init__(self, tracker: Any) -> None:
        from snowplow_tracker.self_describing_json import SelfDescribingJson  # noqa: PLC0415

        super().__init__()
        self._tracker = tracker
        self._event: Any = SelfDescribingJson

    def emit(self, record: logging.LogRecord) -> None:
        values = vars(record)
        event = self._event(values["schema"], values["data"])
        self._tracker.track_self_describing_event(event)


def tracker(batch_size: int | None) -> Callable[[str, int], Rig]:
    """Returns snowplow-tracker's emitter with threads, in a handler."""

    def make(endpoint: str, _: int) -> Rig:
        from snowplow_tracker.emitters import AsyncEmitter  # noqa: PLC0415
        from snowplow_tracker.tracker import Tracker  # noqa: PLC0415

        logging.getLogger("snowplow_tracker").setLevel(logging.WARNING)  # three lines a request
        emitter = AsyncEmitter(endpoint, batch_size=batch_size)
        made = Tracker("python", emitter, app_id="shop")
        return Rig(TrackerHandler(made), emitter.sync_flush)

    return make


def opentelemetry(endpoint: str, events: int) -> Rig:
    """OpenTelemetry's handler, with a queue that holds all events."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415

    provider = LoggerProvider(shutdown_on_exit=False)
    exporter = OTLPLogExporter(f"{endpoint}/v1/logs")
    provider.add_log_record_processor(
        BatchLogRecordProcessor(exporter, max_queue_size=max(events, 2048))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return Rig(LoggingHandler(logger_provider=provider), provider.force_flush)


def ours(*, orjson: bool = True, **options: Any) -> Callable[[str, int], Rig]:
    """Returns our handler, with a queue that holds all events."""

    def make(endpoint: str, events: int) -> Rig:
        if not orjson:
            sys.modules["orjson"] = None  # type: ignore[assignment] # as if it were not installed
        from snowplow_logging import SnowplowHandler  # noqa: PLC0415

        handler = SnowplowHandler(
            endpoint,
            app_id="shop",
            namespace="python",
            queue_size=max(events, 10_000),
            queue_bytes=max(events * 10_000, 2**26),
            **options,
        )

        def finish() -> None:
            assert handler.flush(PATIENCE), handler.stats()
            assert handler.stats().delivered == events, handler.stats()

        return Rig(handler, finish)

    return make


def name_of_ours(encoder: str, kind: str, redaction: str, threads: int) -> str:
    """Returns the name of a variant: what is not as usual, such as ``ours-json-plain-4``."""
    usual = {"orjson", "schema", "off", "1"}
    parts = (encoder, kind, redaction, str(threads))
    return "-".join(["ours", *(part for part in parts if part not in usual)])


ENCODERS = ("orjson", "json")
REDACTIONS = ("off", "redact")
THREADS = (1, 4, 16)
WORKERS = (1, 2, 4, 8)
KINDS_OF_OURS = [*product(ENCODERS, KINDS, REDACTIONS)]

OTHERS = {
    "null": Subject("NullHandler", null, ships=False),
    "stream": Subject("StreamHandler, python-json-logger, to /dev/null", stream, ships=False),
    "queue": Subject("QueueHandler, QueueListener, to nowhere", queue, ships=False),
    "tracker": Subject("snowplow-tracker, batches of 10 (default)", tracker(None)),
    "tracker-500": Subject("snowplow-tracker, batches of 500", tracker(500)),
    "otel": Subject("OpenTelemetry SDK, OTLP/HTTP", opentelemetry),
}
VARIANTS = {
    name_of_ours(encoder, kind, redaction, threads): Subject(
        f"ours, {'orjson' if encoder == 'orjson' else 'stdlib JSON'}, {kind}"
        + (", redacted" if redaction == "redact" else "")
        + (f", {threads} threads" if threads > 1 else ""),
        ours(orjson=encoder == "orjson", redact=redaction == "redact"),
        kind,
        threads,
    )
    for (encoder, kind, redaction), threads in product(KINDS_OF_OURS, THREADS)
}
WITH_WORKERS = {
    f"ours-workers-{count}": Subject(
        f"ours, thread_count={count}", ours(redact=False, thread_count=count)
    )
    for count in WORKERS
}
SUBJECTS: dict[str, Subject] = {**OTHERS, **VARIANTS, **WITH_WORKERS}
COMPARED = [*OTHERS, "ours", "ours-json", "ours-redact", "ours-plain", "ours-exception"]
