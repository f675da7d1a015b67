"""The demo, run as a user runs it."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from snowplow_logging import cli, demo
from snowplow_logging._stats import Stats
from snowplow_logging.collector import LocalCollector
from snowplow_logging.demo.arrivals import Arrival
from snowplow_logging.demo.logs import Identity
from snowplow_logging.demo.outcome import Outcome
from tests.program import Program

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[1]
SCHEMAS = Path(next(iter(demo.__path__))) / "schemas"
COMMAND = [sys.executable, "-W", "error", "-m", "snowplow_logging", "demo"]
LAST_LINE = re.compile(r"(\d+) logged, (\d+) delivered, (\d+) good, (\d+) bad")
ORDER_PLACED = "iglu:com.acme/order_placed/jsonschema/1-0-0"
LIMIT = 60  # seconds after which a command hangs


def environment(**options: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **options}


def run(*arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**options),
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )


def last_numbers(output: str) -> list[int]:
    found = LAST_LINE.fullmatch(output.splitlines()[-1])
    assert found, output[-500:]
    return [int(number) for number in found.groups()]


@pytest.fixture(scope="module")
def plain_run() -> subprocess.CompletedProcess[str]:
    return run()


@contextmanager
def dead_port() -> Generator[int, None, None]:
    """Gives a port at which nobody listens, and which nobody else can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class Silent(BaseHTTPRequestHandler):
    """A collector without Micro's API."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(404 if self.path.startswith("/micro") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def silent_collector() -> Generator[str, None, None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_all_arrives(plain_run: subprocess.CompletedProcess[str]) -> None:
    """Every record of at least 300 arrives once and valid, and the last line says so."""
    assert plain_run.returncode == 0, plain_run.stdout + plain_run.stderr
    assert plain_run.stderr == ""
    logged, delivered, good, bad = last_numbers(plain_run.stdout)
    assert logged == delivered == good >= 300
    assert bad == 0


def test_pipe_is_plain(plain_run: subprocess.CompletedProcess[str]) -> None:
    """What is written to a pipe holds no control characters but newlines."""
    assert re.findall(r"[^\n\x20-\x7e\xa0-\U0010ffff]", plain_run.stdout) == []


def test_shows_schemas_and_levels(plain_run: subprocess.CompletedProcess[str]) -> None:
    """A table counts the events by schema and level, and the page's address is given."""
    for row in (
        r"application_error 1-0-2 .* ERROR +[1-9]\d* +0",
        r"log_record 1-0-0 .* DEBUG +[1-9]\d* +0",
        r" +INFO +[1-9]\d* +0",
        r" +WARNING +[1-9]\d* +0",
        r"order_placed 1-0-0 .* INFO +[1-9]\d* +0",
    ):
        assert re.search(rf"^ *{row}$", plain_run.stdout, re.MULTILINE), row
    assert re.search(r"http://127\.0\.0\.1:\d+/micro/ui", plain_run.stdout)


def test_shows_one_event(plain_run: subprocess.CompletedProcess[str]) -> None:
    """One event is shown in full, as JSON with its own schema and its entities."""
    text = plain_run.stdout
    event = json.loads(text[text.index("\n{\n") : text.index("\n}\n") + 2])
    assert event["unstruct_event"]["data"]["schema"] == ORDER_PLACED
    assert {entity["schema"].split("/")[1] for entity in event["contexts"]["data"]} == {
        "customer",
        "log_record",
    }
    assert event["app_id"] == "acme-shop"


