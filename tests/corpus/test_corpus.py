"""Whatever is logged: no event that leaves is bad, and none is lost without need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.iglu_central import needs_iglu_central

ROOT = Path(__file__).parents[2]
SEED = 4
HOSTILE, REAL = 5_000, 1_000  # records
LIMIT = 100.0  # seconds after which a corpus hangs


def outcome(*command: str) -> dict[str, Any]:
    """Logs a corpus in a process of its own; returns what became of it, and shows the figures."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}
    run = subprocess.run(
        [sys.executable, *command],
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=LIMIT, check=False,
    )  # fmt: skip
    assert run.stdout, f"ended without a result:\n{run.stderr[-5_000:]}"
    result: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    shown = {key: result[key] for key in result if key not in ("causes", "problems")}
    _ = sys.stdout.write(f"\n{command[-1]} records: {shown}\n")
    return result


@needs_iglu_central
def test_hostile_records() -> None:
    """Records of one seed: each field with each hostile value, and events of every form."""
    result = outcome("-W", "error", "-m", "tests.corpus.run_hostile", str(SEED), str(HOSTILE))

    assert result["logged"] >= HOSTILE
    assert result["causes"] == {}
    assert result["bad"] == 0
    assert result["good"] == result["arrived"] == result["delivered"] > HOSTILE * 0.9
    assert result["dropped"].keys() <= {"unmappable", "rejected"}
    assert result["logged"] == result["delivered"] + sum(result["dropped"].values())
    assert result["problems"] == {}


@needs_iglu_central
def test_real_records() -> None:
    """What libraries and frameworks log, and raise, each as three kinds of event."""
    result = outcome("-m", "tests.corpus.run_real", str(REAL))

    assert result["logged"] >= REAL
    assert result["with an exception"] > REAL / 3
    assert result["causes"] == {}
    assert result["bad"] == result["dropped"] == 0
    assert result["good"] == result["arrived"] == result["delivered"] == 3 * result["logged"]
    assert result["problems"] == {}
