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
BURST = 20  # calls between two rests
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
        rest: Seconds before each ``BURST`` calls.
        name: What the threads are called.
    """

    def __init__(
        self, call: Call, calls: int, threads: int = 1, rest: float = 0.0, name: str = "bare"
    ) -> None:
        self._call = call
        self._threads = threads
        self._rest = rest
        self._name = name
        self.times = array("q", bytes(8 * calls))  # ns; made here, so that it is no one's memory

    def run(self, begin: int, end: int) -> Cost:
        """Makes the calls of these numbers; returns what one of them took on average."""
        callers: list[float] = []
        pool = [
            threading.Thread(target=self._thread, args=(begin + n, end, callers), name=self._name)
            for n in range(self._threads)
        ]
        cpu = time.process_time()
        for each in pool:
            each.start()
        for each in pool:
            each.join()
        cpu = time.process_time() - cpu
        totals = (cpu, sum(callers), sum(self.times[begin:end]) * 1e-9)
        return Cost(*(total / (end - begin) for total in totals))

    def _thread(self, begin: int, end: int, callers: list[float]) -> None:
        cpu = time.thread_time()
        step = BURST * self._threads if self._rest else end
        for start in range(begin, end, step):
            if self._rest:
                time.sleep(self._rest)
            self._calls(range(start, min(start + step, end), self._threads))
        callers.append(time.thread_time() - cpu)

    def _calls(self, numbers: range) -> None:
        call, times, clock = self._call, self.times, time.perf_counter_ns
        for number in numbers:
            began = clock()
            call(number)
            times[number] = clock() - began


def typical(call: Call, calls: int, threads: int = 1, rest: float = 0.0) -> Cost:
    """Returns the median of five loops with so many calls each."""
    loop = Loop(call, 5 * calls, threads, rest)
    return mean([loop.run(begin, begin + calls) for begin in range(0, 5 * calls, calls)], median)


def mean(costs: Iterable[Cost], how: Callable[[Iterable[float]], float]) -> Cost:
    """Returns the mean of some costs."""
    return Cost(*map(how, zip(*costs, strict=True)))
