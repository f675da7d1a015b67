"""The collector's own answers: statuses, sizes, headers, names of the host."""

from __future__ import annotations

from http.cookiejar import Cookie

import pytest
import requests

from snowplow_logging.collector import LocalCollector

from .support import TP2, body, event, post


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


def test_micro_is_open_to_pages_of_this_machine(collector: LocalCollector) -> None:
    """A test in a browser may read it; a page elsewhere may neither read nor reset."""
    url = f"{collector.url}/micro/reset"
    local = {"Origin": "http://localhost:3000"}
    for method in ("GET", "OPTIONS"):
        answer = requests.request(method, url, headers=local, timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    post(collector.url, body(event()))
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = requests.post(url, headers=headers, timeout=10)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert collector.all()["total"] == 1
    page = requests.get(collector.ui_url, headers={"Sec-Fetch-Site": "cross-site"}, timeout=10)
    assert page.status_code == 200


def test_micro_is_open_to_all_where_the_collector_is() -> None:
    """Whoever opened it to the network, wanted it so."""
    with LocalCollector("0.0.0.0", port=0) as collector:  # noqa: S104
        headers = {"Host": "micro.acme.com", "Origin": "https://shop.acme.com"}
        answer = requests.get(f"{collector.url}/micro/all", headers=headers, timeout=10)
        assert answer.json()["total"] == 0
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.acme.com"


def test_a_session_is_one_network_user(collector: LocalCollector) -> None:
    """Whoever keeps the cookie is known again; whoever does not is another each time."""
    with requests.Session() as session:
        for _ in range(2):
            session.post(
                f"{collector.url}/{TP2}",
                data=body(event()),
                headers={"Content-Type": "application/json"},
                timeout=10,
            )
        (cookie,) = list[Cookie](session.cookies)  # type: ignore[arg-type]
    post(collector.url, body(event()))
    other, second, first = (item["event"]["network_userid"] for item in collector.good())
    assert first == second == cookie.value
    assert other != first
    assert collector.good()[1]["rawEvent"]["context"]["userId"] == first
    assert cookie.name == "sp"
    assert cookie.has_nonstandard_attr("HttpOnly")


@pytest.mark.parametrize(
    ("query", "cookie", "expected"),
    [
        ("", "c6ef3124-b53a-4b13-a233-0088f79dcbcb", "c6ef3124-b53a-4b13-a233-0088f79dcbcb"),
        ("&nuid=d6ef3124-b53a-4b13-a233-0088f79dcbcb", "x", "d6ef3124-b53a-4b13-a233-0088f79dcbcb"),
        ("&tnuid=mine", "c6ef3124-b53a-4b13-a233-0088f79dcbcb", "mine"),
    ],
)
def test_who_says_who_it_is_is_believed(
    collector: LocalCollector, query: str, cookie: str, expected: str
) -> None:
    """The tracker above the address, the address above the cookie."""
    requests.get(
        f"{collector.url}/i?e=pv&p=web&tv=1{query}", headers={"Cookie": f"sp={cookie}"}, timeout=10
    )
    assert collector.good()[0]["event"]["network_userid"] == expected


def test_a_cookie_that_is_no_id_is_replaced(collector: LocalCollector) -> None:
    """Since bad rows take UUIDs alone."""
    headers = {"Cookie": "sp=<script>"}
    answer = requests.get(f"{collector.url}/i", headers=headers, timeout=10)
    assert len(answer.cookies["sp"]) == 36


def test_further_paths_stand_for_the_standard_one() -> None:
    """POST and GET, each as the tracker protocol has it."""
    with LocalCollector(port=0, paths=["com.acme/track", "/com.acme/other"]) as collector:
        assert post(collector.url, body(event()), path="com.acme/track").text == "ok"
        pixel = requests.get(f"{collector.url}/com.acme/other?e=pv&p=web&tv=1", timeout=10)
        assert pixel.content.startswith(b"GIF89a")
        assert collector.all() == {"total": 2, "good": 2, "bad": 0}
        for item in collector.good():
            assert item["rawEvent"]["api"] == {
                "vendor": "com.snowplowanalytics.snowplow",
                "version": "tp2",
            }


@pytest.mark.parametrize(
    "path", ["track", "a/b/c", "", "com.acme/", "a b/c", "micro/good", "a/b?c"]
)
def test_a_further_path_has_two_segments(path: str) -> None:
    """The message says what it takes."""
    with pytest.raises(ValueError, match=r"paths: expected two segments such as com.acme/track"):
        LocalCollector(paths=[path])


def test_an_anonymous_request_leaves_no_address(collector: LocalCollector) -> None:
    """Nor do the headers that would show it."""
    headers = {
        "SP-Anonymous": "*",
        "X-Forwarded-For": "203.0.113.9",
        "Content-Type": "application/json",
    }
    url = f"{collector.url}/{TP2}"
    answer = requests.post(url, data=body(event()), headers=headers, timeout=10)
    (good,) = collector.good()
    assert good["rawEvent"]["context"]["ipAddress"] is None
    assert good["event"]["network_userid"] == "00000000-0000-0000-0000-000000000000"
    assert "203.0.113.9" not in str(good)
    assert "Set-Cookie" not in answer.headers
