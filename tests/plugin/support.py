"""What the tests of the plugin share: events to log, and the suites of users."""

from __future__ import annotations

import logging
from textwrap import dedent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PLUGIN = "snowplow_logging.pytest_plugin"

ERROR = "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
APPLICATION = "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0"

SENDING = f"""
import logging
import pytest

ERROR = "{ERROR}"

def log_error(message, **more):
    data = {{"programmingLanguage": "PYTHON", "message": message, **more}}
    logging.getLogger("shop").info(message, extra={{"schema": ERROR, "data": data}})
"""
"""The beginning of users' test files."""


def log_error(message: str, version: str | None = None, **more: Any) -> None:
    """Logs an ``application_error``, with the entity of a version if one is given."""
    data = {"programmingLanguage": "PYTHON", "message": message, **more}
    extra: dict[str, Any] = {"schema": ERROR, "data": data}
    if version is not None:
        extra["contexts"] = [{"schema": APPLICATION, "data": {"version": version}}]
    logging.getLogger("shop").info(message, extra=extra)


def outcome(pytester: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    """Runs tests of a user in this process."""
    _ = pytester.makepyfile(SENDING + dedent(source))
    return pytester.runpytest_inprocess("-p", PLUGIN, *arguments)


def outcome_of_workers(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    """Runs tests of a user in two workers of pytest-xdist."""
    _ = pytester.makepyfile(SENDING + dedent(source))
    return pytester.runpytest_subprocess("-p", PLUGIN, "-p", "xdist", "-n", "2")
