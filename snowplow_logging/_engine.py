"""Assembles what an emitter delivers with, from its options."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging._buffer import Buffer
from snowplow_logging._outbox import Outbox
from snowplow_logging._retry import Breaker
from snowplow_logging._sender import Callbacks, Sender
from snowplow_logging._spooled import SpooledOutbox
from snowplow_logging._spooler import Spooler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snowplow_logging._clock import Clock
    from snowplow_logging._disk import Disk

BATCHES_AHEAD = 2  # for each worker, that are on disk and wait in memory to be sent


class Engine(NamedTuple):
    """What decides, what sends, and what has to do with the disk."""

    outbox: Outbox
    sender: Sender
    spooler: Spooler | None


def assemble(
    options: Mapping[str, Any],
    clock: Clock,
    report: Callable[[], None],
    open_disk: Callable[[Callable[[], None]], Disk] | None,
) -> Engine:
    """Returns a new engine.

    Args:
        options: All of the emitter's.
        clock: The time.
        report: Tells of losses.
        open_disk: Returns the disk, for a function that it calls when the file is lost; None:
            there is none.
    """
    breaker = Breaker(options["max_retry_delay"], random.uniform)
    times: dict[str, float] = {
        "flush_interval": options["flush_interval"],
        "max_age": options["max_age"],
        "block_timeout": options["block_timeout"] if options["overflow"] == "block" else 0.0,
    }
    buffer = _buffer(options, options["queue_size"], options["queue_bytes"])
    if open_disk is None:
        outbox = Outbox(buffer, breaker, clock, **times)
        return Engine(outbox, _sender(options, outbox, clock, None), None)
    ahead = BATCHES_AHEAD * options["thread_count"]
    spooled = SpooledOutbox(
        buffer,
        breaker,
        clock,
        written=_buffer(options, ahead * options["batch_size"], ahead * options["byte_limit"]),
        every=options["durability"] == "events",
        interval=options["spool_interval"],
        **times,
    )
    disk = open_disk(spooled.lose)
    sender = _sender(options, spooled, clock, disk)
    spooler = Spooler(
        spooled,
        disk,
        sender,
        clock,
        batch_size=options["batch_size"],
        batch_bytes=options["byte_limit"],
        max_age=options["max_age"],
        report=report,
    )
    return Engine(spooled, sender, spooler)


def _buffer(options: Mapping[str, Any], size: int, max_bytes: int) -> Buffer:
    return Buffer(
        size=size,
        max_bytes=max_bytes,
        overflow=options["overflow"],
        batch_size=options["batch_size"],
        batch_bytes=options["byte_limit"],
    )


def _sender(options: Mapping[str, Any], outbox: Outbox, clock: Clock, disk: Disk | None) -> Sender:
    callbacks = Callbacks(options["on_success"], options["on_failure"], options["on_drop"])
    return Sender(
        outbox,
        callbacks,
        clock.monotonic,
        one_by_one=options["method"] == "get",
        request_timeout=options["request_timeout"],
        custom_retry_codes=options["custom_retry_codes"],
        disk=disk,
    )
