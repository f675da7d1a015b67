"""What docs/ship.md shows is run, and its tables are held against the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from snowplow_logging.ship.formats import FORMATS
from snowplow_logging.testing import FaultyCollector
from tests.delivery.support import ROOT

PAGE = (ROOT / "docs" / "ship.md").read_text("utf-8")
SCRIPTS = Path(sys.executable).parent


def examples() -> list[tuple[str, str]]:
    """Returns commands with what they write."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    parts = [part for block in blocks for part in block.split("$ ") if part]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def test_examples(tmp_path: Path) -> None:
    """The page's commands, run from top to bottom, write what the page says."""
    ran = 0
    with FaultyCollector() as collector:
        for command, output in examples():
            if command.startswith("cat "):
                _ = (tmp_path / command.removeprefix("cat ")).write_text(output, "utf-8")
                continue
            ended = subprocess.run(
                ["sh", "-c", command.replace("https://collector.acme.com", collector.url)],
                cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
                env={
                    **os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
                    "XDG_STATE_HOME": str(tmp_path), "PYTHONUTF8": "1",
                },
            )  # fmt: skip
            assert (ended.stdout, ended.stderr, ended.returncode) == (output, "", 0)
            ran += 1
        assert len(collector.events()) == 3
    assert ran == 4


def test_formats() -> None:
    """The table has each format, and no other."""
    table = PAGE.partition("| format |")[2].partition("\n\n")[0]
    firsts = [row.split("|")[1] for row in table.splitlines()[2:]]
    assert {name for first in firsts for name in re.findall(r"`([\w-]+)`", first)} == {*FORMATS}


def test_options() -> None:
    """All options that the page shows are options, and the README leads to the page."""
    shown = subprocess.run(
        [sys.executable, "-m", "snowplow_logging", "ship", "--help"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip
    for option in re.findall(r"(?<=[ `])--[a-z-]+", PAGE):
        assert option in shown, option
    assert "(docs/ship.md)" in (ROOT / "README.md").read_text("utf-8")
