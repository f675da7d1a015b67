"""The logging calls that are measured, and the loop that makes them."""

from __future__ import annotations

import threading
import time
from array import array
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

    Call = Callable[[int], None]

ORDER_PLACED = "iglu:com.acme/order_placed/jsonschema/1-0-0"
TEXT = "order_number %d of %s placed"


class OrderError(Exception):
    """What the calls with an exception log."""


def schema(logger: logging.Logger) -> Call:
    """Returns a call whose record names a schema: two arguments and an extra, the unit."""
    info = logger.info

    def call(number: int) -> None:
        data = {
            "order_number": number,
            "customer_id": "u-1",
            "currency": "EUR",
            "total_cents": 2450,
            "express": True,
        }
        info(TEXT, number, "u-1", extra={"schema": ORDER_PLACED, "data": data})

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


class Cost(NamedTuple):
    """Seconds that one call takes, with the loop around it.

    Args:
        cpu: Processor time of the whole process, user and system.
        caller: Processor time of the calling threads alone.
        wall: Time until the call returns.
    """

    cpu: float
    caller: float
    wall: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(mine - its for mine, its in zip(self, other, strict=True)))


class Loop:
    """Makes calls from some threads at once, and keeps what each took.

    Args:
        call: What is called, with its number.
        calls: How many there will be.
        threads: How many threads call.
        name: What these are called.
    """

    def __init__(self, call: Call, calls: int, threads: int = 1, name: str = "bare") -> None:
        self._call = call
        self._threads = threads
        self._name = name
        self.times = array("q", bytes(8 * calls))  # ns; made here, so that it is no one's memory

    def run(self, begin: int, end: int) -> Cost:
        """Makes the calls of these numbers; returns what one of them took on average."""
        caller = [0.0] * self._threads
        pool = [
            threading.Thread(
                target=self._loop, args=(begin + number, end, caller, number), name=self._name
            )
            for number in range(self._threads)
        ]
        cpu = time.process_time()
        for each in pool:
            each.start()
        for each in pool:
            each.join()
        cpu = time.process_time() - cpu
        totals = (cpu, sum(caller), sum(self.times[begin:end]) * 1e-9)
        return Cost(*(total / (end - begin) for total in totals))

    def _loop(self, begin: int, end: int, caller: list[float], thread: int) -> None:
        call, times, clock = self._call, self.times, time.perf_counter_ns
        cpu = time.thread_time()
        for number in range(begin, end, self._threads):
            began = clock()
            call(number)
            times[number] = clock() - began
        caller[thread] = time.thread_time() - cpu


def typical(call: Call, calls: int, threads: int = 1) -> Cost:
    """Returns the median of five loops with so many calls each."""
    loop = Loop(call, 5 * calls, threads)
    return mean([loop.run(begin, begin + calls) for begin in range(0, 5 * calls, calls)], median)


def mean(costs: Iterable[Cost], how: Callable[[Iterable[float]], float]) -> Cost:
    """Returns the mean of some costs."""
    return Cost(*map(how, zip(*costs, strict=True)))
