"""The time, as a port, so that tests need not wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(NamedTuple):
    """Two clocks, as functions that return seconds, and the way to let time pass.

    Args:
        monotonic: For waits and ages.
        wall: Since epoch.
        wait: Waits for a condition to be notified, at most so many seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait
