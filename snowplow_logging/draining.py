"""Drains all emitters of the process: on demand, at a function's end, on a signal.

The law: a signal handler takes no lock and waits for nothing. It may have interrupted whoever
holds the lock, so it leaves the draining to a thread.
"""

from __future__ import annotations

import _thread
import functools
import inspect
import os
import signal
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from snowplow_logging import _lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

ENDING = [
    signal.Signals[name]
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if name in signal.Signals.__members__
]
F = TypeVar("F", bound="Callable[..., Any]")


def flush(timeout: float | None = None) -> bool:
    """Sends what is queued in all handlers and emitters of this process, and waits for it.

    Args:
        timeout: The longest to wait, in seconds; by default each emitter's ``shutdown_timeout``.

    Returns:
        Whether all events accepted before the call are delivered or dropped.
    """
    return _lifecycle.flush(_lifecycle.emitters(), timeout)


@overload
def flush_on_return(function: F) -> F: ...
@overload
def flush_on_return(*, timeout: float | None = None) -> Callable[[F], F]: ...
def flush_on_return(
    function: F | None = None, *, timeout: float | None = None
) -> F | Callable[[F], F]:
    """Decorates a function, sync or async, so that it ends with a ``flush``, however it ends.

    For runtimes such as AWS Lambda, which freeze a process once its function has returned:

        @flush_on_return(timeout=2)
        def handler(event, context): ...

    Args:
        function: What to decorate.
        timeout: As of ``flush``.

    Raises:
        TypeError: It is a generator function, which returns before it runs.
    """
    if function is None:
        return cast("Callable[[F], F]", functools.partial(flush_on_return, timeout=timeout))
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        msg = "flush_on_return takes a function or a coroutine function, no generator function"
        raise TypeError(msg)
    wrapped: Any = function
    if inspect.iscoroutinefunction(function):
        # Who has async functions has imported asyncio; importing us alone should not.
        import asyncio  # noqa: PLC0415
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        @functools.wraps(function)
        async def flushing_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await wrapped(*args, **kwargs)
            finally:
                # A thread of its own: the loop's may all be busy, or shut down.
                executor = ThreadPoolExecutor(1)
                flushing = asyncio.wrap_future(executor.submit(flush, timeout))
                executor.shutdown(wait=False)
                _ = await flushing

        return cast("F", flushing_async)

    @functools.wraps(function)
    def flushing(*args: Any, **kwargs: Any) -> Any:
        try:
            return wrapped(*args, **kwargs)
        finally:
            _ = flush(timeout)

    return cast("F", flushing)


def drain_on_signal(signum: int = signal.SIGTERM) -> None:
    """Has a signal deliver what is queued before it ends the process.

    Where the signal would have ended the process at once, it now drains as at a normal exit,
    for at most ``shutdown_timeout``, and the process ends of it then; a second one ends it at
    once. A handler that was there before is called at once, while what is queued is sent; it
    decides on the end. A signal that was ignored stays ignored. To be called after the server's
    or framework's own set-up, in the main thread.

    Args:
        signum: The signal.

    Raises:
        ValueError: This is not the main thread, or the signal is not one that ends processes.
        RuntimeError: Something that is not Python handles the signal, and cannot be called.
    """
    if signum not in ENDING:
        names = ", ".join(each.name for each in ENDING)
        msg = f"signum takes a signal that ends a process ({names}), not {signum!r}"
        raise ValueError(msg)
    previous = signal.getsignal(signum)
    if isinstance(previous, _Drain) or previous is signal.SIG_IGN:
        return
    if previous is None:
        msg = (
            f"signal {signum} is handled outside of Python, which cannot be chained to: call "
            "snowplow_logging.flush() where that handler ends the process"
        )
        raise RuntimeError(msg)
    _ = signal.signal(signum, _Drain(previous))


class _Drain:
    """The signal handler.

    Args:
        previous: What was to be done before.
    """

    def __init__(self, previous: Callable[[int, FrameType | None], Any] | int) -> None:
        self._previous = previous
        self._flushing = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if callable(self._previous):
            if not self._flushing:
                self._flushing = True
                _in_background(self._flush)
            self._previous(signum, frame)
            return
        _ = signal.signal(signum, signal.SIG_DFL)
        _in_background(_drain_and_end, signum)

    def _flush(self) -> None:
        try:
            _ = flush()
        finally:
            self._flushing = False


def _in_background(function: Callable[..., object], *args: object) -> None:
    """Runs ``function`` in a thread, or here where the interpreter is at its end and has none."""
    try:
        # Not threading.Thread, whose start takes a lock that who was interrupted may hold.
        _ = _thread.start_new_thread(function, args)
    except RuntimeError:
        _ = function(*args)


def _drain_and_end(signum: int) -> None:
    try:
        _lifecycle.at_exit()
    finally:
        signal.raise_signal(signum)
        os._exit(128 + signum)  # still here: the first process of a container ignores it
