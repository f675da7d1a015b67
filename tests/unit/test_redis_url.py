"""Tests of the address of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging._redis_url import (
    KINDS,
    MAXLEN,
    STREAM,
    RedisAddress,
    completed,
    is_redis,
    parse,
)

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret"  # noqa: S105 - of nothing


@pytest.mark.parametrize(
    ("url", "base", "options"),
    [
        ("redis://h", "redis://h:6379/0?stream=snowplow", {"host": "h", "port": 6379}),
        ("REDIS://H/2", "redis://h:6379/2?stream=snowplow", {"host": "h", "port": 6379, "db": 2}),
        ("redis://[::1]:7/", "redis://[::1]:7/0?stream=snowplow", {"host": "::1", "port": 7}),
        (
            "redis://u:p%40%2F%20@h:7?db=3&stream=a:{b}.c-1",
            "redis://h:7/3?stream=a:{b}.c-1",
            {"username": "u", "password": "p@/ ", "host": "h", "port": 7, "db": 3},
        ),
        (
            "redis://:p@h?client_name=shop&health_check_interval=30&socket_keepalive=yes",
            "redis://h:6379/0?stream=snowplow",
            {
                "password": "p", "host": "h", "port": 6379, "client_name": "shop",
                "health_check_interval": 30, "socket_keepalive": True,
            },
        ),
        (
            "redis://h?username=u&password=p",
            "redis://h:6379/0?stream=snowplow",
            {"username": "u", "password": "p", "host": "h", "port": 6379},
        ),
        (
            "rediss://h",
            "rediss://h:6379/0?stream=snowplow",
            {"host": "h", "port": 6379, "ssl": True, "ssl_check_hostname": True},
        ),
        (
            "rediss://h?ssl_cert_reqs=none",
            "rediss://h:6379/0?stream=snowplow",
            {
                "host": "h", "port": 6379, "ssl": True, "ssl_check_hostname": False,
                "ssl_cert_reqs": "none",
            },
        ),
        (
            "unix://u:p@/run/redis.sock?db=1&stream=é",
            "unix:///run/redis.sock?db=1&stream=é",
            {"username": "u", "password": "p", "db": 1, "unix_socket_path": "/run/redis.sock"},
        ),
        ("unix:///a%20b", "unix:///a%20b?stream=snowplow", {"unix_socket_path": "/a b"}),
    ],
)  # fmt: skip
def test_servers(url: str, base: str, options: dict[str, Any]) -> None:
    """An address is read as redis-py's users write it, and shown without user and password."""
    address = parse(url)

    assert (address.base, address.kind, address.options) == (base, "server", options)


def test_sentinels() -> None:
    """Sentinels are a list of hosts, after which the service and the database come."""
    address = parse("redis+sentinel://u:p@a,b:7/mymaster/2?sentinel_password=q&stream=s")

    assert address == RedisAddress(
        base="redis+sentinel://a:26379,b:7/mymaster/2?stream=s",
        kind="sentinel",
        nodes=(("a", 26379), ("b", 7)),
        stream="s",
        maxlen=MAXLEN,
        service="mymaster",
        options={"username": "u", "password": "p", "db": 2},
        sentinel_options={"password": "q"},
    )


