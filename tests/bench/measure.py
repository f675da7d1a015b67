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
from tests.bench.subjects import SUBJECTS, Rig

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


def measure(name: str, endpoint: str, events: int, bare_calls: int, *, hangs: bool) -> Figures:
    """Measures one subject.

    Args:
        name: Which one.
        endpoint: The receiver.
        events: How many to log; ten at least.
        bare_calls: How many bare calls to make in each of five loops.
        hangs: Whether the receiver hangs until it is told to answer.
    """
    subject = SUBJECTS[name]
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    bare_handler = logging.NullHandler()
    logger.addHandler(bare_handler)
    call = calls.KINDS[subject.kind](logger)
    unit = (
        calls.typical(calls.schema(logger), bare_calls).cpu
        - calls.typical(calls.nothing, bare_calls).cpu
    )
    bare = calls.typical(call, bare_calls, subject.threads)
    collections = Collections()
    before = memory("VmRSS")
    rig = subject.make(endpoint, events)
    logger.removeHandler(bare_handler)
    logger.addHandler(rig.handler)
    loop = calls.Loop(call, events, subject.threads, CALLER)
    return _shipped(loop, bare, unit, collections, before, rig, endpoint if hangs else None)


def _shipped(
    loop: calls.Loop,
    bare: calls.Cost,
    unit: float,
    collections: Collections,
    memory_before: int,
    rig: Rig,
    hanging: str | None,
) -> Figures:
    events = len(loop.times)
    bounds = [events * tenth // 10 for tenth in range(11)]
    tenths: list[calls.Cost] = []
    resident: list[int] = []
    collections.seconds = 0.0
    began, cpu = time.perf_counter(), time.process_time()
    for begin, end in pairwise(bounds):
        tenths.append(loop.run(begin, end) - bare)
        resident.append(memory("VmRSS"))
    logged = time.process_time() - cpu
    if hanging:
        release(hanging)
    _ = rig.finish()
    acknowledged = time.process_time() - cpu
    seconds = time.perf_counter() - began
    warm = calls.mean(tenths[1:], fmean)  # the first tenth opens connections and starts threads
    ordered = sorted(loop.times[bounds[1] :])
    return Figures(
        unit=unit,
        added=((logged if hanging else acknowledged) / events - bare.cpu) / unit,
        caller=warm.caller / unit,
        collecting=collections.seconds / events / unit,
        call=warm.wall / unit,
        p50=ordered[len(ordered) // 2] * 1e-9 / unit,
        p99=ordered[len(ordered) * 99 // 100] * 1e-9 / unit,
        p999=ordered[len(ordered) * 999 // 1000] * 1e-9 / unit,
        rate=events / seconds,
        peak=memory("VmHWM") - memory_before,
        queued=(resident[-1] - resident[0]) / (events - bounds[1]),
        tenths=[cost.cpu / unit for cost in tenths],
    )


def release(endpoint: str) -> None:
    """Lets the hanging receiver answer."""
    with urlopen(Request(f"{endpoint}/bench/release", b"")) as answer:
        assert answer.status == 200


if __name__ == "__main__":
    told: dict[str, Any] = json.loads(sys.argv[1])
    json.dump(asdict(measure(**told)), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # threads of some subjects never end
