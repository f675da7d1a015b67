"""Takes the pictures of docs/collector-page.md: ``python -m tests.collector.browser.screenshots``.

They show the demo's shop, spread over an hour, with some events that a change has broken. Give a
folder, and the pictures come there.
"""

from __future__ import annotations

import base64
import logging
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from snowplow_logging.collector import LocalCollector
from snowplow_logging.demo import server, traffic
from snowplow_logging.demo.logs import ShopLogs
from snowplow_logging.demo.shop import CUSTOMER, ORDER_PLACED, Shop
from snowplow_logging.demo.targets import SCHEMAS
from tests.collector.support import body, contexts, event, post

from .chromium import chromium, opened, window
from .events import LOG_RECORD, arrive

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parents[3] / "docs"
REQUESTS = 400
MINUTES = 58
BROKEN = {
    "order_id": "1187", "sku": "mug-blue", "product": "Mug, blue",
    "quantity": 2, "total_cents": "25.80 EUR", "currency": "EUR", "coupon": "SPRING",
}  # fmt: skip


def shop_events() -> list[dict[str, Any]]:
    """What the demo's shop sends, as raw fields."""
    with LocalCollector(port=0, schemas=[SCHEMAS]) as collector:
        logs = ShopLogs(collector.url)
        with logs.installed() as handler, server.serving(Shop()) as address:
            logging.getLogger("shop.access").disabled = True
            _ = list(traffic.send(address, traffic.plan(REQUESTS)))
            assert handler.flush(timeout=20)
        logging.getLogger("shop.access").disabled = False
    # Not every machine has a font for 煎茶.
    return [fields for fields in logs.delivered if "Sencha" not in unwrapped(fields["ue_px"])]


def unwrapped(text: str) -> str:
    """The JSON in a base64 text."""
    return base64.urlsafe_b64decode(f"{text}==").decode()


def fill(collector: LocalCollector, events: list[dict[str, Any]]) -> None:
    """Lets the events arrive in the last hour, more of them at the end, some of them broken."""
    chance = random.Random(4)
    chance.shuffle(events)
    weights = [chance.uniform(0.2, 1) * (1 + minute / 30) for minute in range(MINUTES)]
    minutes = sorted(chance.choices(range(MINUTES), weights, k=len(events)))
    for minute, fields in zip(minutes, events, strict=True):
        arrive(collector, MINUTES - 1 - minute, fields)
        if minute in {31, 32, 33, 55, 57} and chance.random() < 0.25:
            arrive(collector, MINUTES - 1 - minute, broken_event())
    post(
        collector.url, body(event(schema="iglu:com.acme/refund/jsonschema/1-0-0", aid="acme-shop"))
    )
    arrive(collector, 0, broken_event())
    for fields in events[-3:]:
        arrive(collector, 0, fields)


def broken_event() -> dict[str, Any]:
    """An order with a price that is a text, and a property that nobody has published."""
    log = {"message": "order 1187 placed", "level": "INFO", "logger": "shop.orders"}
    customer = {"customer_id": "c-31", "plan": "plus"}
    entities = contexts({"schema": CUSTOMER, "data": customer}, {"schema": LOG_RECORD, "data": log})
    return event(BROKEN, ORDER_PLACED, aid="acme-shop", tna="python", cx=entities)


def list_of_events(page: Page) -> None:
    """As it opens."""
    expect(page.locator("#body [role=row]").first).to_be_visible()


def failed_event(page: Page) -> None:
    """One that is wrong in two places."""
    page.locator("#body .bad", has_text="order_placed").first.click()
    expect(page.locator("#detail .wrong").first).to_be_visible()
    page.mouse.move(0, 0)


def many_filters(page: Page) -> None:
    """By status, level, logger and period."""
    bars = page.locator("#bars g[aria-hidden=false]")
    bars.nth(24).drag_to(bars.nth(34))
    page.locator("[name=logger]").select_option("shop.payments")
    page.get_by_role("searchbox").fill("authorised")
    page.get_by_role("searchbox").blur()
    page.mouse.move(0, 0)


WIDE, TALL, NARROW = (1160, 640), (1160, 860), (390, 700)  # CSS pixels: small files
PICTURES: dict[str, tuple[tuple[int, int], Any, Callable[[Page], None]]] = {
    "collector-page": (WIDE, "light", list_of_events),
    "collector-page-dark": (TALL, "dark", failed_event),
    "collector-page-filters": (WIDE, "light", many_filters),
    "collector-page-phone": (NARROW, "light", list_of_events),
    "collector-page-phone-dark": (NARROW, "dark", failed_event),
}


def take(browser: Browser, collector: LocalCollector, folder: Path) -> None:
    """Takes all pictures."""
    for name, (size, scheme, scene) in PICTURES.items():
        with window(browser, size, scheme) as page:
            opened(page, collector)
            scene(page)
            page.evaluate("document.fonts.ready")
            _ = page.screenshot(path=folder / f"{name}.png", animations="disabled")


def main() -> int:
    """Takes the pictures; returns the exit status."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    with LocalCollector(port=0, schemas=[SCHEMAS]) as collector:
        fill(collector, shop_events())
        with chromium() as browser:
            take(browser, collector, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
