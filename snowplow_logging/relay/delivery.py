"""The engine, set up for a relay: the parts of an emitter, without what an application needs of it.

Nothing grows too old here, and nothing overflows: who reads from Redis asks for room first.
"""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any

from snowplow_logging import _endpoint
from snowplow_logging._buffer import Buffer
from snowplow_logging._clock import Clock
from snowplow_logging._http import HttpTransport
from snowplow_logging._outbox import Outbox
from snowplow_logging._retry import Breaker
from snowplow_logging._sender import Sender
from snowplow_logging._workers import WorkerPool
from snowplow_logging.payload import finished

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging._batch import Stop
    from snowplow_logging._sender import Callbacks
    from snowplow_logging._stats import Stats

FOR_EVER = 1e8  # seconds
BOUNDLESS = 2**53


class Delivery:
    """Sends events to a collector from a pool of threads.

    Args:
        collector: The collector's address, as an emitter takes it.
        options: The values of the options that ``NAMES`` names.
        callbacks: Told of every outcome.

    Raises:
        ValueError: The address is none.
    """

    NAMES = (
        "path", "thread_count", "batch_size", "byte_limit", "flush_interval", "request_timeout",
        "max_retry_delay", "shutdown_timeout",
    )  # fmt: skip

    def __init__(self, collector: str, options: Mapping[str, Any], callbacks: Callbacks) -> None:
        self.address = _endpoint.parse(collector, None, None, "post", options["path"])
        self._clock = Clock()
        self._breaker = Breaker(options["max_retry_delay"], random.uniform)
        buffer = Buffer(
            size=BOUNDLESS,
            max_bytes=BOUNDLESS,
            overflow="drop_newest",
            batch_size=options["batch_size"],
            batch_bytes=options["byte_limit"],
        )
        self._outbox = Outbox(
            buffer,
            self._breaker,
            self._clock,
            flush_interval=options["flush_interval"],
            max_age=FOR_EVER,
            block_timeout=0.0,
        )
        self._sender = Sender(
            self._outbox,
            callbacks,
            self._clock.monotonic,
            one_by_one=False,
            request_timeout=options["request_timeout"],
            custom_retry_codes={},
        )
        self._connect = partial(HttpTransport, self.address.url, auth=self.address.auth)
        self._pool = WorkerPool([self._work] * options["thread_count"])
        self._given = 0  # events

    @property
    def next_sequence(self) -> int:
        """The sequence that the next event will have, if one thread alone gives events."""
        return self._given + 1

    @property
    def error(self) -> str | None:
        """What requests fail of, for as long as they fail."""
        return self._outbox.stats().last_error if self._breaker.is_open else None

    def put(self, body: bytes, created_ms: int) -> None:
        """Takes an event as finished bytes, without the closing brace."""
        self._given += 1
        _ = self._outbox.put(finished(body, created_ms))
        self._pool.start()

    def stats(self) -> Stats:
        """Returns the account of all events."""
        return self._outbox.stats()

    def finish(self, timeout: float) -> None:
        """Sends what it has, for at most ``timeout`` seconds, and ends the threads."""
        outbox = self._outbox
        deadline = self._clock.monotonic() + timeout
        sequence = outbox.begin_flush()
        _ = outbox.wait_settled(sequence, deadline)
        outbox.end_flush(sequence)
        _ = outbox.abandon(sequence)
        stop, threads = self._pool.generation
        _ = outbox.request_stop(stop)
        self._pool.join(threads, deadline)

    def _work(self, stop: Stop) -> None:
        transport = self._connect()
        try:
            while (batch := self._outbox.take(stop)) is not None:
                self._sender.send(batch, transport)
        finally:
            transport.close()
