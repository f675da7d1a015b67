"""Any Python value as JSON. Total: what no encoder takes is replaced by text or a marker.

The law: the result is UTF-8 JSON that nests at most ``MAX_DEPTH`` deep. The fast path gives
the value to the encoder as it is; what is not made of JSON's own types, too deep, too large
or refused is rebuilt piece by piece from parts that are safe.
"""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, cast

from pythonjsonlogger.json import JsonEncoder

from snowplow_logging._text import CUT_MARK, clean, cut, cut_head, is_a, text, unprintable

try:
    import orjson
except ImportError:  # an extra: the standard library's encoder does the same, slower
    orjson = None  # type: ignore[assignment]

MAX_DEPTH = 36  # of an event's own data; the pipeline takes 40 with the wrappers
MAX_NODES = 100_000  # values that a rebuilt structure may hold
MAX_DIGITS = 600  # of an integer; Python may be told to print no more than 640
MAX_FLOAT_EXPONENT = 300
LONGEST_KEY = 1_024
SHORTEST_CUT = 64  # UTF-16 units; rather than cut texts shorter, elements are left out
CIRCULAR_MARK = "<circular reference>"
_SCALARS = frozenset({str, int, float, bool, type(None)})
_TEXT = frozenset({str})
_CONTAINERS = frozenset({dict, list, tuple})
_BACKSLASH = ord("\\")

_coerce = JsonEncoder().default
_type: Callable[[Any], Any] = type  # so that type checkers do not infer more than there is


def encode(value: Any) -> bytes:
    """Returns ``value`` as compact JSON in UTF-8.

    Raises:
        RecursionError, MemoryError: where the caller itself is at the interpreter's limit.
    """
    try:
        # Most are flat, which is_simple would say, too, but for a call that takes as long again.
        if (
            _type(value) is dict
            and _SCALARS.issuperset(map(type, value.values()))
            and len(value) <= MAX_NODES
        ) or is_simple(value):
            encoded = _dumps(value, None, _OPTIONS)
            # Most have no escapes at all; one byte is found six times as fast as a text.
            if _BACKSLASH not in encoded or b"\\u0000" not in encoded:
                return encoded
    except Exception:  # noqa: BLE001, S110 - as of numbers that JSON cannot say, or data that changes
        pass
    return _dumps_plain(plain(value))


def encode_within(value: object, limit: int) -> bytes | None:
    """Returns ``value`` as JSON of at most ``limit`` bytes, its longest texts cut first.

    Returns:
        The JSON, or None where even short texts and few elements do not fit.
    """
    encoded = encode(value)
    if len(encoded) <= limit:
        return encoded
    longest, nodes = limit // 2, max(limit // 16, 1)
    while len(encoded) > limit and nodes:
        encoded = _dumps_plain(plain(value, longest_text=longest, nodes=nodes))
        if longest > SHORTEST_CUT:
            longest = max(longest // 4, SHORTEST_CUT)
        else:
            nodes //= 2
    return encoded if len(encoded) <= limit else None


def plain(value: object, *, longest_text: int = 1 << 24, nodes: int = MAX_NODES) -> Any:
    """Rebuilds ``value`` from dicts, lists, texts and numbers that JSON can say.

    Args:
        value: Anything.
        longest_text: UTF-16 units that a text may have.
        nodes: Values that the result may hold; what comes after is left out, with a marker.
    """
    return _Rebuild(longest_text, nodes).value(value, MAX_DEPTH)


def default(value: object) -> object:
    """Stands in for a value that is no JSON: numbers as numbers, containers as such, else text.

    Dates, enums, dataclasses, bytes, exceptions and the like are as python-json-logger has them.
    """
    try:
        return _stand_in(value)
    except RecursionError:
        raise  # the encoder must end here, or it would unfold an endless mapping breadth-wise
    except Exception as error:  # noqa: BLE001 - the value's own methods may raise anything
        return unprintable(value, error)


def _stand_in(value: object) -> object:  # noqa: PLR0911 - one return a kind
    if isinstance(value, tuple):
        return list(cast("tuple[object, ...]", value))
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, (bytes, bytearray)):
        return _bytes(value)
    if isinstance(value, AbstractSet):
        return list(cast("AbstractSet[object]", value))
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if is_dataclass(value) and not isinstance(value, type):
        # One level: what its fields share would be copied as often as it occurs.
        names = [field.name for field in fields(cast("Any", value))]
        return {name: getattr(value, name) for name in names}
    if isinstance(value, numbers.Real):
        return float(value)
    return _coerce(value)


