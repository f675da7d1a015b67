"""Fork and exit: everything that processes do to emitters behind their backs.

The law: nothing is registered at import, only when the first emitter is made; emitters are
known by weak references; what runs in a forked child takes no lock and logs nothing.
"""

from __future__ import annotations

import atexit
import logging
import os
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from snowplow_logging import _guard

if TYPE_CHECKING:
    from collections.abc import Generator


class Emitting(Protocol):
    """What the hooks call on an emitter."""

    def after_fork_in_child(self) -> None:
        """Replaces locks, threads, connections and the queue by new ones."""

    def begin_close(self) -> None:
        """Makes everything due, without waiting."""

    def close(self) -> None:
        """Delivers what it can within its deadline and gives up the rest."""


class _Registry:
    """The emitters of this process."""

    def __init__(self) -> None:
        # A plain dict, whose single operations are atomic: a WeakSet that another thread was
        # changing at the moment of the fork would stay inconsistent in the child.
        self._emitters: dict[int, weakref.ref[Emitting]] = {}
        self._hooked = False
        self.exit_began: float | None = None
        self.exit_is_over = False

    def add(self, emitter: Emitting) -> None:
        if not self._hooked:
            self._hooked = True
            atexit.register(self.at_exit)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=self.after_fork_in_child)
        key = id(emitter)
        self._emitters[key] = weakref.ref(emitter, lambda _: self._emitters.pop(key, None))

    def alive(self) -> list[Emitting]:
        emitters = [reference() for reference in list(self._emitters.values())]
        return [emitter for emitter in emitters if emitter is not None]

    def after_fork_in_child(self) -> None:
        self.exit_began = None
        self.exit_is_over = False
        _guard.after_fork_in_child()
        for emitter in self.alive():
            emitter.after_fork_in_child()

    def at_exit(self) -> None:
        self.exit_began = time.monotonic()
        emitters = self.alive()
        for emitter in emitters:  # all begin before the first one is waited for
            emitter.begin_close()
        for emitter in emitters:
            emitter.close()
        self.exit_is_over = True


_registry = _Registry()
register = _registry.add
"""Makes an emitter known to the hooks."""


def exit_is_over() -> bool:
    """Says whether the exit has been waited for: what comes now, nobody would deliver later."""
    return _registry.exit_is_over


def deadline(now: float, timeout: float) -> float:
    """Returns when a wait of ``timeout`` seconds ends; at exit all waits share their start."""
    began = _registry.exit_began
    return now + timeout if began is None else min(now, began) + timeout


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
