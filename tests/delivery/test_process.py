"""What importing the package costs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from tests.delivery.support import ROOT, run


def test_import_takes_no_optional_part() -> None:
    """Importing us loads neither the collector nor what only extras bring."""
    loaded = set(run("import sys, snowplow_logging; print(*sys.modules)").stdout.split())
    assert "snowplow_logging" in loaded
    extras = {"starlette", "uvicorn", "jsonschema", "rich", "asyncio", "multiprocessing"}
    parts = {f"snowplow_logging.{name}" for name in ("collector", "demo", "cli")}
    assert not loaded & (extras | parts)


def imported_in(module: str) -> int:
    """Returns how many µs the import of ``module`` takes, with all that it imports."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    (line,) = [each for each in ended.stderr.splitlines() if each.endswith(f"| {module}")]
    return int(line.split("|")[1])


def test_import_time() -> None:
    """The import takes at most 1.2 times as long as ``import requests``."""
    rounds = [(imported_in("snowplow_logging"), imported_in("requests")) for _ in range(7)]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    assert ours <= 1.2 * theirs, f"{ours / 1e3:.1f} ms, requests {theirs / 1e3:.1f} ms"
