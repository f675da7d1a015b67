"""The command, as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .support import body, event, post

if TYPE_CHECKING:
    from pathlib import Path

    from snowplow_logging.collector import LocalCollector

COMMAND = [sys.executable, "-m", "snowplow_logging", "collector"]


def _start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
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
    assert re.fullmatch(r"ok   \d\d:\d\d:\d\d\.\d{3}  application_error 1-0-2", good)
    assert re.match(r"BAD  .*application_error 1-0-2  atomic .*eid: expected a UUID", bad)
    assert "\u001b" not in output
    assert counts == "2 events: 1 good, 1 bad"


def test_quiet_prints_no_line_and_an_open_host_is_warned_of() -> None:
    """Whoever opens it to the network, is told so."""
    process = _start("--port", "0", "--quiet", "--host", "0.0.0.0")  # noqa: S104
    post(_address(process), body(event()))
    output, _ = _end(process, signal.SIGTERM)
    assert "Warning: --host 0.0.0.0 opens it to the network" in output
    assert "application_error" not in output


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
