"""The scenarios by name; each is a function that lets a fault happen and measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults.row import Expected, Measured, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    Scenario = Callable[[], Measured]


@dataclass(frozen=True)
class Fault:
    """A fault of the table.

    Args:
        text: What the table calls it.
        scenario: Lets it happen.
        expected: What must hold.
        needs: A program that must be installed, and is not part of Python.
    """

    text: str
    scenario: Scenario
    expected: Expected
    needs: str | None

    def row(self) -> Row:
        """Lets it happen; returns its line."""
        return Row(self.text, self.scenario(), self.expected)


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, text: str, expected: Expected | None = None, *, needs: str | None = None
) -> Callable[[Scenario], Scenario]:
    """Enters a scenario; see ``Fault``. Its ``name`` is for the command line."""

    def enter(scenario: Scenario) -> Scenario:
        assert name not in FAULTS
        FAULTS[name] = Fault(text, scenario, expected or Expected(), needs)
        return scenario

    return enter
