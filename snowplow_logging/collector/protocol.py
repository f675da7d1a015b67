"""What the tracker protocol allows, as tables: the only place that knows the names and limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SNOWPLOW = "com.snowplowanalytics.snowplow"
PAYLOAD_DATA = f"iglu:{SNOWPLOW}/payload_data/jsonschema/1-0-4"
UNSTRUCT_EVENT = f"iglu:{SNOWPLOW}/unstruct_event/jsonschema/1-0-0"
CONTEXTS = f"iglu:{SNOWPLOW}/contexts/jsonschema/1-0-1"
ATOMIC = f"iglu:{SNOWPLOW}/atomic/jsonschema/1-0-0"

# The versions of each wrapper that exist, all with one meaning.
PAYLOAD_DATA_VERSIONS = frozenset(f"{PAYLOAD_DATA[:-1]}{addition}" for addition in range(5))
UNSTRUCT_EVENT_VERSIONS = frozenset({UNSTRUCT_EVENT})
CONTEXTS_VERSIONS = frozenset({CONTEXTS, f"{CONTEXTS[:-1]}0"})

IGLU_URI = re.compile(
    r"iglu:(?P<vendor>[a-zA-Z0-9-_.]+)/(?P<name>[a-zA-Z0-9-_]+)"
    r"/(?P<format>[a-zA-Z0-9-_]+)/(?P<version>[0-9]+-[0-9]+-[0-9]+)"
)
IGLU_URI_EXAMPLE = "iglu:com.acme/order_placed/jsonschema/1-0-0"

CONTENT_TYPES = ("application/json", "application/json; charset=utf-8")

MAX_BODY_BYTES = 2_097_152  # more is answered with 413
MAX_SPLIT_BYTES = 1_048_576  # a body over this and over the sink's limit is not regrouped
MAX_SINK_BYTES = 1_000_000  # of one event, as with Kinesis, Kafka and NSQ

REQUIRED_KEYS = ("tv", "p", "e")

PLATFORMS = ("web", "iot", "app", "mob", "pc", "cnsl", "tv", "srv", "headset")

# e → (the enriched name, the schema of events that have none of their own)
EVENT_TYPES: dict[str, tuple[str, str | None]] = {
    "ue": ("unstruct", None),
    "pv": ("page_view", f"iglu:{SNOWPLOW}/page_view/jsonschema/1-0-0"),
    "pp": ("page_ping", f"iglu:{SNOWPLOW}/page_ping/jsonschema/1-0-0"),
    "se": ("struct", "iglu:com.google.analytics/event/jsonschema/1-0-0"),
    "ev": ("struct", "iglu:com.google.analytics/event/jsonschema/1-0-0"),
    "tr": ("transaction", f"iglu:{SNOWPLOW}/transaction/jsonschema/1-0-0"),
    "ti": ("transaction_item", f"iglu:{SNOWPLOW}/transaction_item/jsonschema/1-0-0"),
    "ad": ("ad_impression", f"iglu:{SNOWPLOW}/ad_impression/jsonschema/1-0-0"),
}

# key → (how its text is read, the enriched fields it fills)
FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "e": ("event", ("event",)),
    "p": ("platform", ("platform",)),
    "tv": ("text", ("v_tracker",)),
    "tna": ("text", ("name_tracker",)),
    "aid": ("text", ("app_id",)),
    "eid": ("uuid", ("event_id",)),
    "tid": ("integer", ("txn_id",)),
    "dtm": ("timestamp", ("dvce_created_tstamp",)),
    "stm": ("timestamp", ("dvce_sent_tstamp",)),
    "ttm": ("timestamp", ("true_tstamp",)),
    "uid": ("text", ("user_id",)),
    "duid": ("text", ("domain_userid",)),
    "nuid": ("text", ("network_userid",)),
    "tnuid": ("text", ("network_userid",)),
    "sid": ("uuid", ("domain_sessionid",)),
    "vid": ("integer", ("domain_sessionidx",)),
    "fp": ("text", ("user_fingerprint",)),
    "ip": ("ip", ("user_ipaddress",)),
    "ua": ("text", ("useragent",)),
    "tz": ("text", ("os_timezone",)),
    "lang": ("text", ("br_lang",)),
    "url": ("text", ("page_url",)),
    "page": ("text", ("page_title",)),
    "refr": ("text", ("page_referrer",)),
    "cs": ("text", ("doc_charset",)),
    "cd": ("text", ("br_colordepth",)),
    "res": ("size", ("dvce_screenwidth", "dvce_screenheight")),
    "vp": ("size", ("br_viewwidth", "br_viewheight")),
    "ds": ("size", ("doc_width", "doc_height")),
    "cookie": ("flag", ("br_cookies",)),
    "f_pdf": ("flag", ("br_features_pdf",)),
    "f_qt": ("flag", ("br_features_quicktime",)),
    "f_realp": ("flag", ("br_features_realplayer",)),
    "f_wma": ("flag", ("br_features_windowsmedia",)),
    "f_dir": ("flag", ("br_features_director",)),
    "f_fla": ("flag", ("br_features_flash",)),
    "f_java": ("flag", ("br_features_java",)),
    "f_gears": ("flag", ("br_features_gears",)),
    "f_ag": ("flag", ("br_features_silverlight",)),
    "se_ca": ("text", ("se_category",)),
    "se_ac": ("text", ("se_action",)),
    "se_la": ("text", ("se_label",)),
    "se_pr": ("text", ("se_property",)),
    "se_va": ("decimal", ("se_value",)),
    "tr_id": ("text", ("tr_orderid",)),
    "tr_af": ("text", ("tr_affiliation",)),
    "tr_tt": ("decimal", ("tr_total",)),
    "tr_tx": ("decimal", ("tr_tax",)),
    "tr_sh": ("decimal", ("tr_shipping",)),
    "tr_ci": ("text", ("tr_city",)),
    "tr_st": ("text", ("tr_state",)),
    "tr_co": ("text", ("tr_country",)),
    "tr_cu": ("text", ("tr_currency",)),
    "ti_id": ("text", ("ti_orderid",)),
    "ti_sk": ("text", ("ti_sku",)),
    "ti_na": ("text", ("ti_name",)),
    "ti_nm": ("text", ("ti_name",)),
    "ti_ca": ("text", ("ti_category",)),
    "ti_pr": ("decimal", ("ti_price",)),
    "ti_qu": ("integer", ("ti_quantity",)),
    "ti_cu": ("text", ("ti_currency",)),
    "pp_mix": ("integer", ("pp_xoffset_min",)),
    "pp_max": ("integer", ("pp_xoffset_max",)),
    "pp_miy": ("integer", ("pp_yoffset_min",)),
    "pp_may": ("integer", ("pp_yoffset_max",)),
}

# Read apart from the table above: the event and the entities …
SELF_DESCRIBING_KEYS = ("ue_pr", "ue_px", "co", "cx")
# … and keys that are allowed, but fill no field.
IGNORED_KEYS = (
    "ctype",
    "mac",
    "sa",
    "sn",
    "st",
    "sp",
    "ue_na",
    "ad_ba",
    "ad_ca",
    "ad_ad",
    "ad_uid",
)

KEYS = frozenset((*FIELDS, *SELF_DESCRIBING_KEYS, *IGNORED_KEYS))

# Longest value of an enriched field, in UTF-16 code units.
LENGTHS = {
    "app_id": 255,
    "platform": 255,
    "event": 128,
    "event_id": 36,
    "name_tracker": 128,
    "v_tracker": 100,
    "user_id": 255,
    "user_ipaddress": 128,
    "user_fingerprint": 128,
    "domain_userid": 128,
    "domain_sessionid": 128,
    "network_userid": 128,
    "page_url": 4096,
    "page_title": 2000,
    "page_referrer": 4096,
    "useragent": 1000,
    "br_lang": 255,
    "br_colordepth": 12,
    "os_timezone": 255,
    "doc_charset": 128,
    "se_category": 1000,
    "se_action": 1000,
    "se_label": 4096,
    "se_property": 1000,
    "tr_orderid": 255,
    "tr_affiliation": 255,
    "tr_city": 255,
    "tr_state": 255,
    "tr_country": 255,
    "tr_currency": 3,
    "ti_orderid": 255,
    "ti_sku": 255,
    "ti_name": 255,
    "ti_category": 255,
    "ti_currency": 3,
    "event_vendor": 1000,
    "event_name": 1000,
    "event_format": 128,
    "event_version": 128,
}

# Every field of an enriched event, in its order; what nothing fills stays null.
ENRICHED = (
    "app_id",
    "platform",
    "etl_tstamp",
    "collector_tstamp",
    "dvce_created_tstamp",
    "event",
    "event_id",
    "txn_id",
    "name_tracker",
    "v_tracker",
    "v_collector",
    "v_etl",
    "user_id",
    "user_ipaddress",
    "user_fingerprint",
    "domain_userid",
    "domain_sessionidx",
    "network_userid",
    "geo_country",
    "geo_region",
    "geo_city",
    "geo_zipcode",
    "geo_latitude",
    "geo_longitude",
    "geo_region_name",
    "ip_isp",
    "ip_organization",
    "ip_domain",
    "ip_netspeed",
    "page_url",
    "page_title",
    "page_referrer",
    "page_urlscheme",
    "page_urlhost",
    "page_urlport",
    "page_urlpath",
    "page_urlquery",
    "page_urlfragment",
    "refr_urlscheme",
    "refr_urlhost",
    "refr_urlport",
    "refr_urlpath",
    "refr_urlquery",
    "refr_urlfragment",
    "refr_medium",
    "refr_source",
    "refr_term",
    "mkt_medium",
    "mkt_source",
    "mkt_term",
    "mkt_content",
    "mkt_campaign",
    "contexts",
    "se_category",
    "se_action",
    "se_label",
    "se_property",
    "se_value",
    "unstruct_event",
    "tr_orderid",
    "tr_affiliation",
    "tr_total",
    "tr_tax",
    "tr_shipping",
    "tr_city",
    "tr_state",
    "tr_country",
    "ti_orderid",
    "ti_sku",
    "ti_name",
    "ti_category",
    "ti_price",
    "ti_quantity",
    "pp_xoffset_min",
    "pp_xoffset_max",
    "pp_yoffset_min",
    "pp_yoffset_max",
    "useragent",
    "br_name",
    "br_family",
    "br_version",
    "br_type",
    "br_renderengine",
    "br_lang",
    "br_features_pdf",
    "br_features_flash",
    "br_features_java",
    "br_features_director",
    "br_features_quicktime",
    "br_features_realplayer",
    "br_features_windowsmedia",
    "br_features_gears",
    "br_features_silverlight",
    "br_cookies",
    "br_colordepth",
    "br_viewwidth",
    "br_viewheight",
    "os_name",
    "os_family",
    "os_manufacturer",
    "os_timezone",
    "dvce_type",
    "dvce_ismobile",
    "dvce_screenwidth",
    "dvce_screenheight",
    "doc_charset",
    "doc_width",
    "doc_height",
    "tr_currency",
    "tr_total_base",
    "tr_tax_base",
    "tr_shipping_base",
    "ti_currency",
    "ti_price_base",
    "base_currency",
    "geo_timezone",
    "mkt_clickid",
    "mkt_network",
    "etl_tags",
    "dvce_sent_tstamp",
    "refr_domain_userid",
    "refr_dvce_tstamp",
    "derived_contexts",
    "domain_sessionid",
    "derived_tstamp",
    "event_vendor",
    "event_name",
    "event_format",
    "event_version",
    "event_fingerprint",
    "true_tstamp",
)


def key_of(name: str, parameters: Mapping[str, str]) -> str:
    """The key among ``parameters`` that fills the enriched field ``name``; else the name."""
    keys = (key for key, (_, names) in FIELDS.items() if name in names and key in parameters)
    return next(keys, name)
