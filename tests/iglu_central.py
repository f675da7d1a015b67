"""The reference schemas of Iglu Central, for tests that hold what we send against them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

ROOT = Path(__file__).parents[1]
FOLDER = ROOT.parent / "shared" / "iglu-central" / "schemas"
OWN_FOLDER = ROOT / "snowplow_logging" / "schemas"

PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
UNSTRUCT_EVENT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
APPLICATION_ERROR = "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
META_SCHEMA = "iglu:com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0"
LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"

needs_iglu_central = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason="the reference schemas (../shared/iglu-central) are not beside this checkout",
)
"""Skips a test, and says why, where the reference schemas are missing."""


@cache
def schema(uri: str) -> dict[str, Any]:
    """Returns the schema of ``uri``, of Iglu Central or our own."""
    path = uri.removeprefix("iglu:")
    folder = OWN_FOLDER if (OWN_FOLDER / path).is_file() else FOLDER
    loaded: dict[str, Any] = json.loads((folder / path).read_text(encoding="utf-8"))
    return loaded


def problems(uri: str, value: object) -> list[str]:
    """Returns what the schema of ``uri`` finds wrong with ``value``; nothing, where it is valid."""
    instance: Any = value
    found = Draft4Validator(schema(uri)).iter_errors(instance)  # pyright: ignore[reportUnknownMemberType]
    return [f"{uri} {list(error.absolute_path)}: {error.message[:300]}" for error in found]
