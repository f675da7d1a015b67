"""Log records of every kind, for the tests of what becomes of them."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from tests.unit.hostile import made, raising, recursing, returning

if TYPE_CHECKING:
    from types import TracebackType

ATTRIBUTES = sorted(vars(logging.makeLogRecord({})))
"""What every record has."""


def record(message: object = "hello", *args: object, **members: object) -> logging.LogRecord:
    """Returns a record with the given attributes and extras, whatever they are."""
    usual: dict[str, object] = {
        "name": "shop.orders",
        "msg": message,
        "args": args,
        "levelname": "INFO",
        "levelno": logging.INFO,
        "pathname": "/srv/shop/orders.py",
        "lineno": 42,
        "funcName": "place",
    }
    return logging.makeLogRecord(usual | members)


def without(attribute: str, **members: object) -> logging.LogRecord:
    """Returns a record that lacks ``attribute``."""
    lacking = record(**members)
    del vars(lacking)[attribute]
    return lacking


class Shop:
    """Raises exceptions from a place with a name."""

    def fail(self, exception: BaseException, cause: BaseException | None = None) -> None:
        if cause is not None:
            raise exception from cause
        raise exception


def exc_info(
    exception: BaseException, cause: BaseException | None = None
) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    """Returns what ``sys.exc_info()`` says where ``exception`` was raised."""
    try:
        Shop().fail(exception, cause)
    except BaseException:
        kind, value, traceback = sys.exc_info()
        assert kind is not None
        assert value is not None
        return kind, value, traceback
    message = "nothing was raised"
    raise AssertionError(message)


def chained(length: int, **members: Any) -> BaseException:
    """Returns an exception whose chain of causes is ``length`` long."""
    kind = type("Chained", (Exception,), members)
    exception: BaseException = kind("innermost")
    for number in range(length - 1):
        outer = kind(f"number {number}")
        outer.__cause__ = exception
        exception = outer
    return exception


def cyclic() -> BaseException:
    """Returns an exception that is the cause of its own cause."""
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    return first


def exceptions() -> dict[str, BaseException]:
    """Returns hostile exceptions by name, new ones at each call."""
    return {
        "str raises": made(Exception, __str__=raising, __repr__=raising)("a"),
        "str recurses": made(Exception, __str__=recursing)("a"),
        "bool raises": made(Exception, __bool__=raising, __len__=raising)("a"),
        "getattribute raises": made(Exception, __getattribute__=raising)("a"),
        "eq and hash raise": made(Exception, __eq__=raising, __hash__=raising)("a"),
        "module is hostile": made(Exception, __module__=made(__eq__=raising)())("a"),
        "cause raises": made(Exception, __cause__=property(raising))("a"),
        "context raises": made(Exception, __context__=property(raising))("a"),
        "traceback raises": made(Exception, __traceback__=property(raising))("a"),
        "base exception": made(BaseException)("a"),
        "long chain": chained(1_000),
        "hostile chain": chained(20, __str__=raising),
        "falsy chain": chained(3, __bool__=returning(False)),
        "untruthful chain": chained(3, __bool__=raising),
        "cycle": cyclic(),
        "long": ValueError("x" * 100_000),
        "surrogate": ValueError("\ud83d\0"),
        "many arguments": ValueError(*range(1_000)),
        "keyboard interrupt": KeyboardInterrupt(),
        "system exit": SystemExit(1),
        "unicode error": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        "syntax error": SyntaxError("bad", ("a.py", -1, None, "x\n\ud83d")),
    }


EXCEPTIONS = list(exceptions())
