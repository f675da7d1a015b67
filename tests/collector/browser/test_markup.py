"""Whatever is in an event is shown as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.collector.support import APPLICATION, CONTEXTS, UNSTRUCT, body, post, to_base64

from .events import LOG_RECORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from snowplow_logging.collector import LocalCollector

EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>"
    "\"'></script><svg onload=alert(3)><a href=javascript:alert(4)>{{7*7}}</a>"
    "<style>*{display:none}</style>"
)
ELEMENTS = "[...new Set([...document.querySelectorAll('*')].map(node => node.localName))].sort()"


def evil_event() -> dict[str, Any]:
    """An event with markup wherever a text can be."""
    names = ["message", "level", "logger", "attributes", "module", "function", EVIL]
    data = dict.fromkeys(names, EVIL)
    inner = {"schema": LOG_RECORD, "data": data}
    entity = {"schema": APPLICATION, "data": {"version": EVIL, EVIL: [EVIL, {EVIL: EVIL}]}}
    fields = dict.fromkeys(["aid", "tna", "uid", "ua", "page", "url", "lang", "tz"], EVIL)
    return {
        **fields,
        "e": "ue",
        "p": "srv",
        "tv": EVIL,
        "ue_px": to_base64({"schema": UNSTRUCT, "data": inner}),
        "cx": to_base64({"schema": CONTEXTS, "data": [entity]}),
    }


def test_markup_in_an_event_stays_text(page: Page, collector: LocalCollector) -> None:
    """In the row, the lists of filters, the open event, the raw fields: no dialog, no element."""
    post(collector.url, body(evil_event()))
    post(collector.url, body(EVIL, {EVIL: EVIL}), path="com.acme/v1")
    post(collector.url, EVIL.encode(), content_type="text/html")
    expect(page.locator("#body [role=row]")).to_have_count(3)
    page.locator("#body [role=row]").last.click()
    for name in ["Raw payload", "Headers"]:
        page.get_by_role("heading", name=name).click()
    expect(page.locator("#detail")).to_contain_text(EVIL)
    expect(page.locator("#body [role=row]").last.locator(".level")).to_have_text(EVIL)
    expect(page.locator("[name=app] option").last).to_have_text(EVIL)
    assert (
        page.evaluate("document.querySelectorAll('#main script, img, a, #main svg, style').length")
        == 0
    )
    page.locator("#body [role=row]").first.click()
    expect(page.locator("#detail")).to_contain_text("<script>alert(1)</script>")
    page.goto(f"{page.url.partition('#')[0]}#q={EVIL}&level={EVIL}&event={EVIL}")
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value(EVIL)
    # The window's fixture fails if there was a dialog, or an error.
    known = {
        "head",
        "html",
        "body",
        "main",
        "header",
        "footer",
        "form",
        "section",
        "noscript",
        "meta",
        "title",
        "link",
        "script",
    }
    controls = {"button", "input", "label", "select", "option", "fieldset", "legend", "kbd"}
    texts = {"div", "span", "p", "b", "i", "small", "h1", "h2", "h3", "code", "pre", "strong"}
    drawn = {"svg", "g", "rect"}
    assert set(page.evaluate(ELEMENTS)) <= known | controls | texts | drawn
