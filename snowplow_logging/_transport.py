"""Transports carry a batch to where events are collected; HTTP is the one that is built in.

The law: ``send`` always returns an ``Answer``; whatever goes wrong on the way is one, too.
"""

from __future__ import annotations

import encodings.idna
import netrc
import time
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from snowplow_logging._version import __version__
from snowplow_logging.payload import CONTENT_TYPE, query, request_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.payload import Payload

# requests imports netrc, and the resolver the idna codec, at their first use. A process forked
# during such an import inherits its lock locked (or, of the codec, a failed look-up that is
# remembered), and could never send. So they are imported before there is a thread.
IMPORTED_EARLY = (encodings.idna, netrc)
MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 65_536  # of an answer's body that are read, so that its connection can be kept


class Answer(NamedTuple):
    """What came back for a request.

    Args:
        status: The final HTTP status, or None where there was none.
        error: What went wrong, in words; None with a 2xx or 3xx.
        retry_after: Seconds that the other side asks to be left alone.
    """

    status: int | None
    error: str | None = None
    retry_after: float = 0.0


class Transport(Protocol):
    """The port through which an emitter sends; one is made for each thread that delivers."""

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        """Sends ``batch`` and waits at most ``timeout`` seconds for each step of the answer."""
        ...

    def close(self) -> None:
        """Frees what the transport holds."""


class HttpTransport:
    """Posts batches to a collector; with ``method="get"`` it takes batches of one.

    Args:
        url: The collector's URL with its path, without user or password.
        method: ``"post"`` or ``"get"``.
        auth: User and password, sent to the URL's own origin alone.
        session: A session of the application's own, used as it is; by default a new one that
            keeps no cookies (they would give all events one network user id).
    """

    def __init__(
        self,
        url: str,
        *,
        method: str = "post",
        auth: tuple[str, str] | None = None,
        session: requests.Session | None = None,
    ) -> None:
        self._url = url
        self._method = method
        self._auth = auth
        self._owns_session = session is None
        self._session = _new_session() if session is None else session
        self._connected = False

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        """Sends ``batch``; a redirect is followed with method and body kept."""
        now_ms = time.time_ns() // 1_000_000
        body = params = None
        if self._method == "get":
            params = query(batch[0], now_ms)
        else:
            body = request_body(batch, now_ms)
        try:
            try:
                return self._follow(body, params, timeout)
            except requests.ConnectionError:
                # A kept connection that the other side has closed meanwhile says nothing
                # about the collector: once, a new connection is tried at once.
                if not self._connected:
                    raise
                self._connected = False
                return self._follow(body, params, timeout)
        except Exception as error:  # noqa: BLE001 - no failure of a request may end its worker
            return Answer(None, f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Closes the session's connections, unless the session is the application's own."""
        if self._owns_session:
            self._session.close()

    def _follow(self, body: bytes | None, params: dict[str, str] | None, timeout: float) -> Answer:
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            answer, location = self._request(url, body, params, timeout)
            if location is None:
                return answer
            target = urljoin(url, location)
            if not _may_follow(url, target):
                return Answer(None, f"{answer.status} redirects from {url} to {target}")
            if params and params.items() <= dict(parse_qsl(urlsplit(target).query)).items():
                params = None  # a collector that redirects a GET may have copied its query
            url = target
        return Answer(None, f"more than {MAX_REDIRECTS} redirects from {self._url}")

    def _request(
        self, url: str, body: bytes | None, params: dict[str, str] | None, timeout: float
    ) -> tuple[Answer, str | None]:
        same_origin = urlsplit(url)[:2] == urlsplit(self._url)[:2]
        with self._session.request(
            self._method,
            url,
            data=body,
            params=params,
            headers={"Content-Type": CONTENT_TYPE} if body is not None else None,
            auth=_BasicAuth(self._auth if same_origin else None) if self._owns_session else None,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            self._connected = True
            status = response.status_code
            _read_rest(response)
            if 300 <= status < 400 and "Location" in response.headers:  # noqa: PLR2004
                return Answer(status), response.headers["Location"]
            if status < 400:  # noqa: PLR2004
                return Answer(status), None
            retry_after = _retry_after(response.headers.get("Retry-After"), time.time())
            return Answer(status, f"{status} {response.reason}", retry_after), None


class _BasicAuth(AuthBase):
    """Says the given user and password or nothing; having it, requests reads no ``.netrc``."""

    def __init__(self, credentials: tuple[str, str] | None) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._credentials is None:
            return request
        HTTPBasicAuth(*self._credentials)(request)  # sets the request's header
        return request


def _new_session() -> requests.Session:
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = f"snowplow-logging/{__version__}"
    session.headers["Accept"] = "*/*"
    return session


def _may_follow(url: str, target: str) -> bool:
    """Says whether a redirect leads to HTTP, and not from https to where everybody can read."""
    scheme = urlsplit(target).scheme
    return scheme == "https" or (scheme == "http" and urlsplit(url).scheme == "http")


def _read_rest(response: requests.Response) -> None:
    """Reads a short body to its end, so that the connection can serve the next request."""
    try:
        response.raw.read(MAX_ANSWER_BYTES, decode_content=False)
    except Exception:  # noqa: BLE001 - the status has reached us, and nothing else matters
        response.close()


def _retry_after(value: str | None, now: float) -> float:
    """Returns the seconds that a ``Retry-After`` asks for, in either of its forms; else 0."""
    if value is None:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return 0.0
