"""What a traceback's text says. Pure, and total: of any text something comes back.

The law: nothing is told that the text does not hold. Python's own tracebacks are read in full
(causes, groups, notes), of Java's and JavaScript's the first lines.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, cast

HEAD = "Traceback (most recent call last):"
# No pattern takes more time than grows with the text: repeats are bounded, or begin a line.
_NEXT = re.compile(
    r"\n{1,4}(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):\n"
)
_OF_A_GROUP = re.compile(r"^  (?:[|+] |\|$)", re.MULTILINE)
_FRAME = re.compile(r'^[> ] File "([^"\n]{1,1000})", line (\d{1,9}), in ', re.MULTILINE)
# The first line that is not indented is the exception's; its message may have more.
_SAID = re.compile(r"^([^\W\d][\w.<>]*)(?:: ?([\s\S]*)|$)", re.MULTILINE)
_FOREIGN = {
    "JAVA": re.compile(
        r"^[ \t]{1,8}at [\w.$/<>]{1,500}\(([\w$]{1,200}\.\w{1,9}):(\d{1,9})\)", re.MULTILINE
    ),
    "JAVASCRIPT": re.compile(
        r"^[ \t]{1,8}at (?:[^\n(]{1,500}\()?([^\n()]{1,500}):(\d{1,9}):\d{1,9}\)?$", re.MULTILINE
    ),
}


class Trace(NamedTuple):
    """What a traceback says.

    Args:
        language: Whose it is, as ``application_error`` names languages.
        name: The exception's class, with its module.
        message: Its text.
        file: Where it was raised.
        line: The line there.
        cause: The traceback of its cause or context.
    """

    language: str = "PYTHON"
    name: str | None = None
    message: str | None = None
    file: str | None = None
    line: int | None = None
    cause: str | None = None


def read(text: str) -> Trace:
    """Returns what a traceback says of the exception that was raised last."""
    for language, frame in _FOREIGN.items():
        if (first := frame.search(text)) and HEAD not in text:
            name, message = _said(text[: first.start()], 0)
            return Trace(language, name, message, first[1], int(first[2]))
    cause, last = None, text
    for following in _NEXT.finditer(text):
        cause, last = text[: following.start()].rstrip("\n"), text[following.end() :]
    if last.startswith("  + "):
        last = _OF_A_GROUP.sub("", last.partition("\n  +-+")[0])
    begin = last.find(HEAD)
    name, message = _said(last, 0 if begin < 0 else begin + len(HEAD))
    end = len(last) - len(message or "")  # a message may quote a traceback
    frames = _FRAME.findall(last[:end])
    file, line = frames[-1] if frames else (None, None)
    return Trace("PYTHON", name, message, file, int(line) if line else None, cause)


def _said(text: str, begin: int) -> tuple[str | None, str | None]:
    found = _SAID.search(text, begin)
    return (found[1], (found[2] or "").rstrip("\n")) if found else (None, None)


def text_of(value: Any) -> str | None:
    """Returns a traceback as text: it may be written as lines, or as structlog's dicts."""
    if type(value) is str:
        return value or None
    items = cast("list[Any]", value) if type(value) is list else []
    if not items:
        return None
    if all(type(item) is str for item in items):
        return "\n".join(items)
    if all(type(item) is dict and "exc_type" in item for item in items):
        return _chained(items)
    return None


def _chained(exceptions: list[dict[str, Any]]) -> str:
    """Returns structlog's dicts, of which each is caused by the next one, as Python shows it."""
    text = ""
    for exception in reversed(exceptions):
        text += _shown(exception)
        if exception is not exceptions[0]:
            text += (
                "\n\nThe above exception was the direct cause of the following exception:\n\n"
                if exception.get("is_cause")
                else "\n\nDuring handling of the above exception, another exception occurred:\n\n"
            )
    return text


def _shown(exception: dict[str, Any]) -> str:
    frames: list[Any] = [each for each in exception.get("frames") or () if type(each) is dict]
    # Not their local variables: those may be secret, and no traceback shows them.
    lines = [
        f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}'
        for frame in frames
    ]
    said = f"{exception['exc_type']}: {exception.get('exc_value')}".removesuffix(": ")
    notes = [str(note) for note in exception.get("exc_notes") or ()]
    return "\n".join([HEAD, *lines, said, *notes] if lines else [said, *notes])
