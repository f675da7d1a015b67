"""The logging calls that are measured, and the loop that makes them."""

from __future__ import annotations

import threading
import time
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    Call = Callable[[int], None]

ORDER_PLACED = "iglu:com.acme/order_placed/jsonschema/1-0-0"
TEXT = "order_number %d of %s placed"


class OrderError(Exception):
    """What the calls with an exception log."""


def schema(logger: logging.Logger) -> Call:
    """Returns a call whose record names a schema: two arguments and an extra, the unit."""
    info = logger.info

    def call(number: int) -> None:
        info(
            TEXT,
            number,
            "u-1",
            extra={
                "schema": ORDER_PLACED,
                "data": {
                    "order_number": number,
                    "customer_id": "u-1",
                    "currency": "EUR",
                    "total_cents": 2450,
                    "express": True,
                },
            },
        )

    return call


def plain(logger: logging.Logger) -> Call:
    """Returns a call whose record is a line with some extras."""
    info = logger.info

    def call(number: int) -> None:
        info(TEXT, number, "u-1", extra={"currency": "EUR", "total_cents": 2450, "express": True})

    return call


def exception(logger: logging.Logger) -> Call:
    """Returns a call that raises, catches and logs an exception."""
    log = logger.exception

    def place(number: int) -> None:
        msg = f"order_number {number} of u-1 is too large"
        raise OrderError(msg)

    def call(number: int) -> None:
        try:
            place(number)
        except OrderError:
            log(TEXT, number, "u-1", extra={"currency": "EUR"})

    return call


def nothing(_: int) -> None:
    """Is what the loop itself costs."""


KINDS: dict[str, Callable[[logging.Logger], Call]] = {
    "schema": schema,
    "plain": plain,
    "exception": exception,
}


@dataclass(frozen=True)
class Timed:
    """What a loop took.

    Args:
        calls: How many calls it made.
        cpu: Seconds of processor time of the whole process meanwhile, user and system.
        caller: Seconds of processor time of the calling threads alone.
        times: What each call took, in ns.
    """

    calls: int
    cpu: float
    caller: float
    times: array[int]


def run(call: Call, calls: int, threads: int = 1, first: int = 0) -> Timed:
    """Makes calls, numbered from ``first``, from some threads at once."""
    times = array("q", [0]) * calls
    caller = [0.0] * threads

    def loop(thread: int) -> None:
        clock = time.perf_counter_ns
        before = time.thread_time()
        for index in range(thread, calls, threads):
            began = clock()
            call(first + index)
            times[index] = clock() - began
        caller[thread] = time.thread_time() - before

    pool = [threading.Thread(target=loop, args=(number,)) for number in range(threads)]
    cpu = time.process_time()
    for each in pool:
        each.start()
    for each in pool:
        each.join()
    return Timed(calls, time.process_time() - cpu, sum(caller), times)