def _bytes(value: bytes | bytearray) -> object:
    """Returns the text that the bytes are, as far as anybody can say; else their base64."""
    try:
        said = value.decode()
    except UnicodeDecodeError:
        return _coerce(value)
    return said if "\0" not in said else _coerce(value)


def _decimal(value: Decimal) -> int | float | str:
    if not value.is_finite() or abs(value.adjusted()) > MAX_FLOAT_EXPONENT:
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)


def elements(value: Any) -> list[Any]:
    """Returns the elements of a list or a tuple, whatever the value's class makes of them."""
    kind: Any = list if is_a(value, list) else tuple
    return list(kind.__iter__(value))


class _Rebuild:
    """One walk over one value, with what is left of its budget."""

    def __init__(self, longest_text: int, nodes: int) -> None:
        self._longest_text = longest_text
        self._longest_key = min(longest_text, LONGEST_KEY)
        self._nodes = nodes
        self._path: set[int] = set()  # ids of the containers that the walk is in

    def value(self, value: object, depth: int) -> Any:
        self._nodes -= 1
        try:
            return self._value(value, depth)
        except Exception as error:  # noqa: BLE001 - even isinstance() runs the value's own code
            return unprintable(value, error)

    def _value(self, value: object, depth: int) -> Any:  # noqa: PLR0911 - one return a kind
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return _shortened(clean(str.__str__(value)), self._longest_text)
        if isinstance(value, int):
            return _integer(value)
        if isinstance(value, float):
            return float.__add__(value, 0.0) if math.isfinite(value) else None
        if depth == 0 or self._nodes < 0:
            return CUT_MARK
        if not isinstance(value, (dict, list, tuple)):
            return self.value(default(value), depth - 1)
        return self._container(cast("object", value), depth - 1)

    def _container(self, value: object, depth: int) -> Any:
        address = id(value)
        if address in self._path:
            return CIRCULAR_MARK
        self._path.add(address)
        try:
            if isinstance(value, dict):
                return self._object(cast("dict[object, object]", value), depth)
            return self._array(value, depth)
        finally:
            self._path.discard(address)

    def _object(self, value: dict[object, object], depth: int) -> dict[str, Any]:
        rebuilt: dict[str, Any] = {}
        copies: dict[str, int] = {}
        items = list(dict[object, object].items(value))
        for key, item in items:
            if self._nodes < 0:
                rebuilt[CUT_MARK] = f"{len(items) - len(rebuilt)} more"
                break
            name = cut(clean(_key(key)), self._longest_key)
            rebuilt[_free(name, rebuilt, copies)] = self.value(item, depth)
        return rebuilt

    def _array(self, value: object, depth: int) -> list[Any]:
        rebuilt: list[Any] = []
        items = elements(value)
        for item in items:
            if self._nodes < 0:
                rebuilt.append(f"{CUT_MARK} {len(items) - len(rebuilt)} more")
                break
            rebuilt.append(self.value(item, depth))
        return rebuilt


def _shortened(value: str, limit: int) -> str:
    """Cuts a text as it has been cut before: at its beginning, or within the JSON that it is."""
    if len(value) * 2 <= limit or len(value.encode("utf-16-le")) <= limit * 2:
        return value
    mark = CUT_MARK + "\n"
    if value.startswith(mark):
        return cut_head(value.removeprefix(mark), limit)
    fitting = None
    if value.startswith("{") and value.endswith("}"):
        with suppress(ValueError, RecursionError):
            fitting = encode_within(json.loads(value), limit)
    return cut(value, limit) if fitting is None else fitting.decode()


