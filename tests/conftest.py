"""The option ``--long``: tests that draw at random draw as many examples as the promises name."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester", "snowplow_logging.pytest_plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run random tests at their full length")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Says whether random tests run at their full length, which takes minutes."""
    return bool(request.config.getoption("--long"))
