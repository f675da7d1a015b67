"""A real uWSGI: it delivers where it is set up for it, and is warned about where it is not."""

from __future__ import annotations

import os
import shutil
import signal
import site
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from snowplow_logging.testing import FaultyCollector, closed_port
from tests.delivery.support import PATIENCE, ROOT, data_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION = """
import logging, os
from snowplow_logging import SnowplowHandler

logger = logging.getLogger("shop")
logger.setLevel(logging.INFO)
logger.addHandler(SnowplowHandler(os.environ["COLLECTOR"], flush_interval=0.1, shutdown_timeout=1))

def application(environ, start_response):
    logger.info("request %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"""
REQUESTS = [f"/{number}" for number in range(20)]


@pytest.fixture
def collector() -> Iterator[FaultyCollector]:
    """A collector that answers 200."""
    with FaultyCollector() as collector:
        yield collector


def python_of_uwsgi() -> str:
    """Returns the version of Python that Debian's uWSGI is built for; empty: there is no uWSGI."""
    if shutil.which("uwsgi") is None:
        return ""
    ended = subprocess.run(
        ["uwsgi", "--plugin", "python3", "--python-version"],
        capture_output=True,
        text=True,
        check=False,
    )
    return ".".join(ended.stdout.split(".")[:2])


needs_uwsgi = pytest.mark.skipif(
    python_of_uwsgi() != f"{sys.version_info[0]}.{sys.version_info[1]}",
    reason="no uwsgi for this Python: apt-get install uwsgi-core uwsgi-plugin-python3",
)


def serve(folder: Path, collector: FaultyCollector, wait: float, *options: str) -> str:
    """Runs uWSGI for some requests, waits for their events; returns what it printed."""
    (folder / "app.py").write_text(APPLICATION)
    port = closed_port()
    server = subprocess.Popen(
        [
            *("uwsgi", "--plugin", "python3", "--http-socket", f"127.0.0.1:{port}"),
            *("--wsgi-file", "app.py", "--need-app", "--die-on-term", "--processes", "2"),
            *options,
        ],
        cwd=folder,
        env={
            **os.environ,
            "COLLECTOR": collector.url,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()]),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: answers(port, "/up"), "uWSGI to serve")
        assert all(answers(port, path) for path in REQUESTS)
        # uWSGI runs no exit hooks in workers that it takes for busy, so delivery is waited for.
        _ = collector.wait_for(len(REQUESTS) + 1, wait)
        server.send_signal(signal.SIGTERM)
        return server.communicate(timeout=20)[0]
    finally:
        server.kill()
        _ = server.wait(20)


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@needs_uwsgi
@pytest.mark.parametrize(
    "options",
    [
        ["--master", "--enable-threads", "--py-call-uwsgi-fork-hooks"],
        ["--master", "--enable-threads", "--lazy-apps"],
        ["--master", "--threads", "2", "--lazy-apps"],
    ],
    ids=["fork hooks", "lazy", "threads"],
)
def test_uwsgi_that_is_set_up_well(
    tmp_path: Path, collector: FaultyCollector, options: list[str]
) -> None:
    """Preforked or lazy, each worker delivers what it logs, once, to its end."""
    printed = serve(tmp_path, collector, PATIENCE, *options)
    messages = [data_of(event)["message"] for event in collector.events()]
    assert sorted(set(messages) - {"request /up"}) == sorted(f"request {path}" for path in REQUESTS)
    assert len(collector.event_ids()) == len(set(collector.event_ids())) == len(messages)
    assert messages.count("request /up") == 1
    assert "snowplow_logging: " not in printed


@needs_uwsgi
@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (["--master"], "add 'enable-threads = true'"),
        (["--master", "--enable-threads"], "add 'py-call-uwsgi-fork-hooks = true'"),
    ],
    ids=["no threads", "no fork hooks"],
)
def test_uwsgi_that_would_not_send(
    tmp_path: Path, collector: FaultyCollector, options: list[str], advice: str
) -> None:
    """It says once which option is missing."""
    printed = serve(tmp_path, collector, 0, *options)
    assert printed.count(advice) == 1
