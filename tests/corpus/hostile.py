"""Hostile records, of one seed: each field, each form of an event, each scope and each subject.

Where a record has something sane beside what is hostile, that must arrive; such a case has a
number, which is in the record as ``SANE`` is.
"""

from __future__ import annotations

import logging
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging import SelfDescribingJson
from tests.fuzz.records import LEVELS, OWN, SCHEMAS, Records
from tests.unit import hostile
from tests.unit.hostile import made, raising, returning
from tests.unit.records import ATTRIBUTES, exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.values import Values

BIG = 2**64 + 12_345_678_901_234_567_890  # more than an encoder in C takes
SANE: dict[str, Any] = {"big": BIG, "nan": float("nan"), "infinite": float("-inf"), "plain": "é"}
ARRIVES: dict[str, Any] = {"big": BIG, "nan": None, "infinite": None, "plain": "é"}
FIELDS = sorted({*ATTRIBUTES, "taskName", "message", "asctime"})
PIECES = [
    "x", "é", "\U0001f600", "a\U0001f600", "\0", "\x1b[31m", "\ud83d", "\ude00\ud83d", "e\u0301",
    "\u202e", "\n", "\t", "\r", '"', "\\", "\u2028", "\x85", "\x7f", "\ufeff", "\uffff", "%", "%s",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "<script>", "煎", "'; DROP TABLE events; --",
]  # fmt: skip
LENGTHS = [1, 40, 127, 128, 254, 255, 256, 1_000, 1_024, 4_097, 8_192, 20_000]
NUMBERS: list[Any] = [
    True, False, -1, 0, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63,
    -(2**63), 10**20, 10**400, -(10**5_000), 1.5, -0.0, 1e308, 5e-324, float("nan"), float("inf"),
    "20", b"20", None, 1_700_000_000, 253_402_300_800, -62_167_219_201, [20], {"a": 20},
]  # fmt: skip
PARENTS: list[Any] = [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-\u0660af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", "\0", "00-" * 10_000, None,
    5, b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", [], "\ud83d",
]  # fmt: skip
TEXT_SETTERS = [
    "user_id", "domain_user_id", "network_user_id", "ip_address", "useragent", "timezone", "lang",
    "page_url",
]  # fmt: skip
NUMBER_SETTERS = ["session_index", "color_depth", "session_id", "platform"]
SIZE_SETTERS = ["screen_resolution", "viewport"]


class Case(NamedTuple):
    """One record, and what is around it.

    Args:
        record: The record.
        number: Of a case whose sane part must arrive.
        entities: Of the scope in which it is logged.
        parent: The scope's ``traceparent``.
        subject: A setter of the subject, and its arguments.
    """

    record: logging.LogRecord
    number: int | None = None
    entities: Any = ()
    parent: Any = None
    subject: tuple[str, tuple[Any, ...]] | None = None


