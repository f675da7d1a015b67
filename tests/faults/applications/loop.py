"""Logs from tasks of an asyncio loop, and measures the longest time that the loop stood."""

from __future__ import annotations

import asyncio
import time

from tests.faults.application import Application

TICK = 0.01  # seconds


async def log(application: Application, label: str) -> None:
    """Is one task."""
    for number in range(application.settings.records):
        application.log("%s %d", label, number)
        await asyncio.sleep(TICK)


async def watch(application: Application) -> None:
    """Measures."""
    longest = 0.0
    while True:
        before = time.monotonic()
        await asyncio.sleep(TICK)
        longest = max(longest, time.monotonic() - before - TICK)
        application.notes["longest stall of the loop"] = longest


async def main() -> None:
    """Runs the program."""
    application = Application()
    _ = application.configure()
    watching = asyncio.create_task(watch(application))
    _ = await asyncio.gather(*(log(application, f"task {number}") for number in range(5)))
    _ = watching.cancel()
    application.done()


if __name__ == "__main__":
    asyncio.run(main())
