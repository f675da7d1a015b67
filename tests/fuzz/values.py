"""Random values: sane ones, those that do their worst, and both in each other."""

from __future__ import annotations

import array
import builtins
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import importlib
import importlib.util
import ipaddress
import itertools
import pathlib
import types
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.unit import hostile
from tests.unit.hostile import Order, deep, made, raising, returning
from tests.unit.records import exceptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

CHARACTERS = 'aZ0 _%"\\/{}[]<>\t\r\n\0\x1b\x7f\x85\xa0é\u2028\ud83d\ude00\ufeff\uffff\U0001f600'
KEPT = 100  # records for which the hostile values are the same objects


class Point(NamedTuple):
    """A named tuple."""

    x: object
    y: object


class Level(enum.IntEnum):
    """An enum that is a number."""

    HIGH = 10**30


class Access(enum.Flag):
    """An enum of bits."""

    READ = enum.auto()
    WRITE = enum.auto()


@dataclasses.dataclass(frozen=True, order=True)
class Tree:
    """A dataclass that holds others."""

    left: object
    right: object


class Zone(dt.tzinfo):
    """A time zone that does not know the time."""

    def utcoffset(self, _: object) -> dt.timedelta:
        return raising()

    tzname = dst = utcoffset  # type: ignore[assignment]


def shared(make: Callable[[Any], Any], levels: int, innermost: object = 1) -> Any:
    """Returns a structure in which each level holds the next one, perhaps several times."""
    value: Any = innermost
    for _ in range(levels):
        value = make(value)
    return value


def _growing() -> Any:
    """Returns a list that grows while it is read."""

    def grow(itself: list[object]) -> Iterator[object]:
        for value in _endless():
            itself.append(value)
            yield value

    return made(list, __iter__=grow)()


def _ten(value: object) -> list[object]:
    return [value] * 10


def _two(value: object) -> list[object]:
    return [value, value]


def _members(value: object) -> dict[str, object]:
    return {"a": value, "b": value, "c": value}


def _endless(*_: object) -> Iterator[object]:
    while True:
        yield raising


_HUGE: dict[str, Any] = {
    "100 000 keys": {f"key {number}": number for number in range(100_000)},
    "100 000 hostile keys": {(number,): raising for number in range(100_000)},
    "300 000 elements": list(range(300_000)),
    "huge text": "\x1b" * 3_000_000,
    "huge bytes": b"\xff" * 3_000_000,
    "10 000 deep dict": shared(lambda value: {"a": value}, 10_000),
    "10 000 deep tuple": shared(lambda value: (value,), 10_000),
    "2 000 deep dataclass": shared(lambda value: Order(1, value), 2_000),
    "wide and deep": [deep(35, [1] * 100)] * 100,
}
"""What is large; made once, since that takes a while, and drawn less often."""

_ENDLESS: dict[str, Any] = {
    "ten lists ten times": shared(_ten, 10),
    "two lists forty times": shared(_two, 40),
    "two lists thirty times": shared(_two, 30),
    "three members twenty times": shared(_members, 20),
    "dataclasses forty times": shared(lambda value: Tree(value, value), 40),
    "tuples forty times": shared(lambda value: (value, value), 40),
    "named tuples forty times": shared(lambda value: Point(value, value), 40),
    "mappings forty times": shared(lambda value: types.MappingProxyType(_members(value)), 40),
    "growing": _growing(),
    "million digits": decimal.Decimal("1E+999999"),
    "sets ten times": shared(lambda value: frozenset({value, (value,), ((value,),)}), 10),
}
"""What is small in memory, and endless once it is written out.

Python itself does not come to an end with ``str`` or ``json.dumps`` of it, so it is drawn for
places alone where the handler, not Python or a formatter, writes it.
"""


