"""Values as text of bounded length. Total: whatever a value's own methods do, text comes back.

Lengths are UTF-16 units, as the pipeline counts them (a character outside the basic plane is
two). A text that was cut ends in ``CUT_MARK``.
"""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CUT_MARK = "…[cut]"
REPLACEMENT = "\ufffd"
WINDOW = 65_536  # characters that are looked at of a longer text: several times what a field takes
SEAM = 1_024  # of those next to the cut, where part of a secret would no longer look like one
_COLOURS = re.compile(r"\x1b\[[0-9;:]{0,100}m")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def text(value: object) -> str:
    """Returns ``str(value)`` as an exact ``str``, or a marker where that raises."""
    try:
        made = value if isinstance(value, str) else str(value)
        return str.__str__(made)
    except Exception as error:  # noqa: BLE001 - a hostile __str__ may raise anything
        return unprintable(value, error)


def unprintable(value: object, error: Exception) -> str:
    """Returns the marker that stands for a value whose own methods raised ``error``."""
    return f"<unprintable {class_name(value)}: {class_name(error)}>"


def class_name(value: object) -> str:
    """Returns the name of a value's class, which even a hostile metaclass cannot hide."""
    name: str = type.__dict__["__name__"].__get__(type(value))
    return name


def is_a(value: object, kind: type | tuple[type, ...]) -> bool:
    """Is ``isinstance`` by the true class alone: to ask for ``__class__`` may raise anything."""
    return issubclass(type(value), kind)


def _same(value: str) -> str:
    return value


def shown(value: object, limit: int = 100, redact: Callable[[str], str] = _same) -> str:
    """Returns ``value`` for an error, of bounded length, and made in bounded time."""
    try:
        return cut(redact(legible(_Short(redact).repr(value))), limit)
    except Exception as error:  # noqa: BLE001 - even subclasses of str may raise anything
        return unprintable(value, error)


class _Short(reprlib.Repr):
    """Shows what Python has built in; of other objects only the class, as theirs may be endless."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxstring = 100
        self._redact = redact

    def repr_str(self, x: str, level: int) -> str:
        return super().repr_str(self._redact(x[:WINDOW]), level)

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002 - its name there
        if x is None or is_a(x, (bool, float, bytes)):
            return repr(x)[: self.maxstring]
        return f"<{class_name(x)}>"


def clean(value: str) -> str:
    """Replaces what no JSON or no warehouse can hold: lone surrogates, and NUL; joins pairs."""
    if value.isascii():
        return value.replace("\0", REPLACEMENT)
    joined = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", REPLACEMENT)


def legible(value: str) -> str:
    """Returns ``value`` clean and without control characters, but for tabs and line ends.

    The colours of a terminal go without a trace: they are in the midst of what they colour.
    """
    if value.isprintable():
        return value  # as most are
    if "\x1b" in value:
        value = _COLOURS.sub("", value)
    return _CONTROLS.sub(REPLACEMENT, clean(value))


def cut(value: str, limit: int) -> str:
    """Returns ``value`` in at most ``limit`` UTF-16 units; what was cut ends in ``CUT_MARK``."""
    if len(value) * 2 <= limit:
        return value
    units = value.encode("utf-16-le", "surrogatepass")
    if len(units) <= limit * 2:
        return value
    kept = units[: max(limit - len(CUT_MARK), 0) * 2].decode("utf-16-le", "ignore")
    return (kept + CUT_MARK)[:limit]


def bounded(value: object, limit: int, redact: Callable[[str], str] = _same) -> str | None:
    """Returns the text of ``value``, legible and cut to ``limit`` UTF-16 units; None stays None.

    Args:
        value: Anything.
        limit: At most ``WINDOW - SEAM``.
        redact: Removes secrets, before any is cut in two.
    """
    if value is None:
        return None
    whole = value if type(value) is str else text(value)
    if len(whole) * 2 <= limit and whole.isprintable():  # as most are
        redacted = redact(whole)
        return redacted if redacted is whole else cut(redacted, limit)
    if len(whole) <= WINDOW:
        return cut(redact(legible(whole)), limit)
    return cut(redact(legible(whole[:WINDOW]))[:-SEAM] + CUT_MARK, limit)


def bounded_end(value: object, limit: int, redact: Callable[[str], str] = _same) -> str | None:
    """Like ``bounded``, but keeps the end: of a stack trace the last lines say most."""
    if value is None:
        return None
    whole = text(value)
    if len(whole) <= WINDOW:
        return cut_head(redact(legible(whole)), limit)
    return cut_head(f"{CUT_MARK}\n{redact(legible(whole[-WINDOW:]))[SEAM:]}", limit)


def cut_head(value: str, limit: int) -> str:
    """Like ``cut``, but keeps the end."""
    mark = CUT_MARK + "\n"
    units = value.encode("utf-16-le", "surrogatepass")
    if len(units) <= limit * 2:
        return value
    kept = units[len(units) - max(limit - len(mark), 0) * 2 :]
    return mark[:limit] + kept.decode("utf-16-le", "ignore")
