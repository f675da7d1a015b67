"""The fixed pool of threads that deliver; started at the first event, never at construction."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from snowplow_logging._outbox import Stop

if TYPE_CHECKING:
    from collections.abc import Callable


class WorkerPool:
    """Runs ``work`` in ``thread_count`` daemon threads, until their ``Stop`` is requested.

    Args:
        thread_count: How many threads.
        work: What each thread runs; it gets the ``Stop`` of its generation.
    """

    def __init__(self, thread_count: int, work: Callable[[Stop], None]) -> None:
        self._thread_count = thread_count
        self._work = work
        self._starting = threading.Lock()  # guards the two below
        self._threads: list[threading.Thread] = []
        self.stop = Stop()
        self.running = False

    def start(self) -> None:
        """Starts the threads, unless they run; where the system gives no thread, none runs.

        An interpreter that shuts down (3.12 and later) or a system at its limit refuses new
        threads. What is queued is then delivered by who calls flush or close.
        """
        if not self._starting.acquire(blocking=False):
            return  # another thread, or this one in an outer call, is at it
        try:
            if self.running and not self.stop.requested:
                return
            self.stop = Stop()
            self._threads = [
                threading.Thread(
                    target=self._work, args=(self.stop,), name=f"snowplow-logging-{n}", daemon=True
                )
                for n in range(self._thread_count)
            ]
            self.running = True
            for count, thread in enumerate(self._threads):
                try:
                    thread.start()
                except RuntimeError:
                    self._threads = self._threads[:count]
                    self.running = count > 0
                    return
        finally:
            self._starting.release()

    def join(self, deadline: float) -> None:
        """Waits until ``deadline``, in seconds of the monotonic clock, for threads that end."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
