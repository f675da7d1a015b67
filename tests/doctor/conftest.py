"""Fixtures of the doctor's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doctor.running import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[Place]:
    """A folder to configure, and servers that end with the test."""
    with Place(tmp_path) as place:
        yield place
