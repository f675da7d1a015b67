"""How quick and how large the page is before 10 000 events: what ``python -m`` of this prints.

The figures are the browser's own: its clock, its frames, its heap.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from snowplow_logging.collector import LocalCollector
from tests.collector.support import body, event, post

from .chromium import chromium, opened, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EVENTS, BATCH = 10_000, 500

# Notes when the first row, and when all events, are in the document.
WATCH = """
    window.noted = {};
    const note = (name) => { window.noted[name] ??= performance.now(); };
    new MutationObserver(() => {
        if (document.querySelector("#body [role=row]")) note("first");
        if (document.querySelector("#summary")?.textContent === "%s events") note("all");
    }).observe(document, {subtree: true, childList: true, characterData: true});
"""
# Scrolls down a screen in each frame for a second; returns the times between frames.
SCROLL = """() => new Promise((resolve) => {
    const grid = document.getElementById("grid"), times = [];
    let last = performance.now();
    const end = last + 1000;
    const step = (now) => {
        times.push(now - last);
        last = now;
        grid.scrollTop += grid.clientHeight;
        if (now < end) requestAnimationFrame(step); else resolve(times.slice(1));
    };
    requestAnimationFrame(step);
})"""


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        paint: Milliseconds from the request of the page to the first thing painted.
        first: To the first row.
        complete: Until all events were there.
        frame: Milliseconds of a frame while it scrolls, the median.
        slow_frame: Of the slowest frame but for 5 in 100.
        elements: In the document.
        heap: Bytes of JavaScript's objects, after a collection.
    """

    paint: float
    first: float
    complete: float
    frame: float
    slow_frame: float
    elements: int
    heap: int

    def __str__(self) -> str:
        """One line each, as docs/collector-page.md has them."""
        return (
            f"first paint          {self.paint:6.0f} ms\n"
            f"first row            {self.first:6.0f} ms\n"
            f"all events           {self.complete:6.0f} ms\n"
            f"frame, median        {self.frame:6.1f} ms\n"
            f"frame, 95 of 100     {self.slow_frame:6.1f} ms\n"
            f"elements             {self.elements:6}\n"
            f"JavaScript's heap    {self.heap / 1e6:6.1f} MB\n"
        )


def measure(browser: Browser, count: int = EVENTS) -> Figures:
    """Posts events in batches, opens the page and scrolls through them."""
    with LocalCollector(port=0, max_events=count) as collector, window(browser) as page:
        for _ in range(0, count, BATCH):
            _ = post(collector.url, body(*(event() for _ in range(BATCH))))
        page.add_init_script(WATCH % f"{count:,}")
        opened(page, collector)
        expect(page.locator("#summary")).to_have_text(f"{count:,} events")
        paint, noted = page.evaluate(
            "[performance.getEntriesByName('first-contentful-paint')[0].startTime, window.noted]"
        )
        frames = sorted(page.evaluate(SCROLL))
        return Figures(
            paint=paint,
            first=noted["first"],
            complete=noted["all"],
            frame=median(frames),
            slow_frame=frames[len(frames) * 95 // 100],
            elements=elements(page),
            heap=heap(page),
        )


def elements(page: Page) -> int:
    """The number of elements in the document."""
    count: int = page.evaluate("document.querySelectorAll('*').length")
    return count


def heap(page: Page) -> int:
    """The bytes that JavaScript's objects take, after a collection."""
    session: Any = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return int(metrics["JSHeapUsedSize"])


def main() -> int:
    """Prints the figures; returns the exit status."""
    with chromium() as browser:
        sys.stdout.write(str(measure(browser)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
