"""Everybody can read the page: axe-core finds nothing, in any state, size or colours."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from tests.collector.support import body, event, post

from .chromium import DESKTOP, PHONE, opened, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from snowplow_logging.collector import LocalCollector

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
WRONG = {"programmingLanguage": "PYTHON", "message": 17}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_axe_finds_nothing(
    browser: Browser,
    collector: LocalCollector,
    size: tuple[int, int],
    scheme: Literal["light", "dark"],
) -> None:
    """Empty; with filters and events of all kinds; with one open. And nothing is too wide."""
    with window(browser, size, scheme) as page:
        opened(page, collector)
        examine(page)
        post(
            collector.url,
            body(event(WRONG), event(), event(aid="long" * 60), {"e": "pv", "p": "web", "tv": "1"}),
        )
        rows = page.locator("#body [role=row]")
        expect(rows).to_have_count(4)
        page.goto(f"{collector.ui_url}#q=p&since=2020-01-01T10:00Z&until=2099-01-01T10:00Z")
        expect(page.locator("#period")).to_be_visible()
        if size == PHONE:
            page.get_by_role("button", name="Filters", exact=True).click()
        examine(page)
        page.locator("#body .bad").click()
        expect(page.locator("#detail")).to_contain_text("expected string")
        examine(page)


def examine(page: Page) -> None:
    """Fails if axe finds a violation, or if the page can be scrolled to the side."""
    page.evaluate(AXE)
    assert page.evaluate("axe.run().then((results) => results.violations)") == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_on_a_phone_an_open_event_covers_all_else(
    browser: Browser, collector: LocalCollector
) -> None:
    """So the rest cannot be reached until it is closed."""
    post(collector.url, body(event(), event(WRONG)))
    with window(browser, PHONE) as page:
        opened(page, collector)
        page.locator("#body [role=row]").first.click()
        expect(page.locator("#detail-title")).to_be_focused()
        expect(page.locator("#filters")).to_have_attribute("inert", "")
        page.get_by_role("button", name="Older event").click()
        expect(page.locator("#detail-title")).to_contain_text("valid")
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#detail")).to_be_hidden()
        page.get_by_role("searchbox").click()


def test_a_reader_of_the_screen_hears_what_happens(page: Page, collector: LocalCollector) -> None:
    """Politely: results of filters, what was copied and cleared."""
    said = page.get_by_role("status")
    post(collector.url, body(event(), event(WRONG)))
    expect(page.locator("#summary")).to_have_text("2 events")
    page.keyboard.press("f")
    expect(said).to_have_text("1 of 2 events")
    page.keyboard.press("p")
    expect(said).to_have_text("Paused")
    page.keyboard.press("p")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(said).to_have_text("All events are cleared")
    grid = page.get_by_role("grid", name="Events, newest first")
    post(collector.url, body(event(WRONG)))
    expect(grid).to_have_attribute("aria-rowcount", "2")
    expect(grid.get_by_role("row", name="failed")).to_have_attribute("aria-rowindex", "2")
