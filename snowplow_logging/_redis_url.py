"""The address of a Redis Stream, from what users write. Pure: redis-py is not imported.

The law: no error quotes the address, which may hold a password; what is shown of it is ``base``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from snowplow_logging._parsers import one_of, text_up_to, truth, whole

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["server", "sentinel", "cluster"]
KINDS: dict[str, Kind] = {
    "redis": "server", "rediss": "server", "unix": "server",
    "redis+sentinel": "sentinel", "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster", "rediss+cluster": "cluster",
}  # fmt: skip
"""What each scheme leads to; with ``rediss`` it is by TLS."""

STREAM, MAXLEN = "snowplow", 1_000_000
PORTS: dict[Kind, int] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
EXAMPLE = "redis://host:6379/0?stream=snowplow"

_text = text_up_to(4096)
_OURS: dict[str, Callable[[Any], Any]] = {"stream": _text, "maxlen": whole(0)}
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "username": _text,
    "password": _text,
    "client_name": _text,
    "health_check_interval": whole(0),
    "socket_keepalive": truth,
}
_DATABASE: dict[str, Callable[[Any], Any]] = {"db": whole(0)}
_SENTINEL: dict[str, Callable[[Any], Any]] = {
    "sentinel_username": _text,
    "sentinel_password": _text,
}
_TLS: dict[str, Callable[[Any], Any]] = {
    "ssl_ca_certs": _text,
    "ssl_ca_path": _text,
    "ssl_certfile": _text,
    "ssl_keyfile": _text,
    "ssl_password": _text,
    "ssl_cert_reqs": one_of("required", "optional", "none"),
    "ssl_check_hostname": truth,
}
_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class RedisAddress:
    """Where a stream is.

    Args:
        base: Scheme, hosts, database and stream, fit to be shown.
        kind: What answers at the hosts: Redis itself, its sentinels, or nodes of a cluster.
        nodes: Hosts with their ports; none with a socket of this machine.
        stream: Key of the stream.
        maxlen: Entries that the stream keeps, more or less; 0: all.
        service: What the sentinels call the server.
        options: Keyword arguments for redis-py's client.
        sentinel_options: Keyword arguments for redis-py's clients of sentinels.
    """

    base: str
    kind: Kind
    nodes: tuple[tuple[str, int], ...]
    stream: str
    maxlen: int
    service: str
    options: dict[str, Any] = field(repr=False)
    sentinel_options: dict[str, Any] = field(repr=False)


def is_redis(endpoint: object) -> bool:
    """Says whether an endpoint is, by its scheme, of Redis."""
    return isinstance(endpoint, str) and endpoint.partition("://")[0].lower() in KINDS


def completed(url: str, stream: str | None, maxlen: int | None) -> str:
    """Returns ``url`` with what is given beside it.

    Raises:
        ValueError: It is no address of Redis, or says something of its own on what is given.
    """
    if not is_redis(url):
        raise _wrong(f"an address that begins with {', '.join(f'{each}://' for each in KINDS)}")
    given = {"stream": stream, "maxlen": maxlen}
    more = {name: value for name, value in given.items() if value is not None}
    query = url.partition("?")[2]
    for name in more:
        if name in dict(parse_qsl(query, keep_blank_values=True)):
            raise _wrong(f"no {name}, which is given beside it,")
    return f"{url}{'&' if query else '?'}{urlencode(more)}" if more else url


def parse(url: str) -> RedisAddress:
    """Returns the address that ``url`` says.

    Raises:
        ValueError: It is none, or has a query parameter that there is not.
    """
    written = _split(url)
    kind = KINDS[written.scheme]
    credentials, _, hosts = written.netloc.rpartition("@")
    nodes = [] if written.scheme == "unix" else [_node(host, kind) for host in hosts.split(",")]
    if kind == "server" and len(nodes) > 1:
        raise _wrong("one host; several after redis+sentinel:// or redis+cluster://")
    service, database = _path(written, kind)
    options: dict[str, Any] = {**_credentials(credentials), **_query(written)}
    if database is not None and options.setdefault("db", database) != database:
        raise _wrong("one database, in the path or as db")
    stream, maxlen = options.pop("stream", STREAM), options.pop("maxlen", MAXLEN)
    base = _shown(written, nodes, service, options.get("db", 0), stream)
    theirs = {name: options.pop(name) for name in _SENTINEL if name in options}
    if written.scheme == "unix":
        options["unix_socket_path"] = unquote(written.path)
    elif kind == "server":
        ((options["host"], options["port"]),) = nodes
    if written.scheme.startswith("rediss"):
        options["ssl"] = True
    for_sentinels = {name.removeprefix("sentinel_"): value for name, value in theirs.items()}
    return RedisAddress(base, kind, tuple(nodes), stream, maxlen, service, options, for_sentinels)


def _credentials(written: str) -> dict[str, str]:
    user, _, password = written.partition(":")
    said = {"username": unquote(user), "password": unquote(password)}
    return {name: value for name, value in said.items() if value}


def _split(url: str) -> SplitResult:
    if not url.isprintable() or " " in url:
        raise _wrong("an address without spaces")
    try:
        written = urlsplit(url)
    except ValueError:
        raise _wrong("an address") from None
    # Else part of a password with such a sign in it would be taken for something else, and shown.
    if written.fragment or "@" in written.path + written.query:
        raise _wrong("/, ?, # and @ in a user, a password or a parameter as %2F, %3F, %23 and %40")
    return written


def _query(written: SplitResult) -> dict[str, Any]:
    kind = KINDS[written.scheme]
    tls = written.scheme.startswith("rediss")
    known = _OURS | _PLAIN
    known |= {"server": _DATABASE, "sentinel": _DATABASE | _SENTINEL, "cluster": {}}[kind]
    known |= _TLS if tls else {}
    pairs = parse_qsl(written.query, keep_blank_values=True)
    values: dict[str, Any] = {"ssl_check_hostname": True} if tls else {}
    for name, value in pairs:
        if name not in known:
            hint = "needs rediss://" if name in _TLS else f"there are {', '.join(known)}"
            raise _wrong(f"no query parameter {name!r} ({hint})")
        try:
            values[name] = known[name](value)
        except (TypeError, ValueError):
            raise _wrong(f"no such value of the query parameter {name!r}") from None
        if name in _FILES and not Path(value).exists():
            raise _wrong(f"files that there are: {name} names {value!r}, which there is not")
    if len(dict(pairs)) < len(pairs):
        raise _wrong("each query parameter once")
    if values.get("stream") == "":
        raise _wrong("a name for stream")
    if values.get("ssl_cert_reqs") == "none":
        values["ssl_check_hostname"] = False
    return values


def _path(written: SplitResult, kind: Kind) -> tuple[str, int | None]:
    """Returns the service's name, which only sentinels have, and the database, if one is said."""
    if written.scheme == "unix":
        if not written.path:
            raise _wrong("a path after unix://, like unix:///run/redis.sock")
        return "", None
    segments = unquote(written.path).strip("/").split("/") if written.path.strip("/") else []
    service = segments.pop(0) if kind == "sentinel" and segments else ""
    if kind == "sentinel" and not service:
        raise _wrong(
            "the service's name after sentinels, like redis+sentinel://host:26379/mymaster"
        )
    if kind == "cluster" and segments == ["0"]:
        segments = []
    if len(segments) > (0 if kind == "cluster" else 1) or not all(map(str.isdecimal, segments)):
        raise _wrong("no path but the database's number, and of a cluster none")
    return service, int(segments[0]) if segments else None


def _node(host: str, kind: Kind) -> tuple[str, int]:
    try:
        written = urlsplit(f"//{host}")
        port = written.port
    except ValueError:
        port = 0
        written = SplitResult("", "", "", "", "")
    if port == 0 or not written.hostname:
        raise _wrong("hosts with ports from 1 to 65535")
    return written.hostname, port or PORTS[kind]


def _shown(
    written: SplitResult, nodes: list[tuple[str, int]], service: str, db: int, stream: str
) -> str:
    hosts = ",".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in nodes
    )
    place = f"/{_plain(service)}" if service else ""
    if written.scheme == "unix":
        place = written.path + (f"?db={db}" if db else "")
    elif KINDS[written.scheme] != "cluster":
        place += f"/{db}"
    joint = "&" if "?" in place else "?"
    return f"{written.scheme}://{hosts}{place}{joint}stream={_plain(stream)}"


def _plain(name: str) -> str:
    return re.sub(r"[^\w:{}.-]", "…", name)


def _wrong(takes: str) -> ValueError:
    return ValueError(f"endpoint takes {takes}, like {EXAMPLE}")
