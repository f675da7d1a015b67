"""The reading of single fields, and the derived timestamp."""

from __future__ import annotations

import pytest

from snowplow_logging.collector import enriched
from snowplow_logging.collector.timestamps import iso

NOW = 1_700_000_000_000


def derived(**parameters: str) -> object:
    """The derived timestamp of an event that came at ``NOW``."""
    event = enriched.empty()
    assert enriched.fill(event, parameters) == []
    enriched.complete(event, parameters, NOW)
    return event["derived_tstamp"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, NOW),
        ({"dtm": "1000"}, NOW),
        ({"dtm": "1000", "stm": "1500"}, NOW - 500),
        ({"dtm": "1500", "stm": "1000"}, NOW),
        ({"dtm": "1000", "stm": "1500", "ttm": "77"}, 77),
    ],
)
def test_the_derived_timestamp_allows_for_the_delay(
    parameters: dict[str, str], expected: int
) -> None:
    """The true timestamp, or the collector's less the time between creation and sending."""
    assert derived(**parameters) == iso(expected)


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_every_year_from_0_to_9999_can_be_written(ms: int, expected: str) -> None:
    """Also those that Python's datetime does not reach."""
    assert iso(ms) == expected


def test_a_delay_of_ten_thousand_years_does_no_harm() -> None:
    """The derived time may leave the range that a field may have."""
    assert derived(dtm="-62167219200000", stm="253402300799999") == "-7977-11-14T22:13:20.001Z"


def test_texts_are_made_fit_for_tab_separated_lines() -> None:
    """Tabs become spaces, control characters go, an empty text is null."""
    event = enriched.empty()
    assert enriched.fill(event, {"aid": "a\tb\nc", "uid": "", "ip": "1.2.3.4, 5.6.7.8"}) == []
    assert (event["app_id"], event["user_id"]) == ("a    bc", None)
    assert event["user_ipaddress"] == "1.2.3.4"


def test_flags_numbers_and_sizes_have_their_types() -> None:
    """As in the canonical event."""
    event = enriched.empty()
    fields = {"f_pdf": "1", "cookie": "0", "se_va": "1.50", "tr_tt": "null", "vp": "10x20"}
    assert enriched.fill(event, fields) == []
    assert (event["br_features_pdf"], event["br_cookies"]) == (True, False)
    assert (event["se_value"], event["tr_total"]) == (1.5, None)
    assert (event["br_viewwidth"], event["br_viewheight"]) == (10, 20)


def test_the_tracker_s_network_user_wins() -> None:
    """``tnuid`` stands above ``nuid``, in whichever order they come."""
    event = enriched.empty()
    enriched.fill(event, {"tnuid": "t", "nuid": "n"})
    assert event["network_userid"] == "t"
