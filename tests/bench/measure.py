"""One measurement, in a process of its own: prints its figures as JSON.

First the loop with nothing in it, then the bare call (with a NullHandler), which is the unit, then
the subject, until all is acknowledged. All in one process, so that whatever else the machine does
meets each of them alike.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.bench import calls
from tests.bench.subjects import SUBJECTS

if TYPE_CHECKING:
    from tests.bench.calls import Call

SLICES = 5
SLICE = 10_000  # calls of which the bare call is the median


def memory(what: str) -> int:
    """Returns bytes in RAM: ``VmRSS`` of now, ``VmHWM`` the most there were."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def cost(call: Call, threads: int = 1) -> float:
    """Returns seconds of processor time of a call and the loop around it."""
    return median(calls.run(call, SLICE, threads).cpu for _ in range(SLICES)) / SLICE


def measure(name: str, endpoint: str, events: int, *, hangs: bool) -> dict[str, float]:
    """Measures one subject; times are in seconds, sizes in bytes, and for each event."""
    subject = SUBJECTS[name]
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    bare_handler = logging.NullHandler()
    logger.addHandler(bare_handler)
    call = calls.KINDS[subject.kind](logger)
    loop = cost(calls.nothing)
    unit = cost(calls.schema(logger)) - loop
    same = (subject.kind, subject.threads) == ("schema", 1)
    bare = unit if same else cost(call, subject.threads) - loop
    bare_timed = calls.run(call, SLICE, subject.threads)
    loop_timed = calls.run(calls.nothing, SLICE)

    handler, finish = subject.make(endpoint, events)
    logger.removeHandler(bare_handler)
    logger.addHandler(handler)
    before = memory("VmRSS")
    began, cpu = time.perf_counter(), time.process_time()
    timed = calls.run(call, events, subject.threads)
    logged_in = time.perf_counter() - began
    queued = memory("VmRSS") - before
    logging_cpu = time.process_time() - cpu
    if hangs:
        release(endpoint)
    _ = finish()
    cpu = time.process_time() - cpu
    seconds = time.perf_counter() - began
    ordered = sorted(timed.times)
    empty = sum(loop_timed.times) / SLICE
    return {
        "unit": unit,
        "added": cpu / events - loop - bare,
        "added_logging": logging_cpu / events - loop - bare,
        "added_caller": (timed.caller / events) - bare_timed.caller / SLICE,
        "call": sum(ordered) / events * 1e-9 - empty * 1e-9,
        "p50": ordered[events // 2] * 1e-9,
        "p99": ordered[events * 99 // 100] * 1e-9,
        "p99.9": ordered[events * 999 // 1000] * 1e-9,
        "rate": events / seconds,
        "rate_logging": events / logged_in,
        "peak": memory("VmHWM"),
        "queued": queued / events,
    }


def release(endpoint: str) -> None:
    """Lets the hanging receiver answer."""
    connection = HTTPConnection(endpoint.removeprefix("http://"))
    connection.request("POST", "/bench/release", b"")
    assert connection.getresponse().status == 200
    connection.close()


if __name__ == "__main__":
    told: dict[str, Any] = json.loads(sys.argv[1])
    json.dump(measure(**told), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # threads of some subjects never end
