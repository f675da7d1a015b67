"""Random records: whatever logging calls, other handlers and other loggers make of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from snowplow_logging import SelfDescribingJson
from tests.fuzz.values import text
from tests.unit.hostile import made, raising, returning
from tests.unit.records import ATTRIBUTES, chained, exc_info

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.fuzz.values import Values

ANY = [name for name in ATTRIBUTES if name != "created"]  # whose values may be anything
OWN = "iglu:com.acme/anything/jsonschema/1-0-0"  # a schema that takes every object and array
MESSAGES = [
    "plain", "", "%s", "%d items", "%s and %s", "100%", "%(name)s", "%(a)s %(b)d", "%",
    "%.1000000000s", "%c", "%r %a %x", "{0.a!r}", "%(", "\ud83d%s", "%%s", "%999999s",
]  # fmt: skip
SCHEMAS: list[Any] = [
    OWN, OWN, OWN, "iglu:com.acme/anything", "iglu:com.acme/anything/jsonschema/1-0-0\n", "", 5,
    made(str, __str__=raising, __eq__=raising, __hash__=raising)(OWN), OWN.encode(),
    made(str, __str__=returning("iglu:com.acme/other/jsonschema/1-0-0"))(OWN),
    made(__class__=str)(),
]  # fmt: skip
NAMES = [
    "a", "order_id", "", " ", "schema", "data", "contexts", "exception_type", "attributes",
    "taskName", "stack_trace", "__class__", "__dict__", "ä\ud83d", "\0", "x" * 2_000, "level",
]  # fmt: skip
TIMES: list[Any] = [None, -1e12, 0, 10**400, float("nan"), "now", (), made(__mul__=raising)()]
LOGGER = logging.getLogger(__name__)
LEVELS = [10, 20, 30, 40, 50, 0, -5, 25, 10**30]


class HostileRecord(logging.LogRecord):
    """A record that cannot say its message."""

    def getMessage(self) -> str:  # noqa: N802 - logging's name
        return raising()


class BlindRecord(logging.LogRecord):
    """A record that shows none of its attributes."""

    def __getattribute__(self, name: str) -> Any:
        return raising(name)


KINDS = [logging.LogRecord] * 30 + [HostileRecord] * 4 + [BlindRecord]


class Records:
    """Draws records.

    Args:
        values: Draws what is in them.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    def record(self, random: Random) -> logging.LogRecord:
        """Returns a record."""
        if random.random() < 0.5:
            return self._called(random)
        return self._made(random)

    def _called(self, random: Random) -> logging.LogRecord:
        """Returns what a logging call makes; where logging itself refuses it, another one."""
        try:
            return LOGGER.makeRecord(
                "shop", random.choice(LEVELS), "shop.py", 42, self.message(random),
                self._arguments(random), self._exc_info(random), "place", self._extra(random),
                random.choice([None, None, "Stack (most recent call last):"]),
            )  # fmt: skip
        except Exception:
            return self._made(random)

    def _made(self, random: Random) -> logging.LogRecord:
        """Returns what no logging call would make, but other libraries can."""
        record = logging.makeLogRecord({"msg": self.message(random), "levelno": 20})
        members = vars(record)
        members["args"] = self._arguments(random)
        members["exc_info"] = self._exc_info(random)
        members.update(self._extra(random))
        for name in random.choices(ANY, k=random.choice([0, 0, 1, 2, 5])):
            members[name] = self._values.value(random, 1, printed=True)
        if random.random() < 0.05:
            members["created"] = random.choice(TIMES)
        if random.random() < 0.2:
            members.pop(random.choice(ATTRIBUTES), None)
        if random.random() < 0.05:
            members[self._values.key(random)] = 1  # which need not be a text
        if random.random() < 0.2:
            members["exc_text"] = random.choice(
                [text(random), self._values.value(random, 1, printed=True)]
            )
        kind = random.choice(KINDS)
        if kind is logging.LogRecord:
            return record
        other = kind.__new__(kind)
        object.__getattribute__(other, "__dict__").update(members)
        return other

    def message(self, random: Random) -> Any:
        roll = random.random()
        if roll < 0.5:
            return random.choice(MESSAGES)
        if roll < 0.7:
            return text(random)
        if roll < 0.8:
            data = random.choice([{}, [], {"a": self._values.value(random)}])
            return SelfDescribingJson(OWN, data)
        if roll < 0.85:
            return {text(random): self._values.value(random)}
        return self._values.value(random, printed=True)

    def _arguments(self, random: Random) -> Any:
        if random.random() < 0.1:
            return self._values.value(random, printed=True)
        return tuple(
            self._values.value(random, 2, printed=True)
            for _ in range(random.choice([0, 0, 1, 1, 2, 3]))
        )

    def _extra(self, random: Random) -> dict[str, Any]:
        extra = {
            name: self._values.value(random, printed=name == "taskName")
            for name in random.choices(NAMES, k=random.choice([0, 0, 1, 1, 2, 5]))
        }
        if random.random() < 0.3:
            extra["schema"] = random.choice(SCHEMAS)
            if random.random() < 0.5:
                extra["data"] = self._values.value(random)
            if random.random() < 0.5:
                extra["contexts"] = self._contexts(random)
        return extra

    def _contexts(self, random: Random) -> Any:
        if random.random() < 0.2:
            return self._values.value(random, printed=True)
        kinds: list[Callable[[], Any]] = [
            lambda: SelfDescribingJson(OWN, {"a": self._values.value(random)}),
            lambda: {"schema": OWN, "data": {"a": self._values.value(random)}},
            lambda: {"schema": OWN, "data": {}},
            lambda: {
                "schema": random.choice(SCHEMAS),
                "data": self._values.value(random, printed=True),
            },
            lambda: {"schema": OWN},
        ]
        wrong = 5 if random.random() < 0.2 else 3
        entities = [random.choice(kinds[:wrong])() for _ in range(random.choice([0, 1, 1, 2, 50]))]
        return random.choice([entities, entities, tuple(entities)])

    def _exc_info(self, random: Random) -> Any:
        if random.random() < 0.6:
            return None
        exception = self._values.exception(random)
        kinds: list[Callable[[], Any]] = [
            lambda: exception,
            lambda: exc_info(exception, random.choice([None, chained(3)])),
            lambda: (type(exception), exception, None),
            lambda: (type(exception), exception, self._values.value(random, 1, printed=True)),
            lambda: (None, None, None),
            lambda: (type(exception), exception),
            lambda: random.choice([True, 1, "text", (), [1, 2, 3]]),
            lambda: self._values.value(random, 1, printed=True),
        ]
        weights = [3, 6, 1, 1, 1, 1, 1, 1]
        try:
            return random.choices(kinds, weights)[0]()
        except Exception:  # to raise it has itself failed
            return exception
