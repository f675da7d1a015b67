"""The guard against our own traffic: what is logged on the delivery's path stays out.

Urllib3 and requests log each request; were those records taken, each delivery would cause the
next. The mark belongs to the thread (or greenlet) that delivers, for as long as it does, so the
application's own use of the same libraries is logged as ever.
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
        self._threads: set[int] = set()  # its single operations are atomic

    def is_here(self) -> bool:
        """Says whether this thread (or greenlet) is marked."""
        return threading.get_ident() in self._threads

    @contextmanager
    def here(self) -> Generator[None]:
        """Marks this thread (or greenlet) for what runs inside."""
        thread = threading.get_ident()
        if thread in self._threads:
            yield
            return
        try:
            self._threads.add(thread)
            yield
        finally:
            self._threads.discard(thread)

    def clear(self) -> None:
        """Takes the mark from all, as in a child that was forked by a marked thread."""
        self._threads.clear()


_delivering = Mark()
is_delivering = _delivering.is_here
delivering = _delivering.here
after_fork_in_child = _delivering.clear
