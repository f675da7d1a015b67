"""Runs the tests of encoding where orjson is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ENCODING_TESTS = [
    "test_json.py",
    "test_self_describing_json.py",
    "test_payload.py",
    "test_formatter.py",
]
PROGRAM = """
import sys
sys.modules["orjson"] = None
import pytest
import snowplow_logging._json
assert snowplow_logging._json.orjson is None
sys.exit(pytest.main(["-q", "--no-header", "--tb=short", *sys.argv[1:]]))
"""


def test_the_standard_librarys_encoder_does_the_same() -> None:
    """All that is said of encoding holds without the extra ``orjson``, too."""
    folder = Path(__file__).parent
    tests = [str(folder / name) for name in ENCODING_TESTS]

    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *tests],
        cwd=folder.parents[1], capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