def _others() -> dict[str, Any]:
    """Returns hostile and odd values that ``tests.unit.hostile`` does not have."""
    growing: Any = made(dict, __getitem__=raising)(a=1)
    iterating: Any = made(__iter__=_endless, __len__=returning(2**60))
    keyed: Any = made(keys=raising, __getitem__=raising)
    hidden: dict[str, Any] = dict.fromkeys(("__str__", "__repr__", "__instancecheck__"), raising)
    meta: Any = type("Meta", (type,), hidden | {"__name__": property(raising)})
    return {
        "keys raises": keyed(),
        "dict whose items raise": growing,
        "iterates without end": iterating(),
        "length is negative": made(__len__=returning(-1))(),
        "class of a hostile metaclass": meta("Hostile", (), {}),
        "object of a hostile metaclass": meta("Hostile", (), {})(),
        "dict raises": made(__dict__=property(raising))(),
        "fields lie": made(__dataclass_fields__={"a": 1})(),
        "fields raise": made(__dataclass_fields__=property(raising))(),
        "json raises": made(__json__=raising, isoformat=raising, tolist=raising)(),
        "str is endless": made(str, __iter__=_endless, __len__=returning(2**60))("a"),
        "hash changes": made(__hash__=itertools.count().__next__, __eq__=returning(True))(),
        "format raises": made(__format__=raising, __mod__=raising, __rmod__=raising)(),
        "number raises": made(complex, __abs__=raising, __str__=raising)(1),
        "decimal raises": made(decimal.Decimal, __str__=raising, is_finite=raising)(1),
        "date raises": made(dt.datetime, isoformat=raising, __str__=raising)(2024, 1, 1),
        "zone raises": dt.datetime(2024, 1, 1, tzinfo=Zone()),
        "path": pathlib.PurePosixPath("/srv"),
        "address": ipaddress.ip_address("::1"),
        "range": range(10**12),
        "array": array.array("d", [1.0, float("nan")]),
        "namespace": types.SimpleNamespace(a=1),
        "module": types,
        "frozen mapping": types.MappingProxyType({"a": {1}}),
        "chain map": collections.ChainMap[Any, Any]({"a": 1}, {1: 2}),
        "user dict": collections.UserDict({"a": object()}),
        "default dict": collections.defaultdict(list, {None: [1]}),
        "ordered": collections.OrderedDict({"a": float("inf")}),
        "deque": collections.deque([1, (2,)]),
        "counter": collections.Counter("hello"),
        "int enum": Level.HIGH,
        "flag": Access.READ | Access.WRITE,
        "not implemented": NotImplemented,
        "slice": slice(1, None),
        "zip": zip([1], itertools.repeat(2)),
        "exception": ValueError(ValueError("a"), {1}),
    }


def _further() -> list[BaseException]:
    """Returns exceptions that ``tests.unit.records`` does not have."""
    noted: Any = ValueError("noted")
    noted.__notes__ = ["a note", made(__str__=raising)(), 5]
    loop = ValueError("loop")
    loop.__context__ = KeyError("inner")
    loop.__context__.__context__ = loop
    further: list[BaseException] = [noted, loop, ValueError(shared(_two, 12))]
    group: Any = getattr(builtins, "ExceptionGroup", None)  # from Python 3.11 on
    if group is not None:
        further += [
            group("many", [ValueError("a"), made(Exception, __str__=raising)(), loop]),
            shared(lambda inner: group("deep", [inner]), 500, loop),
            shared(lambda inner: group("two", [inner, inner]), 8, loop),
        ]
    return further


def _scientific() -> dict[str, Any]:
    """Returns scalars and arrays of numpy and pandas, where those are installed."""
    found: dict[str, Any] = {}
    if importlib.util.find_spec("numpy"):
        numpy: Any = importlib.import_module("numpy")
        found |= {
            "numpy int": numpy.int64(2**62), "numpy float": numpy.float32("nan"),
            "numpy bool": numpy.bool_(1), "numpy date": numpy.datetime64("NaT"),
            "numpy array": numpy.ones((3, 3)), "numpy void": numpy.void(b"\xff"),
        }  # fmt: skip
    if importlib.util.find_spec("pandas"):
        pandas: Any = importlib.import_module("pandas")
        found |= {
            "pandas na": pandas.NA, "pandas nat": pandas.NaT,
            "pandas time": pandas.Timestamp(0), "pandas frame": pandas.DataFrame({"a": [1]}),
        }  # fmt: skip
    return found