class Hostile:
    """Draws cases.

    Args:
        seed: Of all cases.
        values: Draws what is in them.
    """

    def __init__(self, seed: int, values: Values) -> None:
        self._random = Random(seed)
        self._values = values
        self._records = Records(values)

    def cases(self, count: int) -> Iterator[Case]:
        """Returns ``count`` cases: every field with every value, and as many of the other kinds."""
        number = 0
        for field, choice in self._grid():
            self._values.renew(number)
            yield self._field(number, field, choice)
            number += 1
        others = [
            self._named, self._named_with_anything, self._level, self._scope, self._subject,
            self._message, self._any, self._voluminous,
        ]  # fmt: skip
        weights = [6, 6, 6, 6, 6, 6, 12, 1]  # the last takes its time
        for number in range(number, count):  # noqa: B020 - goes on where the fields end
            self._values.renew(number)
            (kind,) = self._random.choices(others, weights)
            yield kind(number)

    def _grid(self) -> list[tuple[str, str | int]]:
        """Returns every field with the name of every hostile value, or a place in ``NUMBERS``."""
        choices: list[str | int] = [*hostile.NAMES, *range(len(NUMBERS)), *PIECES]
        choices.remove("decimal")  # whose digits a formatter of the application may all write
        return [(field, choice) for field in FIELDS for choice in choices]

    def _chosen(self, choice: str | int) -> Any:
        if isinstance(choice, int):
            return NUMBERS[choice]
        if choice in hostile.NAMES:
            return hostile.values()[choice]
        return choice * self._random.choice(LENGTHS)

    def _field(self, number: int, field: str, choice: str | int) -> Case:
        record = self._record(number)
        vars(record)[field] = self._chosen(choice)
        return Case(record, number)

    def _record(self, number: int, **extra: Any) -> logging.LogRecord:
        members = {"levelno": 20, "name": "shop", "case": number, **SANE, **extra}
        return logging.makeLogRecord({"msg": "hostile", **members})

    def _long(self) -> str:
        return self._random.choice(PIECES) * self._random.choice(LENGTHS)

    def _named(self, number: int) -> Case:
        """Names a schema properly; data and entities hold what is hostile beside what is sane."""
        data = {"case": number, **SANE, "hostile": self._values.value(self._random)}
        entity = {"case": number, "hostile": self._values.value(self._random)}
        entities = [SelfDescribingJson(OWN, entity)] * self._random.choice([0, 1, 3])
        if self._random.random() < 0.3:
            message = SelfDescribingJson(OWN, data)
            return Case(logging.makeLogRecord({"msg": message, "contexts": entities}), number)
        record = logging.makeLogRecord({"msg": self._records.message(self._random)})
        if type(record.msg) is SelfDescribingJson:
            record.msg = self._long()
        if self._random.random() < 0.3:  # the extras are the data
            vars(record).update(data, schema=OWN, contexts=entities)
        else:
            vars(record).update(schema=OWN, data=data, contexts=entities)
        return Case(record, number)

    def _named_with_anything(self, number: int) -> Case:
        """Names a schema, or something like one; data and entities may be anything."""
        extra: dict[str, Any] = {"schema": self._random.choice(SCHEMAS), "a": number}
        if self._random.random() < 0.8:
            extra["data"] = self._values.value(self._random, printed=True)
        if self._random.random() < 0.5:
            extra["contexts"] = self._records._contexts(self._random)
        return Case(logging.makeLogRecord({"msg": self._long(), **extra}))

    def _level(self, number: int) -> Case:
        """Has a level of the application's own."""
        level = self._random.choice([*LEVELS, *NUMBERS, 5, 60, -(10**9), 2**31 + 5])
        name = self._random.choice([self._long(), logging.getLevelName(25), None])
        return Case(self._record(number, levelno=level, levelname=name), number)

    def _scope(self, number: int) -> Case:
        """Is logged in a scope with entities of any form, and in a trace."""
        entities = self._random.choice([
            [SelfDescribingJson(OWN, {"hostile": self._values.value(self._random)})],
            [{"schema": OWN, "data": {"text": self._long()}}] * self._random.choice([1, 5]),
            [{"schema": self._random.choice(SCHEMAS), "data": self._values.value(self._random)}],
            [self._values.value(self._random, 1, printed=True)],
        ])  # fmt: skip
        parent = self._random.choice([*PARENTS, self._values.value(self._random, 1)])
        return Case(self._record(number), number, entities, parent)

    def _subject(self, number: int) -> Case:
        """Comes after a change of the subject."""
        kind = self._random.choice([TEXT_SETTERS, NUMBER_SETTERS, SIZE_SETTERS])
        name = self._random.choice(kind)
        value: Any = self._random.choice([*NUMBERS, 10**7, 10**11, 10**12])
        if kind is TEXT_SETTERS:
            value = self._random.choice([self._long(), self._values.value(self._random, 0)])
        arguments = (value, 600) if kind is SIZE_SETTERS else (value,)
        return Case(self._record(number), number, subject=(f"set_{name}", arguments))

    def _voluminous(self, number: int) -> Case:
        """Has the longest text in every field at once, and in entities."""
        piece = self._random.choice(PIECES)
        long = dict.fromkeys(("msg", "name", "threadName", "stack_info"), piece * 20_000)
        error = ValueError(piece * 20_000)
        error.__cause__ = KeyError(piece * 20_000)
        record = self._record(number, **long, exc_info=error, note=piece * 20_000)
        data = {"text": piece * 20_000, "list": [piece] * 2_000}
        return Case(record, number, [SelfDescribingJson(OWN, data)] * self._random.randrange(4))

    def _message(self, number: int) -> Case:
        """Has a message of any kind, with arguments that need not fit."""
        record = self._record(number)
        record.msg = self._random.choice([
            made(__str__=returning(self._long()))(), made(str, __mod__=raising)("%s %d"),
            {"event": self._long(), "hostile": self._values.value(self._random, printed=True)},
            self._values.value(self._random, 1, printed=True), self._long(),
        ])  # fmt: skip
        arguments = self._records._arguments(self._random)
        vars(record)["args"] = arguments
        if self._random.random() < 0.3:
            vars(record)["exc_info"] = self._random.choice([*exceptions().values()])
        return Case(record, number)

    def _any(self, number: int) -> Case:
        """Is a record as the fuzz tests draw it."""
        return Case(self._records.record(self._random))
