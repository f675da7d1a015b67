"""Whether a collector can be reached: address, name, connection, TLS.

The law: each step is told before the next begins, and no step waits longer than its time-out.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import math
import socket
import ssl
import threading
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError

from snowplow_logging.doctor.findings import Findings, note, ok, one_line, plain, problem
from snowplow_logging.payload import POST_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from snowplow_logging._endpoint import Endpoint

T = TypeVar("T")

EXPIRES_SOON = 14 * 86_400  # seconds
READ_AT_ONCE, LARGEST_REPLY = 65_536, 10_000_000  # bytes, decompressed

_TRUST = "set REQUESTS_CA_BUNDLE=/path/to/ca.pem in the application's environment"
_TLS_PROBLEMS = {
    9: ("it is not valid yet", "set this machine's clock, or wait until the certificate is valid"),
    10: ("it has expired", "have the collector's operators renew it; check this machine's clock"),
    18: (
        "it is self-signed",
        "give the collector one of a public authority; to trust it, " + _TRUST,
    ),
    62: (
        "it is not for this name",
        "name in endpoint a host that the certificate is for, or have this one added to it",
    ),
    64: ("it is not for this address", "name the collector's host in endpoint, not its address"),
}
"""OpenSSL's verification errors: in words, and what to do."""

_UNKNOWN_ISSUER = (
    "nobody who is trusted has signed it",
    "have the collector send its intermediate certificates, too; for your own authority, " + _TRUST,
)


class Address(NamedTuple):
    """Where to connect to."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Address:
        """Returns the address in ``url``."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def examine(endpoint: Endpoint, method: str, timeout: float) -> Findings[bool]:
    """Goes the way to the collector, up to where HTTP begins; returns whether it got there."""
    yield from _url(endpoint, method)
    proxy = select_proxy(endpoint.url, get_environ_proxies(endpoint.url))
    address = Address.of(endpoint.url)
    if proxy:
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        text = f"{plain(proxy)}, from the environment"
        yield ok("proxy", text + "; the steps up to the connection are about it")
        address = Address.of(proxy)
    else:
        yield ok("proxy", "none")
    where = "the proxy's address (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)" if proxy else "endpoint"
    addresses = yield from _names(address, where, timeout)
    if not addresses or not (yield from _connects(address, addresses, where, timeout)):
        return False
    if proxy or urlsplit(endpoint.url).scheme == "http":
        return True
    return (yield from _tls(address, timeout))


def _url(endpoint: Endpoint, method: str) -> Findings[None]:
    path = urlsplit(endpoint.url).path
    segments = path.strip("/").split("/")
    login = " with user and password" if endpoint.auth else ""
    if method == "post" and POST_PATH in urlsplit(endpoint.base).path:
        host = endpoint.url.partition(path)[0]
        text = f"{endpoint.base} has the collector's path in it already; events would go to {path}"
        advice = f"set endpoint to {host}: the handler adds /{POST_PATH}"
        yield problem("url", text, advice)
    elif method == "post" and len(segments) > 2:  # noqa: PLR2004 - a collector's paths have two
        text = f"{path} has {len(segments)} segments, where a collector takes two"
        advice = "this works only if a gateway takes away what comes first; --send shows it"
        yield note("url", text, advice)
    elif endpoint.url.startswith("http:") and not _is_local(endpoint.url):
        yield note("url", f"{endpoint.url} is not encrypted", "use https:// across networks")
    else:
        yield ok("url", f"{method.upper()} {endpoint.url}{login}")


