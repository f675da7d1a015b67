"""Fixtures: a Redis for each module, empty for each test, and the delivery tests' collectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.delivery.conftest import (
    _no_options_in_environment,
    collector,
    make_collector,
    restored_logging,
)
from tests.relay.servers import RedisServer, closing

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["_no_options_in_environment", "collector", "make_collector", "restored_logging"]


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(name="client")
def _client(server: RedisServer) -> Iterator[Any]:
    """A client of the server, which has nothing in it."""
    with closing(server.client()) as client:
        client.flushall()
        yield client


@pytest.fixture(name="redis")
def _redis(server: RedisServer, client: Any) -> RedisServer:
    """The server, with nothing in it."""
    del client
    return server
