"""The guard against our own traffic: what is logged on the delivery's path stays out.

Urllib3 and requests log each request; were those records taken, each delivery would cause the
next. The mark belongs to the thread (or greenlet) that delivers, for as long as it does, so the
application's own use of the same libraries is logged as ever. It is no context variable: tasks
that a callback starts would inherit it, and be silent for good.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class _OfThread(threading.local):
    delivering = False


_of_thread = _OfThread()


def is_delivering() -> bool:
    """Says whether the current code runs on a delivery's path."""
    return _of_thread.delivering


@contextmanager
def delivering() -> Generator[None]:
    """Marks what runs inside as a delivery."""
    before, _of_thread.delivering = _of_thread.delivering, True
    try:
        yield
    finally:
        _of_thread.delivering = before


def after_fork_in_child() -> None:
    """Takes the mark from a child that a callback has forked: it delivers nothing yet."""
    _of_thread.delivering = False
