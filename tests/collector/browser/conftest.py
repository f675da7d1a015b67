"""Fixtures: a browser, a window of it, a collector with some events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from snowplow_logging.collector import LocalCollector

from .chromium import CHROMIUM, chromium, opened, watched, window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this folder."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with chromium() as running:
        yield running


@pytest.fixture
def collector() -> Iterator[LocalCollector]:
    """A collector of its own, since tests stop it."""
    with LocalCollector(port=0) as running:
        yield running


@pytest.fixture(scope="package")
def shared(browser: Browser) -> Iterator[Page]:
    """One window for most tests; each has a collector, and so an origin, of its own."""
    with window(browser) as page:
        yield page


@pytest.fixture
def page(shared: Page, collector: LocalCollector) -> Iterator[Page]:
    """The page of the collector, live."""
    with watched(shared):
        yield opened(shared, collector)
