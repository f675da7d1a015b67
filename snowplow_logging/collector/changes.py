"""Lets coroutines of the server wait for changes of the store, which any thread may make.

Law: a change costs one call into the loop, however many coroutines wait, and none while one is
still under way there.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging.collector.store import Counts, Store


class Changes:
    """The changes of a store, for the coroutines of one loop.

    Args:
        store: It.

    Attributes:
        closed: Whether the server ends: nobody should wait any longer.
    """

    def __init__(self, store: Store) -> None:
        """Listens."""
        self.closed = False
        self._store = store
        self._lock = threading.Lock()  # guards what follows
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_called = False
        self._next = asyncio.Event()  # only the loop's thread touches it
        store.listen(self._on_change)

    def close(self) -> None:
        """Ends all waiting; called from outside the loop."""
        self._store.unlisten(self._on_change)
        self.closed = True
        self._on_change()

    def next(self) -> asyncio.Event:
        """What is set at the next change: get it, look at the store, then wait for it."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
        return self._next

    async def wait_until(self, reached: Callable[[Counts], bool], timeout: float) -> Counts:
        """Waits until the counts are such; returns those of then.

        Args:
            reached: What to wait for.
            timeout: Seconds after which it waits no longer.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            change = self.next()
            counts = self._store.counts()
            if reached(counts) or self.closed or not await within(change, deadline - loop.time()):
                return counts

    def _on_change(self) -> None:
        with self._lock:
            if self._loop is None or self._is_called:
                return
            self._is_called = True
            loop = self._loop
        with suppress(RuntimeError):  # the loop has ended, and with it all who waited
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            self._is_called = False
        past, self._next = self._next, asyncio.Event()
        past.set()


async def within(event: asyncio.Event, seconds: float) -> bool:
    """Whether ``event`` is set within so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), max(0.0, seconds))
    except asyncio.TimeoutError:
        return False
    return True
