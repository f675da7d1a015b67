"""Tests of the collector's address."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging._endpoint import HOW_TO_GIVE_ONE, Endpoint, parse

TP2 = "com.snowplowanalytics.snowplow/tp2"


def address(endpoint: Any, **options: Any) -> Endpoint:
    """Returns the address for an endpoint and options."""
    usual: dict[str, Any] = {"protocol": None, "port": None, "method": "post", "path": None}
    return parse(endpoint, **(usual | options))


@pytest.mark.parametrize(
    ("endpoint", "options", "base"),
    [
        ("https://c.acme.com", {}, "https://c.acme.com"),
        ("http://c.acme.com/", {}, "http://c.acme.com"),
        ("c.acme.com", {}, "https://c.acme.com"),
        ("localhost:9090", {}, "https://localhost:9090"),
        ("c.acme.com", {"protocol": "http"}, "http://c.acme.com"),
        ("c.acme.com", {"port": 9090}, "https://c.acme.com:9090"),
        ("c.acme.com:9090", {"port": 9090}, "https://c.acme.com:9090"),
        ("HTTPS://C.ACME.COM", {}, "https://c.acme.com"),
        ("[::1]:9090", {}, "https://[::1]:9090"),
        ("http://[::1]", {"port": 80}, "http://[::1]:80"),
        ("https://acme.com/collector/", {}, "https://acme.com/collector"),
        ("https://user:pass@c.acme.com", {}, "https://c.acme.com"),
        ("user@c.acme.com", {}, "https://c.acme.com"),
    ],
)
def test_endpoints(endpoint: str, options: dict[str, Any], base: str) -> None:
    """An endpoint is a URL or a host; without a scheme it is https."""
    assert address(endpoint, **options).base == base
    assert address(endpoint, **options).url == f"{base}/{TP2}"


@pytest.mark.parametrize(
    ("endpoint", "auth"),
    [
        ("https://c.acme.com", None),
        ("https://user:pa%20ss%2F@c.acme.com", ("user", "pa ss/")),
        ("https://user@c.acme.com", ("user", "")),
        ("https://:pass@c.acme.com", ("", "pass")),
    ],
)
def test_credentials(endpoint: str, auth: tuple[str, str] | None) -> None:
    """User and password are taken out of the address, decoded."""
    made = address(endpoint)

    assert made.auth == auth
    assert "@" not in made.base + made.url


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("post", None, TP2),
        ("get", None, "i"),
        ("post", "/com.acme/track", "com.acme/track"),
        ("post", "com.acme/track", "com.acme/track"),
        ("get", "/pixel", "pixel"),
        ("get", "com.acme/pixel", "com.acme/pixel"),
    ],
)
def test_paths(method: str, path: str | None, expected: str) -> None:
    """The path is the collector's standard one, or the one given."""
    assert address("c.acme.com", method=method, path=path).url == f"https://c.acme.com/{expected}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", ""),
        ("post", "/"),
        ("post", "one"),
        ("post", "a/b/c"),
        ("post", "a/b/"),
        ("post", "//b"),
        ("post", "a/b?c=d"),
        ("post", "a/b#c"),
        ("get", "a/b/c"),
        ("get", "i?a=b"),
        ("get", ""),
        ("post", "a b/c"),
        ("post", "a/b\n"),
    ],
)
def test_wrong_paths(method: str, path: str) -> None:
    """A path that no collector takes is a ValueError that says what one looks like."""
    with pytest.raises(ValueError, match=f"^path takes .*like /{TP2}") as raised:
        _ = address("c.acme.com", method=method, path=path)

    assert repr(path) in str(raised.value)


@pytest.mark.parametrize("endpoint", [None, ""])
def test_no_endpoint(endpoint: str | None) -> None:
    """Without an endpoint the error says the two ways to give one."""
    with pytest.raises(ValueError, match="SNOWPLOW_LOGGING_ENDPOINT") as raised:
        _ = address(endpoint)

    assert str(raised.value) == HOW_TO_GIVE_ONE


@pytest.mark.parametrize(
    "endpoint",
    [
        "ftp://c.acme.com",
        "file:///etc",
        "https://",
        "https://:443",
        "https:///path",
        "https://c.acme.com?app=1",
        "https://c.acme.com/#top",
        "https://c.acme.com:99999",
        "https://c.acme.com:http",
        "https://c.acme.com:0",
        "https://c.acme.com:-1",
        "https://c acme.com",
        " https://c.acme.com",
        "https://c.acme.com\n",
        "https://c.\tacme.com",
        "https://[::1",
        "https://c.acme.com℀",
        b"https://c.acme.com",
        5,
        ["https://c.acme.com"],
    ],
    ids=repr,
)
def test_wrong_endpoints(endpoint: Any) -> None:
    """What is no address is a ValueError that names the option and shows a right one."""
    with pytest.raises(ValueError, match=r"^endpoint takes .*like https://collector\.acme\.com$"):
        _ = address(endpoint)


@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        ("https://c.acme.com", {"protocol": "http"}),
        ("http://c.acme.com", {"protocol": "https"}),
        ("c.acme.com:9090", {"port": 8080}),
    ],
)
def test_contradictions(endpoint: str, options: dict[str, Any]) -> None:
    """An endpoint that contradicts another option is a ValueError that names it."""
    (name,) = options

    with pytest.raises(ValueError, match=f"^endpoint takes no other .*{name}="):
        _ = address(endpoint, **options)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://user:s3cret@",
        "ftp://user:s3cret@c.acme.com",
        "https://user:s3cret@c.acme.com:99999",
        "https://user:s3cret@c.acme.com:s3cret",
        "https://user:s3cret@c.acme.com?x",
        "https://user:s3cret/1@c.acme.com",
        "user:s3cret",
        "https://user:s3cret@[::1",
        "https://user:s3cret@c.acme.com℀",
        "https://user:s3cret @c.acme.com",
    ],
)
def test_errors_keep_passwords(endpoint: str) -> None:
    """No error shows any part of the endpoint, which may hold a password."""
    with pytest.raises(ValueError, match="endpoint takes") as raised:
        _ = address(endpoint)

    error: BaseException | None = raised.value
    while error is not None:
        assert "s3cret" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@given(st.text(), st.sampled_from([None, "http", "https"]), st.none() | st.integers(1, 65_535))
def test_texts_are_addresses_or_errors(text: str, protocol: str | None, port: int | None) -> None:
    """Any text is an address, or a ValueError that says what an endpoint is."""
    try:
        made = address(text, protocol=protocol, port=port)
    except ValueError as error:
        assert "endpoint" in str(error)  # noqa: PT017 - either is right
    else:
        assert made.base.startswith(("http://", "https://"))
        assert made.url == f"{made.base}/{TP2}"
