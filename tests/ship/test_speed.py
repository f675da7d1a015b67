"""``python -m tests.ship.speed`` with a small file, whose speed says nothing."""

from __future__ import annotations

from tests.ship import speed


def test_nothing_is_missing() -> None:
    """Nothing is missing, little comes twice, and memory stays as it is."""
    small = ["--bytes", "3e6", "--at-least", "0", "--max-growth", "64"]  # of a start, mostly
    assert speed.main([*small, "--kills", "2"]) == 0
