"""What the relay's tests share: relays as processes, and what an event is without its ``stm``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.delivery.support import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from typing_extensions import Self

    from snowplow_logging.testing import FaultyCollector


class RelayProcess:
    """``snowplow-logging relay`` as a process.

    Args:
        folder: Where its output goes.
        redis_url: The stream.
        collector_url: The collector.
        options: More of its command line.
    """

    number = 0

    def __init__(self, folder: Path, redis_url: str, collector_url: str, *options: str) -> None:
        type(self).number += 1
        self.name = f"relay-{type(self).number}"
        self._output = folder / f"{self.name}.out"
        command = ["-m", "snowplow_logging", "relay", redis_url, collector_url]
        command += ["--consumer", self.name, *options]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", *command],
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "200"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """What it wrote so far."""
        return self._output.read_text(encoding="utf-8")

    def metrics_url(self) -> str:
        """Returns where its metrics are, once it says so."""
        until(lambda: re.search(r"http://\S+/metrics", self.output), "the metrics' address")
        found = re.search(r"http://\S+/metrics", self.output)
        assert found
        return found[0]

    def kill(self) -> None:
        """Ends it as a crash does."""
        self.process.kill()
        _ = self.process.wait(20)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to end, once it is there; returns its exit status."""
        until(lambda: " as " in self.output, "the relay to start")
        self.process.send_signal(number)
        return self.process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def copies(collector: FaultyCollector) -> dict[str, list[dict[str, str]]]:
    """Returns what a collector has taken in of each event, by ``eid``, without ``stm``."""
    arrived: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for event in collector.events():
        arrived[event["eid"]].append({key: event[key] for key in event if key != "stm"})
    return arrived


def differing(arrived: Iterable[list[dict[str, str]]]) -> int:
    """Returns how many events have come in two forms."""
    return sum(any(each != first for each in rest) for first, *rest in arrived)
