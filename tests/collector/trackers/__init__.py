"""The official trackers, and the tests that are written for Micro, against the collector."""

import pytest

pytest.register_assert_rewrite("tests.collector.trackers.running")
