"""Events of every kind that trackers send, field by field, and how long each field may be."""

from __future__ import annotations

import base64
import re
import uuid
from typing import TYPE_CHECKING

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from snowplow_logging.collector import enriched, protocol
from snowplow_logging.collector.received import Received
from snowplow_logging.collector.selfdescribing import Contents, decode_base64

from .support import body, post

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector

WEB = {"p": "web", "tv": "js-3.1.3", "tna": "sp1", "aid": "shop"}
PAGE = {
    "url": "https://shop.acme.com/cart?a=b#top",
    "page": "Cart",
    "refr": "https://search.example/q?x=y",
    "lang": "en-GB",
    "cs": "UTF-8",
    "cd": "24",
    "tz": "Europe/London",
    "vp": "1000x660",
    "ds": "988x670",
    "res": "1920x1080",
    "cookie": "1",
    "uid": "u-1",
    "duid": "36746fd2-8441-4ea2-8ad0-237d6f4c77cf",
    "vid": "3",
    "sid": "6d15a4fb-9623-4ba1-b876-5240e72e6970",
}

KINDS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "page view": (
        {"e": "pv", **PAGE},
        {
            "event": "page_view",
            "event_name": "page_view",
            "page_url": "https://shop.acme.com/cart?a=b#top",
            "page_urlscheme": "https",
            "page_urlhost": "shop.acme.com",
            "page_urlport": 443,
            "page_urlpath": "/cart",
            "page_urlquery": "a=b",
            "page_urlfragment": "top",
            "page_title": "Cart",
            "page_referrer": "https://search.example/q?x=y",
            "refr_urlhost": "search.example",
            "br_lang": "en-GB",
            "doc_charset": "UTF-8",
            "br_colordepth": "24",
            "os_timezone": "Europe/London",
            "br_viewwidth": 1000,
            "br_viewheight": 660,
            "doc_width": 988,
            "dvce_screenheight": 1080,
            "br_cookies": True,
            "user_id": "u-1",
            "domain_userid": "36746fd2-8441-4ea2-8ad0-237d6f4c77cf",
            "domain_sessionidx": 3,
            "domain_sessionid": "6d15a4fb-9623-4ba1-b876-5240e72e6970",
        },
    ),
    "page ping": (
        {"e": "pp", **PAGE, "pp_mix": "0", "pp_max": "7", "pp_miy": "-1", "pp_may": "900"},
        {
            "event": "page_ping",
            "pp_xoffset_min": 0,
            "pp_xoffset_max": 7,
            "pp_yoffset_min": -1,
            "pp_yoffset_max": 900,
        },
    ),
    "structured": (
        {"e": "se", "se_ca": "cart", "se_ac": "add", "se_la": "sku", "se_pr": "x", "se_va": "9.5"},
        {
            "event": "struct",
            "event_vendor": "com.google.analytics",
            "event_name": "event",
            "se_category": "cart",
            "se_action": "add",
            "se_label": "sku",
            "se_property": "x",
            "se_value": 9.5,
        },
    ),
    "transaction": (
        {"e": "tr", "tr_id": "o-1", "tr_af": "web", "tr_tt": "20", "tr_tx": "2.5", "tr_sh": "1",
         "tr_ci": "Leeds", "tr_st": "WY", "tr_co": "UK", "tr_cu": "GBP"},
        {
            "event": "transaction",
            "tr_orderid": "o-1",
            "tr_affiliation": "web",
            "tr_total": 20.0,
            "tr_tax": 2.5,
            "tr_shipping": 1.0,
            "tr_city": "Leeds",
            "tr_state": "WY",
            "tr_country": "UK",
            "tr_currency": "GBP",
        },
    ),
    "transaction item": (
        {"e": "ti", "ti_id": "o-1", "ti_sk": "sku-9", "ti_nm": "Tea", "ti_ca": "food",
         "ti_pr": "4.25", "ti_qu": "2", "ti_cu": "GBP"},
        {
            "event": "transaction_item",
            "ti_orderid": "o-1",
            "ti_sku": "sku-9",
            "ti_name": "Tea",
            "ti_category": "food",
            "ti_price": 4.25,
            "ti_quantity": 2,
            "ti_currency": "GBP",
        },
    ),
    "ad impression": (
        {"e": "ad", "ad_ba": "b-1", "ad_ca": "c-1", "ad_ad": "a-1", "ad_uid": "u-1"},
        {"event": "ad_impression", "event_vendor": "com.snowplowanalytics.snowplow"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_event_has_its_fields(collector: LocalCollector, kind: str, method: str) -> None:
    """Under their enriched names, with their types; with an id if it came without."""
    sent, expected = KINDS[kind]
    fields = {**WEB, **sent}
    if method == "GET":
        requests.get(f"{collector.url}/i", params=fields, timeout=10)
    else:
        post(collector.url, body(fields))
    (good,) = collector.good()
    found = {name: good["event"][name] for name in expected}
    assert found == expected
    assert good["eventType"] == expected["event"]
    assert good["rawEvent"]["parameters"] == fields
    assert uuid.UUID(good["event"]["event_id"])
    assert collector.bad() == []


TEXTS = sorted(
    (key, name)
    for key, (kind, names) in protocol.FIELDS.items()
    for name in names
    if kind == "text" and name in protocol.LENGTHS
)


@pytest.mark.parametrize(("key", "name"), TEXTS)
def test_a_field_is_as_long_as_the_warehouse_takes(
    collector: LocalCollector, key: str, name: str
) -> None:
    """Counted in UTF-16 units, after control characters are taken out and tabs are widened."""
    limit = protocol.LENGTHS[name]
    right = ["x" * limit, "x" * limit + "\n", "\U0001f600" * (limit // 2)]
    wrong = ["x" * (limit + 1), "x" * (limit - 1) + "\U0001f600", "\t" * (limit // 4 + 1)]
    post(collector.url, body(*({**WEB, "e": "pv", key: text} for text in right)))
    assert collector.bad() == []
    post(collector.url, body(*({**WEB, "e": "pv", key: text} for text in wrong)))
    assert collector.all()["bad"] == len(wrong)
    for seq in (event["seq"] for event in collector.events()[:3]):
        found = collector.event(seq)
        assert found
        (problem,) = found["problems"]
        assert (problem["where"], problem["path"]) == ("payload", f"/{key}")
        assert problem["expected"] == f"expected at most {limit} UTF-16 units"


keys = st.sampled_from(sorted(protocol.KEYS))
lengths = st.sampled_from([0, 1, 2, 3, 6, 12, 13, 64, 127, 128, 129, 255, 256, 1000, 2000, 4097])
texts = (
    st.text(max_size=8)
    | st.tuples(st.sampled_from("x\té\U0001f600\n0"), lengths).map(
        lambda drawn: drawn[0] * drawn[1]
    )
    | st.sampled_from(["1x2", "0", "1", "null", "1e5", "-5", "99999999999", "c6ef3124-b53a-4b13"])
    | st.uuids().map(str)
    | st.integers().map(str)
    | st.floats().map(str)
)


@settings(max_examples=300, deadline=None)
@given(
    parameters=st.dictionaries(keys, texts, max_size=6),
    kind=st.sampled_from(sorted(protocol.EVENT_TYPES)),
    user_agent=st.none() | lengths.map(lambda length: "x" * length),
    address=st.none() | lengths.map(lambda length: "1" * length),
)
def test_what_is_surely_right_is_right(
    parameters: dict[str, str], kind: str, user_agent: str | None, address: str | None
) -> None:
    """The short way finds nothing wrong only where the long one finds nothing either."""
    received = Received("a", "b", 1_700_000_000_000, user_agent=user_agent, address=address)
    fields = {**parameters, "e": kind}
    _, reports = enriched.enrich(received, fields, "", Contents())
    assert not (enriched.is_surely_right(received, fields, Contents()) and reports)


encoded = st.binary().map(lambda value: base64.b64encode(value).decode())


@settings(max_examples=1000, deadline=None)
@given(text=st.text("AbZ09+/-_= \n*é", max_size=9) | encoded)
def test_base64_is_taken_as_it_is_defined(text: str) -> None:
    """The whole text is digits of either alphabet, with two signs of padding at most."""
    expected = _decoded(text)
    if expected is None:
        with pytest.raises(ValueError, match="base64"):
            decode_base64(text)
    else:
        assert decode_base64(text) == expected


def _decoded(text: str) -> str | None:
    digits = text.rstrip("=").replace("-", "+").replace("_", "/")
    if not re.fullmatch("[A-Za-z0-9+/_-]*={0,2}", text) or len(digits) % 4 == 1:
        return None
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4)).decode()
    except UnicodeDecodeError:
        return None
