"""What importing the package costs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import pytest

import snowplow_logging
from tests.delivery.support import ROOT, run


def loaded_by(statement: str) -> set[str]:
    """Returns the modules that a new interpreter has after ``statement``."""
    return set(run(f"import sys; {statement}; print(*sys.modules)").stdout.split())


def test_import_takes_no_optional_part() -> None:
    """Importing us loads neither the collector nor what only extras bring."""
    loaded = loaded_by("from snowplow_logging import *")
    assert "snowplow_logging.handler" in loaded
    extras = {"starlette", "uvicorn", "jsonschema", "rich", "asyncio", "multiprocessing"}
    parts = {f"snowplow_logging.{name}" for name in ("collector", "demo", "cli", "testing")}
    assert not loaded & (extras | parts)


def test_names_are_imported_when_they_are_used() -> None:
    """Until then the package costs next to nothing; each name is there, and no other."""
    ours = {name for name in loaded_by("import snowplow_logging") if "snowplow_logging" in name}
    assert ours == {"snowplow_logging", "snowplow_logging._version"}
    assert set(snowplow_logging.__all__) <= set(dir(snowplow_logging))
    for name in snowplow_logging.__all__:
        assert getattr(snowplow_logging, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Handler'"):
        _ = snowplow_logging.Handler  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


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
    ours_first = "snowplow_logging.handler"  # with nearly all the rest
    rounds = [(imported_in(ours_first), imported_in("requests")) for _ in range(7)]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    assert ours <= 1.2 * theirs, f"{ours / 1e3:.1f} ms, requests {theirs / 1e3:.1f} ms"
