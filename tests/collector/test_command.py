"""The command, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import requests

from .support import body, event, post, write_schema

if TYPE_CHECKING:
    from pathlib import Path

    from snowplow_logging.collector import LocalCollector

COMMAND = [sys.executable, "-m", "snowplow_logging", "collector"]


def _start(*options: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
            **environment,
        },
    )


def _end(process: subprocess.Popen[str], number: signal.Signals | None = None) -> tuple[str, str]:
    """Signals the process and returns the rest of its output, and its errors."""
    if number is not None:
        process.send_signal(number)
    with process:
        assert process.stdout
        assert process.stderr
        return process.stdout.read(), process.stderr.read()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    match = re.search(r"http://\S+", process.stdout.readline())
    assert match
    assert match[0] + "/micro/ui" in process.stdout.readline()
    return match[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_a_line_for_each_event_and_ends_cleanly(number: signal.Signals) -> None:
    """On Ctrl-C as on SIGTERM, with the counts and status 0."""
    process = _start("--port", "0")
    url = _address(process)
    post(url, body(event(), event(eid="\u001b[2J")))
    output, errors = _end(process, number)
    assert process.returncode == 0
    assert errors == ""
    good, bad, counts = output.splitlines()
    assert re.fullmatch(r"ok   \d\d:\d\d:\d\d\.\d{3}  application_error 1-0-2  it broke", good)
    assert re.match(r"BAD  .*application_error 1-0-2  it broke  atomic .*eid: expected a UUID", bad)
    assert "\u001b" not in output
    assert counts == "2 events: 1 good, 1 bad"


def test_quiet_prints_no_line_and_an_open_host_is_warned_of() -> None:
    """Whoever opens it to the network, is told so."""
    process = _start("--port", "0", "--quiet", "--host", "0.0.0.0")  # noqa: S104
    post(_address(process), body(event()))
    output, _ = _end(process, signal.SIGTERM)
    assert "Warning: --host 0.0.0.0 opens it to the network" in output
    assert "application_error" not in output


def test_json_prints_a_line_of_it_for_each_event_and_nothing_else() -> None:
    """Where it is served, and the counts, go to stderr."""
    process = _start("--port", "0", "--json")
    assert process.stderr
    url = process.stderr.readline().split()[-1]
    post(url, body(event(aid="\u2028 é"), event(eid="x")))
    output, errors = _end(process, signal.SIGTERM)
    good, bad = map(json.loads, output.splitlines())
    assert (good["good"], good["app_id"], good["message"]) == (True, "\u2028 é", "it broke")
    assert (bad["good"], bad["reason"][:6]) == (False, "atomic")
    assert errors.splitlines()[-1] == "2 events: 1 good, 1 bad"


def test_it_ends_when_nobody_reads_its_lines_any_more() -> None:
    """As behind ``| head -1``: with status 0, and without a complaint."""
    process = _start("--port", "0")
    url = _address(process)
    assert process.stdout
    process.stdout.close()
    for _ in range(2):
        post(url, body(event()))
    assert process.wait(timeout=30) == 0
    assert process.stderr
    assert process.stderr.read() == ""
    process.stderr.close()


def test_open_opens_the_page(tmp_path: Path) -> None:
    """In the user's browser."""
    browser = tmp_path / "browser"
    opened = tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o755)
    process = _start("--port", "0", "--open", "--quiet", BROWSER=str(browser))
    url = _address(process)
    deadline = time.monotonic() + 30
    while not opened.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    _end(process, signal.SIGTERM)
    assert opened.read_text() == f"{url}/micro/ui\n"


def test_events_survive_in_a_storage(tmp_path: Path) -> None:
    """Also a process that is killed; only its owner may read the file."""
    file = tmp_path / "events.db"
    process = _start("--port", "0", "--storage", str(file))
    url = _address(process)
    post(url, body(event(aid="first"), event(eid="x")))
    second = _start("--storage", str(file))
    _, errors = _end(second)
    assert errors == (
        f"snowplow-logging collector: storage: {file}: another collector has it open\n"
    )
    _end(process, signal.SIGKILL)
    assert file.stat().st_mode & 0o777 == 0o600
    process = _start("--port", "0", "--storage", str(file))
    url = _address(process)
    assert process.stdout
    assert process.stdout.readline() == "2 events from before\n"
    (good,) = requests.get(f"{url}/micro/good", timeout=10).json()
    assert good["event"]["app_id"] == "first"
    _end(process, signal.SIGTERM)


def test_further_paths_and_a_resolver(tmp_path: Path) -> None:
    """Each option reaches the collector."""
    write_schema(tmp_path / "schemas", {"type": "object"})
    embedded = {"name": "own", "priority": 0, "connection": {"embedded": {"path": "schemas"}}}
    resolver = tmp_path / "resolver.json"
    resolver.write_text(
        json.dumps(
            {
                "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
                "data": {"cacheSize": 5, "repositories": [embedded]},
            }
        )
    )
    process = _start("--port", "0", "--resolver", str(resolver), "--path", "com.acme/track")
    url = _address(process)
    post(
        url,
        body(event({}, "iglu:com.acme/order_placed/jsonschema/1-0-0")),
        path="com.acme/track",
    )
    output, _ = _end(process, signal.SIGTERM)
    assert "1 event: 1 good, 0 bad" in output


def test_a_taken_port_is_one_clear_line(collector: LocalCollector) -> None:
    """No traceback; status 1."""
    process = _start("--port", str(collector.port))
    _, errors = _end(process)
    assert process.returncode == 1
    assert re.fullmatch(
        rf"snowplow-logging collector: cannot serve 127.0.0.1:{collector.port}: .*in use\n", errors
    )


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    """Likewise."""
    process = _start("--schemas", str(tmp_path / "none"))
    _, errors = _end(process)
    assert process.returncode == 1
    assert errors == f"snowplow-logging collector: schemas: there is no folder {tmp_path}/none\n"


def test_it_can_be_imported_without_the_extra() -> None:
    """The options show where starlette, uvicorn, jsonschema and rich are not installed."""
    code = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'jsonschema', 'rich'): sys.modules[name] = None\n"
        "import argparse, snowplow_logging.collector.command as command\n"
        "command.add_arguments(argparse.ArgumentParser())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
