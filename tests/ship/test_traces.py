"""Tests of what is read in tracebacks; those of Python are real ones."""

from __future__ import annotations

import time
import traceback
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.ship.traces import HEAD, Trace, read, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = __file__
QUOTED = f'{HEAD}\n  File "other.py", line 1, in f\nKeyError: 1'


class Named(Exception):  # noqa: N818 - as applications name theirs
    """Has a module in its name."""


def fall(kind: type[Exception], *arguments: object) -> None:
    raise kind(*arguments)


def text_of_raising(action: Callable[[], object]) -> tuple[str, int]:
    """Returns the traceback of what an action raises, and the line where that was."""
    try:
        _ = action()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return traceback.format_exc().rstrip("\n"), last.lineno or 0
    raise AssertionError("nothing was raised")


def from_cause() -> None:
    try:
        fall(KeyError, "k")
    except KeyError as error:
        raise ValueError("no stock") from error


@pytest.mark.parametrize(
    ("kind", "arguments", "name", "message"),
    [
        (ValueError, ("no stock",), "ValueError", "no stock"),
        (ValueError, (), "ValueError", ""),
        (KeyError, ("k",), "KeyError", "'k'"),
        (ValueError, ("a: b\n  c\nd: e",), "ValueError", "a: b\n  c\nd: e"),
        (Named, ("no",), f"{__name__}.Named", "no"),
        (ValueError, (QUOTED,), "ValueError", QUOTED),
    ],
)  # fmt: skip
def test_an_exception(
    kind: type[Exception], arguments: tuple[object, ...], name: str, message: str
) -> None:
    """Class, text and place are read; a text that quotes a traceback does not mislead."""
    text, line = text_of_raising(lambda: fall(kind, *arguments))
    assert read(text) == Trace("PYTHON", name, message, HERE, line, None)


def test_a_cause() -> None:
    """The traceback of the cause is that before the sentence between the two."""
    text, line = text_of_raising(from_cause)
    cause, _, _ = text.partition("\n\nThe above exception was the direct cause")
    assert cause.endswith("KeyError: 'k'")
    assert read(text) == Trace("PYTHON", "ValueError", "no stock", HERE, line, cause)


def test_a_syntax_error() -> None:
    """The place is where it was raised, not where the syntax is wrong."""
    text, line = text_of_raising(lambda: compile("1 +", "wrong.py", "exec"))
    trace = read(text)
    assert (trace.name, trace.file, trace.line) == ("SyntaxError", HERE, line)


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        (
            "TypeError: x is no function\n    at place (/srv/shop.js:10:5)\n    at run (a.js:1:2)",
            Trace("JAVASCRIPT", "TypeError", "x is no function", "/srv/shop.js", 10),
        ),
        (
            "Error: one\ntwo\n    at file:///srv/shop.mjs:3:9",
            Trace("JAVASCRIPT", "Error", "one\ntwo", "file:///srv/shop.mjs", 3),
        ),
        (
            "java.lang.IllegalStateException: no\n\tat com.acme.Shop.place(Shop.java:12)\n",
            Trace("JAVA", "java.lang.IllegalStateException", "no", "Shop.java", 12),
        ),
        ("", Trace()),
        ("something else went wrong", Trace()),
        ('  File "shop.py", line 3, in place\n    x()\n', Trace(file="shop.py", line=3)),
    ],
)
def test_others(text: str, trace: Trace) -> None:
    """Of other languages the first lines are read; of what is no traceback, nothing."""
    assert read(text) == trace


def test_structlogs_dicts() -> None:
    """They become Python's text; values of variables, which they may hold, do not."""
    frame = {"filename": "shop.py", "lineno": 3, "name": "place", "locals": {"pin": "1234"}}
    inner = {"exc_type": "KeyError", "exc_value": "'k'", "is_cause": True, "frames": [frame]}
    outer: dict[str, Any] = {"exc_type": "acme.Bad", "exc_value": "", "frames": [frame]}
    outer["exc_notes"] = ["while placing"]
    text = text_of([outer, inner])
    assert text is not None
    assert "1234" not in text
    assert text.count(HEAD) == 2
    assert text.endswith("acme.Bad\nwhile placing")
    trace = read(text)
    assert (trace.name, trace.file, trace.line) == ("acme.Bad", "shop.py", 3)
    assert (trace.cause or "").endswith("KeyError: 'k'")


@pytest.mark.parametrize(
    "value", [None, True, 3, "", [], {}, {"a": 1}, [1], ["a", 1], [{"a": 1}], Decimal(1)]
)
def test_no_traceback(value: Any) -> None:
    """What is no text, no lines and no exceptions is no traceback."""
    assert text_of(value) is None


@pytest.mark.parametrize(
    "piece",
    ["\n", " ", "a", "  at ", "\n  at ", '\n  File "a', f"{HEAD}\n", "a: ", "\n at (a:1", "\n  | "],
)
def test_time_grows_with_length_alone(piece: str) -> None:
    """No text of a megabyte takes long."""
    began = time.process_time()
    _ = read(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 2
