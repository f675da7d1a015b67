"""Callbacks that an application should not have; handlers are given them by name."""

from __future__ import annotations

import logging

import snowplow_logging


def raising(*_: object) -> None:
    """Raises."""
    message = "from a callback"
    raise KeyError(message)


def flushing(*_: object) -> None:
    """Flushes everything."""
    snowplow_logging.flush(1)


def logging_(*_: object) -> None:
    """Logs to the handler that calls it, which is not sent: it would never end."""
    logging.getLogger("shop").error("from a callback")
