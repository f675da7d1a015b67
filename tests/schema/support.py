"""A schema without a flaw, files of schemas, and the command as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from snowplow_logging.schema.infer import META_SCHEMA

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "snowplow_logging", "schema"]
LIMIT = 60  # seconds after which a command hangs
URI = "iglu:com.acme/order_placed/jsonschema/1-0-0"


def schema(version: str = "1-0-0", name: str = "order_placed", **changed: Any) -> dict[str, Any]:
    """A schema of which each rule approves; None takes a keyword away."""
    whole = {
        "$schema": META_SCHEMA,
        "description": "A customer has placed an order",
        "self": {"vendor": "com.acme", "name": name, "format": "jsonschema", "version": version},
        "type": "object",
        "properties": {
            "order_id": field("string", maxLength=36),
            "total_cents": field("integer", minimum=0, maximum=1_000_000),
            "note": field(["string", "null"], maxLength=255),
        },
        "required": ["order_id", "total_cents"],
        "additionalProperties": False,
        **changed,
    }
    return {key: value for key, value in whole.items() if value is not None}


def field(kind: str | list[str], **more: Any) -> dict[str, Any]:
    """A property with a description; None takes a keyword away."""
    whole = {"type": kind, "description": "What it means", **more}
    return {key: value for key, value in whole.items() if value is not None}


def write(folder: Path, document: dict[str, Any]) -> Path:
    """Writes a schema where the layout of a static registry has it."""
    identity = document["self"]
    path = Path(*(identity[key] for key in ("vendor", "name", "format", "version")))
    file = folder / "schemas" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    _ = file.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return file


def environment(**more: str) -> dict[str, str]:
    """The environment of this process, with the package in reach of any folder."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SNOWPLOW_LOGGING_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}


def run(*words: str | Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Runs the command and waits for its end."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        env=environment(**more),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
