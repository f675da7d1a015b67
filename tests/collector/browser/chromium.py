"""Starts Chromium, and opens the page in it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser, Dialog, Error, Page

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
def window(
    browser: Browser,
    size: tuple[int, int] = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    **options: Any,
) -> Generator[Page]:
    """A window of its own, with an empty profile.

    Args:
        browser: The browser.
        size: Of the window, in CSS pixels.
        scheme: The colours that the reader prefers.
        options: More of those that a browser context takes.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        timezone_id="Europe/Berlin",
        permissions=["clipboard-read", "clipboard-write"],
        **options,
    )
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def watched(page: Page) -> Generator[Page]:
    """The page; fails in the end if anything in it went wrong: an error, or a dialog."""
    wrong: list[str] = []

    def note_error(error: Error) -> None:
        wrong.append(str(error))

    def note_dialog(dialog: Dialog) -> None:
        wrong.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("pageerror", note_error)
    page.on("dialog", note_dialog)
    yield page
    page.remove_listener("pageerror", note_error)
    page.remove_listener("dialog", note_dialog)
    assert not wrong


def opened(page: Page, collector: LocalCollector, fragment: str = "") -> Page:
    """Opens the collector's page, and waits until it is live."""
    page.goto(f"{collector.ui_url}{fragment}")
    expect(page.locator("#state")).to_have_text("Live")
    return page
