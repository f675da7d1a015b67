"""A finding: what is wrong with a schema, where, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from snowplow_logging.schema.positions import Pointer

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a value in a schema.

    Attributes:
        rule: Name of the rule that it breaks.
        pointer: The value.
        message: What is expected, and what is there.
        severity: An error makes data bad or unloadable; a warning makes them hard to query.
        on_key: Whether the value's name is what is wrong.
    """

    rule: str
    pointer: Pointer
    message: str
    severity: Severity = "error"
    on_key: bool = False


@dataclass(frozen=True, order=True)
class Finding:
    """A flaw, in a file. Its text is its line of output.

    Attributes:
        file: Path of the schema.
        line: Line of the offending value, from 1.
        severity: ``error`` or ``warning``.
        rule: Name of the rule.
        message: What is expected, and what is there.
    """

    file: str
    line: int
    severity: Severity
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity} {self.rule} {self.message}"


def path_of(pointer: Pointer) -> str:
    """The words for a place in a schema: ``address.city`` for a property in a property."""
    steps: list[str] = []
    parts = iter(pointer)
    for part in parts:
        if part == "properties":
            steps.append(str(next(parts, "properties")))
        elif isinstance(part, int):
            steps.append(f"[{part}]")
        else:
            steps.append(part)
    return ".".join(steps).replace(".[", "[") or "the schema"
