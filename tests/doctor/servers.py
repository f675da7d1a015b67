"""What the doctor is sent to: servers on loopback that are right, or wrong in one way each."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
import time
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.delivery.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
STANDARD = ROOT / "snowplow_logging" / "collector" / "standard"
OWN = ROOT / "snowplow_logging" / "schemas"
ERROR = "com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
RECORD = "log_record/jsonschema/1-0-0"


class Page:
    """What a path answers.

    Args:
        status: The HTTP status.
        body: Its body; JSON, if it is no text.
        headers: More headers.
    """

    def __init__(self, status: int = 200, body: Any = "ok", **headers: str) -> None:
        self.status = status
        self.body = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.headers = headers


Pages = dict[str, Page]
COLLECTOR: Pages = {"/health": Page(), "/com.snowplowanalytics.snowplow/tp2": Page()}


class Server:
    """Serves pages by path, whatever the method; 404 for any other path.

    Args:
        pages: The pages.
        certificate: A file with certificate and key, to serve by TLS.
        date_ahead: How many seconds the ``Date`` header is ahead; None: there is none.
        key: The ``apikey`` that a request must have; else it is answered with 403.
    """

    def __init__(
        self,
        pages: Mapping[str, Page],
        *,
        certificate: Path | None = None,
        date_ahead: float | None = 0.0,
        key: str | None = None,
    ) -> None:
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self.pages, self.date_ahead, self.key = pages, date_ahead, key
        self._server = _Quiet(("127.0.0.1", 0), partial(_Handler, self))
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake belongs to the connection's thread: accepting must not wait for it.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_port

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}"


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients that trust no certificate hang up."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def __init__(self, server: Server, *arguments: Any) -> None:
        self._of = server
        super().__init__(*arguments)

    def _answer(self) -> None:
        _ = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._of.requests.append((self.command, self.path, dict(self.headers)))
        page = self._of.pages.get(self.path, Page(404, "nothing here"))
        if self._of.key not in (None, self.headers.get("apikey")):
            page = Page(403, "no")
        self.send_response_only(page.status)
        if self._of.date_ahead is not None:
            date = formatdate(time.time() + self._of.date_ahead, usegmt=True)
            self.send_header("Date", date)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        _ = self.wfile.write(page.body)

    do_GET = do_POST = do_OPTIONS = _answer  # noqa: N815 - their names there

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""


def log_record(vendor: str = "com.acme") -> Any:
    """Returns our schema under another vendor, as a user publishes it."""
    text = (OWN / "io.github.snowplow_logging" / RECORD).read_text(encoding="utf-8")
    document = json.loads(text)
    document["self"]["vendor"] = vendor
    return document


def schemas(*, own: Any = None, base: str = "/schemas/") -> Pages:
    """Returns a registry's pages: the standard schema of errors, and ``own`` of com.acme."""
    pages = {base + ERROR: Page(200, json.loads((STANDARD / ERROR).read_text(encoding="utf-8")))}
    if own is not None:
        pages[f"{base}com.acme/{RECORD}"] = Page(200, own)
    return pages


def certificate(folder: Path, name: str, *, days: int = 30) -> Path:
    """Makes a self-signed certificate for host ``name``; returns the file, with its key."""
    assert OPENSSL
    key, request, file = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    extensions = folder / f"{name}.ext"
    _ = extensions.write_text(f"subjectAltName=DNS:{name}\n")
    new: list[str | Path] = [
        OPENSSL,
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        f"/CN={name}",
    ]
    sign: list[str | Path] = [
        OPENSSL,
        "x509",
        "-req",
        "-in",
        request,
        "-signkey",
        key,
        "-days",
        str(days),
    ]
    commands = [
        [*new, "-keyout", key, "-out", request],
        [*sign, "-extfile", extensions, "-out", file],
    ]
    for command in commands:
        _ = subprocess.run(command, check=True, capture_output=True)
    _ = file.write_text(file.read_text() + key.read_text())
    return file
