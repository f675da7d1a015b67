"""Fixtures: a collector on loopback, and the reference schemas where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.collector import LocalCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CENTRAL = Path(__file__).parents[3] / "shared" / "iglu-central" / "schemas"


@pytest.fixture(scope="session")
def running() -> Iterator[LocalCollector]:
    """One collector for all tests, so that they are quick."""
    with LocalCollector(port=0) as collector:
        yield collector


@pytest.fixture
def collector(running: LocalCollector) -> LocalCollector:
    """A collector that holds no event."""
    running.reset()
    return running


@pytest.fixture(scope="session")
def central() -> Callable[[str], dict[str, Any]]:
    """Reads a schema of Iglu Central by its URI."""
    if not CENTRAL.is_dir():
        pytest.skip("the schemas of Iglu Central are not at ../shared/iglu-central")

    def read(uri: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((CENTRAL / uri.removeprefix("iglu:")).read_text())
        return document

    return read
