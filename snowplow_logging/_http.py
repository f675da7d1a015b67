"""The transport that is built in: HTTP, by requests."""

from __future__ import annotations

import encodings.idna
import netrc
import re
import time
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from snowplow_logging._deadline import DeadlineAdapter
from snowplow_logging._sessions import close_copy, look_after
from snowplow_logging._text import cut
from snowplow_logging._transport import Answer
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
SHORTEST_TIMEOUT = 0.01  # seconds for a request that comes late; 0 would not even try
MAX_ERROR_TEXT = 200  # UTF-16 units
MAX_ANSWER_BYTES = 65_536  # of an answer's body that are read, so that its connection can be kept


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
        look_after(self._session)
        self._connected = False
        self._routes: dict[tuple[str, bool], _Route] = {}

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        """Sends ``batch``; a redirect is followed with method and body kept."""
        now_ms = time.time_ns() // 1_000_000
        body = params = None
        if self._method == "get":
            params = query(batch[0], now_ms)
        else:
            body = request_body(batch, now_ms)
        deadline = time.monotonic() + timeout  # of all requests that this one may become
        try:
            try:
                return self._follow(body, params, deadline)
            except requests.ConnectionError:
                # A kept connection that the other side has closed meanwhile says nothing
                # about the collector: once, a new connection is tried at once.
                if not self._connected:
                    raise
                self._connected = False
                return self._follow(body, params, deadline)
        except Exception as error:  # noqa: BLE001 - no failure of a request may end its worker
            return Answer(None, _described(error))

    def close(self) -> None:
        """Closes the session's connections, unless the session is the application's own."""
        if self._owns_session:
            self._session.close()
        else:
            close_copy(self._session)

    def _follow(self, body: bytes | None, params: dict[str, str] | None, deadline: float) -> Answer:
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            timeout = max(deadline - time.monotonic(), SHORTEST_TIMEOUT)
            answer, location = self._request(url, body, params, timeout)
            if location is None:
                return answer
            target = urljoin(url, location)
            if not _may_follow(url, target) or not (self._owns_session or _same_host(url, target)):
                return Answer(None, f"{answer.status} redirects from {url} to {target}")
            if params and params.items() <= dict(parse_qsl(urlsplit(target).query)).items():
                params = None  # a collector that redirects a GET may have copied its query
            url = target
        return Answer(None, f"more than {MAX_REDIRECTS} redirects from {self._url}")

    def _request(
        self, url: str, body: bytes | None, params: dict[str, str] | None, timeout: float
    ) -> tuple[Answer, str | None]:
        with self._exchange(url, body, params, timeout) as response:
            self._connected = True
            status = response.status_code
            _read_rest(response)
            if 300 <= status < 400 and "Location" in response.headers:  # noqa: PLR2004
                return Answer(status), response.headers["Location"]
            if 200 <= status < 400:  # noqa: PLR2004
                return Answer(status), None
            if status < 200:  # noqa: PLR2004 - by a session of the application's own, see _deadline.py
                response.close()  # the final answer comes yet, on this connection
                return Answer(None, f"interim answer {status}"), None
            retry_after = _retry_after(response.headers.get("Retry-After"), time.time())
            return Answer(status, _line(f"{status} {response.reason}"), retry_after), None

    def _exchange(
        self, url: str, body: bytes | None, params: dict[str, str] | None, timeout: float
    ) -> requests.Response:
        auth = self._auth if urlsplit(url)[:2] == urlsplit(self._url)[:2] else None
        headers = {"Content-Type": CONTENT_TYPE} if body is not None else None
        if not self._owns_session:
            return self._session.request(
                self._method, url, data=body, params=params, headers=headers, timeout=timeout,
                auth=_BasicAuth(auth) if auth else None,  # else an application's has its own
                allow_redirects=False, stream=True,
            )  # fmt: skip
        key = url, body is not None
        if key not in self._routes:
            if len(self._routes) > MAX_REDIRECTS:
                self._routes.clear()
            self._routes[key] = self._route(url, headers, auth)
        prepared, settings = self._routes[key]
        request: Any = prepared.copy()
        if body is not None:
            request.prepare_body(body, None)
        if params is not None:
            request.prepare_url(url, params)
        return self._session.send(request, timeout=timeout, allow_redirects=False, **settings)

    def _route(
        self, url: str, headers: dict[str, str] | None, auth: tuple[str, str] | None
    ) -> _Route:
        # Having an auth, an own session reads no .netrc.
        request = requests.Request(self._method, url, headers, auth=_BasicAuth(auth))
        settings: Any = self._session.merge_environment_settings(
            url, {}, stream=True, verify=None, cert=None
        )
        return _Route(self._session.prepare_request(request), settings)


class _Route(NamedTuple):
    """What all requests to one URL have in common: to make it anew would double a request's price.

    Args:
        request: The request without its body, or its query.
        settings: What the environment says of proxies and certificates.
    """

    request: requests.PreparedRequest
    settings: dict[str, Any]


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
    session.mount("https://", DeadlineAdapter())
    session.mount("http://", DeadlineAdapter())
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = f"snowplow-logging/{__version__}"
    session.headers["Accept"] = "*/*"
    return session


def _may_follow(url: str, target: str) -> bool:
    """Says whether a redirect leads to HTTP, and not from https to where everybody can read."""
    scheme = urlsplit(target).scheme
    return scheme == "https" or (scheme == "http" and urlsplit(url).scheme == "http")


def _same_host(url: str, target: str) -> bool:
    """Says whether a session's own credentials may go to a redirect's target, too."""
    return urlsplit(url).hostname == urlsplit(target).hostname


def _described(error: Exception) -> str:
    """Returns what a request failed of, without the events that a GET has in its URL."""
    inner = error.args[0] if error.args else error
    reason = getattr(inner, "reason", inner)
    return _line(f"{type(error).__name__}: {reason}")


def _line(text: str) -> str:
    """Returns ``text`` fit to be printed: one short line, without control characters."""
    without_queries = re.sub(r"\?\S+", "?…", text)
    return "".join(c if c.isprintable() else " " for c in cut(without_queries, MAX_ERROR_TEXT))


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