def test_clusters() -> None:
    """The nodes of a cluster are a list of hosts; there is no database but 0."""
    address = parse("rediss+cluster://:p@a,[::1]:7/0?maxlen=0")

    assert (address.kind, address.nodes) == ("cluster", (("a", 6379), ("::1", 7)))
    assert address.base == "rediss+cluster://a:6379,[::1]:7?stream=snowplow"
    assert (address.stream, address.maxlen) == (STREAM, 0)
    assert address.options == {"password": "p", "ssl": True, "ssl_check_hostname": True}


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("redis://", "hosts with ports"),
        ("redis://h:0", "hosts with ports"),
        ("redis://h:99999", "hosts with ports"),
        ("redis://h:x", "hosts with ports"),
        ("redis://[::1", "an address"),
        ("redis://a,b", r"several after redis\+sentinel:// or redis\+cluster://"),
        ("redis://h h", "without spaces"),
        ("redis://h#f", "as %2F, %3F, %23 and %40"),
        ("redis://h/x", "the database's number"),
        ("redis://h/1/2", "the database's number"),
        ("redis://h/1?db=2", "one database"),
        ("redis://h?db=1&db=1", "each query parameter once"),
        ("redis://h?stream=", "a name for stream"),
        ("redis://h?maxlen=-1", "query parameter 'maxlen'"),
        ("redis://h?maxlen=many", "query parameter 'maxlen'"),
        ("redis://h?socket_keepalive=perhaps", "query parameter 'socket_keepalive'"),
        ("redis://h?max_len=1", r"query parameter 'max_len' \(there are stream, maxlen, "),
        ("redis://h?sentinel_password=p", "query parameter 'sentinel_password'"),
        ("redis://h?ssl_ca_certs=/ca.pem", r"'ssl_ca_certs' \(needs rediss://\)"),
        ("rediss://h?ssl_ca_certs=/no/ca.pem", "names '/no/ca.pem', which there is not"),
        ("rediss://h?ssl_cert_reqs=no", "query parameter 'ssl_cert_reqs'"),
        ("redis+cluster://h/1", "of a cluster none"),
        ("redis+cluster://h?db=1", "query parameter 'db'"),
        ("redis+sentinel://h", "the service's name"),
        ("unix://", "a path after unix://"),
    ],
)
def test_wrong_addresses(url: str, what: str) -> None:
    """What is no address is a ValueError that says what is wrong, and shows a right one."""
    with pytest.raises(ValueError, match=f"^endpoint takes .*{what}.*like redis://host:6379/0"):
        _ = parse(url)


def test_files_of_tls(tmp_path: Path) -> None:
    """Files that there are, are taken."""
    file = tmp_path / "ca.pem"
    _ = file.write_text("")
    assert parse(f"rediss://h?ssl_ca_certs={file}").options["ssl_ca_certs"] == str(file)


@pytest.mark.parametrize(
    "url",
    [
        f"redis://user:{SECRET}@",
        f"redis://user:{SECRET}@h:99999",
        f"redis://user:{SECRET}@h:{SECRET}",
        f"redis://user:{SECRET}/1@h",
        f"redis://user:x?{SECRET}@h",
        f"redis://user:x?{SECRET}=1@h",
        f"redis://user:x#{SECRET}@h",
        f"redis://user:{SECRET} @h",
        f"redis://user:{SECRET}@[::1",
        f"redis://user:{SECRET}@h?unheard=1",
        f"redis://h?password={SECRET}&db=x",
        f"redis://h/{SECRET}",
        f"redis+sentinel://:{SECRET}@h?sentinel_password={SECRET}",
    ],
)
def test_errors_keep_passwords(url: str) -> None:
    """No error shows what may be a part of a password."""
    with pytest.raises(ValueError, match="endpoint takes") as raised:
        _ = parse(url)

    error: BaseException | None = raised.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_addresses_show_no_passwords() -> None:
    """Nor does an address show any."""
    address = parse(f"redis+sentinel://u:{SECRET}@h/m?sentinel_password={SECRET}")
    assert address.options["password"] == address.sentinel_options["password"] == SECRET
    assert SECRET not in repr(address) + str(address)


@pytest.mark.parametrize(
    ("url", "stream", "maxlen", "made"),
    [
        ("redis://h", None, None, "redis://h"),
        ("redis://h?db=1", None, None, "redis://h?db=1"),
        ("redis://h", "a b", 5, "redis://h?stream=a+b&maxlen=5"),
        ("redis://h?db=1", None, 0, "redis://h?db=1&maxlen=0"),
    ],
)
def test_completed(url: str, stream: str | None, maxlen: int | None, made: str) -> None:
    """Stream and bound can be given beside the address."""
    assert completed(url, stream, maxlen) == made
    assert parse(made).stream == (stream or STREAM)


def test_completed_twice() -> None:
    """Not in both places, and not with an address of something else."""
    with pytest.raises(ValueError, match="no stream, which is given beside it"):
        _ = completed("redis://h?stream=a", "b", None)
    with pytest.raises(ValueError, match="begins with redis://, rediss://"):
        _ = completed("https://collector.acme.com", None, None)


@given(st.sampled_from(sorted(KINDS)), st.text())
def test_texts_are_addresses_or_errors(scheme: str, text: str) -> None:
    """Any text is an address, or a ValueError that says what an endpoint is."""
    url = f"{scheme}://{text}"
    assert is_redis(url)
    try:
        address = parse(url)
    except ValueError as error:
        assert "endpoint takes" in str(error)  # noqa: PT017 - either is right
    else:
        assert address.base.startswith(f"{scheme}://")
        assert address.base.isprintable()
