"""The guard against our own traffic: what is logged on the delivery's path stays out.

Urllib3 and requests log each request; were those records taken, each delivery would cause the
next. The mark is a context variable, so it covers just the thread (or task, or greenlet) that
delivers, and the application's own use of the same libraries is logged as ever.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_delivering: ContextVar[bool] = ContextVar("snowplow_logging_delivering", default=False)

is_delivering = _delivering.get
"""Says whether the current code runs on a delivery's path."""


@contextmanager
def delivering() -> Generator[None]:
    """Marks what runs inside as a delivery."""
    token = _delivering.set(True)
    try:
        yield
    finally:
        _delivering.reset(token)
