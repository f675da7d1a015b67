"""How the suites of users are run."""

from __future__ import annotations

import pytest
import requests

from snowplow_logging import SnowplowHandler
from snowplow_logging._http import HttpTransport
from snowplow_logging.collector.server import LocalCollector
from snowplow_logging.testing.micro import Micro

STRICT = "[pytest]\naddopts = -p no:cacheprovider --strict-markers\nfilterwarnings = error\n"
IMPORTED = (requests, SnowplowHandler, HttpTransport, LocalCollector, Micro)
"""A suite that runs in this process forgets the modules that it was the first to import."""


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs suites strictly, and without other plugins, which take long to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    _ = pytester.makeini(STRICT)
    return pytester
