"""The fixtures of the delivery tests, and places on disk."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.delivery.conftest import (
    _no_options_in_environment,
    collector,
    make_collector,
    restored_logging,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["_no_options_in_environment", "collector", "make_collector", "restored_logging"]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Where a spool may be; its folder is not there yet."""
    return tmp_path / "folder" / "spool.db"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    yield folder
    _ = subprocess.run(["umount", "-l", str(folder)], check=True)
