"""``python -m tests.ship.speed``: a large file, its speed, its memory, and kill -9.

A file of 1 GB is shipped to a collector that only counts. Beside its lines for each second of the
processor stands what the parsers alone do. Then it is shipped again, and killed at random moments:
nothing may be missing, and no more may come twice than was under way. Memory is read in /proc, as
Linux has it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from snowplow_logging.ship.delivery import LINE_BYTES, MOST_BYTES
from snowplow_logging.ship.lines import CHUNK_LINES
from tests.delivery.support import ROOT
from tests.program import Program
from tests.ship.support import command

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from tests.ship.support import Command

AT_LEAST = 30_000  # lines a second
MAX_GROWTH = 16  # MiB of resident memory, after a quarter of the file
UNDER_WAY = MOST_BYTES // LINE_BYTES + CHUNK_LINES  # lines
SAMPLE = 20_000  # lines that the parsers get
HOUR = 3_600.0


@dataclass(frozen=True)
class Shipped:
    """One run to the end.

    Args:
        seconds: How long it took.
        cpu: Seconds of the processor that it used.
        memory: Bytes of resident memory, sampled all the time.
        counts: What arrived.
    """

    seconds: float
    cpu: float
    memory: list[int]
    counts: dict[str, int]

    @property
    def growth(self) -> int:
        """By how much memory grew after the first quarter."""
        quarter = len(self.memory) // 4
        return max(self.memory[quarter:]) - max(self.memory[: quarter + 1])


def line(number: int) -> bytes:
    """Returns a line such as python-json-logger writes it."""
    at = f"2024-05-01T{number // 3_600_000 % 24:02}:{number // 60_000 % 60:02}"
    at += f":{number // 1_000 % 60:02}.{number % 1_000:03}+00:00"
    return (
        f'{{"timestamp": "{at}", "levelname": "INFO", "name": "shop.orders", "message": "order '
        f'o-{number:08} placed by u-{number % 9_973} in {number % 89} ms", "pathname": '
        f'"/srv/shop/orders.py", "lineno": 42, "funcName": "place", "process": 4711, "order_id": '
        f'"o-{number:08}", "user_id": "u-{number % 9_973}", "cents": {number % 5_003}}}\n'
    ).encode()


def write(path: Path, size: int) -> int:
    """Writes a file of so many bytes; returns the number of its lines."""
    number = written = 0
    with path.open("wb") as file:
        while written < size:
            block = b"".join(map(line, range(number, number + 1_000)))
            written += file.write(block)
            number += 1_000
    return number


def parsing(loads: Callable[[bytes], Any]) -> float:
    """Returns how many lines a parser reads in a second of the processor; the best of five."""
    sample = [line(number) for number in range(SAMPLE)]
    best = HOUR
    for _ in range(5):
        began = time.process_time()
        for each in sample:
            loads(each)
        best = min(best, time.process_time() - began)
    return SAMPLE / best


@contextmanager
def counting(size: int) -> Generator[tuple[str, Callable[[], dict[str, int]]]]:
    """Gives the address of a collector that counts, and what ends it and says its counts."""
    with Program[str](
        [sys.executable, "-m", "tests.ship.sink", str(size)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        port = process.stdout.readline().strip()

        def end() -> dict[str, int]:
            out, _ = process.communicate(timeout=HOUR)
            counts: dict[str, int] = json.loads(out)
            return counts

        try:
            yield f"http://127.0.0.1:{port}", end
        finally:
            process.kill()


def shipped(log: Path) -> Shipped:
    """Ships a file to its end."""
    memory: list[int] = []
    with counting(log.stat().st_size) as (url, end):
        began = time.monotonic()
        with command(log.parent, "--to", url, "--quiet", log, state="first.db") as ship:
            cpu = 0.0
            while ship.process.poll() is None:
                resident, cpu = _usage(ship.process.pid) or (0, cpu)
                memory.append(resident)
                time.sleep(0.05)
            seconds = time.monotonic() - began
            assert ship.process.returncode == 0, ship.errors
        return Shipped(seconds, cpu, [each for each in memory if each], end())


def killed(log: Path, kills: int, seconds: float) -> dict[str, int]:
    """Ships a file over some kills, at random moments of so many seconds; returns what arrived."""
    pause = random.Random(7)
    with counting(log.stat().st_size) as (url, end):
        for left in range(kills, -1, -1):
            with command(log.parent, "--to", url, "--quiet", log) as ship:
                if left:
                    _wait(ship, pause.uniform(0, 2 * seconds / (kills + 1)))
                    ship.process.kill()
                _ = ship.wait(HOUR)
        return end()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.ship.speed", description=__doc__)
    parser.add_argument("--bytes", type=float, default=1e9, help="size of the file (1e9)")
    parser.add_argument("--kills", type=int, default=10, help="how often it is killed (10)")
    parser.add_argument(
        "--at-least", type=float, default=AT_LEAST, help="lines a second that it must do (30000)"
    )
    parser.add_argument(
        "--max-growth", type=float, default=MAX_GROWTH, help="MiB that memory may grow by (16)"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ship-speed-") as folder:
        log = Path(folder, "app.log")
        lines = write(log, int(options.bytes))
        alone = {"json.loads": parsing(json.loads), "orjson.loads": parsing(orjson.loads)}
        run = shipped(log)
        after = killed(log, options.kills, run.seconds)
    rate = lines / run.seconds
    missing, missing_after = lines - run.counts["lines"], lines - after["lines"]
    _say(f"{lines} lines of {options.bytes / 1e6:.0f} MB")
    by_cpu = lines / run.cpu
    _say(f"ship: {rate:.0f} lines/s; {by_cpu:.0f} for each second of the processor")
    for name, speed in alone.items():
        _say(f"{name} alone: {speed:.0f} for each; ship does {by_cpu / speed:.3f} of that")
    _say(f"ship: {missing} missing, {run.counts['copies']} twice")
    _say(f"memory: {max(run.memory) / 2**20:.0f} MiB, {run.growth / 2**20:+.1f} after a quarter")
    _say(f"{options.kills} kills: {missing_after} missing, {after['copies']} twice")
    wrong = missing or missing_after or run.counts["copies"]
    wrong = wrong or after["copies"] > options.kills * UNDER_WAY
    wrong = wrong or run.growth > options.max_growth * 2**20
    return int(bool(wrong or rate < options.at_least))


def _usage(process: int) -> tuple[int, float] | None:
    """Returns bytes of memory, and seconds of the processor, that a process uses."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text("ascii").split()[1]
        times = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[11:13]
    except (OSError, IndexError):
        return None  # it has just ended
    return int(pages) * os.sysconf("SC_PAGE_SIZE"), sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def _wait(ship: Command, seconds: float) -> None:
    try:
        _ = ship.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _say(text: str) -> None:
    _ = sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
