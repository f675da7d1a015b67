"""Values that do their worst: what records, arguments and extras may hold."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

from hypothesis import strategies as st


def raising(*_arguments: object, **_named: object) -> NoReturn:
    """Stands for any method that raises."""
    message = "hostile"
    raise ZeroDivisionError(message)


def made(base: type = object, /, **members: object) -> Any:
    """Returns a class of ``base`` with the given members, whatever a type checker thinks."""
    return type("Hostile", (base,), members)


def returning(result: object) -> Callable[..., object]:
    """Returns a method that returns ``result``, whatever it is given."""

    def method(*_arguments: object, **_named: object) -> object:
        return result

    return method


def recursing(value: object) -> str:
    """Stands for a text that is made from itself."""
    return str(value) + "!"


class HostileMapping(Mapping[str, object]):
    """A mapping of which no method works."""

    def __getitem__(self, key: str) -> NoReturn:
        raising(key)

    def __iter__(self) -> Iterator[str]:
        raising()

    def __len__(self) -> NoReturn:  # noqa: PLE0303 - that is the point
        raising()


class SelfMapping(Mapping[str, object]):
    """A mapping that holds itself, and looks new each time."""

    def __getitem__(self, key: str) -> object:
        return SelfMapping()

    def __iter__(self) -> Iterator[str]:
        return iter(("a", "b"))

    def __len__(self) -> int:
        return 2


class Colour(enum.Enum):
    """An enum whose value is no JSON."""

    RED = object()


@dataclass
class Order:
    """A dataclass with a member that is no JSON."""

    number: int
    note: object


def cycle() -> dict[str, Any]:
    """Returns a dict and a list that hold each other."""
    loop: dict[str, Any] = {"list": []}
    loop["list"].append(loop)
    return loop


def deep(levels: int, innermost: object = "bottom") -> Any:
    """Returns lists in lists."""
    value = innermost
    for _ in range(levels):
        value = [value]
    return value


_METHODS = (
    "__str__ __repr__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __len__ __iter__ "
    "__contains__ __getitem__ __format__ __int__ __float__ __index__ __add__ __radd__ "
    "__mod__ __hash__ __reduce_ex__ __sizeof__ encode items keys values get lower strip"
)
_EVERY_METHOD = dict.fromkeys(_METHODS.split(), raising)


_DEEP = deep(10_000)  # made once: it takes a while
_DEEP_DICT = deep(500, {"a": deep(500)})


def values() -> dict[str, Any]:
    """Returns hostile values by name, new ones at each call where they can change."""
    return {
        "str raises": made(__str__=raising, __repr__=raising)(),
        "str recurses": made(__str__=recursing, __repr__=recursing)(),
        "str is no text": made(__str__=returning(5), __repr__=returning(None))(),
        "eq and hash raise": made(__eq__=raising, __hash__=raising)(),
        "bool raises": made(__bool__=raising, __len__=raising)(),
        "getattr raises": made(__getattr__=raising)(),
        "getattribute raises": made(__getattribute__=raising)(),
        "class raises": made(__class__=property(raising))(),
        "class lies str": made(__class__=str)(),
        "class lies int": made(__class__=int)(),
        "class lies float": made(__class__=float)(),
        "class lies bool": made(__class__=bool)(),
        "class lies dict": made(__class__=dict)(),
        "class lies list": made(__class__=list)(),
        "class lies tuple": made(__class__=tuple)(),
        "class lies exception": made(__class__=ValueError)(),
        "every method raises": made(**_EVERY_METHOD)(),
        "str subclass": made(str, **_EVERY_METHOD)("text"),
        "int subclass": made(int, **_EVERY_METHOD)(5),
        "float subclass": made(float, **_EVERY_METHOD)(5.5),
        "float subclass adds nan": made(float, __add__=returning(float("nan")))(5.5),
        "dict subclass": made(dict, **_EVERY_METHOD)(a=1),
        "list subclass": made(list, **_EVERY_METHOD)([1]),
        "tuple subclass": made(tuple, **_EVERY_METHOD)([1]),
        "bytes subclass": made(bytes, **(_EVERY_METHOD | {"decode": raising}))(b"a"),
        "mapping": HostileMapping(),
        "exception": made(Exception, __str__=raising, __repr__=raising)("a"),
        "nan": float("nan"),
        "infinity": float("-inf"),
        "10**400": 10**400,
        "-10**5000": -(10**5000),
        "decimal": Decimal("1E+999999"),
        "decimal snan": Decimal("sNaN"),
        "fraction": Fraction(10**400, 3),
        "complex": 1j,
        "high surrogate": "a\ud83db",
        "low surrogate": "a\ude00b",
        "nul": "a\0b",
        "control characters": "\x1b[31m\x7f\u2028\ufeff\uffff",
        "bytes": b"\xff\xfe\x00",
        "bytearray": bytearray(b"\xff"),
        "memoryview": memoryview(b"\xff"),
        "cycle": cycle(),
        "deep": _DEEP,
        "deep dict": _DEEP_DICT,
        "endless generator": itertools.count(),
        "generator": (raising() for _ in range(1)),
        "set": {1, "a", (2,), None},
        "keys": {None: 1, True: 2, 1.5: 3, (1, 2): 4, b"\xff": 5, float("nan"): 6, 10**5000: 7},
        "key raises": {made(__str__=raising, __repr__=raising)(): 1, "sane": 2},
        "key class raises": {made(__class__=property(raising))(): 1, "sane": 2},
        "key class lies": {made(__class__=bool)(): 1, "sane": 2},
        "surrogate key": {"\ud83d": 1, "sane": 2},
        "enum": Colour.RED,
        "dataclass": Order(1, made(__str__=raising, __repr__=raising)()),
        "dataclass cycle": Order(1, cycle()),
        "class": HostileMapping,
        "ellipsis": ...,
        "function": raising,
    }


NAMES = list(values())


@dataclass(frozen=True)
class Placeholder:
    """Stands for a hostile value while an example is drawn and shown."""

    name: str


def realised(value: Any) -> Any:
    """Returns an example of ``anything`` with the hostile values in their places."""
    if type(value) is Placeholder:
        return values()[value.name]
    if hasattr(value, "items"):
        return {key: realised(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(realised(item) for item in value)
    return Order(value.number, realised(value.note)) if type(value) is Order else value


leaves: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary(max_size=20)
    | st.decimals()
    | st.datetimes()
    | st.uuids()
    | st.builds(Placeholder, st.sampled_from(NAMES))
)
keys: st.SearchStrategy[Any] = (
    st.text(st.characters(exclude_categories=()), max_size=5)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.tuples(st.integers())
    | st.binary(max_size=3)
)
anything: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(Order, st.integers(), inner)
    ),
    max_leaves=12,
)
"""Whatever a record may hold: sane and hostile values, in each other; to be ``realised``."""

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
"""What JSON can say."""
