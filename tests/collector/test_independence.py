"""The judge shares no code with the sending side."""

from __future__ import annotations

import ast
from pathlib import Path

import snowplow_logging.collector

FOLDER = Path(snowplow_logging.collector.__file__).parent
ALLOWED = ("snowplow_logging.collector", "snowplow_logging._version")


def test_it_imports_nothing_of_the_sending_side() -> None:
    """Its version apart."""
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            modules: list[str] = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                modules = [node.module or ""]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            for module in modules:
                assert not module.startswith("snowplow_logging") or module.startswith(ALLOWED)
