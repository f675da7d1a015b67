"""Marks on threads: that they deliver, and that they fork.

The guard against our own traffic: urllib3 and requests log each request; were those records
taken, each delivery would cause the next. The mark belongs to the thread (or greenlet) that
delivers, for as long as it does, so the application's own use of the same libraries is logged
as ever.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class Mark:
    """A mark on threads that are inside a ``with``.

    It is no context variable: tasks that a callback starts would inherit it for good. Nor is
    it a ``threading.local``: one that was made before gevent patched the standard library
    belongs to all greenlets of a thread at once.
    """

    def __init__(self) -> None:
        self.threads: set[int] = set()  # those that are; its single operations are atomic

    def is_here(self) -> bool:
        """Says whether this thread (or greenlet) is marked."""
        return bool(self.threads) and threading.get_ident() in self.threads

    def set(self) -> None:
        """Marks this thread (or greenlet)."""
        self.threads.add(threading.get_ident())

    @contextmanager
    def here(self) -> Generator[None]:
        """Marks this thread (or greenlet) for what runs inside."""
        thread = threading.get_ident()
        if thread in self.threads:
            yield
            return
        try:
            self.threads.add(thread)
            yield
        finally:
            self.threads.discard(thread)

    def clear(self) -> None:
        """Takes the mark from all, as in a child, where the others are gone."""
        self.threads.clear()

    def unset(self) -> None:
        """Takes the mark from this thread (or greenlet)."""
        self.threads.discard(threading.get_ident())


_delivering = Mark()
is_delivering = _delivering.is_here
delivering = _delivering.here
forking = Mark()


def after_fork_in_child() -> None:
    """Takes all marks from a child: it delivers nothing yet, even if a callback has forked it."""
    _delivering.clear()
    forking.clear()
