"""What a reader sees and does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from snowplow_logging.collector import LocalCollector
from tests.collector.support import APPLICATION, ERROR, body, contexts, event, post

from .chromium import opened, window
from .events import LOG_RECORD, arrive, logging_to

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

DOCS = (Path(__file__).parents[3] / "docs" / "collector-page.md").read_text(encoding="utf-8")
FOCUSED = "(({id, name, tagName}) => id || name || tagName)(document.activeElement)"
WRONG = {"programmingLanguage": "PYTHON", "message": 17}


def rows(page: Page) -> Locator:
    """The rows of the table that are in the document."""
    return page.locator("#body [role=row]")


def a_day_in_a_shop(collector: LocalCollector) -> None:
    """Five events that differ in all that one can filter by."""
    with logging_to(collector, "checkout") as logger:
        logger.info("order placed")
    with logging_to(collector, "catalogue") as logger:
        logger.getChild("search").warning("nothing found for Tea")
        logger.getChild("search").error("the index is gone")
        try:
            _ = 1 // 0
        except ZeroDivisionError:
            logger.exception("no average")
    post(collector.url, body(event(WRONG)))


def test_an_empty_page_says_where_to_send(page: Page, collector: LocalCollector) -> None:
    """With the entry for a dictConfig."""
    expect(page.locator("#empty")).to_contain_text(f'"endpoint": "{collector.url}"')
    expect(page.locator("#summary")).to_have_text("0 events")


def test_events_show_as_they_arrive(page: Page, collector: LocalCollector) -> None:
    """Newest first, without a reload."""
    with logging_to(collector) as logger:
        logger.warning("the cart of %s is empty", "u-1")
        logger.info("order placed")
    expect(rows(page)).to_have_count(2)
    texts = [" ".join(text.split()) for text in rows(page).all_inner_texts()]
    assert re.fullmatch(
        r"valid \d\d:\d\d:\d\d\.\d{3} log_record 1-0-0 INFO shop checkout order placed", texts[0]
    )
    assert texts[1].endswith("WARNING shop checkout the cart of u-1 is empty")
    post(collector.url, body(event(WRONG)))
    expect(page.locator("#bad")).to_have_text("1")
    expect(rows(page).first).to_contain_text("$.message: expected string, got 17")
    expect(page).to_have_title("1 failed · Snowplow collector")


def test_filters_narrow_the_table(page: Page, collector: LocalCollector) -> None:
    """By status, schema, level, logger, application and words; also together."""
    a_day_in_a_shop(collector)
    expect(rows(page)).to_have_count(5)
    for name, value, count in [
        ("schema", ERROR, 2),
        ("level", "ERROR", 1),
        ("logger", "shop.search", 2),
        ("app", "catalogue", 3),
    ]:
        page.locator(f"[name={name}]").select_option(value)
        expect(page.locator("#summary")).to_have_text(f"{count} of 5 events")
        expect(rows(page)).to_have_count(count)
        page.get_by_role("button", name="Clear filters").click()
        expect(rows(page)).to_have_count(5)
    page.locator("label", has_text="Failed").click()
    expect(rows(page)).to_have_count(1)
    page.locator("label", has_text="Valid").click()
    page.locator("[name=app]").select_option("catalogue")
    page.get_by_role("searchbox").fill("tea FOUND")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("nothing found for Tea")
    page.get_by_role("searchbox").fill("coffee")
    expect(page.locator("#unmatched")).to_be_visible()


def test_a_click_on_the_chart_shows_that_minute(page: Page, collector: LocalCollector) -> None:
    """And another click shows all again; drawn over, all minutes between."""
    arrive(collector, 8, event(aid="early"), event(WRONG, aid="early"))
    arrive(collector, 5, event(aid="late"))
    arrive(collector, 90, event(aid="old"))
    bars = page.locator("#bars g[aria-hidden=false]")
    expect(bars).to_have_count(2)
    expect(bars.first).to_have_attribute("aria-label", re.compile("1 valid, 1 failed$"))
    bars.first.click()
    expect(page.locator("#summary")).to_have_text("2 of 4 events")
    expect(rows(page).first).to_contain_text("early")
    bars.first.click()
    expect(rows(page)).to_have_count(4)
    bars.first.drag_to(bars.last)
    expect(page.locator("#summary")).to_have_text("3 of 4 events")
    page.get_by_role("button", name="Show all minutes").click()
    page.get_by_role("button", name="Earlier minutes").click()
    expect(bars).to_have_count(1)
    page.get_by_role("button", name="Later minutes").click()
    expect(bars).to_have_count(2)


def test_a_failed_event_says_why_beside_the_value(page: Page, collector: LocalCollector) -> None:
    """In a list above, and in the event itself; with its entities, raw fields and headers."""
    entity = {"schema": APPLICATION, "data": {"version": "1.0", "color": "blue"}}
    post(collector.url, body(event(WRONG, cx=contexts(entity), aid="a" * 300)))
    rows(page).click()
    detail = page.get_by_role("region", name="failed application_error 1-0-2")
    problems = detail.get_by_label("What is wrong").get_by_role("listitem")
    problem = problems.filter(has_text="/data/message")
    expect(problem).to_contain_text("expected string")
    expect(problem.locator("mark")).to_have_text("17")
    line = detail.locator(".line.wrong").filter(has_text="message")
    expect(line).to_have_text('"message": 17 expected string')
    expect(detail.locator(".line.wrong").filter(has_text="color")).to_contain_text(
        '"color": "blue" expected no properties but version'
    )
    detail.get_by_text("Raw payload").click()
    expect(detail.locator(".wrong dt")).to_have_text("aid")
    expect(detail.locator(".fields .note")).to_have_text("expected at most 255 UTF-16 units")
    detail.get_by_role("heading", name="Headers").click()
    expect(detail.get_by_text("python-requests")).to_be_visible()


def test_a_failed_request_is_shown_as_it_came(page: Page, collector: LocalCollector) -> None:
    """Such a request has no event that could be shown."""
    post(collector.url, body(event(aid=4)))
    rows(page).click()
    expect(page.locator("#detail .line.wrong")).to_have_text('"aid": 4, expected string')
    expect(page.locator("#detail-title")).to_contain_text("failed request")


def test_an_address_says_it_all(page: Page, collector: LocalCollector) -> None:
    """Filters and the open event are there after a reload; Back and Forward go through them."""
    a_day_in_a_shop(collector)
    page.locator("[name=level]").select_option("ERROR")
    page.get_by_role("searchbox").fill("index")
    rows(page).click()
    expect(page.locator("#detail")).to_contain_text("the index is gone")
    assert re.search(r"#q=index&level=ERROR&event=[0-9a-f-]{36}$", page.url)
    page.reload()
    expect(page.locator("#detail")).to_contain_text("the index is gone")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("searchbox")).to_have_value("index")
    expect(page.locator("[name=level]")).to_have_value("ERROR")
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()
    expect(rows(page)).to_have_count(1)
    page.go_back()
    expect(rows(page)).to_have_count(5)
    page.go_forward()
    expect(rows(page)).to_have_count(1)


def test_an_address_has_the_parameters_of_the_docs(page: Page, collector: LocalCollector) -> None:
    """Each alone does something."""
    table = DOCS.partition("| parameter |")[2].partition("\n\n")[0]
    names = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:]))
    assert len(names) == 9
    for name in names:
        value = "valid" if name == "status" else "2025-01-31T14:03Z"
        more = "&until=2025-01-31T14:03Z" if name == "since" else "&since=2025-01-31T14:03Z"
        page.goto(f"{collector.ui_url}#{name}={value}{more * (name in {'since', 'until'})}")
        changed = page.locator("#detail" if name == "event" else "#unfilter")
        expect(changed).to_be_visible()
        page.goto(f"{collector.ui_url}#")
        expect(changed).to_be_hidden()


def test_an_event_that_is_gone_says_so(page: Page, collector: LocalCollector) -> None:
    """An address may be older than what is kept."""
    opened(page, collector, "#event=00000000-0000-0000-0000-000000000000")
    page.reload()
    expect(page.locator("#detail")).to_contain_text("does not keep it")


def test_keys_alone_are_enough(page: Page, collector: LocalCollector) -> None:
    """To search, move, open, read on, copy, close and filter."""
    a_day_in_a_shop(collector)
    expect(rows(page)).to_have_count(5)
    press = page.keyboard.press
    press("/")
    page.keyboard.type("search")
    expect(rows(page)).to_have_count(2)
    press("Escape")
    expect(rows(page)).to_have_count(5)
    press("Escape")
    expect(page.locator("#grid")).to_be_focused()
    press("j")
    press("ArrowDown")
    expect(page.locator("#active")).to_have_attribute("aria-rowindex", "3")
    press("Enter")
    expect(page.locator("#detail-title")).to_be_focused()
    expect(page.locator("#detail")).to_contain_text("ZeroDivisionError")
    press("j")
    expect(page.locator("#detail")).to_contain_text("the index is gone")
    press("c")
    expect(page.locator("#copy")).to_have_text("Copied")
    press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator("#grid")).to_be_focused()
    press("End")
    expect(page.locator("#active")).to_contain_text("order placed")
    press("f")
    expect(rows(page)).to_have_count(1)
    press("p")
    expect(page.locator("#state")).to_have_text("Paused")


def test_every_control_is_reached_with_the_tab_key(page: Page, collector: LocalCollector) -> None:
    """The chart is one stop, its minutes are reached with the arrow keys."""
    arrive(collector, 8, event(aid="early"))
    arrive(collector, 5, event(aid="late"))
    expect(rows(page)).to_have_count(2)
    stops: list[str] = []
    for _ in range(14):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
    assert stops == [
        "pause", "clear", "g", "status", "search", "schema", "level", "logger", "app", "grid",
        "keys", "BODY", "pause", "clear",
    ]  # fmt: skip
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("early")


def test_keys_can_be_turned_off(page: Page, collector: LocalCollector) -> None:
    """For who speaks to a computer; it stays so."""
    page.get_by_label("Keys").uncheck()
    page.reload()
    expect(page.locator("#state")).to_have_text("Live")
    page.keyboard.press("p")
    page.get_by_label("Keys").check()
    page.keyboard.press("f")
    expect(page.get_by_role("radio", name="Failed")).to_be_checked()
    expect(page.locator("#state")).to_have_text("Live")


def test_the_readers_place_is_kept(page: Page, collector: LocalCollector) -> None:
    """While events come in above; a button leads to them."""
    post(collector.url, body(*(event(aid=f"a{number}") for number in range(200))))
    expect(page.locator("#summary")).to_have_text("200 events")
    page.locator("#grid").evaluate("grid => grid.scrollTop = 3000")
    place = page.locator("#body [role=row]", has_text="a95")
    before = place.bounding_box()
    post(collector.url, body(*(event(aid="new") for _ in range(30))))
    expect(page.locator("#fresh")).to_have_text("↑ 30 new")
    assert place.bounding_box() == before
    page.locator("#fresh").click()
    expect(rows(page).first).to_contain_text("new")
    expect(page.locator("#fresh")).to_be_hidden()


def test_an_open_event_stays_in_sight(page: Page, collector: LocalCollector) -> None:
    """Also at the top, which follows the newest otherwise."""
    post(collector.url, body(*(event() for _ in range(50))))
    expect(page.locator("#summary")).to_have_text("50 events")
    rows(page).nth(1).click()
    before = rows(page).nth(1).bounding_box()
    post(collector.url, body(*(event(aid="new") for _ in range(50))))
    expect(page.locator("#fresh")).to_have_text("↑ 50 new")
    assert page.locator("#body [aria-selected=true]").bounding_box() == before


def test_paused_it_stands_still(page: Page, collector: LocalCollector) -> None:
    """What comes meanwhile is counted, and shown when it goes on."""
    post(collector.url, body(event()))
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Pause").click()
    post(collector.url, body(event(), event()))
    expect(page.locator("#pause")).to_have_text("Resume (2 new)")
    expect(page.locator("#summary")).to_have_text("1 event")
    expect(rows(page)).to_have_count(1)
    page.locator("#pause").click()
    expect(rows(page)).to_have_count(3)


def test_clear_empties_the_collector(page: Page, collector: LocalCollector) -> None:
    """And what comes next is shown."""
    a_day_in_a_shop(collector)
    rows(page).first.click()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("#detail")).to_be_hidden()
    assert collector.all() == {"total": 0, "good": 0, "bad": 0}
    post(collector.url, body(event()))
    expect(rows(page)).to_have_count(1)


def test_copied_events_are_those_of_the_api(page: Page, collector: LocalCollector) -> None:
    """As JSON; parts of them, too."""
    post(collector.url, body(event()))
    rows(page).click()
    page.get_by_role("button", name="Copy JSON").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    assert copied(page) == collector.good()[0]
    page.get_by_role("button", name="Copy Event").click()
    expect(page.get_by_role("button", name="Copy Event")).to_have_text("Copied")
    data = {"programmingLanguage": "PYTHON", "message": "it broke"}
    assert copied(page) == {"schema": ERROR, "data": data}


def test_numbers_are_shown_as_they_were_sent(page: Page, collector: LocalCollector) -> None:
    """Also those that JavaScript would round."""
    data = {"programmingLanguage": "PYTHON", "message": "m", "lineNumber": 9007199254740993}
    post(collector.url, body(event({**data, "threadId": 1.0})))
    rows(page).click()
    expect(page.locator(".line").filter(has_text="lineNumber")).to_contain_text("9007199254740993")
    expect(page.locator(".line").filter(has_text="threadId")).to_contain_text(": 1.0")
    page.get_by_role("button", name="Copy JSON").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    assert "9007199254740993" in json.dumps(copied(page))


def test_copying_works_over_plain_http_from_another_machine(browser: Browser) -> None:
    """Where browsers give pages no clipboard."""
    with LocalCollector("0.0.0.0", port=0) as collector, window(browser) as page:  # noqa: S104
        post(collector.url, body(event()))
        page.goto(f"http://collector.test:{collector.port}/micro/ui")
        assert page.evaluate("navigator.clipboard") is None
        rows(page).click()
        page.get_by_role("button", name="Copy Event").click()
        page.get_by_role("searchbox").click()
        page.keyboard.press("Control+V")
        expect(page.get_by_role("searchbox")).to_have_value(re.compile('"message": "it broke"'))


def copied(page: Page) -> Any:
    """The JSON in the clipboard."""
    return json.loads(page.evaluate("navigator.clipboard.readText()"))


def test_it_finds_a_collector_that_was_started_anew(page: Page, collector: LocalCollector) -> None:
    """Which has forgotten all events, and may have as many others."""
    with logging_to(collector) as logger:
        logger.info("before")
    expect(rows(page)).to_contain_text("before")
    collector.close()
    expect(page.locator("#state")).to_have_text("Reconnecting")
    with LocalCollector(port=collector.port) as another:
        with logging_to(another) as logger:
            logger.info("after")
        expect(page.locator("#state")).to_have_text("Live")
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_contain_text("after")


def test_it_finds_the_same_events_again(browser: Browser, tmp_path: Path) -> None:
    """Where they are in a file, with those that came while the page was not connected."""
    file = tmp_path / "events"
    with LocalCollector(port=0, storage=file) as collector, window(browser) as page:
        opened(page, collector)
        with logging_to(collector) as logger:
            logger.info("before")
        expect(rows(page)).to_have_count(1)
        collector.close()
        expect(page.locator("#state")).to_have_text("Reconnecting")
        arrived = LocalCollector(port=collector.port, storage=file)
        arrive(arrived, 0, event(), event())
        with arrived:
            expect(page.locator("#state")).to_have_text("Live")
            expect(rows(page)).to_have_count(3)
            expect(rows(page).last).to_contain_text("before")


def test_log_records_show_the_attributes_in_them(page: Page, collector: LocalCollector) -> None:
    """A text that is JSON is shown as what it holds, too."""
    with logging_to(collector) as logger:
        logger.info("paid", extra={"order_id": "o-17"})
    page.locator(f"[name=schema] option[value='{LOG_RECORD}']").wait_for(state="attached")
    rows(page).click()
    expect(page.locator(".line.inner").filter(has_text="order_id")).to_have_text(
        '"order_id": "o-17"'
    )
