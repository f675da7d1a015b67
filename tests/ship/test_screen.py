"""Tests of what people see: on a terminal a bar, elsewhere lines."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from snowplow_logging._stats import Stats
from snowplow_logging.ship.outcome import Counts, Outcome
from snowplow_logging.testing import FaultyCollector
from tests.delivery.support import ROOT
from tests.program import Program
from tests.ship.support import QUICK, append, line, lines

if TYPE_CHECKING:
    from pathlib import Path

STATS = Stats(10, 10, 0, 0, {}, 0, 1, 10, None, None)


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """Runs the command on a terminal; returns what it wrote there."""
    ours, its = pty.openpty()
    words = [sys.executable, "-m", "snowplow_logging", "ship", "--state", "state.db", *arguments]
    with Program[str](
        words, cwd=folder, stdin=its, stdout=its, stderr=its,
        env={**os.environ, **QUICK, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"},
    ) as process:  # fmt: skip
        os.close(its)
        written = b""
        with suppress(OSError):  # it has ended
            while block := os.read(ours, 65_536):
                written += block
        os.close(ours)
        assert process.wait(60) == 3
    return written.decode()


def test_on_a_terminal(tmp_path: Path) -> None:
    """A bar shows bytes, lines a second, what is delivered and malformed; lines stand above it."""
    append(tmp_path / "app.log", lines(range(2_000)) + b"secret\n" + line(1))
    with FaultyCollector(503, 503) as collector:  # so that it takes long enough to be seen
        shown = on_a_terminal(tmp_path, "--to", collector.url, "app.log")
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert re.search(r"━.* kB .*\d+ delivered, 1 malformed, \d+ lines/s", plain), plain
    assert "app.log:2001: no JSON: Expecting value at column 1" in plain
    assert "secret" not in plain
    assert "2002 lines, 2001 delivered, 1 malformed" in plain


def test_without_a_file_on_a_terminal(tmp_path: Path) -> None:
    """Who names no file and pipes nothing is told what to do, and need not wait."""
    ours, its = pty.openpty()
    ended = subprocess.run(
        [sys.executable, "-m", "snowplow_logging", "ship", "--to", "localhost"],
        cwd=tmp_path, stdin=its, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(ours)
    os.close(its)
    assert ended.returncode == 2
    assert "name a file" in ended.stderr


def test_summary() -> None:
    """What is nothing is left out, and each number says what it is of."""
    assert Outcome(Counts(lines=10), STATS).summary() == "10 lines, 10 delivered"
    counts = Counts(lines=10, malformed=1, empty=2, left_out=3, timeless=4, incomplete=5)
    stats = Stats(10, 4, 1, 5, {"oversize": 1}, 0, 1, 10, "503", None)
    assert Outcome(counts, stats).summary() == (
        "10 lines, 4 delivered, 1 malformed, 2 empty, 3 left out, 4 without a time that can be "
        "read, 1 lost, 5 unfinished at the end of a file, left to the next run, 5 under way, left "
        "to the next run"
    )


def test_status() -> None:
    """What is lost weighs most, then what is malformed, then what ended it."""
    lost = Stats(10, 9, 1, 0, {"oversize": 1}, 0, 1, 10, None, None)
    waiting = Stats(10, 9, 0, 1, {}, 0, 1, 10, None, None)
    malformed = Counts(malformed=1)
    assert Outcome(Counts(), STATS).status(follows=False) == 0
    assert Outcome(malformed, lost).status(follows=False) == 1
    assert Outcome(Counts(unreadable=1), STATS).status(follows=False) == 1
    assert Outcome(Counts(), STATS, gave_up="why").status(follows=True) == 1
    assert Outcome(malformed, STATS, signal.SIGINT).status(follows=True) == 3
    assert Outcome(Counts(), waiting, signal.SIGINT).status(follows=False) == 130
    assert Outcome(Counts(), waiting, signal.SIGINT).status(follows=True) == 0
    assert Outcome(Counts(), waiting, signal.SIGINT, can_repeat=False).status(follows=True) == 1
