"""Runs the doctor as a process of its own, in a folder with a configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from snowplow_logging.cli import main
from snowplow_logging.collector import LocalCollector
from tests.delivery.support import ROOT
from tests.doctor.servers import RECORD, Server, log_record, schemas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

NOT_INHERITED = ("SNOWPLOW_LOGGING_", "DJANGO_", "REQUESTS_", "CURL_", "NO_COLOR", "FORCE_COLOR")


class Ended(NamedTuple):
    """How a run ended."""

    status: int
    output: str
    errors: str


def clean_environment(**more: str) -> dict[str, str]:
    """Returns an environment without options, proxies and authorities of this machine."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(NOT_INHERITED) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **more}


def doctor(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> Ended:
    """Runs the doctor to its end."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "snowplow_logging", "doctor", *arguments],
        cwd=folder,
        env=clean_environment(**(environment or {})),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def doctor_here(folder: Path, arguments: Sequence[str]) -> Ended:
    """Runs the doctor in this process, which is quicker; it must import no application's module."""
    streams = [TextIOWrapper(BytesIO(), encoding="utf-8") for _ in range(2)]
    with pytest.MonkeyPatch.context() as surroundings:
        surroundings.chdir(folder)
        for name in set(os.environ) - set(clean_environment()):
            surroundings.delenv(name)
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            try:
                status: Any = main(["doctor", *arguments])
            except SystemExit as error:  # argparse ends so
                status = error.code
    for stream in streams:
        stream.flush()
    output, errors = (stream.detach().getvalue().decode() for stream in streams)  # pyright: ignore[reportAttributeAccessIssue]
    return Ended(status, output, errors)


class Place:
    """A folder, with servers that end with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def collector(self) -> LocalCollector:
        """Starts the local collector, which knows our schema as com.acme's."""
        file = self.folder / "schemas" / "com.acme" / RECORD
        file.parent.mkdir(parents=True)
        _ = file.write_text(json.dumps(log_record()), encoding="utf-8")
        return self._stack.enter_context(LocalCollector(port=0, schemas=[self.folder / "schemas"]))

    def server(self, pages: Any, **options: Any) -> Server:
        """Starts a server."""
        return self._stack.enter_context(Server(pages, **options))

    def registry(self) -> str:
        """Starts a static registry that has what handlers here send; returns its address."""
        return self.server(schemas(own=log_record())).url()

    def configure(self, endpoint: str | None, **options: Any) -> list[str]:
        """Writes ``logging.json`` with one handler; returns the command's option for it."""
        handler: dict[str, Any] = {
            "class": "snowplow_logging.SnowplowHandler",
            "endpoint": endpoint,
            "app_id": "checkout",
            "namespace": "python",
            "schema": f"iglu:com.acme/{RECORD}",
            **options,
        }
        given = {name: value for name, value in handler.items() if value is not None}
        return self.write({"handlers": {"snowplow": given}})

    def write(self, parts: dict[str, Any], name: str = "logging.json") -> list[str]:
        """Writes a configuration; what it does not say is usual."""
        config = {
            "version": 1,
            "disable_existing_loggers": False,
            "root": {"level": "INFO", "handlers": ["snowplow"]},
            **parts,
        }
        _ = (self.folder / name).write_text(json.dumps(config), encoding="utf-8")
        return ["--config", name]

    def run(self, *arguments: str) -> Ended:
        """Runs the doctor here; it asks nobody who is not of this machine."""
        central = () if "--iglu" in arguments else ("--iglu-central", "http://iglu.acme.invalid")
        return doctor(self.folder, [*arguments, *central], self.environment)

    def run_here(self, *arguments: str) -> Ended:
        """Runs the doctor in this process; for what ends before anybody is asked."""
        return doctor_here(self.folder, arguments)
