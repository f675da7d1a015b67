"""Fork and exit: everything that processes do to emitters behind their backs.

The law: nothing is registered at import, only when the first emitter is made; emitters are
known by weak references; what runs in a forked child takes no lock and logs nothing. Modules
of others are used where the application has imported them, and never imported.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from snowplow_logging import _event_ids, _guard

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager


class Emitting(Protocol):
    """What the hooks call on an emitter."""

    def before_fork(self) -> None:
        """Leaves what no child may inherit."""

    def after_fork_in_child(self) -> None:
        """Replaces locks, threads, connections and the queue by new ones."""

    def after_fork_in_parent(self) -> None:
        """Goes on in the process that has forked."""

    def hurrying(self) -> AbstractContextManager[object]:
        """Makes everything that is queued due, for as long as it is entered."""
        ...

    def flush(self, timeout: float | None = None) -> bool:
        """Sends what is queued; see ``Emitter.flush``."""
        ...

    def close(self) -> None:
        """Delivers what it can within its deadline and gives up the rest."""


LONGEST_WAIT = 1e8  # seconds, over three years; the system's own bound is not far above it

_Emitting = TypeVar("_Emitting", bound=Emitting)


class _Registry:
    """The emitters of this process."""

    def __init__(self) -> None:
        # A plain dict, whose single operations are atomic: a WeakSet that another thread was
        # changing at the moment of the fork would stay inconsistent in the child.
        self._emitters: dict[int, weakref.ref[Emitting]] = {}
        self._kept: dict[int, Emitting] = {}
        self._hooked = False
        self._end_watched = False
        self.exit_began: float | None = None
        self.exit_is_over = False

    def add(self, emitter: Emitting) -> None:
        if not self._hooked:
            self._hooked = True
            atexit.register(self.at_exit)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(
                    before=self.before_fork,
                    after_in_parent=self.after_fork_in_parent,
                    after_in_child=self.after_fork_in_child,
                )
        key = id(emitter)
        self._emitters[key] = weakref.ref(emitter, lambda _: self._emitters.pop(key, None))

    def alive(self) -> list[Emitting]:
        emitters = [reference() for reference in list(self._emitters.values())]
        return [emitter for emitter in emitters if emitter is not None]

    def watch_end(self) -> None:
        """Sees to it that a process that ends without ``atexit`` delivers, too.

        The children of multiprocessing, and of Celery's copy of it, run their own finalizers
        and end by ``os._exit``; those of Celery's pool send a signal alone. To be called at the
        first event: what is registered before a child has begun, multiprocessing clears.
        """
        if self._end_watched:
            return
        self._end_watched = True
        util: Any = sys.modules.get("multiprocessing.util")
        if util is not None:
            self.add_finalizer()
            util.register_after_fork(self, type(self).add_finalizer)
        celery: Any = sys.modules.get("celery.signals")
        if celery is not None:
            celery.worker_process_shutdown.connect(
                self.at_exit, weak=False, dispatch_uid="snowplow_logging"
            )

    def add_finalizer(self) -> None:
        """Has multiprocessing call the exit as its last finalizer, if this is a child of it."""
        modules = [sys.modules.get(f"{name}.process") for name in ("multiprocessing", "billiard")]
        processes: list[Any] = [module.current_process() for module in modules if module]
        if any(process._parent_pid is not None for process in processes):  # noqa: SLF001 - billiard has nothing public
            util: Any = sys.modules["multiprocessing.util"]
            util.Finalize(None, self.at_end_of_child, exitpriority=-1_000)

    def at_end_of_child(self) -> None:
        # Multiprocessing waits for the child's threads only after its finalizers.
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                thread.join()
        self.at_exit()

    def keep(self, emitter: Emitting, *, pending: bool) -> None:
        if pending:
            self._kept[id(emitter)] = emitter
        else:
            self._kept.pop(id(emitter), None)

    def before_fork(self) -> None:
        _guard.forking.set()
        for emitter in self.alive():
            emitter.before_fork()

    def after_fork_in_parent(self) -> None:
        _guard.forking.unset()
        for emitter in self.alive():
            emitter.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        self._end_watched = False
        self.exit_began = None
        self.exit_is_over = False
        _event_ids.after_fork_in_child()
        _guard.after_fork_in_child()
        for emitter in self.alive():
            emitter.after_fork_in_child()

    def at_exit(self, **_: object) -> None:
        if self.exit_began is None:  # else a finalizer or a signal was the first to close
            self.exit_began = time.monotonic()
        with hurrying(self.alive()) as emitters:  # all begin before the first one is waited for
            _close(emitters)
        self.exit_is_over = True
        _close(self.alive())  # with what was logged meanwhile


_registry = _Registry()
register = _registry.add
"""Makes an emitter known to the hooks."""
watch_end = _registry.watch_end
keep = _registry.keep
"""Keeps an emitter that has no threads alive for as long as it has something pending."""
emitters = _registry.alive
"""Returns the emitters of this process."""
at_exit = _registry.at_exit
"""Closes all emitters, as the process is about to end."""


@contextmanager
def hurrying(emitters: Sequence[_Emitting]) -> Generator[Sequence[_Emitting]]:
    """Makes what is queued in all emitters due at once, for as long as it is entered."""
    with ExitStack() as stack:
        for emitter in emitters:
            _ = stack.enter_context(emitter.hurrying())
        yield emitters


def flush(emitters: Sequence[Emitting], timeout: float | None) -> bool:
    """Flushes emitters side by side; by default each has its own time-out."""
    deadline = None if timeout is None else time.monotonic() + _bounded(timeout)
    flushed = True
    with logging_unlocked(), hurrying(emitters):
        for emitter in emitters:
            rest = None if deadline is None else max(0.0, deadline - time.monotonic())
            flushed = emitter.flush(rest) and flushed
    return flushed


def _close(emitters: Sequence[Emitting]) -> None:
    """Closes emitters; what one of them raises keeps none of the others from it."""
    with ExitStack() as stack:
        for emitter in reversed(emitters):
            _ = stack.callback(emitter.close)


def exit_is_over() -> bool:
    """Says whether the exit has been waited for: what comes now, nobody would deliver later."""
    return _registry.exit_is_over


def deadline(now: float, timeout: float) -> float:
    """Returns when a wait of ``timeout`` seconds ends; at exit all waits share their start."""
    began = _registry.exit_began
    return (now if began is None else min(now, began)) + _bounded(timeout)


def _bounded(seconds: float) -> float:
    """Returns what threads can wait for; nothing for what is no number at all."""
    return min(seconds, LONGEST_WAIT) if seconds > 0 else 0.0


@contextmanager
def logging_unlocked() -> Generator[None]:
    """Lets go of logging's module lock, if this thread holds it, and takes it again after.

    ``dictConfig`` and ``basicConfig(force=True)`` hold it while they flush and close handlers.
    But whoever is to deliver may need it: a worker whose urllib3 logs, or a thread that is in
    the outbox when a finaliser asks for a logger. To wait for them and keep it is a deadlock:
    https://github.com/open-telemetry/opentelemetry-python/issues/3193
    """
    lock: Any = getattr(logging, "_lock", None)
    if not hasattr(lock, "_release_save") or not lock._is_owned():  # noqa: SLF001
        yield
        return
    held = lock._release_save()  # noqa: SLF001 - as threading.Condition does with such a lock
    try:
        yield
    finally:
        lock._acquire_restore(held)  # noqa: SLF001
