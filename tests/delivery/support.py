"""What the delivery tests share: waits with a deadline, loggers of their own, processes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from snowplow_logging import SelfDescribingJson, SnowplowHandler
from tests.unit.wire import unstruct_event

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from snowplow_logging import Stats
    from snowplow_logging.testing import FaultyCollector

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds after which a wait has failed
NUMBERED = "iglu:com.acme/numbered/jsonschema/1-0-0"

LOG = """
import logging, os, signal, sys, threading, time
from snowplow_logging import AsyncEmitter, Emitter, SelfDescribingJson, SnowplowHandler, Tracker

handler = SnowplowHandler(sys.argv[1], **eval(sys.argv[2] if len(sys.argv) > 2 else "{}"))
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)
"""
"""The beginning of most scripts for ``run``; their arguments are the endpoint and the options."""


def numbered(number: int, **more: Any) -> SelfDescribingJson:
    """Returns an event that says its number."""
    return SelfDescribingJson(NUMBERED, {"number": number, **more})


def data_of(fields: dict[str, str]) -> Any:
    """Returns the data of an event."""
    return unstruct_event(fields)["data"]["data"]


def numbers(events: list[dict[str, str]]) -> list[int]:
    """Returns the numbers of events that ``numbered`` made."""
    return [data_of(event)["number"] for event in events]


def messages(collector: FaultyCollector) -> list[str]:
    """Returns the messages of all that arrived."""
    return [data_of(event)["message"] for event in collector.events()]


def dict_config(**options: Any) -> dict[str, Any]:
    """Returns a dictConfig with our handler, with ``options``, on root."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"snowplow": {"class": "snowplow_logging.SnowplowHandler", **options}},
        "root": {"level": "DEBUG", "handlers": ["snowplow"]},
    }


def root_handler() -> SnowplowHandler:
    """Returns our handler on root."""
    (found,) = [each for each in logging.getLogger().handlers if isinstance(each, SnowplowHandler)]
    return found


def delivery_threads() -> list[threading.Thread]:
    """Returns the workers that run."""
    return [
        each for each in threading.enumerate() if each.name.startswith("snowplow-logging-worker")
    ]


def balanced(stats: Stats) -> bool:
    """Says whether the account is exact."""
    by_reason = sum(stats.dropped_by_reason.values())
    balance = stats.accepted == stats.delivered + stats.dropped + stats.pending
    return balance and by_reason == stats.dropped


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Waits for ``condition``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def within(seconds: float, action: Callable[[], T]) -> T:
    """Runs ``action`` in a thread of its own, and fails where it is not done in time."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"still not done after {seconds} s"
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def logging_to(
    handler: logging.Handler, name: str = "tests.delivery"
) -> Generator[logging.Logger, None, None]:
    """Gives a logger that has ``handler`` alone, and closes that at the end."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        handler.close()


def run(script: str, *arguments: str, seconds: float = 30.0) -> subprocess.CompletedProcess[str]:
    """Runs a script in a new interpreter, to its end or for ``seconds``."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )
