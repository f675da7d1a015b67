"""One measurement, in a process of its own: prints its figures as JSON.

First the loop with nothing in it, then the bare call (with a NullHandler), which is the unit, then
the subject, until all is acknowledged. All in one process, so that whatever else the machine does
meets each of them alike.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.request import Request, urlopen

from tests.bench import calls
from tests.bench.figures import Figures
from tests.bench.subjects import SUBJECTS

CALLER = "caller"  # name of the threads that log to the subject


class Collections:
    """Adds up what the garbage collector takes, in seconds of processor time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.seconds += time.thread_time() - self._began


def memory(what: str) -> int:
    """Returns bytes in RAM: ``VmRSS`` of now, ``VmHWM`` the most there were."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def measure(
    name: str, endpoint: str, events: int, bare_calls: int, *, rest: float, hangs: bool
) -> Figures:
    """Measures one subject.

    Args:
        name: Which one.
        endpoint: The receiver.
        events: How many to log; ten at least.
        bare_calls: How many bare calls to make in each of five loops.
        rest: Seconds to rest before each ``calls.BURST`` of them.
        hangs: Whether the receiver hangs until it is told to answer.
    """
    subject = SUBJECTS[name]
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [logging.NullHandler()]
    call = calls.KINDS[subject.kind](logger)
    empty = calls.typical(calls.nothing, bare_calls)
    unit = calls.typical(calls.schema(logger), bare_calls).cpu - empty.cpu
    resting = min(bare_calls, events // 5) if rest else bare_calls
    bare = calls.typical(call, resting, subject.threads, rest)

    collections = Collections()
    before = memory("VmRSS")
    rig = subject.make(endpoint, events)
    logger.handlers = [rig.handler]
    loop = calls.Loop(call, events, subject.threads, rest, CALLER)
    began, cpu, collected = time.perf_counter(), time.process_time(), collections.seconds
    tenths, resident = _log(loop)
    logged = time.process_time() - cpu
    if hangs:
        release(endpoint)
    _ = rig.finish()
    acknowledged = time.process_time() - cpu
    seconds = time.perf_counter() - began

    added = [tenth - bare for tenth in tenths]
    warm = calls.mean(added[1:], fmean)  # the first tenth opens connections and starts threads
    times = sorted(time * 1e-9 / unit for time in loop.times[events // 10 :])
    return Figures(
        unit=unit,
        added=((logged if hangs else acknowledged) / events - bare.cpu) / unit,
        caller=warm.caller / unit,
        collecting=(collections.seconds - collected) / events / unit,
        call=warm.wall / unit,
        p50=times[len(times) // 2],
        p99=times[len(times) * 99 // 100],
        p999=times[len(times) * 999 // 1000],
        rate=events / seconds,
        peak=memory("VmHWM") - before,
        queued=(resident[-1] - resident[0]) / (events - events // 10),
        tenths=[cost.cpu / unit for cost in added],
    )


def _log(loop: calls.Loop) -> tuple[list[calls.Cost], list[int]]:
    """Makes all calls; returns the cost of each tenth, and the memory at its end."""
    events = len(loop.times)
    costs: list[calls.Cost] = []
    resident: list[int] = []
    for begin, end in pairwise(events * tenth // 10 for tenth in range(11)):
        costs.append(loop.run(begin, end))
        resident.append(memory("VmRSS"))
    return costs, resident


def release(endpoint: str) -> None:
    """Lets the hanging receiver answer."""
    with urlopen(Request(f"{endpoint}/bench/release", b"")) as answer:
        assert answer.status == 200


if __name__ == "__main__":
    told: dict[str, Any] = json.loads(sys.argv[1])
    _ = sys.stdout.write(f"{json.dumps(asdict(measure(**told)))}\n")
    sys.stdout.flush()
    os._exit(0)  # threads of some subjects never end
