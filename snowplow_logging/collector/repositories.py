"""Where schemas come from: folders, which are read once, at the start, and registries by HTTP."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from snowplow_logging.collector.hosts import is_loopback
from snowplow_logging.collector.schema import Schema, read_schema
from snowplow_logging.collector.strict_json import parse, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPMessage, HTTPResponse
    from importlib.abc import Traversable
    from typing import IO

LAYOUT = "VENDOR/NAME/jsonschema/VERSION"
TIMEOUT = 5.0  # seconds for one look-up
REST = 5.0  # seconds for which a registry that is in trouble is left alone
MAX_SCHEMA_BYTES = 1_048_576

_VERSION = re.compile(r"[0-9]+-[0-9]+-[0-9]+")
_NOT_FOUND = 404


class RepositoryError(Exception):
    """A repository gives no answer that can be used; the text says why."""


class Repository(Protocol):
    """A place that holds schemas.

    Attributes:
        name: How it is called in messages.
        is_remote: Whether a look-up may take a while, or fail.
    """

    name: str
    is_remote: bool

    def find(self, path: str) -> Schema | None:
        """The schema at ``VENDOR/NAME/jsonschema/VERSION``, if there is one.

        Raises:
            RepositoryError: It cannot be said whether there is one, or it is of no use.
        """
        ...


class Folder:
    """A folder in static registry layout, ``DIR/VENDOR/NAME/jsonschema/VERSION``.

    Args:
        name: How it is called in messages.
        roots: The folder; several count as one.

    Raises:
        ValueError: A schema in it is broken.
    """

    is_remote = False

    def __init__(self, name: str, *roots: Traversable) -> None:
        """Reads all schemas."""
        self.name = name
        files = [item for root in roots for item in _files(root)]
        self._schemas = {path: _load(path, file) for path, file in files}

    def __len__(self) -> int:
        """The number of schemas."""
        return len(self._schemas)

    def find(self, path: str) -> Schema | None:
        """The schema at this path, if there is one."""
        return self._schemas.get(path)


class HttpRepository:
    """A static registry, or the API of an Iglu server.

    Args:
        url: Its address, as in a resolver's configuration: schemas are at
            ``URL/schemas/VENDOR/NAME/jsonschema/VERSION``.
        name: How it is called in messages; the address by default.
        api_key: For an Iglu server's private schemas.
        timeout: Seconds for one look-up.
        rest: Seconds for which it is not asked again after it gave no answer, or a wrong one.

    Raises:
        ValueError: ``url`` is no address of a registry.
    """

    is_remote = True

    def __init__(
        self,
        url: str,
        name: str = "",
        *,
        api_key: str | None = None,
        timeout: float = TIMEOUT,
        rest: float = REST,
    ) -> None:
        """Asks nothing yet."""
        host = _host_of(url)
        base = url.rstrip("/")
        self.name = name or base
        self._base = base if base.endswith("/schemas") else f"{base}/schemas"
        self._headers = {"Accept": "application/json"}
        if api_key:
            self._headers["apikey"] = api_key
        self._timeout = timeout
        self._rest = rest
        self._trouble: tuple[float, str] = (0.0, "")  # until when it is left alone, and why
        # A proxy does not reach what is on this machine.
        proxies = [ProxyHandler({})] if is_loopback(host) else []
        self._opener = build_opener(_Redirects, *proxies)

    def find(self, path: str) -> Schema | None:
        """The schema at this path, if there is one.

        Raises:
            RepositoryError: It does not answer in time, or with something else.
        """
        until, trouble = self._trouble
        if time.monotonic() < until:
            raise RepositoryError(trouble)
        try:
            text = self._get(f"{self._base}/{path}")
        except RepositoryError as error:
            self._trouble = time.monotonic() + self._rest, str(error)
            raise
        if text is None:
            return None
        if len(text) > MAX_SCHEMA_BYTES:
            message = f"what it has there is larger than {MAX_SCHEMA_BYTES} bytes"
            raise RepositoryError(message)
        try:
            return read_schema(parse(text.decode("utf-8")), path)
        except ValueError as error:
            message = f"what it has there is of no use: {error}"
            raise RepositoryError(message) from None

    def _get(self, url: str) -> bytes | None:
        deadline = time.monotonic() + self._timeout
        request = Request(url, headers=self._headers)  # noqa: S310 - an address of HTTP
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return _read(response, deadline)
        except HTTPError as error:
            with error:
                if error.code == _NOT_FOUND:
                    return None
                message = f"it answers {error.code} {error.reason}"
        except TimeoutError:
            message = f"it gives no answer within {self._timeout:g} s"
        except URLError as error:
            is_late = isinstance(error.reason, TimeoutError)
            late = f"it gives no answer within {self._timeout:g} s"
            message = late if is_late else f"it cannot be reached: {error.reason}"
        except (OSError, HTTPException) as error:
            message = f"it breaks off: {error!r}"
        raise RepositoryError(message)


class _Redirects(HTTPRedirectHandler):
    """Takes the key off where a redirect leads to somebody else."""

    def redirect_request(  # noqa: PLR0917 - the signature of the library
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and request.host != req.host:
            request.remove_header("Apikey")
        return request


def _host_of(url: str) -> str:
    """The host of a registry's address."""
    with suppress(ValueError):
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or parts.username or parts.password)
        if parts.scheme in {"http", "https"} and parts.hostname and plain and parts.port != 0:
            return parts.hostname
    # The address may hold a secret.
    shown = shorten(url.rpartition("@")[2].partition("?")[0])
    message = (
        "expected the address of a registry such as https://iglu.acme.com, "
        f"without a user, ?… or #…, got {shown}"
    )
    raise ValueError(message)


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """The body, or the beginning of one that is too large."""
    body = b""
    while len(body) <= MAX_SCHEMA_BYTES and (chunk := response.read1(65_536)):
        body += chunk
        if time.monotonic() > deadline:
            raise TimeoutError
    return body


def _files(root: Traversable) -> Iterator[tuple[str, Traversable]]:
    for vendor in _folders(root):
        for name in _folders(vendor):
            for version in _children(name / "jsonschema"):
                if _VERSION.fullmatch(version.name):
                    yield f"{vendor.name}/{name.name}/jsonschema/{version.name}", version


def _folders(root: Traversable) -> list[Traversable]:
    return [child for child in _children(root) if child.is_dir()]


def _children(root: Traversable) -> list[Traversable]:
    return sorted(root.iterdir(), key=lambda child: child.name) if root.is_dir() else []


def _load(path: str, file: Traversable) -> Schema:
    try:
        return read_schema(parse(file.read_text(encoding="utf-8")), path)
    except (ValueError, OSError) as error:
        message = f"{file}: {error}"
        raise ValueError(message) from None
