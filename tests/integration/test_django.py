"""A real Django project, served over HTTP, whose log records arrive at a collector."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging.collector import LocalCollector
from tests.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

ROOT = Path(__file__).parents[2]
SITE = Path(__file__).with_name("django_site")
SCHEMAS = ROOT / "snowplow_logging" / "demo" / "schemas"
LIMIT = 30.0  # seconds after which a wait has failed

LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"
APPLICATION_ERROR = "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
ORDER_PLACED = "iglu:com.acme/order_placed/jsonschema/1-0-0"

REQUESTS = [
    *(f"/orders/{number}/" for number in range(30)),
    *(f"/products/{number}/" for number in range(30)),
    *(f"/payments/{number}/" for number in range(10)),
    *(f"/missing/{number}/" for number in range(15)),
    *(f"/invoices/{number}/" for number in range(15)),
]
# Beside these, the server itself logs each request.
RECORDS = len(REQUESTS) + 30 + 30 + 10 + 15 + 15


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class Site:
    """The project's server, a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output
        self.url = ""

    def console(self) -> str:
        return self._output.read_text("utf-8")

    def wait_until_it_serves(self) -> None:
        until(lambda: "Quit the server" in self.console() or self.process.poll(), "the server")
        found = re.search(r"http://127\.0\.0\.1:[1-9]\d*", self.console())
        assert found, self.console()
        self.url = found[0]

    def get_all(self) -> Counter[int]:
        """Sends all requests, several at a time; returns how often each status came."""
        with ThreadPoolExecutor(4) as pool:
            statuses = Counter(pool.map(self._get, REQUESTS))
        # The server logs a request when it has answered it.
        until(lambda: self.console().count("django.server: ") == len(REQUESTS), "the last record")
        return statuses

    def _get(self, path: str) -> int:
        return requests.get(self.url + path, timeout=LIMIT).status_code

    def interrupt(self) -> int:
        """Presses Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(LIMIT)


@contextmanager
def serving(endpoint: str, folder: Path, **options: str) -> Generator[Site, None, None]:
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}
    variables = {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    output = folder / "console.txt"
    command = [sys.executable, "-W", "error", "manage.py", "runserver", "--noreload", "127.0.0.1:0"]
    with (
        output.open("wb") as file,
        Program[bytes](
            command,
            cwd=SITE,
            env={**variables, "SNOWPLOW_LOGGING_ENDPOINT": endpoint, **options},
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            site = Site(process, output)
            site.wait_until_it_serves()
            yield site
        finally:
            process.kill()  # of no effect on one that has ended


@pytest.fixture(scope="module")
def collector() -> Iterator[LocalCollector]:
    with LocalCollector(port=0, schemas=[SCHEMAS]) as running:
        yield running


class Arrived:
    """The events of one run of the server."""

    def __init__(self, collector: LocalCollector, console: str) -> None:
        self.counts = collector.all()
        self.bad = collector.bad()
        self.console = console
        self.events: list[dict[str, Any]] = [document["event"] for document in collector.good()]

    def of(self, schema: str) -> list[dict[str, Any]]:
        """Returns the data of all events with this schema."""
        wrapped = (event["unstruct_event"]["data"] for event in self.events)
        return [each["data"] for each in wrapped if each["schema"] == schema]

    def of_logger(self, name: str) -> list[dict[str, Any]]:
        return [data for data in self.of(LOG_RECORD) if data["logger"] == name]


@pytest.fixture(scope="module")
def arrived(collector: LocalCollector, tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    """All that had arrived when the server had served all requests and was interrupted."""
    collector.reset()
    folder = tmp_path_factory.mktemp("django")
    with serving(collector.url, folder, SNOWPLOW_LOGGING_FLUSH_INTERVAL="0.1") as site:
        assert site.get_all() == Counter({200: 70, 404: 15, 500: 15})
        assert site.interrupt() == 0
        return Arrived(collector, site.console())


def test_every_record_arrives_once(arrived: Arrived) -> None:
    """Each record arrives, all are valid, none arrives twice."""
    assert arrived.bad == []
    assert arrived.counts == {"total": RECORDS, "good": RECORDS, "bad": 0}
    assert len({event["event_id"] for event in arrived.events}) == RECORDS
    assert {event["app_id"] for event in arrived.events} == {"django-shop"}


def test_console_as_ever(arrived: Arrived) -> None:
    """The console handler beside ours still writes, and nothing of ours fails there."""
    assert len(re.findall(r"(?m)^INFO shop\.orders: order \d+ placed$", arrived.console)) == 30
    assert "snowplow_logging:" not in arrived.console
    assert "Logging error" not in arrived.console


def test_own_events(arrived: Arrived) -> None:
    """A record that names a schema is that event, with its entity."""
    orders = arrived.of(ORDER_PLACED)
    assert sorted(int(order["order_id"]) for order in orders) == list(range(30))
    customers = [
        entity["data"]["customer_id"]
        for event in arrived.events
        if event["event_name"] == "order_placed"
        for entity in event["contexts"]["data"]
    ]
    assert Counter(customers) == Counter(f"c-{number}" for number in range(30))


def test_plain_records(arrived: Arrived) -> None:
    """A plain record keeps its message, and its extras whatever they are."""
    shown = arrived.of_logger("shop.catalogue")
    assert Counter(data["message"] for data in shown) == Counter(
        f"product {number} shown" for number in range(30)
    )
    for data in shown:
        number = data["message"].split()[1]
        attributes = json.loads(data["attributes"])
        assert attributes["sku"] == f"煎茶-{number}"
        assert attributes["cached"] is True
        assert attributes["http"] == f"<WSGIRequest: GET '/products/{number}/'>"


def test_handled_exceptions(arrived: Arrived) -> None:
    """An exception that the application handles and logs is an application_error."""
    errors = [data for data in arrived.of(APPLICATION_ERROR) if "payment" in data["message"]]
    assert Counter(data["message"] for data in errors) == Counter(
        f"payment {number} failed" for number in range(10)
    )
    assert {data["exceptionName"] for data in errors} == {"TimeoutError"}


def test_internal_server_errors(arrived: Arrived) -> None:
    """Each 500 is an application_error that says what was raised, where and why."""
    errors = [data for data in arrived.of(APPLICATION_ERROR) if "payment" not in data["message"]]
    assert Counter(data["message"] for data in errors) == Counter(
        f"Internal Server Error: /invoices/{number}/" for number in range(15)
    )
    for data in errors:
        number = data["message"].split("/")[2]
        last = f"views.InvoiceError: order {number} has no address"
        assert data["exceptionName"] == "views.InvoiceError"
        assert data["stackTrace"].splitlines()[-1] == last
        assert f"KeyError: {number}" in data["causeStackTrace"]
        assert data["fileName"] == str(SITE / "views.py")
        assert data["isFatal"] is False


def test_not_found(arrived: Arrived) -> None:
    """Each 404 is a warning of django.request, with its status and its request."""
    missing = arrived.of_logger("django.request")
    assert Counter((data["level"], data["message"]) for data in missing) == Counter(
        ("WARNING", f"Not Found: /missing/{number}/") for number in range(15)
    )
    for data in missing:
        attributes = json.loads(data["attributes"])
        path = data["message"].removeprefix("Not Found: ")
        assert attributes["status_code"] == 404
        assert attributes["request"] == f"<WSGIRequest: GET '{path}'>"


def test_server_records(arrived: Arrived) -> None:
    """Each request is a record of django.server, with the level of its status."""
    served = arrived.of_logger("django.server")
    assert Counter(data["level"] for data in served) == {"INFO": 70, "WARNING": 15, "ERROR": 15}
    assert Counter(data["message"].split()[1] for data in served) == Counter(REQUESTS)
    for data in served:
        attributes = json.loads(data["attributes"])
        assert str(attributes["status_code"]) == data["message"].split()[-2]


def test_queued_records_arrive_at_the_end(collector: LocalCollector, tmp_path: Path) -> None:
    """What is queued when the server is interrupted arrives before it ends."""
    collector.reset()
    with serving(collector.url, tmp_path, SNOWPLOW_LOGGING_FLUSH_INTERVAL="60") as site:
        site.get_all()
        assert collector.all()["total"] == 0
        assert site.interrupt() == 0
    assert collector.all() == {"total": RECORDS, "good": RECORDS, "bad": 0}


def test_records_arrive_while_it_serves(collector: LocalCollector, tmp_path: Path) -> None:
    """Records arrive while the server runs, and none of them once more at its end."""
    collector.reset()
    with serving(collector.url, tmp_path, SNOWPLOW_LOGGING_FLUSH_INTERVAL="0.1") as site:
        site.get_all()
        until(lambda: collector.all()["total"] == RECORDS, "all records")
        assert site.interrupt() == 0
    assert collector.all() == {"total": RECORDS, "good": RECORDS, "bad": 0}
