"""A WSGI application that logs each request; gunicorn serves it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.faults.application import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

application = Application()
_ = application.configure()
application.log("before the workers")


def app(environ: dict[str, str], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answers a request with the id of the worker."""
    application.log("request %s", environ["QUERY_STRING"])
    answer = str(os.getpid()).encode()
    _ = start_response(
        "200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))]
    )
    return [answer]
