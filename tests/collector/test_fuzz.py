"""Whatever comes, the collector answers, and counts it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .support import PAYLOAD_DATA, TP2, event, to_base64

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector

QUICK = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
keys = st.sampled_from(["e", "p", "tv", "eid", "dtm", "stm", "ue_pr", "ue_px", "co", "cx", "aid"])
texts = st.text(max_size=20) | values.map(json.dumps) | values.map(to_base64)
events = st.dictionaries(keys, texts, max_size=6).map(lambda fields: {**event(), **fields})


def _send(collector: LocalCollector, content: bytes) -> dict[str, int]:
    """Posts ``content`` and returns how many events it was, good and bad."""
    collector.reset()
    headers = {"Content-Type": "application/json"}
    answer = _SESSION.post(f"{collector.url}/{TP2}", data=content, headers=headers, timeout=10)
    assert (answer.status_code, answer.text) == (200, "ok")
    counts = collector.all()
    # What is kept can be read, whatever it is.
    assert len(_SESSION.get(f"{collector.url}/micro/good", timeout=10).json()) == counts["good"]
    assert len(_SESSION.get(f"{collector.url}/micro/bad", timeout=10).json()) == counts["bad"]
    return counts


_SESSION = requests.Session()


@QUICK
@given(content=st.binary(max_size=200))
def test_random_bytes_are_one_bad_event(collector: LocalCollector, content: bytes) -> None:
    """Never a crash."""
    assert _send(collector, content) == {"total": 1, "good": 0, "bad": 1}


@QUICK
@given(value=values)
def test_random_json_is_one_bad_event(collector: LocalCollector, value: object) -> None:
    """As a body, and as the data of one."""
    assert _send(collector, json.dumps(value).encode())["bad"] == 1
    wrapped = {"schema": PAYLOAD_DATA, "data": value}
    assert _send(collector, json.dumps(wrapped).encode())["bad"] == 1


@QUICK
@given(batch=st.lists(events, min_size=1, max_size=5))
def test_each_event_of_a_right_envelope_is_counted(
    collector: LocalCollector, batch: list[dict[str, str]]
) -> None:
    """Good or bad, but once."""
    content = json.dumps({"schema": PAYLOAD_DATA, "data": batch}).encode()
    assert _send(collector, content)["total"] == len(batch)


@QUICK
@given(query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_a_random_query_string_is_one_event(collector: LocalCollector, query: str) -> None:
    """And gets its pixel."""
    collector.reset()
    path = query.replace("#", "")
    answer = _SESSION.get(f"{collector.url}/i?{path}", timeout=10)
    assert answer.headers["Content-Type"] == "image/gif"
    assert collector.all()["total"] == 1
