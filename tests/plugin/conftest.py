"""How the suites of users are run."""

from __future__ import annotations

import pytest
import requests

from snowplow_logging._http import HttpTransport
from snowplow_logging.collector.server import LocalCollector

STRICT = "[pytest]\naddopts = -p no:cacheprovider --strict-markers\nfilterwarnings = error\n"
IMPORTED = (requests, HttpTransport, LocalCollector)
"""A suite that runs in this process forgets the modules that it was the first to import."""


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs suites strictly, and without other plugins, which take long to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    _ = pytester.makeini(STRICT)
    return pytester
