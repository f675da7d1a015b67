"""Tests that docs/schemas.md says what the command does."""

from __future__ import annotations

import re

from .support import ROOT

DOCS = (ROOT / "docs" / "schemas.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "snowplow_logging" / "schema"
NAMES_A_RULE = re.compile(r'(?:_warning|_error|Flaw)\(\s*"([a-z-]+)"|"error", "([a-z-]+)",')


def test_every_rule_is_in_the_table_and_no_other() -> None:
    """By its name in the source."""
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py")]
    rules = {"".join(match) for text in sources for match in NAMES_A_RULE.findall(text)}
    documented = set(re.findall(r"^\| `([a-z-]+)` \| (?:error|warning)", DOCS, re.MULTILINE))

    assert len(rules) > 20
    assert documented == rules
