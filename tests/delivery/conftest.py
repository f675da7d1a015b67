"""Fixtures of the delivery tests: collectors that validate what they saw, and clean logging."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Protocol

import pytest

from snowplow_logging.testing import OK, AnswerLike, FaultyCollector, Request, Rule
from tests.iglu_central import FOLDER, PAYLOAD_DATA
from tests.unit.wire import body_problems

if TYPE_CHECKING:
    from collections.abc import Iterator


class MakeCollector(Protocol):
    """Makes a collector that is closed, and its requests validated, at the end of the test."""

    def __call__(
        self, *script: AnswerLike, otherwise: Rule = OK, port: int = 0
    ) -> FaultyCollector: ...


def problems_of(request: Request) -> list[str]:
    """Returns what the reference schemas find wrong with a request."""
    if request.body:
        return body_problems(request.body)
    body = {"schema": PAYLOAD_DATA, "data": request.events}
    return body_problems(json.dumps(body).encode()) if request.events else []


@pytest.fixture
def make_collector() -> Iterator[MakeCollector]:
    """Makes collectors; what they have seen on the wire is validated at the end."""
    made: list[FaultyCollector] = []

    def make(*script: AnswerLike, otherwise: Rule = OK, port: int = 0) -> FaultyCollector:
        made.append(FaultyCollector(*script, otherwise=otherwise, port=port))
        return made[-1]

    yield make
    for collector in made:
        collector.close()
    if FOLDER.is_dir():
        seen = {request.body or request.target: request for c in made for request in c.requests}
        assert [problem for each in seen.values() for problem in problems_of(each)] == []


@pytest.fixture
def collector(make_collector: MakeCollector) -> FaultyCollector:
    """A collector that answers 200, unless it is told otherwise."""
    return make_collector()


@pytest.fixture(autouse=True)
def _no_options_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("SNOWPLOW_LOGGING_"):
            monkeypatch.delenv(name)


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Gives root back its level and handlers, whatever the test configures."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