def _is_local(url: str) -> bool:
    host = Address.of(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names(address: Address, where: str, timeout: float) -> Findings[list[str]]:
    """Looks the host up; returns its addresses."""
    host = address.host
    try:
        infos = within(timeout, lambda: socket.getaddrinfo(*address, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        advice = (
            f"check the spelling of {where}; if the name is a private one, check VPN and DNS:\n"
            f"getent hosts {host}"
        )
        yield problem("dns", f"there is no address for {host} ({reason})", advice)
        return []
    found = list(dict.fromkeys(str(info[4][0]) for info in infos))
    yield ok("dns", host if found == [host] else f"{host} is {', '.join(found)}")
    return found


def _connects(address: Address, addresses: list[str], where: str, timeout: float) -> Findings[bool]:
    began = time.monotonic()
    try:
        socket.create_connection(address, timeout).close()
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            text = f"nobody listens on {address} (connection refused)"
            advice = f"start the collector, or mend the port in {where}"
        elif isinstance(error, TimeoutError):
            text = f"no answer from {address} within {timeout:g} s"
            advice = (
                "a firewall or a security group may drop what this machine sends: have it open "
            )
            advice += f"TCP port {address.port} to {', '.join(addresses)}"
        else:
            text = f"cannot connect to {address} ({error.strerror or one_line(error)})"
            advice = f"check {where}, and the route from this machine"
        yield problem("connect", text, advice)
        return False
    yield ok("connect", f"{address} in {_ms(began)}")
    return True


def _tls(address: Address, timeout: float) -> Findings[bool]:
    """Checks the certificate as requests does, with the same authorities."""
    try:
        context = _context(f"https://{address}")
        with (
            socket.create_connection(address, timeout) as raw,
            context.wrap_socket(raw, server_hostname=address.host) as connection,
        ):
            certificate: dict[str, Any] = connection.getpeercert() or {}
            version = connection.version()
    except ssl.SSLCertVerificationError as error:
        known = _TLS_PROBLEMS.get(error.verify_code, _UNKNOWN_ISSUER)
        text = f"certificate of {address.host}: {known[0]} ({error.verify_message})"
        yield problem("tls", text, known[1])
        return False
    except ssl.SSLError as error:
        text = f"{address} does not speak TLS ({error.reason or one_line(error)})"
        advice = "mend the port in endpoint, or use http:// if this is your own machine"
        yield problem("tls", text, advice)
        return False
    except OSError as error:
        advice = "check REQUESTS_CA_BUNDLE, and what lies between this machine and the collector"
        yield problem("tls", f"no TLS with {address} ({one_line(error)})", advice)
        return False
    yield _expiry(version, certificate)
    return True


def _context(url: str) -> ssl.SSLContext:
    session = requests.Session()
    trusted: Any = session.merge_environment_settings(url, {}, None, None, None)["verify"]
    session.close()
    bundle = str(DEFAULT_CA_BUNDLE_PATH if trusted is True else trusted)
    is_folder = Path(bundle).is_dir()
    context = ssl.create_default_context()
    context.load_verify_locations(None if is_folder else bundle, bundle if is_folder else None)
    return context


def _expiry(version: str | None, certificate: dict[str, Any]) -> Any:
    issuer = dict(pair for group in certificate.get("issuer", ()) for pair in group)
    by = issuer.get("organizationName") or issuer.get("commonName") or "nobody named"
    end = ssl.cert_time_to_seconds(certificate["notAfter"])
    day = time.strftime("%Y-%m-%d", time.gmtime(end))
    rest = end - time.time()
    text = f"{version}, certificate by {by} until {day} ({math.floor(rest / 86_400)} days)"
    if rest < EXPIRES_SOON:
        return note("tls", text, "have the collector's operators renew it in time")
    return ok("tls", text)


class Reply(NamedTuple):
    """An answer that was read to its end."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns what the body says.

        Raises:
            ValueError: It is no JSON, or nests too deep.
        """
        try:
            return json.loads(self.body)
        except RecursionError:
            msg = "nests too deep"
            raise ValueError(msg) from None


def ask(session: requests.Session, method: str, url: str, **options: Any) -> Reply:
    """Makes a request.

    Raises:
        requests.RequestException: There is no answer, or too large a one; also where requests or
            urllib3 stumble over an address, as over one that is redirected to.
    """
    try:
        with session.request(method, url, stream=True, **options) as response:
            body = b"".join(_within_size(response.iter_content(READ_AT_ONCE)))
            return Reply(response.status_code, response.reason or "", response.headers, body)
    except requests.RequestException:
        raise
    except (LocationParseError, ValueError) as error:
        raise requests.exceptions.InvalidURL(one_line(error)) from None


def _within_size(chunks: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_REPLY:
            msg = f"over {LARGEST_REPLY // 1_000_000} MB"
            raise requests.exceptions.ContentDecodingError(msg)
        yield chunk


def skew(date: str | None, wall: float) -> float | None:
    """Returns how far this machine's clock is ahead of a ``Date`` header, in seconds."""
    try:
        # The header has whole seconds, cut off.
        return wall - (parsedate_to_datetime(date or "").timestamp() + 0.5)
    except (TypeError, ValueError, OverflowError):
        return None


def within(seconds: float, action: Callable[[], T]) -> T:
    """Returns what ``action`` returns, which itself knows no time-out.

    Raises:
        TimeoutError: It has not ended within ``seconds``.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as error:  # noqa: BLE001 - it is raised in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        msg = f"no answer within {seconds:g} s"
        raise TimeoutError(msg)
    return results[0]


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"
