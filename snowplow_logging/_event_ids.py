"""Event ids: random (version 4) UUIDs from the OS's randomness, made by the thousand.

The law: no id is given twice, not by threads, and not by a process and its forked child.
"""

from __future__ import annotations

import os
import struct

from snowplow_logging._guard import forking

_NUMBER = 1_000  # ids that are made at once; one by one they take four times as long, or more
_DIGITS = 32
_FORM = b"........-....-4...-v...-............"
_PLACES = [place for place, mark in enumerate(_FORM) if mark != ord(b"-")]
_VERSION, _VARIANT = _FORM.index(b"4"), _FORM.index(b"v")
_AS_VARIANT = bytes.maketrans(b"0123456789abcdef", b"89ab" * 4)

_ready: list[bytes] = []


def new_event_id() -> bytes:
    """Returns a new id, as the 36 characters that a UUID is written in."""
    if forking.threads:  # what is ready may be the parent's, and this the child
        return _make(1)[0]
    try:
        return _ready.pop()
    except IndexError:  # two threads at once make each their own
        made = _make(_NUMBER)
        _ready.extend(made[1:])
        return made[0]


def after_fork_in_child() -> None:
    """Leaves the ids that were made to the parent."""
    _ready.clear()


def _make(number: int) -> list[bytes]:
    """Returns ids whose digits are filled in place by place, of all of them at once."""
    digits = os.urandom(number * _DIGITS // 2).hex().encode()
    text = bytearray(_FORM * number)
    for digit, place in enumerate(_PLACES):
        column = digits[digit::_DIGITS]
        if place == _VARIANT:
            column = column.translate(_AS_VARIANT)
        if place != _VERSION:
            text[place :: len(_FORM)] = column
    return list(struct.unpack(f"{len(_FORM)}s" * number, text))
