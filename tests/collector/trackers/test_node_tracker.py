"""The official Node tracker sends to the collector: all that is good, and all that is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .running import (
    FOLDER,
    OFFSETS,
    PAGE,
    STRUCT,
    TRUE_TIME,
    VERSION,
    Expected,
    check_bad,
    check_good,
    described,
    needs_node_tracker,
    send,
)

if TYPE_CHECKING:
    from snowplow_logging.testing import SnowplowCollector

pytestmark = needs_node_tracker
PROGRAM = ["node", str(FOLDER / "node_tracker.cjs")]
PACKAGE = FOLDER / "node_modules" / "@snowplow" / "node-tracker" / "package.json"

AD = {"costModel": "cpc", "cost": 0.5, "advertiserId": "a-1", "campaignId": "c-1"}
PLACE = {"bannerId": "b-1", "zoneId": "z-1", "targetUrl": "https://a.example/"}
PRODUCT = {
    "sku": "h-1",
    "name": "Bowler",
    "category": "hats",
    "unitPrice": 49.95,
    "quantity": 2,
    "currency": "EUR",
}
FORM = {
    "formId": "f-1",
    "elementId": "e-1",
    "nodeName": "INPUT",
    "value": "x",
    "elementClasses": ["k"],
}
CONSENT = {
    "schema": "iglu:com.snowplowanalytics.snowplow/consent_document/jsonschema/1-0-0",
    "data": {"id": "p-1", "version": "2", "name": "privacy", "description": "all of it"},
}
EXPECTED = {
    "page_view": Expected("page_view", PAGE),
    "page_ping": Expected("page_ping", {**PAGE, **OFFSETS}),
    "struct": Expected("struct", STRUCT),
    "transaction": Expected(
        "transaction",
        {
            "tr_orderid": "o-1",
            "tr_affiliation": "acme",
            "tr_total": 99.9,
            "tr_tax": 9.5,
            "tr_shipping": 5,
            "tr_city": "Bonn",
            "tr_state": "NRW",
            "tr_country": "DE",
            "tr_currency": "EUR",
        },
    ),
    "transaction_item": Expected(
        "transaction_item",
        {
            "ti_orderid": "o-1",
            "ti_sku": "h-1",
            "ti_name": "Bowler",
            "ti_category": "hats",
            "ti_price": 49.95,
            "ti_quantity": 2,
            "ti_currency": "EUR",
        },
    ),
    "self_describing": described(
        "link_click/jsonschema/1-0-1", {"targetUrl": "https://a.example/"}
    ),
    "screen_view": described("screen_view/jsonschema/1-0-0", {"name": "cart", "id": "s-1"}),
    "link_click": described(
        "link_click/jsonschema/1-0-1",
        {
            "targetUrl": "https://a.example/",
            "elementId": "e-1",
            "elementClasses": ["big", "red"],
            "elementTarget": "_blank",
            "elementContent": "more",
        },
    ),
    "ad_impression": described(
        "ad_impression/jsonschema/1-0-0", {**AD, **PLACE, "impressionId": "i-1"}
    ),
    "ad_click": described(
        "ad_click/jsonschema/1-0-0", {**AD, **PLACE, "impressionId": "i-1", "clickId": "k-1"}
    ),
    "ad_conversion": described(
        "ad_conversion/jsonschema/1-0-0",
        {
            **AD,
            "conversionId": "v-1",
            "category": "hats",
            "action": "buy",
            "property": "size",
            "initialValue": 49.95,
        },
    ),
    "social_interaction": described(
        "social_interaction/jsonschema/1-0-0",
        {"action": "like", "network": "acme", "target": "h-1"},
    ),
    "add_to_cart": described("add_to_cart/jsonschema/1-0-0", PRODUCT),
    "remove_from_cart": described("remove_from_cart/jsonschema/1-0-0", PRODUCT),
    "change_form": described("change_form/jsonschema/1-0-0", {**FORM, "type": "text"}),
    "focus_form": described("focus_form/jsonschema/1-0-0", {**FORM, "elementType": "text"}),
    "submit_form": described(
        "submit_form/jsonschema/1-0-0",
        {
            "formId": "f-1",
            "formClasses": ["k"],
            "elements": [{"name": "n", "value": "x", "nodeName": "INPUT", "type": "text"}],
        },
    ),
    "site_search": described(
        "site_search/jsonschema/1-0-0",
        {
            "terms": ["hat", "red"],
            "filters": {"size": "m", "new": True},
            "totalResults": 12,
            "pageResults": 10,
        },
    ),
    "consent_withdrawn": described(
        "consent_withdrawn/jsonschema/1-0-0", {"all": False}, CONSENT
    ),
    "consent_granted": described(
        "consent_granted/jsonschema/1-0-0", {"expiry": "2030-01-31T00:00:00Z"}, CONSENT
    ),
    "with_context": Expected("page_view", PAGE, contexts=(VERSION, VERSION)),
    "with_time": Expected("page_view", {**PAGE, **TRUE_TIME}),
}  # fmt: skip


@pytest.mark.parametrize("base64", [True, False], ids=["base64", "plain"])
@pytest.mark.parametrize("method", ["post", "get"])
def test_all_kinds_of_events(
    snowplow_collector: SnowplowCollector, method: str, *, base64: bool
) -> None:
    """All are good, and show all that was sent, and nothing else."""
    ids = send(PROGRAM, snowplow_collector, method, str(base64).lower(), "good")
    tracker = "node", f"node-{json.loads(PACKAGE.read_text())['version']}"
    check_good(snowplow_collector, ids, EXPECTED, tracker, base64=base64)


def test_bad_events(snowplow_collector: SnowplowCollector) -> None:
    """Each is bad for the reason that a pipeline gives; what is too large, is refused."""
    check_bad(snowplow_collector, send(PROGRAM, snowplow_collector, "post", "true", "bad"))
