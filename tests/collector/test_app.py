"""The collector's own answers: statuses, sizes, headers, names of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from .support import TP2, body, event, post

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector


def test_health_is_ok(collector: LocalCollector) -> None:
    """A load balancer asks for it."""
    answer = requests.get(f"{collector.url}/health", timeout=10)
    assert (answer.status_code, answer.text) == (200, "ok")


def test_a_get_is_answered_with_a_pixel(collector: LocalCollector) -> None:
    """A GIF that nothing may cache."""
    answer = requests.get(f"{collector.url}/i?e=pv&p=web&tv=js", timeout=10)
    assert answer.content.startswith(b"GIF89a\x01\x00\x01\x00")
    assert answer.headers["Content-Type"] == "image/gif"
    assert "no-store" in answer.headers["Cache-Control"]
    assert collector.all() == {"total": 1, "good": 1, "bad": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/{TP2}/"),
        ("POST", f"/{TP2}/more"),
        ("POST", "/tp2"),
        ("POST", "/"),
        ("GET", "/"),
        ("GET", f"/{TP2}"),
        ("GET", "/i/"),
        ("POST", "/i"),
        ("GET", "/health/"),
        ("DELETE", f"/{TP2}"),
    ],
)
def test_other_paths_are_not_there(collector: LocalCollector, method: str, path: str) -> None:
    """Also with a slash at the end; nothing is counted."""
    answer = requests.request(method, f"{collector.url}{path}", timeout=10)
    assert answer.status_code == 404
    assert collector.all()["total"] == 0


def test_a_body_over_the_limit_is_a_413(collector: LocalCollector) -> None:
    """Its sender gets the answer, though the body was not kept; the limit itself is allowed."""
    assert post(collector.url, b" " * 2_097_153).status_code == 413
    assert post(collector.url, b" " * 8_000_000).status_code == 413
    assert collector.all()["total"] == 0
    assert post(collector.url, b" " * 2_097_152).status_code == 200
    assert collector.all()["bad"] == 1


def test_a_compressed_body_is_not_unpacked(collector: LocalCollector) -> None:
    """It is a bad event, as in a pipeline."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    packed = b"\x1f\x8b\x08\x00"
    url = f"{collector.url}/{TP2}"
    assert requests.post(url, data=packed, headers=headers, timeout=10).status_code == 200
    assert collector.all()["bad"] == 1


def test_a_browser_on_another_origin_may_send(collector: LocalCollector) -> None:
    """The origin that asks is allowed, with the headers that a tracker sets."""
    headers = {"Origin": "https://shop.acme.com"}
    for path in (TP2, "i"):
        answer = requests.options(f"{collector.url}/{path}", headers=headers, timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.acme.com"
        assert "SP-Anonymous" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:9090", 200),
        ("app.localhost", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
    ],
)
def test_events_show_only_under_a_local_name(
    collector: LocalCollector, host: str, status: int
) -> None:
    """A foreign name that points to this machine does not read them."""
    answer = requests.get(f"{collector.url}/micro/all", headers={"Host": host}, timeout=10)
    assert answer.status_code == status


def test_an_anonymous_request_leaves_no_address(collector: LocalCollector) -> None:
    """Nor do the headers that would show it."""
    headers = {
        "SP-Anonymous": "*",
        "X-Forwarded-For": "203.0.113.9",
        "Content-Type": "application/json",
    }
    requests.post(f"{collector.url}/{TP2}", data=body(event()), headers=headers, timeout=10)
    (good,) = collector.good()
    assert good["rawEvent"]["context"]["ipAddress"] is None
    assert "203.0.113.9" not in str(good)
