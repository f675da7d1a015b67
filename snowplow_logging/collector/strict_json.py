"""JSON as a pipeline reads it: no NaN, no doubled keys, no more than 40 levels.

Law: whatever the text, the outcome is a JSON value or a ``JsonError``, and whatever the
value, ``encode`` gives plain ASCII (so that a lone surrogate cannot fail later on).
"""

from __future__ import annotations

import json
import math
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MAX_LEVELS = 40  # a scalar counts as a level of its own
SHORT = 80  # characters of a value that a message shows


class JsonError(ValueError):
    """The text is not JSON that a pipeline takes; the message says why, in one line."""


def parse(text: str) -> Json:
    """Reads ``text``.

    Raises:
        JsonError: It is no JSON, names a key twice in one object, or nests too deep.
    """
    try:
        value: Json = _decoder.decode(text)
    except JsonError:
        raise
    except RecursionError:
        raise JsonError(_too_deep()) from None
    except json.JSONDecodeError as error:
        message = f"not JSON: {error}, in {shorten(text)}"
        raise JsonError(message) from None
    except ValueError:
        # Python refuses to convert thousands of digits, since that takes quadratic time.
        message = f"an integer has too many digits to be read, in {shorten(text)}"
        raise JsonError(message) from None
    # So few brackets cannot nest too deep.
    if text.count("[") + text.count("{") >= MAX_LEVELS and _is_deeper(value, MAX_LEVELS):
        raise JsonError(_too_deep())
    return value


def encode(value: object) -> str:
    """The compact JSON text of ``value``, in ASCII."""
    return _encoder.encode(value)


def shorten(value: object, limit: int = SHORT) -> str:
    """``value`` as JSON text of at most ``limit`` characters, for a message."""
    # A long string is cut before it is encoded: it may be megabytes.
    text = encode(value[:limit] if isinstance(value, str) else value)
    was_cut = isinstance(value, str) and len(value) > limit
    return f"{text[: limit - 1]}…" if was_cut or len(text) > limit else text


def cut(text: str, limit: int) -> str:
    """``text``, at most ``limit`` characters of it."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the key {shorten(twice)} stands more than once in one object"
        raise JsonError(message)
    return result


def _refuse_constant(name: str) -> Json:
    message = f"not JSON: {name} is no JSON value"
    raise JsonError(message)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        message = f"the number {cut(text, SHORT)} does not fit a double"
        raise JsonError(message)
    return number


def _too_deep() -> str:
    return f"JSON nests deeper than the {MAX_LEVELS} levels that a pipeline takes"


def _is_deeper(value: Json, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return levels <= 0
    if levels <= 1:
        return levels <= 0 or bool(value)
    for item in value.values() if isinstance(value, dict) else value:
        # Most are texts and numbers, for which a call would take longer than all else here.
        if isinstance(item, (dict, list)) and _is_deeper(item, levels - 1):
            return True
    return False


_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_float
)
