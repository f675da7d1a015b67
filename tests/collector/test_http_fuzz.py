"""Whatever comes by HTTP, right or not, is answered, and with no error of the collector's own.

Requests are drawn from the API: its paths, methods, parameters, headers and bodies, each right or
wrong; some are not even HTTP. They go over sockets as they are.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .support import TP2, body, event, to_base64

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector

SECONDS = 60

PATHS = (
    f"/{TP2}",
    "/i",
    "/health",
    "/micro/all",
    "/micro/good",
    "/micro/bad",
    "/micro/events",
    "/micro/reset",
    "/micro/rows",
    "/micro/live",
    "/micro/wait",
    "/micro/event/1",
    "/micro/iglu/com.snowplowanalytics.snowplow/application/jsonschema/1-0-0",
    "/micro/ui",
)
METHODS = ("GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE")
# What to wait for is not drawn: it would be waited for.
PARAMETERS = ("after", "before", "limit", "timeout", "e", "p", "tv", "eid", "ue_px", "nuid")
HEADERS = (
    "Content-Type",
    "Cookie",
    "Origin",
    "SP-Anonymous",
    "Last-Event-ID",
    "X-Forwarded-For",
    "User-Agent",
    "Referer",
    "Sec-Fetch-Site",
    "Expect",
    "Connection",
)
HEADER_VALUES = (b"application/json", b"http://localhost", b"sp=1; sp=2", b"*", b"cross-site")
FIELDS = ("e", "p", "tv", "eid", "dtm", "stm", "ue_pr", "ue_px", "co", "cx", "aid", "url")
FILTERS = (
    "limit",
    "schema",
    "contexts",
    "event_type",
    "vendor",
    "version",
    "page",
    "pageSize",
    "filters",
    "validEvents",
    "timeRange",
    "sorting",
)


class Drawn(NamedTuple):
    """A request.

    Args:
        method: Of HTTP, or not.
        target: Path and query string.
        headers: Names and values.
        content: The body.
        length: What ``Content-Length`` says beside the truth.
    """

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    content: bytes
    length: int


def _target(path: str, more: str, parameters: list[tuple[str, str]]) -> bytes:
    query = "&".join(f"{name}={value}" for name, value in parameters)
    return f"{path}{more}{'?' if query else ''}{query}".encode()


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["\ud800", 10**40, "2026-01-31T12:00:00Z", "app_id"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
line = st.binary(max_size=12).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))
texts = st.text(max_size=10).map(quote) | st.sampled_from(
    ["0", "1", "-1", "99999999999999999", "9" * 30, "null", "pv", "ue", "web", "%ff", "%00", "1.5"]
)

paths = st.text(max_size=20).map(lambda path: f"/{quote(path)}")
targets = st.builds(
    _target,
    st.one_of(*[st.sampled_from(PATHS)] * 5, paths),
    st.sampled_from([""] * 9 + ["/", "/%2e%2e", "/x"]),
    st.lists(st.tuples(st.sampled_from(PARAMETERS), texts), max_size=4),
)
headers = st.lists(
    st.tuples(
        st.sampled_from(HEADERS).map(str.encode),
        st.one_of(*[st.sampled_from(HEADER_VALUES)] * 5, line),
    ),
    max_size=4,
)
parts = st.dictionaries(st.sampled_from(["column", "value", "desc", "start", "end"]), scalars)
filters = st.dictionaries(
    st.sampled_from(FILTERS), values | st.integers(1, 9) | parts | st.lists(parts), max_size=6
)
fields = st.dictionaries(
    st.sampled_from(FIELDS),
    st.text(max_size=20) | values.map(json.dumps) | values.map(to_base64),
    max_size=4,
)
batches = st.lists(fields.map(lambda some: event(**some)), min_size=1, max_size=3)
contents = (
    batches.map(lambda batch: body(*batch))
    | filters.map(lambda some: json.dumps(some).encode())
    | values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
    | st.just(b"")
)

events = st.builds(  # what trackers send, or nearly
    Drawn,
    method=st.just(b"POST"),
    target=st.just(f"/{TP2}".encode()),
    headers=st.just([(b"Content-Type", b"application/json")]),
    content=batches.map(lambda batch: body(*batch)),
    length=st.just(0),
)
usual = st.builds(  # HTTP, whatever it asks for
    Drawn,
    method=st.sampled_from(METHODS).map(str.encode),
    target=targets,
    headers=headers,
    content=contents,
    length=st.just(0),
)
odd = st.builds(  # hardly HTTP
    Drawn,
    method=st.sampled_from(METHODS).map(str.encode) | st.binary(min_size=1, max_size=8),
    target=targets | st.binary(min_size=1, max_size=20),
    headers=headers,
    content=contents,
    length=st.sampled_from([0, -1, 1, 10**9]),
)
drawn = st.one_of(events, usual, usual, usual, odd)


def _is_http(request: Drawn) -> bool:
    """Whether an answer is owed: what a server may refuse to read is left aside."""
    return (
        request.length == 0
        and request.method.isalpha()
        and all(33 <= byte < 127 for byte in request.target)
        and request.target.startswith(b"/")
        and all(value.isascii() and value.decode().isprintable() for _, value in request.headers)
        and not any(name in {b"Expect", b"Connection"} for name, _ in request.headers)
    )


def _exchange(port: int, request: Drawn) -> bytes:
    """Sends the request; returns the beginning of what came back."""
    head = b"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % (
        request.method,
        request.target,
        max(0, len(request.content) + request.length),
    )
    lines = b"".join(b"%s: %s\r\n" % header for header in request.headers)
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client:
        try:
            client.sendall(head + lines + b"\r\n" + request.content)
            if not _is_http(request):
                client.shutdown(socket.SHUT_WR)  # or it would wait for more
            return client.recv(65_536)
        except ConnectionError:
            return b""


@pytest.fixture
def examples(long: bool) -> int:  # noqa: FBT001 - a fixture
    """How many requests are drawn."""
    return 10_000 if long else 400


@pytest.mark.timeout(1200)
def test_every_request_is_answered(collector: LocalCollector, examples: int) -> None:
    """What is HTTP with a status below 500, what is not with 400 or an end; and then it goes on."""

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(request=drawn)
    def check(request: Drawn) -> None:
        answer = _exchange(collector.port, request)
        if answer or _is_http(request):
            version, _, rest = answer.partition(b" ")
            assert version == b"HTTP/1.1"
            assert 200 <= int(rest[:3]) < 500

    check()
    assert requests.get(f"{collector.url}/health", timeout=SECONDS).text == "ok"
    _check_all_can_be_read(collector)


def _check_all_can_be_read(collector: LocalCollector) -> None:
    """Whatever was kept, in every form."""

    def get(path: str) -> Any:
        return requests.get(f"{collector.url}/micro/{path}", timeout=SECONDS).json()

    page = get("rows?limit=1000")
    kept = 0 if page["first"] is None else page["last"] - page["first"] + 1
    assert len(get("good")) + len(get("bad")) == kept <= page["total"]
    assert len(get("events")) <= kept
    for row in page["rows"]:
        assert get(f"event/{row['seq']}")["row"] == row
