"""Real Redis servers that nobody else sees, in a folder of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from snowplow_logging.testing import closed_port
from tests.delivery.support import until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from typing_extensions import Self


class RedisServer:
    """A server on a port of loopback and on a socket; it can be killed, and started again.

    Args:
        folder: Where its files are.
        options: More of its command line.
        port: Its port; 0: a free one.
        may_load: Whether ``start`` is content with a server that still reads its data.
    """

    def __init__(self, folder: Path, *options: str, port: int = 0, may_load: bool = False) -> None:
        self.folder = folder
        self.port = port or closed_port()
        self.socket = folder / f"{self.port}.sock"
        self._may_load = may_load
        self._command = ["redis-server", *options, "--port", str(self.port), "--dir", str(folder),
                         "--unixsocket", str(self.socket), "--save", "",
                         "--repl-diskless-sync-delay", "0"]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> Any:
        """Returns a client by the socket; it must be closed."""
        once = Retry(NoBackoff(), 0)
        return Redis(unix_socket_path=str(self.socket), protocol=2, retry=once, **options)

    def start(self) -> Self:
        """Starts it, and waits until it answers, even if it wants a password."""
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(self._answers, "redis-server")
        return self

    def kill(self) -> None:
        """Ends it as a crash does."""
        assert self._process
        self._process.kill()
        _ = self._process.wait(20)

    def pause(self) -> None:
        """Has it stand still, with its connections open, until ``resume``."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Ends the pause."""
        assert self._process
        os.kill(self._process.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / f"{self.port}.log").read_text()
        try:
            with self.client() as client:
                client.ping()
        except AuthenticationError:
            return True
        except BusyLoadingError:
            return self._may_load
        except RedisConnectionError:
            return False
        return True


@contextmanager
def closing(client: Any) -> Generator[Any]:
    """Gives a client, and closes it."""
    try:
        yield client
    finally:
        client.close()
