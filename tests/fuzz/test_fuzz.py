"""Nothing that a record holds raises, is lost without account, or is sent invalid."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEED = 1  # a commit fails by what it changes, not by luck
RECORDS, RECORDS_IF_LONG = 2_500, 50_000  # with each encoder
ROOT = Path(__file__).parents[2]
WITHOUT_ORJSON = """
import sys
sys.modules["orjson"] = None
import snowplow_logging._json
assert snowplow_logging._json.orjson is None
from tests.fuzz.program import main
sys.exit(main(*map(int, sys.argv[1:])))
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("seed", "program"),
    [(SEED, ["-m", "tests.fuzz.program"]), (SEED + 1, ["-c", WITHOUT_ORJSON])],
    ids=["orjson", "without orjson"],
)
def test_hostile_records_are_accounted_and_valid(
    seed: int,
    program: list[str],
    long: bool,  # noqa: FBT001 - a fixture
) -> None:
    """Random records, in a process of bounded memory, judged by the local collector."""
    count = RECORDS_IF_LONG if long else RECORDS
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}

    run = subprocess.run(
        [sys.executable, "-W", "error", *program, str(seed), str(count)],
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=800, check=False,
    )  # fmt: skip

    assert run.stdout, f"seed {seed} ended without a result:\n{run.stderr[-5_000:]}"
    result = json.loads(run.stdout)
    assert result["problems"] == [], f"seed {seed}: {result}"
    assert run.returncode == 0
    assert result["logged"] >= count
    assert result["delivered"] + sum(result["dropped"].values()) == result["logged"]
    assert result["delivered"] > count / 2