def test_hostile_environment() -> None:
    """Options for other handlers and proxies in the environment do not reach it."""
    with dead_port() as port:
        ended = run(
            "--requests=20",
            http_proxy=f"http://127.0.0.1:{port}",
            SNOWPLOW_LOGGING_ENDPOINT=f"http://127.0.0.1:{port}",
            SNOWPLOW_LOGGING_QUEUE_SIZE="many",
            SNOWPLOW_LOGGING_SCHEMA="iglu:com.acme/other/jsonschema/1-0-0",
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_own_collector() -> None:
    """With --endpoint, a collector with Micro's API gets all, and its verdict is shown."""
    with LocalCollector(port=0, schemas=[SCHEMAS]) as collector:
        ended = run("--endpoint", collector.url, "--requests=100")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        logged, delivered, good, bad = last_numbers(ended.stdout)
        assert (logged, 0) == (delivered, bad)
        assert collector.all() == {"total": logged, "good": good, "bad": bad}
        assert collector.ui_url in ended.stdout


def test_earlier_events_do_not_count() -> None:
    """With --endpoint, what the collector received from others is left out."""
    with LocalCollector(port=0, schemas=[SCHEMAS]) as collector:
        _ = requests.post(f"{collector.url}/com.snowplowanalytics.snowplow/tp2", json={}, timeout=5)
        assert collector.all()["bad"] == 1
        ended = run("--endpoint", collector.url, "--requests=10")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert last_numbers(ended.stdout)[3] == 0


def test_bad_events_fail() -> None:
    """Where the collector knows no schema of the shop, it says so and fails."""
    with LocalCollector(port=0) as collector:
        ended = run("--endpoint", collector.url, "--requests=100")
        counts = collector.all()
    assert ended.returncode == 1
    assert last_numbers(ended.stdout)[2:] == [counts["good"], counts["bad"]]
    assert f"Wrong: {counts['bad']} events are bad" in ended.stdout
    assert str(SCHEMAS) in ended.stdout


def test_collector_without_micro() -> None:
    """A collector that only takes events leaves it unknown whether they are good."""
    with silent_collector() as url:
        ended = run("--endpoint", url, "--requests=20")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    last = ended.stdout.splitlines()[-1]
    assert re.fullmatch(r"(\d+) logged, \1 delivered, good or bad unknown", last)


def test_dead_port() -> None:
    """Without a collector it ends soon after shutdown_timeout, fails and tells why."""
    with dead_port() as port:
        began = time.monotonic()
        ended = run(
            f"--endpoint=http://127.0.0.1:{port}",
            "--requests=20",
            SNOWPLOW_LOGGING_SHUTDOWN_TIMEOUT="1",
        )
        took = time.monotonic() - began
    assert ended.returncode == 1
    assert "refused" in ended.stdout
    assert "were given up" in ended.stdout
    assert re.fullmatch(
        r"(?!0)\d+ logged, 0 delivered, good or bad unknown", ended.stdout.splitlines()[-1]
    )
    assert took < 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--requests", "0"], "whole number from 1"),
        (["--requests", "many"], "whole number from 1"),
        (["--serve", "--endpoint", "http://a"], "not allowed with"),
        (["--endpoint", "ftp://a"], "endpoint takes"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong argument is refused with a line that says what it takes."""
    try:
        status: object = cli.main(["demo", *arguments])
    except SystemExit as exit_:
        status = exit_.code
    assert status
    assert said in capsys.readouterr().err


def test_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """It leaves no thread, no logging configuration and no change of the environment."""
    threads, variables = threading.enumerate(), dict(os.environ)
    assert cli.main(["demo", "--requests", "20"]) == 0
    assert last_numbers(capsys.readouterr().out)[3] == 0
    shop = logging.getLogger("shop")
    assert (shop.handlers, shop.level, shop.propagate) == ([], logging.NOTSET, True)
    assert threading.enumerate() == threads
    assert dict(os.environ) == variables


def test_serve_until_interrupted() -> None:
    """With --serve the page stays until Ctrl-C, and the status is still the demo's."""
    command = [*COMMAND, "--serve", "--requests=20"]
    with Program[str](
        command, env=environment(), stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        page = ""
        for line in process.stdout:
            page = line.split()[1] if line.startswith("Page: ") else page
            if LAST_LINE.fullmatch(line.rstrip()):
                break
        assert requests.get(page, timeout=5).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 0
        assert process.stdout.read() == ""


def test_without_the_extra() -> None:
    """Without the extra, --help works, and running it names what to install."""
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['rich', 'starlette', 'uvicorn', 'jsonschema']))\n"
        "from snowplow_logging.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, "demo", *arguments],
            env=environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT,
            check=False,
        )
        for arguments in (["--help"], [])
    ]
    assert (outputs[0].returncode, outputs[1].returncode) == (0, 2)
    assert "--serve" in outputs[0].stdout
    assert "pip install" in outputs[1].stderr


RECORDS = [Identity("shop.orders", "INFO", f"order {number} placed") for number in range(3)]
STATS = Stats(3, 3, 0, 0, {}, 0, 1, 3, None, None)
ARRIVED = [
    Arrival(event_id=str(number), schema="", identity=record, good=True)
    for number, record in enumerate(RECORDS)
]
PERFECT = Outcome(Counter(RECORDS), STATS, ARRIVED, judged=True, answers=Counter({200: 3}))


def test_nothing_wrong() -> None:
    """Nothing is wrong where each record arrived once, valid and unchanged."""
    assert PERFECT.problems() == []
    assert PERFECT.summary() == "3 logged, 3 delivered, 3 good, 0 bad"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (replace(PERFECT, answers=Counter({None: 2})), "2 requests to the shop got no answer"),
        (replace(PERFECT, stats=replace(STATS, accepted=2)), "took 2 of 3"),
        (replace(PERFECT, stats=replace(STATS, dropped=1)), "1 of 3 events were given up"),
        (replace(PERFECT, stats=replace(STATS, pending=1)), "1 events are still waiting"),
        (replace(PERFECT, arrivals=ARRIVED[:2]), "1 events were delivered, but"),
        (replace(PERFECT, arrivals=[*ARRIVED, ARRIVED[0]]), "1 events arrived more than once"),
        (
            replace(PERFECT, arrivals=[*ARRIVED[:2], replace(ARRIVED[2], identity=RECORDS[1])]),
            "1 records arrived as something else",
        ),
        (
            replace(PERFECT, arrivals=[*ARRIVED[:2], replace(ARRIVED[2], good=False, reason="no")]),
            "1 events are bad: no",
        ),
    ],
)
def test_each_fault_is_named(outcome: Outcome, said: str) -> None:
    """Each way in which records fail to arrive once, valid and unchanged is named."""
    assert any(said in problem for problem in outcome.problems())
