"""``--profile``: where the processor time of one subject goes, by thread and function.

A sampling profiler looks at all threads from outside, so it slows none of them and costs nothing
per call. It counts what runs; threads that wait are left out.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.run import LostError, run
from tests.bench.tables import Table, number

if TYPE_CHECKING:
    from tests.bench.figures import Run
    from tests.bench.plan import Job

RATE = 500  # samples a second
MOST = 30  # functions shown
BARE_CALLS = 1_000  # few, since their threads are not always told from those that log
NOT_SHIPPING = re.compile(r"importlib|\(tests/bench/[^;]*$")  # of the main thread
# Python 3.10 names no classes.
HARNESS = re.compile(r"\((threading\.py|<frozen runpy>|tests/bench/)")
WAITS = re.compile(r"(\w+\.)?(wait|_wait_for_tstate_lock|join) \(threading\.py")


@dataclass
class Profile:
    """Samples of the time from the first call until all was acknowledged.

    Args:
        run: The run that was looked at.
        threads: Samples by thread.
        own: Samples by function, of those in which it was the one that ran.
        total: Likewise, of those in which it was on the stack.
    """

    run: Run
    threads: Counter[str] = field(default_factory=Counter[str])
    own: Counter[str] = field(default_factory=Counter[str])
    total: Counter[str] = field(default_factory=Counter[str])

    def add(self, line: str) -> None:
        """Takes in a line: a stack, outermost first, and how often it was met."""
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        name = thread.partition(": ")[2]
        if name == "bare" or not frames or WAITS.match(frames[-1]):
            return  # a thread that waits for a lock does not run, whatever the profiler thinks
        if "_calls (tests" in stack:
            name = "caller"
        elif not name or (name == "MainThread" and NOT_SHIPPING.search(stack)):
            return  # before the first call, or after all
        self.threads[name] += int(count)
        self.own[f"`{frames[-1]}`"] += int(count)
        called = {f"`{frame}`" for frame in frames if not HARNESS.search(frame)}
        self.total.update(dict.fromkeys(called, int(count)))

    def tables(self, most: int = MOST) -> list[Table]:
        """Returns what there is to show, in units for an event, of the busiest functions."""
        figures = self.run.figures
        samples = max(1, self.threads.total())
        busy = figures.added + 1  # the bare call is among the samples, too

        def table(title: str, counts: Counter[str]) -> Table:
            rows = [
                [what, f"{100 * count / samples:.1f} %", number(busy * count / samples)]
                for what, count in counts.most_common(most)
            ]
            return Table(title, ["", "share", "units"], rows)

        threads = table("Where the time goes, by thread, the bare call included", self.threads)
        threads.rows.append(["of it, collecting garbage", "", number(figures.collecting)])
        return [
            threads,
            table("… by function", self.own),
            table("… by function, with what it calls", self.total),
        ]


def profile(job: Job) -> Profile:
    """Runs a subject under the profiler.

    Raises:
        LostError: There is no profiler, or the run does not count.
    """
    beside = Path(sys.executable).parent  # where pip puts it, in an environment
    profiler = shutil.which("py-spy", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if profiler is None:
        msg = "there is no py-spy: pip install -e '.[bench]'"
        raise LostError(msg)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        output = Path(folder, "stacks")
        options = ["--rate", str(RATE), "--threads", "--function", "--format", "raw"]
        under = [profiler, "record", *options, "--output", str(output), "--"]
        done = run(job.name, job.condition, job.events, under=under, bare_calls=BARE_CALLS)
        made = Profile(done)
        for line in output.read_text(encoding="utf-8").splitlines():
            made.add(line)
    return made