class Values:
    """Draws values.

    Args:
        log: What a value does that logs while it is made a text.

    Attributes:
        allows_endless: Whether values may be endless once they are written out.
    """

    allows_endless = True

    def __init__(self, log: Callable[[], None]) -> None:
        def logging_text(_: object) -> str:
            log()
            return "logged"

        self._logging = made(__str__=logging_text, __repr__=logging_text)
        self._scientific = _scientific()
        self._hostile: list[Any] = []
        self._exceptions: list[BaseException] = []
        self._until = -1

    def renew(self, number: int) -> None:
        """Makes the hostile values anew now and then: some of them can be used up."""
        if number // KEPT != self._until:
            self._until = number // KEPT
            named = {**hostile.values(), **_others(), **self._scientific}
            del named["decimal"]  # is among the endless, since Python writes all its digits
            self._hostile = [*named.values(), self._logging()]
            self._exceptions = [*exceptions().values(), *_further()]

    def value(self, random: Random, depth: int = 3, *, printed: bool = False) -> Any:
        """Returns anything; if it is to be ``printed``, something of which Python makes a text."""
        roll = random.random()
        if roll < 0.0002:
            return random.choice([*_HUGE.values()])
        if roll < 0.0004 and self.allows_endless and not printed:
            return random.choice([*_ENDLESS.values()])
        if roll < 0.35:
            return random.choice(self._hostile)
        if roll < 0.6 or depth == 0:
            return self.scalar(random)
        return self._container(random, depth - 1, printed=printed)

    def scalar(self, random: Random) -> Any:
        """Returns a sane value, at its bounds now and then."""
        kind = random.randrange(12)
        if kind < 3:
            return text(random)
        if kind < 5:
            return random.choice([0, 1, -1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400])
        if kind == 5:
            return random.choice([0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), 0.1])
        makers: list[Callable[[], Any]] = [
            lambda: random.choice([None, True, False]),
            lambda: random.randbytes(random.randrange(20)),
            lambda: decimal.Decimal(random.choice(["1.5", "NaN", "1E+400", "-Infinity", "1E-400"])),
            lambda: dt.datetime.fromtimestamp(random.randrange(2**31), dt.timezone.utc),
            lambda: dt.timedelta(seconds=random.random()),
            lambda: uuid.UUID(int=random.getrandbits(128)),
        ]
        return random.choice(makers)()

    def exception(self, random: Random) -> BaseException:
        """Returns an exception, one that does its worst."""
        return random.choice(self._exceptions)

    def _container(self, random: Random, depth: int, *, printed: bool) -> Any:
        items = [self.value(random, depth, printed=printed) for _ in range(random.randrange(5))]
        kind = random.randrange(10)
        if kind < 4:
            return {self.key(random): item for item in items}
        if kind < 6:
            return items
        makers: list[Callable[[], Any]] = [
            lambda: tuple(items),
            lambda: (item for item in items),
            lambda: Point(items, items),
            lambda: Order(random.randrange(9), items),
        ]
        return makers[kind - 6]()

    def key(self, random: Random) -> Any:
        """Returns a key of a dict."""
        key = random.choice([text(random), "a", 1, 1.5, None, True, (1,), b"\xff", self._logging()])
        return text(random) if random.random() < 0.6 else key


def text(random: Random) -> str:
    """Returns a text, mostly a short one."""
    size = random.choice([0, 1, 3, 10, 10, 10, 300]) if random.random() < 0.99 else 70_000
    return "".join(random.choices(CHARACTERS, k=min(size, 50))) * max(size // 50, 1)
