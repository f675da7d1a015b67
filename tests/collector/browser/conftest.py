"""Fixtures: a browser, a window of it, a collector with some events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from snowplow_logging.collector import LocalCollector

from .chromium import CHROMIUM, chromium, opened, profile, tab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page


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
def shared(browser: Browser) -> Iterator[BrowserContext]:
    """One profile for most tests; each has a collector, and so an origin, of its own."""
    with profile(browser) as context:
        yield context


@pytest.fixture
def page(shared: BrowserContext, collector: LocalCollector) -> Iterator[Page]:
    """The page of the collector, live."""
    with tab(shared) as opening:
        yield opened(opening, collector)
