"""Starts Chromium, and opens the page in it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

    from snowplow_logging.collector import LocalCollector

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 30_000.0  # milliseconds after which a wait has failed
DESKTOP, PHONE = (1280, 800), (390, 844)
FLAGS = [
    "--no-sandbox",  # which root cannot have
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP collector.test 127.0.0.1",
]

expect.set_options(timeout=PATIENCE)


@contextmanager
def chromium() -> Generator[Browser]:
    """A browser; as long as it runs, this thread cannot run another event loop."""
    assert CHROMIUM, "chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def profile(
    browser: Browser, size: tuple[int, int] = DESKTOP, scheme: Literal["light", "dark"] = "light"
) -> Generator[BrowserContext]:
    """An empty profile.

    Args:
        browser: The browser.
        size: Of its windows, in CSS pixels.
        scheme: The colours that the reader prefers.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        timezone_id="Europe/Berlin",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def tab(context: BrowserContext) -> Generator[Page]:
    """A tab; fails in the end if anything in it went wrong: an error, or a dialog."""
    wrong: list[str] = []

    def note_dialog(dialog: Dialog) -> None:
        wrong.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", note_dialog)
    try:
        yield page
    finally:
        page.close()
        assert not wrong


@contextmanager
def window(
    browser: Browser, size: tuple[int, int] = DESKTOP, scheme: Literal["light", "dark"] = "light"
) -> Generator[Page]:
    """A tab in a profile of its own."""
    with profile(browser, size, scheme) as context, tab(context) as page:
        yield page


def opened(page: Page, collector: LocalCollector, fragment: str = "") -> Page:
    """Opens the collector's page, and waits until it is live."""
    page.goto(f"{collector.ui_url}{fragment}")
    expect(page.locator("#state")).to_have_text("Live")
    return page
