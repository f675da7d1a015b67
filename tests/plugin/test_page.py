"""What docs/pytest.md and the README show of tests, is run, and fails as they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import snowplow_logging.testing
from snowplow_logging.testing import SnowplowCollector
from tests.collector.support import write_schema
from tests.iglu_central import ROOT

from .support import PLUGIN

if TYPE_CHECKING:
    import pytest

PAGE = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMED = re.compile(r"```(?:python|toml)\n# (\S+)\n(.*?)```", re.DOTALL)


def prepare(pytester: pytest.Pytester) -> None:
    """Writes the page's files, and the schemas of its examples."""
    (pytester.path / "tox.ini").unlink()
    for name, content in NAMED.findall(PAGE):
        _ = (pytester.path / name).write_text(content, encoding="utf-8")
    order = {"order_id": {"type": "string"}, "total_cents": {"type": "integer"}}
    for name, properties in (
        ("order_placed", order),
        ("customer", {"customer_id": {"type": "string"}}),
    ):
        body: dict[str, object] = {"type": "object", "properties": properties}
        _ = write_schema(pytester.path / "iglu", body, name)


def test_examples(pytester: pytest.Pytester) -> None:
    """All pass, but for the one that is meant to fail."""
    prepare(pytester)
    (pytester.path / "test_fails.py").unlink()
    (block,) = re.findall(r"```python\n(import logging\n\n\ndef test_.*?)```", README, re.DOTALL)
    _ = (pytester.path / "test_readme.py").write_text(block, encoding="utf-8")
    result = pytester.runpytest_subprocess("-p", PLUGIN, "-W", "error")
    result.assert_outcomes(passed=14)


def test_what_a_failure_shows(pytester: pytest.Pytester) -> None:
    """The page's report is the one that pytest prints."""
    prepare(pytester)
    (pytester.path / "conftest.py").unlink()
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    result = pytester.runpytest_subprocess("-p", PLUGIN, "test_fails.py")
    result.assert_outcomes(failed=1)
    lines = [re.escape(line).replace("…", ".*") for line in shown.splitlines()]
    result.stdout.re_match_lines(lines)


def test_names() -> None:
    """The page names every question that there is, and every name of the module."""
    public = {name for name in vars(SnowplowCollector) if not name.startswith("_")}
    inner = {"close", "summary"}  # for the plugin
    assert {n for n in public if f"`{n}" not in PAGE and f"collector.{n}(" not in PAGE} == inner
    unnamed = {
        name for name in snowplow_logging.testing.__all__ if not re.search(rf"\b{name}\b", PAGE)
    }
    assert unnamed == {
        "AnswerLike", "Event", "Events", "OK", "Request", "Rule", "SnowplowCollector",
        "closed_port",
    }  # fmt: skip