def _free(name: str, taken: Mapping[str, Any], copies: dict[str, int]) -> str:
    """Returns ``name``, numbered where another key has become the same text: none is lost."""
    free = name
    while free in taken:
        copies[name] = copies.get(name, 1) + 1
        free = f"{name}~{copies[name]}"
    return free


def _key(key: object) -> str:
    """Names a JSON member as the standard library's encoder does, other keys by their text."""
    for constant, name in ((None, "null"), (True, "true"), (False, "false")):
        if key is constant:
            return name
    return text(key)


def is_simple(value: Any) -> bool:
    """Says whether an encoder may have ``value`` as it is: JSON's own types, in small numbers.

    What is shared is counted as often as it occurs, since that is how it would be written: ten
    lists that each hold the next one ten times are 10**10 values.
    """
    if _type(value) is dict and _SCALARS.issuperset(map(type, value.values())):
        return len(value) <= MAX_NODES
    level: list[Any] = [[value]]
    nodes = 0
    for _ in range(MAX_DEPTH + 1):
        deeper: list[Any] = []
        for container in level:
            nodes += len(container)
            if nodes > MAX_NODES:
                return False
            items = container.values() if _type(container) is dict else container
            if _SCALARS.issuperset(map(type, items)):
                continue
            for item in items:
                kind = _type(item)
                if kind in _CONTAINERS:
                    deeper.append(item)
                elif kind not in _SCALARS:
                    return False
        if not deeper:
            return True
        level = deeper
    return False


def _has_texts_as_keys(container: Any) -> bool:
    """Says of a container that is simple whether all keys in it are texts."""
    items = container
    if _type(container) is dict:
        if not _TEXT.issuperset(map(type, container)):
            return False
        items = container.values()
    return _SCALARS.issuperset(map(type, items)) or all(
        _has_texts_as_keys(item) for item in items if _type(item) in _CONTAINERS
    )


def _integer(value: int) -> int | str:
    number = int.__pos__(value)
    digits = number.bit_length() * 0.30103
    return number if digits < MAX_DIGITS else f"<integer of about {digits:.0f} digits>"


def _stdlib_encoder() -> Callable[[Any], str]:
    """Returns the standard library's encoder; made once, it takes half the time.

    Nothing that it gets refers to itself, so it need not keep account of where it is.
    """
    encoder = json.JSONEncoder(
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
        default=default,
        check_circular=False,
    )
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # as in PyPy
        return encoder.encode
    quoted = json.encoder.encode_basestring
    made: Any = make(None, default, quoted, None, ":", ",", False, False, False)
    return lambda value: "".join(made(value, 0))


_stdlib_dumps = _stdlib_encoder()


def _dumps_plain(value: object) -> bytes:
    # orjson takes no integer over 64 bits, so what was rebuilt always goes through this one.
    return _stdlib_dumps(value).encode()


def _stdlib(value: Any, _default: None, _option: int) -> bytes:
    # Of {1: "a", "1": "b"} it would write two members of one name, where orjson refuses.
    is_sound = _type(value) not in _CONTAINERS or _has_texts_as_keys(value)
    return _dumps_plain(value if is_sound else plain(value))


# No `default`, and nothing but JSON's own types: orjson borrows what is in containers, so were
# Python code to run meanwhile, it (or another thread) could change them and crash the interpreter.
_dumps: Callable[[object, None, int], bytes] = _stdlib if orjson is None else orjson.dumps
_OPTIONS = 0 if orjson is None else orjson.OPT_PASSTHROUGH_SUBCLASS

encode_own: Callable[[Any], bytes] = _dumps_plain if orjson is None else orjson.dumps
"""Returns a text without NUL, or fields of such and of small numbers, as JSON."""
