"""What the tests of ``ship`` share: lines with numbers, the command as a process, what arrived."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.delivery.support import ROOT, data_of, until

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

    from snowplow_logging.testing import FaultyCollector

LIMIT = 60.0  # seconds after which a command hangs
# A shell has what it runs in the background ignore SIGINT, which children inherit.
MAIN = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.modules.update(dict.fromkeys({})); from snowplow_logging.cli import main; "
    "sys.exit(main())"
)
FOUND = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONFAULTHANDLER": "1"}
QUICK = {"SNOWPLOW_LOGGING_FLUSH_INTERVAL": "0.05", "SNOWPLOW_LOGGING_MAX_RETRY_DELAY": "0.2"}
"""Options in the environment with which tests need not wait for a batch to fill."""


def line(number: int, **more: Any) -> bytes:
    """Returns a line that says its number."""
    at = f"2024-05-01T12:{number // 60 % 60:02}:{number % 60:02}.000Z"
    said = {"timestamp": at, "levelname": "INFO", "message": f"number {number}", "n": number}
    return json.dumps({**said, **more}).encode() + b"\n"


def lines(numbers: Iterable[int]) -> bytes:
    """Returns lines with these numbers."""
    return b"".join(map(line, numbers))


def append(path: Path, content: bytes) -> None:
    """Writes to the end of a file, as loggers do."""
    with path.open("ab") as file:
        _ = file.write(content)


def aged(path: Path, seconds: float = 3_000.0) -> Path:
    """Makes a file as old as if nobody had written to it for so long."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def numbers(events: Iterable[dict[str, str]]) -> list[int]:
    """Returns the numbers in events of lines, sorted: several threads deliver."""
    return sorted(json.loads(data_of(event)["attributes"])["n"] for event in events)


class Command:
    """``snowplow-logging ship``, as a process.

    Args:
        process: It.
        folder: Where its output goes.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self._folder = folder

    @property
    def output(self) -> str:
        """What it wrote to stdout."""
        return (self._folder / "stdout").read_text("utf-8", "replace")

    @property
    def errors(self) -> str:
        """What it wrote to stderr."""
        return (self._folder / "stderr").read_text("utf-8", "replace")

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def wait(self, seconds: float = LIMIT) -> int:
        """Waits for its end; returns its exit status."""
        return self.process.wait(seconds)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends it a signal; returns its exit status. Where it hangs, it shows all threads."""
        self.process.send_signal(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            _ = self.wait()
            raise AssertionError(self.errors) from None

    def until_it_says(self, text: str) -> None:
        """Waits for a text on stderr."""
        until(lambda: text in self.errors, f"{text!r}", LIMIT)


@contextmanager
def command(
    folder: Path,
    *arguments: object,
    stdin: int | None = subprocess.DEVNULL,
    state: str | None = "state.db",
    hidden: Sequence[str] = (),
    **environment: str,
) -> Generator[Command, None, None]:
    """Runs ``snowplow-logging ship`` in a folder; what is left of it at the end is killed.

    Args:
        folder: The folder, in which its state is, too.
        arguments: Its arguments.
        stdin: What it reads.
        state: The file of its state in the folder; None: it is where it is by default.
        hidden: Modules that are not installed.
        environment: Variables beside those of this process.
    """
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}
    own = ["--state", str(folder / state)] if state else []
    words = [sys.executable, "-W", "error", "-c", MAIN.format([*hidden]), "ship", *own]
    output = folder / "output"
    output.mkdir(exist_ok=True)
    with (output / "stdout").open("wb") as out, (output / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [*words, *map(str, arguments)],
            cwd=folder,
            env={**kept, **QUICK, **FOUND, **environment},
            stdin=stdin,
            stdout=out,
            stderr=err,
        )
    try:
        yield Command(process, output)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        _ = process.wait()


def run(folder: Path, *arguments: object, **more: Any) -> Command:
    """Runs the command to its end."""
    with command(folder, *arguments, **more) as running:
        _ = running.wait()
        return running


def until_arrived(collector: FaultyCollector, wanted: Iterable[int]) -> None:
    """Waits until events with these numbers have arrived."""
    expected = {*wanted}
    until(lambda: expected <= {*numbers(collector.events())}, f"{len(expected)} events", LIMIT)
