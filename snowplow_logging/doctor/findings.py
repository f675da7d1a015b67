"""What the doctor finds, one line each, and how it is shown.

The law: no secret is shown. Whatever a finding quotes goes through ``plain``, which hides user,
password and query of URLs and what could steer a terminal.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Generator
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

T = TypeVar("T")

Mark = Literal["ok", "problem", "note"]
SIGNS: dict[Mark, tuple[str, str]] = {"ok": ("✓", "+"), "problem": ("✗", "x"), "note": ("!", "!")}
STYLES: dict[Mark, str] = {"ok": "green", "problem": "bold red", "note": "yellow"}
STEP_WIDTH = 9
WIDTH = 100  # of advice, at most; what was found may be longer

# Rather too much is hidden than too little: a password may have any sign in it, even a slash.
_USER_AND_PASSWORD = re.compile(r"(?<=://)\S*@")
_QUERY = re.compile(r"(://[^\s?]*\?)[^\s\"'<>)]+")
_PARAMETER = re.compile(r"(?<=[?&])([^\s?&=]+)=[^\s&\"'<>)…]+")  # of a path without its host


class Finding(NamedTuple):
    """What one step of the examination has found.

    Args:
        mark: ``ok``; ``problem``, which must be mended; ``note``, which is worth a look.
        step: What was examined, in a word.
        text: What was found, in a line.
        advice: What to do next, in lines; none where all is well.
    """

    mark: Mark
    step: str
    text: str
    advice: str = ""


Findings = Generator[Finding, None, T]
"""Findings one by one, as they are made, and at last what the next step needs."""


def ok(step: str, text: str) -> Finding:
    """Returns a finding that all is well."""
    return Finding("ok", step, text)


def problem(step: str, text: str, advice: str) -> Finding:
    """Returns a finding that something must be mended."""
    return Finding("problem", step, text, advice)


def note(step: str, text: str, advice: str = "") -> Finding:
    """Returns a finding that is worth a look."""
    return Finding("note", step, text, advice)


def plain(text: str) -> str:
    """Returns ``text`` without what is secret in URLs, and without control characters."""
    hidden = _PARAMETER.sub(r"\1=…", _QUERY.sub(r"\1…", _USER_AND_PASSWORD.sub("…@", text)))
    return "".join(c if c.isprintable() or c == "\n" else " " for c in hidden)


def one_line(error: BaseException) -> str:
    """Returns an error's own words in one line."""
    return " ".join(f"{error}".split()) or type(error).__name__


class Screen:
    """Shows findings on stdout: in colour on a terminal that has rich, else as plain text."""

    def __init__(self) -> None:
        self._console = _console()
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        self._unicode = _can_say("✓✗→…", encoding)
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
        self._width = min(columns, WIDTH)
        self._problems: list[Finding] = []

    def section(self, title: str, findings: Iterable[Finding]) -> None:
        """Shows a part of the examination, each finding when it is made."""
        self._line((title, "bold"))
        for finding in findings:
            self._show(finding)
        self._line()

    def summary(self) -> int:
        """Shows what to fix; returns the exit status: 0, if that is nothing, else 1."""
        if not self._problems:
            self._line(("Nothing to fix.", "bold green"))
            return 0
        self._line((f"To fix: {len(self._problems)}", "bold red"))
        for number, finding in enumerate(self._problems, 1):
            self._line((f"  {number}. {finding.text}", ""))
            self._advise(finding, 5)
        return 1

    def _show(self, finding: Finding) -> None:
        if finding.mark == "problem":
            self._problems.append(finding)
        sign = SIGNS[finding.mark][0 if self._unicode else 1]
        step = f" {finding.step:<{STEP_WIDTH}} "
        self._line(("  ", ""), (sign, STYLES[finding.mark]), (step, "bold"), (finding.text, ""))
        self._advise(finding, STEP_WIDTH + 5)

    def _advise(self, finding: Finding, indent: int) -> None:
        arrow = "→" if self._unicode else "->"
        for advice in finding.advice.splitlines():
            width = max(self._width - indent - len(arrow) - 1, 20)
            for line in textwrap.wrap(
                advice, width, break_long_words=False, break_on_hyphens=False
            ):
                self._line((f"{' ' * indent}{arrow} {line}", "cyan"))
                arrow = " " * len(arrow)

    def _line(self, *parts: tuple[str, str]) -> None:
        said = [(plain(text), style) for text, style in parts]
        if not self._unicode:
            said = [(text.replace("…", "..."), style) for text, style in said]
        if self._console is None:
            encoding = sys.stdout.encoding or "ascii"
            line = "".join(text for text, _ in said)
            _ = sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")
            return
        from rich.text import Text  # noqa: PLC0415 - of an extra

        self._console.print(Text.assemble(*said), soft_wrap=True)


def _console() -> Console | None:
    if not sys.stdout.isatty():
        return None
    try:
        from rich.console import Console  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        return None
    return Console(highlight=False, markup=False)


def _can_say(text: str, encoding: str) -> bool:
    try:
        _ = text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
