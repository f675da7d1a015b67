"""The fixed pool of threads that deliver; started at the first event, never at construction."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from snowplow_logging._batch import Stop
from snowplow_logging._gevent import start_resolver
from snowplow_logging._guard import Mark
from snowplow_logging._losses import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class WorkerPool:
    """Runs each of ``works`` in a daemon thread of its own, until their ``Stop`` is requested.

    Args:
        works: What the threads run; each gets the ``Stop`` of its generation.
    """

    def __init__(self, works: Sequence[Callable[[Stop], None]]) -> None:
        self._works = works
        # Guards the three below; re-entrant, so that who was interrupted with it gets it again.
        self._starting = threading.RLock()
        self._starts = Mark()
        self._threads: list[threading.Thread] = []
        self.stop = Stop()
        self.stop.requested = True  # none has been started yet
        self._has_complained = False

    @property
    def is_alive(self) -> bool:
        """Whether any thread runs."""
        return any(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Starts a generation of threads; where the system gives none, none runs.

        A system at its limit refuses new threads, and so does an interpreter that shuts down;
        Python 3.12 as soon as the main thread has ended, however long others go on. What is
        queued is then delivered by who calls flush or close.
        """
        if self._starts.is_here() or not self._starting.acquire(blocking=False):
            return  # this thread in an outer call, or another one, is at it
        try:
            with self._starts.here():
                self._start()
        except RuntimeError as error:
            self._complain(error)
        finally:
            if not self.is_alive:  # or a signal handler has raised
                self.stop.requested = True
            self._starting.release()

    def abandon(self) -> None:
        """Ends what a forked child has inherited of it: a thread that forks goes on there."""
        self.stop.requested = True

    @property
    def generation(self) -> tuple[Stop, list[threading.Thread]]:
        """The threads that were started last, and what ends them."""
        return self.stop, self._threads

    @staticmethod
    def join(threads: list[threading.Thread], deadline: float) -> None:
        """Waits until ``deadline``, in seconds of the monotonic clock, for threads that end."""
        for thread in threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def _complain(self, error: RuntimeError) -> None:
        main = threading.main_thread()
        if threading.current_thread() is main and not main.is_alive():
            return  # the exit, which delivers in a moment
        alive = sum(thread.is_alive() for thread in self._threads)
        line = "no thread can deliver"
        then = "; events wait for a flush, a close or the exit"
        if alive:
            line, then = f"only {alive} of {len(self._works)} threads run", ""
        if not self._has_complained:
            self._has_complained = True
            say(f"{line}: {error}{then}")

    def _thread(self, number: int, work: Callable[[Stop], None]) -> threading.Thread:
        name = f"snowplow-logging-worker-{number}"
        return threading.Thread(target=self._run, args=(work, self.stop), name=name, daemon=True)

    def _start(self) -> None:
        if not self.stop.requested:
            return
        self.stop = Stop()
        self._threads = [self._thread(number, work) for number, work in enumerate(self._works)]
        for thread in self._threads:
            thread.start()
        start_resolver()

    def _run(self, work: Callable[[Stop], None], stop: Stop) -> None:
        try:
            work(stop)
        finally:
            if not stop.requested:  # something killed the thread, as gevent can greenlets
                stop.requested = True
                self.start()  # the others of its generation end after their batch
