"""How many events the collector takes: ``python -m tests.collector.throughput``.

The collector runs as a process of its own, as users run it; its processor time is what counts, so
that the sender and other programs on the machine do not. Every event is a ``log_record`` of all
fields with an ``application`` entity, in base64, about 1.3 kB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import resources
from typing import Any, NamedTuple
from urllib.parse import urlencode

import psutil  # type: ignore[import-untyped]
import requests
from rich.console import Console
from rich.table import Table

from tests.program import Program

from .support import APPLICATION, TP2, body, contexts, event

LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"
EVENTS = 20_000
COLUMNS = ("sent", "events", "events/s of one core", "with the sender", "memory, MB")


class Load(NamedTuple):
    """What is sent, again and again.

    Args:
        name: For people.
        size: How many events a request has.
        content: The body of a POST; None for a GET.
        query: The query string of a GET.
    """

    name: str
    size: int
    content: bytes | None = None
    query: str = ""


class Figure(NamedTuple):
    """What came out.

    Args:
        name: Of the load.
        events: How many were sent.
        per_core: Events in a second of the collector's processor time.
        per_second: Events in a second, with the sender's time.
        megabytes: The collector's memory at the end.
    """

    name: str
    events: int
    per_core: float
    per_second: float
    megabytes: float


def loads() -> list[Load]:
    """Batches, bad batches, single events in both ways."""
    good, bad = record(), record(line="seven")
    return [
        Load("batches of 500", 500, body(*(event(**good) for _ in range(500)))),
        Load("batches of 500, all bad", 500, body(*(event(**bad) for _ in range(500)))),
        Load("batches of 10", 10, body(*(event(**good) for _ in range(10)))),
        Load("one by one, POST", 1, body(event(**good))),
        Load("one by one, GET", 1, query=urlencode(event(**good))),
    ]


def record(**changed: object) -> dict[str, Any]:
    """The fields of an event with a ``log_record`` in which every property is set."""
    file = resources.files("snowplow_logging") / "schemas" / LOG_RECORD.removeprefix("iglu:")
    properties = json.loads(file.read_text(encoding="utf-8"))["properties"]
    data = {
        name: 7 if "integer" in item["type"] else "shop.ord" for name, item in properties.items()
    }
    return {
        "schema": LOG_RECORD,
        "data": {**data, **changed},
        "dtm": "1700000000000",
        "stm": "1700000000500",
        "tna": "python",
        "cx": contexts({"schema": APPLICATION, "data": {"version": "1.2.3"}}),
    }


def measure(load: Load, events: int) -> Figure:
    """Sends so many events, or a few less, to a collector that is started for it."""
    command = [sys.executable, "-m", "snowplow_logging", "collector", "--port", "0", "--quiet"]
    with Program[str](command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        try:
            return _measured(load, events // load.size, url, psutil.Process(process.pid))
        finally:
            process.terminate()


def _measured(load: Load, count: int, url: str, process: psutil.Process) -> Figure:
    with requests.Session() as session:
        _send(session, url, load)  # what is made at first use does not count
        used, began = sum(process.cpu_times()[:2]), time.perf_counter()
        for _ in range(count):
            _send(session, url, load)
        seconds = time.perf_counter() - began
        used = sum(process.cpu_times()[:2]) - used
        total = session.get(f"{url}/micro/all", timeout=60).json()["total"]
    events = count * load.size
    assert total == events + load.size
    megabytes = process.memory_info().rss / 1e6
    return Figure(load.name, events, events / used, events / seconds, megabytes)


def _send(session: requests.Session, url: str, load: Load) -> None:
    if load.content is None:
        session.get(f"{url}/i?{load.query}", timeout=60).raise_for_status()
    else:
        headers = {"Content-Type": "application/json"}
        answer = session.post(f"{url}/{TP2}", data=load.content, headers=headers, timeout=60)
        answer.raise_for_status()


def main() -> None:
    """Measures each load and prints a table."""
    console = Console()
    table = Table(*COLUMNS, title="Events that the collector takes")
    with console.status("") as status:
        for load in loads():
            status.update(f"{load.name} …")
            figure = measure(load, EVENTS if load.size > 1 else EVENTS // 5)
            table.add_row(figure.name, *(f"{number:,.0f}" for number in figure[1:]))
    console.print(table)


if __name__ == "__main__":
    main()
