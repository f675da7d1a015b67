"""Ten thousand events and more: quick to show, smooth to scroll, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from snowplow_logging.collector import LocalCollector
from tests.collector.support import body, event, post

from .chromium import opened, window
from .events import arrive
from .measure import elements, heap, measure

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

KEPT = 20_000  # rows in the page


def test_ten_thousand_events(browser: Browser) -> None:
    """The limits are those of a machine that others use, too; measure.py prints what it takes."""
    figures = measure(browser)
    assert figures.paint < 5000
    assert figures.first < 10_000
    assert figures.frame < 100
    assert figures.elements < 1000
    assert figures.heap < 40e6


def test_what_the_page_keeps_is_bounded(browser: Browser) -> None:
    """However many events there are, or come while it is open."""
    small = {"e": "pv", "p": "web", "tv": "1"}
    with LocalCollector(port=0, max_events=2 * KEPT) as collector, window(browser) as page:
        for _ in range(0, KEPT + 4000, 4000):
            arrive(collector, 0, *[small] * 4000)
        opened(page, collector)
        expect(page.locator("#summary")).to_have_text("20,000 events, the newest of 24,000")
        arrive(collector, 0, *[small] * 2000)
        expect(page.locator("#summary")).to_have_text("20,000 events, the newest of 26,000")
        assert heap(page) < 40e6
        assert elements(page) < 1000


def test_what_the_collector_drops_is_not_shown(browser: Browser) -> None:
    """Since it could not be opened."""
    with LocalCollector(port=0, max_events=10) as collector, window(browser) as page:
        post(collector.url, body(*(event() for _ in range(8))))
        opened(page, collector)
        expect(page.locator("#summary")).to_have_text("8 events")
        post(collector.url, body(*(event() for _ in range(6))))
        expect(page.locator("#summary")).to_have_text("10 events, the newest of 14")


def test_a_long_text_and_a_long_event_are_cut(page: Page, collector: LocalCollector) -> None:
    """Until the reader wants all of it."""
    data = {"programmingLanguage": "PYTHON", "message": "m" * 50_000, "more": ["x"] * 5000}
    post(collector.url, body(event(data)))
    page.locator("#body [role=row]").click()
    page.get_by_role("button", name="48,000 more characters").click()
    expect(page.locator("#detail")).to_contain_text("m" * 50_000)
    assert elements(page) < 5000
    page.get_by_role("button", name="Show all lines").click()
    expect(page.locator("#detail .line")).to_have_count(5009)


@pytest.mark.parametrize(("depth", "shown"), [(500, 1), (20_000, 0)])
def test_json_in_json_may_nest_as_deep_as_it_likes(
    page: Page, collector: LocalCollector, depth: int, shown: int
) -> None:
    """It is text, which no pipeline bounds: beyond what can be read, it stays text."""
    data = {"programmingLanguage": "PYTHON", "message": "[" * depth + "]" * depth}
    post(collector.url, body(event(data)))
    page.locator("#body [role=row]").click()
    expect(page.locator("#detail .line").first).to_have_text("{")
    expect(page.locator("#detail .inner").filter(has_text="[…]")).to_have_count(shown)
