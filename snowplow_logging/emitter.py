"""Emitters deliver payloads: ``Emitter`` in the caller's thread, ``AsyncEmitter`` from a pool."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from snowplow_logging import _destination, _lifecycle, _uwsgi
from snowplow_logging._clock import Clock
from snowplow_logging._engine import assemble
from snowplow_logging._guard import Mark, is_delivering
from snowplow_logging._losses import Losses
from snowplow_logging._options import AsyncEmitterOptions, EmitterOptions, resolve
from snowplow_logging._transport import NoTransport
from snowplow_logging._workers import WorkerPool
from snowplow_logging.payload import (
    MAX_EVENT_BYTES,
    STM_BYTES,
    check_fields,
    fields,
    finished,
    milliseconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from typing_extensions import Unpack

    from snowplow_logging._batch import Batch, Stop
    from snowplow_logging._disk import Disk
    from snowplow_logging._stats import Stats
    from snowplow_logging._transport import Transport
    from snowplow_logging.payload import Draft

MOMENT = 0.2  # seconds for threads to end that nothing keeps
FLUSH_REMEMBERED = 1.0  # seconds within which close does not repeat a flush that failed


class Emitter:
    """Sends payloads in the thread that gives them, and keeps what could not be sent.

    A failed delivery is no exception: its payloads stay queued, ``on_failure`` is told, and a
    later call tries again, once the collector has been left alone for a moment.

    Args:
        endpoint: The collector, such as ``https://collector.acme.com``; without a scheme it
            is https.
        options: See the table of options in the README; ``batch_size`` is 1 here, so that
            each payload is sent at once.

    Raises:
        ValueError: An option takes no such value.
        TypeError: There is no such option.
    """

    def __init__(self, endpoint: str, **options: Unpack[EmitterOptions]) -> None:
        given: dict[str, Any] = {"batch_size": 1, **options}
        self._set_up(endpoint, resolve(given, EmitterOptions.__annotations__))

    def _set_up(self, endpoint: str, options: dict[str, Any]) -> None:
        self._options = options
        self._endpoint, self._connect = _destination.choose(endpoint, options)
        self._clock = options["clock"] or Clock()
        if options.get("spool") is not None:
            from snowplow_logging._keeper import Keeper  # noqa: PLC0415 - SQLite takes long, too

            self._disk_type = Keeper
        self._renew()
        _lifecycle.register(self)
        _uwsgi.warn()

    def _renew(self) -> None:
        """Makes everything that holds a lock, a thread, a connection or payloads, anew."""
        options = self._options
        self._losses = Losses(self._endpoint.base)
        self._outbox, self._sender, self._spooler = assemble(
            options,
            self._clock,
            self._report,
            None if options.get("spool") is None else self._open_disk,
        )
        works = [self._work] * options.get("thread_count", 0)
        self._pool = WorkerPool(works if self._spooler is None else [*works, self._spooler.run])
        self._of_thread = threading.local()  # its transport
        # Threads whose callbacks need not send, since they do so themselves: in a flush or close,
        # and after a put.
        self._draining = Mark()
        self._sending = Mark()
        self._failed_flush = (-1, 0.0)  # the last sequence it was about, and when it ended

    @property
    def endpoint(self) -> str:
        """Scheme, host and port of the collector, or the address of the stream."""
        return self._endpoint.base

    @property
    def shutdown_timeout(self) -> float:
        """The longest that flush and close wait by default, in seconds."""
        seconds: float = self._options["shutdown_timeout"]
        return seconds

    def input(self, payload: Mapping[str, object]) -> None:
        """Takes an event as the fields of the tracker protocol, such as a callback got it.

        Raises:
            ValueError: It has no ``e``, ``p`` or ``tv``, or a field that the protocol does not
                know; either would spoil the whole request. Or its ``dtm`` is no time.
        """
        check_fields(payload)
        created_ms = milliseconds(payload.get("dtm") or self._clock.wall() * 1000)
        rendered = fields({key: value for key, value in payload.items() if key != "stm"})
        if len(rendered) + STM_BYTES > MAX_EVENT_BYTES:
            self.refuse("oversize")
        else:
            self.enqueue(finished(b"{" + rendered, created_ms))

    def enqueue(self, draft: Draft) -> None:
        """Takes an event that a tracker has drafted."""
        drops = self._outbox.put(draft)
        if drops is None:
            return  # a worker looks soon
        if drops:
            self._sender.callbacks.drops(drops)
        self._after_put()

    def refuse(self, reason: str) -> None:
        """Counts an event that cannot be queued as accepted and dropped."""
        self._outbox.refuse(reason)

    def flush(self, timeout: float | None = None) -> bool:
        """Sends what is queued, and waits for what is under way.

        It can be called from anywhere. In a callback it sends in its own thread, and a
        callback that it runs in turn does not send again.

        Args:
            timeout: The longest to wait, in seconds; ``shutdown_timeout`` by default.

        Returns:
            Whether all events accepted before the call are delivered or dropped.
        """
        if self._outbox.is_entered:
            return False  # a signal handler or a finaliser asks, in the midst of a change
        with _lifecycle.logging_unlocked():
            flushed = self._flush_until(self._deadline(timeout))
        if not flushed and timeout is None:
            self._failed_flush = (self._outbox.last_sequence, self._clock.monotonic())
        return flushed

    @contextmanager
    def hurrying(self) -> Generator[int]:
        """Makes all that is queued due, for as long as it is entered; gives the last sequence."""
        outbox = self._outbox
        if outbox.is_entered:
            yield outbox.last_sequence
            return
        sequence = outbox.begin_flush()
        try:
            yield sequence
        finally:
            if outbox is self._outbox:  # else a callback has forked, and this is the child
                outbox.end_flush(sequence)

    def close(self, timeout: float | None = None) -> None:
        """Delivers what it can, gives up and reports the rest, ends threads and connections.

        With a spool the rest is written there instead, for which it takes a moment longer.
        An emitter that gets another event after it opens again.

        Args:
            timeout: The longest to wait, in seconds; ``shutdown_timeout`` by default.
        """
        if self._outbox.is_entered:
            return  # a signal handler or a finaliser asks, in the midst of a change
        if timeout is None and self._has_just_failed():
            timeout = 0.0  # logging.shutdown calls flush, then close: they share their time
        with _lifecycle.logging_unlocked():
            self._close_until(self._deadline(timeout))

    def stats(self) -> Stats:
        """Returns the account of all events: ``accepted = delivered + dropped + pending``."""
        return self._outbox.stats()

    def after_fork_in_child(self) -> None:
        """Starts anew in a forked child: what was queued before is the parent's to send."""
        before = self._outbox
        self._pool.abandon()
        if self._spooler is not None:
            self._spooler.disk.after_fork_in_child()
        self._renew()
        self._outbox.inherit(before)

    def before_fork(self) -> None:
        """Leaves the spool, of which a child may inherit nothing."""
        if self._spooler is not None:
            self._spooler.disk.before_fork()

    def after_fork_in_parent(self) -> None:
        """Takes in what hooks have logged during the fork."""
        if self._spooler is not None:
            self._spooler.disk.after_fork_in_parent()
        self._sender.callbacks.drops(self._outbox.put_parked())

    def __repr__(self) -> str:
        stats = self.stats()
        spooled = "" if self._spooler is None else f"{stats.spooled} spooled, "
        return (
            f"<{type(self).__name__} {self.endpoint} "
            f"{stats.pending - stats.spooled}/{self._options['queue_size']} queued, {spooled}"
            f"{stats.delivered} delivered, {stats.dropped} dropped>"
        )

    def _after_put(self) -> None:
        if self._outbox.is_entered or self._sending.is_here() or self._draining.is_here():
            return  # a finaliser or a callback tracks: whoever it interrupts sends that, too
        _lifecycle.watch_end()
        with self._sending.here():
            while (batch := self._outbox.take_due()) is not None:
                self._sender.send(batch, self._transport())
        _lifecycle.keep(self, pending=bool(self.stats().pending))
        self._report()

    def _work(self, stop: Stop) -> None:
        """What each thread of the pool runs."""
        outbox, spooler = self._outbox, self._spooler
        while (batch := outbox.take(stop)) is not None:
            self._deliver(batch)
            if outbox is not self._outbox:
                return  # a callback has forked, and this is the child
            self._report()
        self._close_transport()
        if spooler is not None:
            spooler.let_go()

    def _deliver(self, batch: Batch, deadline: float = math.inf) -> None:
        """Sends ``batch``, which may have to be written to disk first, or read from there."""
        ready = batch if self._spooler is None else self._spooler.ready(batch)
        if ready is not None:
            self._sender.send(ready, self._transport(), deadline)

    def _report(self, *, last: bool = False) -> None:
        self._losses.report(self.stats(), self._clock.monotonic(), last=last)

    def _open_disk(self, on_lost: Callable[[], None]) -> Disk:
        options = self._options
        return self._disk_type(
            options["spool"],
            self.endpoint,
            self._clock,
            max_bytes=options["spool_bytes"],
            on_lost=on_lost,
        )

    def _drains_here(self) -> bool:
        """Whether flush must send in its own thread, because nobody else will."""
        return is_delivering() or not self._pool.is_alive

    def _release(self, deadline: float) -> None:
        """Frees threads and connections, at the latest at ``deadline``."""
        stop, threads = self._pool.generation  # a record may start the next one meanwhile
        if self._outbox.request_stop(stop):
            # With a spool there may be something to do still, and so somebody to be waited for.
            moment = 0.0 if self._spooler is None else self._clock.monotonic() + MOMENT
            self._pool.join(threads, max(deadline, moment))
        self._close_transport()
        if self._spooler is not None:
            self._spooler.let_go()

    def _close_transport(self) -> None:
        transport: Transport | None = getattr(self._of_thread, "transport", None)
        if transport is not None:
            del self._of_thread.transport
            transport.close()

    def _deadline(self, timeout: float | None) -> float:
        seconds = self.shutdown_timeout if timeout is None else timeout
        return _lifecycle.deadline(self._clock.monotonic(), seconds)

    def _flush_until(self, deadline: float) -> bool:
        outbox = self._outbox
        self._sender.callbacks.drops(outbox.put_parked())
        if self._draining.is_here():
            return outbox.wait_settled(outbox.last_sequence, self._clock.monotonic())
        with self.hurrying() as sequence:
            if self._drains_here():
                self._drain(deadline, sequence)
            return outbox is not self._outbox or outbox.wait_settled(sequence, deadline)

    def _close_until(self, deadline: float) -> None:
        outbox = self._outbox
        self._sender.callbacks.drops(outbox.put_parked())  # so that it is given up, too, in the end
        sequence = outbox.last_sequence
        settled = self._flush_until(deadline) or self._draining.is_here()  # who drains goes on
        if not settled and self._spooler is not None:
            self._spooler.keep_rest(sequence)
        if not settled:
            self._sender.callbacks.drops(outbox.abandon(sequence))
        self._release(deadline)
        # What comes after the exit may come often: it is told of once a minute.
        self._report(last=not _lifecycle.exit_is_over())

    def _has_just_failed(self) -> bool:
        sequence, ended = self._failed_flush
        recent = self._clock.monotonic() - ended < FLUSH_REMEMBERED
        return recent and sequence == self._outbox.last_sequence

    def _drain(self, deadline: float, sequence: int) -> None:
        with self._draining.here():
            while (batch := self._outbox.take_before(deadline, sequence)) is not None:
                self._deliver(batch, deadline)

    def _transport(self) -> Transport:
        """Returns the transport of this thread; it is made at its first use."""
        transport: Transport | None = getattr(self._of_thread, "transport", None)
        if transport is None:
            make: Callable[[], Transport] = self._options["transport"] or self._connect
            try:
                transport = self._of_thread.transport = make()
            except Exception as error:  # noqa: BLE001 - the application's code may raise anything
                return NoTransport(f"no transport: {type(error).__name__}: {error}")
        return transport


class AsyncEmitter(Emitter):
    """Sends payloads from a fixed pool of threads, so that giving one never waits.

    The threads are started at the first payload. Failed deliveries are repeated by
    themselves, for up to ``max_age`` seconds.

    Args:
        endpoint: As for ``Emitter``.
        options: As for ``Emitter``, with ``thread_count``; ``batch_size`` is 1000.

    Raises:
        ValueError: An option takes no such value.
        TypeError: There is no such option.
    """

    def __init__(self, endpoint: str, **options: Unpack[AsyncEmitterOptions]) -> None:
        names = {**EmitterOptions.__annotations__, **AsyncEmitterOptions.__annotations__}
        self._set_up(endpoint, resolve(options, names))

    def _after_put(self) -> None:
        if _lifecycle.exit_is_over() and not is_delivering():
            self.close()  # the process ends: nobody delivers this later
        elif self._pool.stop.requested:
            _lifecycle.watch_end()
            self._pool.start()
