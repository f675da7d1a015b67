"""Values as text of bounded length. Total: whatever a value's own methods do, text comes back.

Lengths are UTF-16 units, as the pipeline counts them (a character outside the basic plane is
two). A text that was cut ends in ``CUT_MARK``.
"""

from __future__ import annotations

CUT_MARK = "…[cut]"


def text(value: object) -> str:
    """Returns ``str(value)`` as an exact ``str``, or a marker where that raises."""
    try:
        made = value if isinstance(value, str) else str(value)
        return str.__str__(made)
    except Exception as error:  # noqa: BLE001 - a hostile __str__ may raise anything
        return unprintable(value, error)


def unprintable(value: object, error: Exception) -> str:
    """Returns the marker that stands for a value whose own methods raised ``error``."""
    return f"<unprintable {type(value).__name__}: {type(error).__name__}>"


def clean(value: str) -> str:
    """Joins surrogate pairs and replaces lone surrogates, which no JSON in UTF-8 can hold."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def cut(value: str, limit: int) -> str:
    """Returns ``value`` in at most ``limit`` UTF-16 units; what was cut ends in ``CUT_MARK``."""
    if len(value) * 2 <= limit:
        return value
    units = value.encode("utf-16-le", "surrogatepass")
    if len(units) <= limit * 2:
        return value
    kept = units[: max(limit - len(CUT_MARK), 0) * 2].decode("utf-16-le", "ignore")
    return (kept + CUT_MARK)[:limit]


def cut_head(value: str, limit: int) -> str:
    """Like ``cut``, but keeps the end: of a stack trace the last lines say most."""
    reversed_mark = CUT_MARK + "\n"
    units = value.encode("utf-16-le", "surrogatepass")
    if len(units) <= limit * 2:
        return value
    kept = units[len(units) - (limit - len(reversed_mark)) * 2 :]
    return reversed_mark + kept.decode("utf-16-le", "ignore")
