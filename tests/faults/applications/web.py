"""A WSGI application that logs each request; gunicorn serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.application import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

application = Application()
_ = application.configure()
application.log("before the workers")


def app(environ: dict[str, str], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answers a request."""
    application.log("request %s", environ["QUERY_STRING"])
    _ = start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
