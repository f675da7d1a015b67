"""``/micro/events``: flat events, good and failed, and searching them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging.collector.flat import column

from .support import APPLICATION, ERROR, ERROR_DATA, body, contexts, event, post

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector

VERSION = {"schema": APPLICATION, "data": {"version": "1.0"}}
UNKNOWN = {"schema": "iglu:com.acme/nothing/jsonschema/1-0-0", "data": 1}
SHOP = {"column": "app_id", "value": "SHOP"}
WRONG = {"schema": APPLICATION, "data": {"version": 1}}
ERROR_COLUMN = "unstruct_event_com_snowplowanalytics_snowplow_application_error_1"
APPLICATION_COLUMN = "contexts_com_snowplowanalytics_snowplow_application_1"
FAILURE_COLUMN = "contexts_com_snowplowanalytics_snowplow_failure_1"


def flat(collector: LocalCollector) -> list[dict[str, Any]]:
    """All flat events."""
    events: list[dict[str, Any]] = requests.get(f"{collector.url}/micro/events", timeout=10).json()
    return events


def search(collector: LocalCollector, **fields: object) -> dict[str, Any]:
    """A page of flat events."""
    asked: dict[str, object] = {"page": 1, "pageSize": 10, "filters": [], **fields}
    answer = requests.post(f"{collector.url}/micro/events", json=asked, timeout=10)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def app_ids(page: dict[str, Any]) -> list[str]:
    """The applications of the events on a page."""
    return [item["app_id"] for item in page["events"]]


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        (ERROR, ERROR_COLUMN),
        (
            "iglu:com.acme-x.Shop/OrderPlaced/jsonschema/2-0-1",
            "x_com_acme_x_shop_order_placed_2",
        ),
        ("iglu:com.acme/HTTPError/jsonschema/1-0-0", "x_com_acme_httperror_1"),
    ],
)
def test_a_schema_has_a_column(uri: str, name: str) -> None:
    """Of vendor, name and model, in lower case."""
    assert column(name.partition("_com")[0], uri) == name


def test_a_good_event_is_flat(collector: LocalCollector) -> None:
    """Atomic fields, the event and its entities each in a column."""
    sent = event(cx=contexts(VERSION, VERSION), res="10x20")
    post(collector.url, body(sent))
    (item,) = flat(collector)
    assert (item["event_id"], item["app_id"]) == (sent["eid"], "shop")
    assert (item["dvce_screenwidth"], item["geo_country"]) == (10, None)
    assert item[ERROR_COLUMN] == ERROR_DATA
    assert item[APPLICATION_COLUMN] == [VERSION["data"], VERSION["data"]]
    assert not {"unstruct_event", "contexts", "derived_contexts", FAILURE_COLUMN} & set(item)


def test_a_failed_event_says_why(collector: LocalCollector) -> None:
    """What was wrong is not in its column, but in that of the failure."""
    post(collector.url, body(event({**ERROR_DATA, "lineNumber": "5"}, cx=contexts(VERSION, WRONG))))
    (item,) = flat(collector)
    assert ERROR_COLUMN not in item
    assert item[APPLICATION_COLUMN] == [VERSION["data"]]
    first, second = item[FAILURE_COLUMN]
    assert (first["failureType"], first["schema"]) == ("ValidationError", ERROR)
    assert first["errors"][0]["path"] == "$.lineNumber"
    assert first["data"] == {**ERROR_DATA, "lineNumber": "5"}
    assert second["data"] == WRONG["data"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"ue_px": "*"}, "NotJSON"),
        ({"eid": "x"}, "ValidationError"),
        (
            {"cx": contexts(UNKNOWN)},
            "ResolutionError",
        ),
    ],
)
def test_each_kind_of_failure_shows(
    collector: LocalCollector, fields: dict[str, Any], kind: str
) -> None:
    """With the raw fields, where nothing could be read."""
    sent = event(**fields)
    post(collector.url, body(sent))
    ((failure,),) = [item[FAILURE_COLUMN] for item in flat(collector)]
    assert failure["failureType"] == kind
    assert failure["data"] in (sent, 1)


def test_a_bad_request_is_no_event(collector: LocalCollector) -> None:
    """It is counted, but has no columns."""
    post(collector.url, b"{")
    post(collector.url, body(event()))
    assert len(flat(collector)) == 1
    assert search(collector)["totalItems"] == 1


def test_events_come_in_pages(collector: LocalCollector) -> None:
    """Newest first."""
    post(collector.url, body(*(event(aid=str(number)) for number in range(5))))
    first = search(collector, pageSize=2)
    assert (app_ids(first), first["totalPages"], first["totalItems"]) == (["4", "3"], 3, 5)
    assert app_ids(search(collector, pageSize=2, page=3)) == ["0"]
    assert search(collector, page=9)["events"] == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"filters": [SHOP]}, ["shop-b", "shop-a"]),
        (
            {"filters": [SHOP, {"column": "app_id", "value": "-b"}]},
            ["shop-b"],
        ),
        ({"filters": [{"column": "dvce_screenwidth", "value": "10"}]}, ["shop-a"]),
        ({"filters": [{"column": "nothing", "value": "x"}]}, []),
        ({"validEvents": True}, ["shop-b", "shop-a"]),
        ({"validEvents": False}, ["other"]),
        ({"sorting": {"column": "app_id", "desc": False}}, ["other", "shop-a", "shop-b"]),
        ({"sorting": {"column": "app_id", "desc": True}}, ["shop-b", "shop-a", "other"]),
        ({"timeRange": {"start": "2001-01-01T00:00:00Z"}}, ["other", "shop-b", "shop-a"]),
        ({"timeRange": {"start": None, "end": 978307200000}}, []),
    ],
)
def test_events_are_searched(
    collector: LocalCollector, asked: dict[str, Any], found: list[str]
) -> None:
    """By columns, by status, by time; sorted by a column."""
    post(collector.url, body(event(aid="shop-a", res="10x20"), event(aid="shop-b")))
    post(collector.url, body(event(aid="other", eid="x")))
    assert app_ids(search(collector, **asked)) == found


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"page": 0}, "expected page and pageSize, each a whole number from 1"),
        ({"pageSize": None}, "expected page and pageSize"),
        ({"filters": {}}, "filters: filters: expected an array of objects, got {}"),
        ({"filters": [{"column": 1}]}, "column: expected a string, got 1"),
        ({"validEvents": 1}, "validEvents: expected true or false, got 1"),
        ({"sorting": []}, "sorting: expected an object, got []"),
        ({"timeRange": {"start": "now"}}, "start: expected a time in ISO 8601, or mill"),
        ({"timeRange": {"end": 10**40}}, "end: expected a time in ISO 8601, or milliseconds"),
        ({"timeRange": {"end": True}}, "end: expected a time in ISO 8601, or milliseconds"),
    ],
)
def test_a_wrong_search_is_a_400_that_names_it(
    collector: LocalCollector, asked: dict[str, Any], reason: str
) -> None:
    """Also where it is wrong deep inside."""
    content: dict[str, Any] = {"page": 1, "pageSize": 10, "filters": [], **asked}
    answer = requests.post(f"{collector.url}/micro/events", json=content, timeout=10)
    assert answer.status_code == 400
    assert reason in answer.text
