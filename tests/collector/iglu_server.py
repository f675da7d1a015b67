"""An Iglu registry on loopback that answers as a test tells it to, and remembers what was asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"


def document(path: str, **body: object) -> dict[str, Any]:
    """The self-describing schema of ``VENDOR/NAME/jsonschema/VERSION``."""
    names = ("vendor", "name", "format", "version")
    return {"$schema": META, "self": dict(zip(names, path.split("/"), strict=True)), **body}


class IgluServer:
    """The registry.

    Args:
        prefix: What stands before the paths of schemas.

    Attributes:
        url: Its address, as in a resolver's configuration.
        schemas: What it holds: path → document.
        requests: What was asked: path and key.
        status: What it answers instead, if it is set.
        text: What it has for every schema instead, if it is set.
        open: It answers while this is set, and waits meanwhile.
        redirect: Where it sends everybody, if it is set.
    """

    def __init__(self, prefix: str = "/schemas") -> None:
        self.schemas: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.status: int | None = None
        self.text: bytes | None = None
        self.open = threading.Event()
        self.open.set()
        self.redirect: str | None = None
        self.prefix = prefix
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}{prefix.removesuffix('/schemas')}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def add(self, path: str, **body: object) -> str:
        """Publishes a schema; returns its URI."""
        self.schemas[path] = document(path, **body)
        return f"iglu:{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str) -> tuple[int, bytes]:
        schema = self.schemas.get(path.removeprefix(f"{self.prefix}/"))
        if self.status:
            return self.status, b""
        if self.text is not None:
            return 200, self.text
        return (200, json.dumps(schema).encode()) if schema else (404, b"{}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.requests.append((self.path, self.headers["apikey"]))
                registry.open.wait(30)
                status, content = registry._answer(self.path)
                self.send_response(302 if registry.redirect else status)
                if registry.redirect:
                    self.send_header("Location", registry.redirect + self.path)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                del format, args

        return Handler
