"""Writes what the doctor says into ``docs/doctor.md``: ``python -m tests.doctor.capture``."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.delivery.support import ROOT
from tests.doctor.running import Place
from tests.doctor.scenarios import SCENARIOS, Scenario

DOCUMENT = ROOT / "docs" / "doctor.md"
BEGIN, END = "<!-- written by python -m tests.doctor.capture -->\n", "<!-- end -->\n"


def captured(scenario: Scenario) -> str:
    """Runs a scenario; returns its part of the docs."""
    with tempfile.TemporaryDirectory() as folder, Place(Path(folder)) as place:
        arguments = scenario.arrange(place)
        ended = place.run(*arguments)
    command = " ".join(["snowplow-logging doctor", *arguments])
    shown = f"$ {command}\n{ended.output.rstrip()}\n$ echo $?\n{ended.status}\n"
    return f"### {scenario.title}\n\n```text\n{shown}```\n"


def parts(document: str) -> dict[str, str]:
    """Returns the captured parts of the document, by their titles."""
    _, _, rest = document.partition(BEGIN)
    inside, _, _ = rest.partition(END)
    return {found[1]: found[2] for found in re.finditer(r"### (.+)\n\n```text\n([^`]*)```", inside)}


def main() -> int:
    """Writes the document anew; returns the exit status."""
    before, found, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    assert found
    _, _, after = rest.partition(END)
    inside = "\n".join(captured(scenario) for scenario in SCENARIOS)
    _ = DOCUMENT.write_text(f"{before}{BEGIN}\n{inside}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
