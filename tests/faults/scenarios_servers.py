"""Servers that fork: gunicorn and Celery, as they are."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from snowplow_logging.testing import FaultyCollector
from tests.delivery.support import until
from tests.faults.registry import fault
from tests.faults.row import Expected
from tests.faults.run import PATIENCE, program

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.faults.row import Measured

REQUESTS = 50
QUEUED: dict[str, Any] = {"flush_interval": 60}  # all waits for the end of the workers
SLOW_END = Expected(exit=20.0)  # the servers' own ends take a while


def gunicorn(worker: str, *words: str, options: dict[str, Any] = QUEUED) -> Measured:
    """Gunicorn loads the application, which logs, and only then forks its workers."""
    with socket.create_server(("127.0.0.1", 0)) as listening, FaultyCollector() as collector:
        number = listening.fileno()
        bound = ["--workers=2", f"--worker-class={worker}", f"--bind=fd://{number}"]
        app = "tests.faults.applications.web:app"
        command = ["-m", "gunicorn", "--preload", *bound, *words, app]
        with program(command, collector.url, options=options, pass_fds=[number]) as run:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            answers: list[str] = []

            def both_have_answered() -> bool:
                answers.extend(_get(url, range(len(answers), len(answers) + REQUESTS)))
                return len(set(answers)) == 2

            until(both_have_answered, "both workers", PATIENCE)
            measured = run.end(collector, done_at=run.terminate())
            assert measured.logged == len(answers) + 1, run.output
            return measured


def _get(url: str, numbers: range) -> list[str]:
    """Makes a request for each number, four at a time; returns the answers."""
    urls = [f"{url}/?{number}" for number in numbers]
    with ThreadPoolExecutor(4) as pool:
        return [each.text for each in pool.map(partial(requests.get, timeout=30), urls)]


_ = fault("gunicorn", "gunicorn with `preload_app`", SLOW_END)(partial(gunicorn, "sync"))
_ = fault("gunicorn-gthread", "gunicorn with `preload_app`, gthread", SLOW_END)(
    partial(gunicorn, "gthread", "--threads=4")
)
_ = fault("gunicorn-gevent", "gunicorn with `preload_app`, gevent", SLOW_END)(
    partial(gunicorn, "gevent")
)


@contextmanager
def redis_server() -> Generator[str, None, None]:
    """Runs a Redis that nobody else sees; gives its URL."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        path = Path(folder, "socket")
        server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--dir", folder, "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        try:
            until(path.exists, "redis-server")
            yield f"redis+socket://{path}"
        finally:
            server.terminate()
            _ = server.wait(20)


@fault("celery", "Celery, prefork; tasks flush nothing", SLOW_END, needs="redis-server")
def celery(options: dict[str, Any] = QUEUED) -> Measured:
    command = ["-m", "celery", "--app=tests.faults.applications.tasks", "worker", "--pool=prefork",
               "--concurrency=2", "--without-gossip", "--without-mingle"]  # fmt: skip
    with (
        redis_server() as broker,
        FaultyCollector() as collector,
        program(
            command, collector.url, options=options, records=REQUESTS, more={"broker": broker}
        ) as run,
    ):
        run.wait_until_logged(REQUESTS + 1)
        return run.end(collector, done_at=run.terminate())
