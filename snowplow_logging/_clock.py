"""The clocks, as a port, so that tests need not wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(NamedTuple):
    """Two clocks, as functions that return seconds.

    Args:
        monotonic: For waits and ages.
        wall: Since epoch.
    """

    monotonic: Callable[[], float]
    wall: Callable[[], float]
