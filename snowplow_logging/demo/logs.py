"""The shop's logging configuration, and a count of its records that owes nothing to ours."""

from __future__ import annotations

import io
import logging
import logging.config
import os
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging.demo.server import HOST
from snowplow_logging.handler import SnowplowHandler

if TYPE_CHECKING:
    from collections.abc import Generator

ENVIRONMENT_PREFIX = "SNOWPLOW_LOGGING_"


class Identity(NamedTuple):
    """What tells a record from others, on either side of the wire."""

    logger: str
    level: str
    message: str


class Tally(logging.Handler):
    """Counts records; it stands beside the handler that it checks, on the same loggers."""

    def __init__(self) -> None:
        super().__init__()
        self.logged: Counter[Identity] = Counter()  # guarded by the lock of every handler

    def emit(self, record: logging.LogRecord) -> None:
        """Counts one record."""
        self.logged[Identity(record.name, record.levelname, record.getMessage())] += 1


class ShopLogs:
    """The shop's logging.

    Args:
        endpoint: The collector.

    Attributes:
        console: What the console handler wrote; kept, so that it does not flood the terminal.
        delivered: The payloads that the collector took, as the handler reports them.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._tally = Tally()
        self.console = io.StringIO()
        self.delivered: list[dict[str, Any]] = []

    @property
    def logged(self) -> Counter[Identity]:
        """The records that were logged, with how often."""
        return self._tally.logged

    def config(self) -> dict[str, Any]:
        """Returns a configuration such as people have, with one handler more."""
        return {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "console": {"format": "%(asctime)s %(levelname)-8s %(name)s: %(message)s"},
            },
            "handlers": {
                "console": {
                    "class": "logging.StreamHandler",
                    "formatter": "console",
                    "stream": self.console,
                },
                "snowplow": {
                    "class": "snowplow_logging.SnowplowHandler",
                    "endpoint": self._endpoint,
                    "app_id": "acme-shop",
                    "namespace": "python",
                    "record_entity": True,
                    "on_success": self.delivered.extend,
                },
                "tally": {"()": lambda: self._tally},
            },
            "loggers": {
                "shop": {
                    "level": "DEBUG",
                    "handlers": ["console", "snowplow", "tally"],
                    "propagate": False,
                },
            },
        }

    @contextmanager
    def installed(self) -> Generator[SnowplowHandler, None, None]:
        """Configures logging while the block runs, and leaves nothing of it behind.

        Raises:
            ValueError: The environment gives the handler an option that it does not take.
        """
        try:
            logging.config.dictConfig(self.config())
        except ValueError as error:  # dictConfig names the handler, its cause the option
            raise ValueError(str(error.__cause__ or error)) from None
        shop = logging.getLogger("shop")
        handlers = list(shop.handlers)
        try:
            yield next(each for each in handlers if isinstance(each, SnowplowHandler))
        finally:
            for handler in handlers:
                shop.removeHandler(handler)
                handler.close()
            shop.setLevel(logging.NOTSET)
            shop.propagate = True


@contextmanager
def undisturbed() -> Generator[None, None, None]:
    """Takes out of the environment, while the block runs, what is meant for other collectors.

    Options for the user's own handlers and proxies would lead events away from the collector
    on this machine, or make them other than it expects.
    """
    ours = {name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)}
    names = ours | {"no_proxy", "NO_PROXY"}
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ |= {"no_proxy": HOST, "NO_PROXY": HOST}
    try:
        yield
    finally:
        del os.environ["no_proxy"], os.environ["NO_PROXY"]
        os.environ |= before
