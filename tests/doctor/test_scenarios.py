"""Each thing that may be wrong is named, with what to do; and the docs show just that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.doctor.capture import DOCUMENT, parts
from tests.doctor.scenarios import SCENARIOS, Scenario, bad_certificate, redirected
from tests.doctor.servers import needs_openssl

if TYPE_CHECKING:
    from tests.doctor.running import Place

EACH = [
    pytest.param(
        scenario,
        id=scenario.name,
        marks=[needs_openssl] if scenario.arrange in (bad_certificate, redirected) else [],
    )
    for scenario in SCENARIOS
]


def missing(expected: tuple[str, ...], output: str) -> list[str]:
    """Returns what the output does not say, or says too early."""
    lines = iter(output.splitlines())
    return [each for each in expected if not any(re.search(each, line) for line in lines)]


@pytest.mark.parametrize("scenario", EACH)
def test_what_is_wrong_is_named(place: Place, scenario: Scenario) -> None:
    ended = place.run(*scenario.arrange(place))
    assert missing(scenario.expected, ended.output) == [], ended.output
    assert (ended.status, ended.errors) == (scenario.status, "")
    assert "\x1b" not in ended.output


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_the_docs_show_it(scenario: Scenario) -> None:
    """``python -m tests.doctor.capture`` has been run since the last change."""
    captured = parts(DOCUMENT.read_text(encoding="utf-8"))
    assert missing(scenario.expected, captured[scenario.title]) == []
    assert captured[scenario.title].endswith(f"$ echo $?\n{scenario.status}\n")
    assert list(captured) == [each.title for each in SCENARIOS]
