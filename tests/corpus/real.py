"""Real records of Python itself and of libraries without a framework around them.

Each source logs as an application does, with what really was raised; most more than once.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import configparser
import csv
import dataclasses
import datetime as dt
import decimal
import functools
import importlib
import importlib.util
import ipaddress
import json
import pickle
import re
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import uuid
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import requests
import urllib3
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from snowplow_logging.testing import FaultyCollector, closed_port
from tests.corpus.scripts import ALL, text

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

BIG = 2**80 + 1
NOTHING: dict[str, object] = {}
CHAIN = 50  # exceptions, each the cause of the next one
WIDE = 1_000  # exceptions in one group


@dataclasses.dataclass
class Order:
    """What applications log."""

    number: int
    note: str
    placed: dt.datetime


def _order(number: int) -> Order:
    return Order(number, text(number), dt.datetime(2024, 2, 29, tzinfo=dt.timezone.utc))


def _evil(number: int) -> object:
    return eval(f"(lambda: 1 / {number - number})()")  # noqa: S307 - to have a frame of a <string>


def _deepest(number: int) -> int:
    return _deepest(number + 1) + 1


def _chain(number: int, length: int) -> None:
    try:
        if length:
            _chain(number, length - 1)
        _ = NOTHING[text(number)]
    except Exception as error:
        if length % 2:
            raise LookupError(f"{text(number + length)} {length}") from error
        raise ValueError(text(number + length), length)  # noqa: B904 - a context is wanted


def _named(name: str) -> Any:
    kind = type(name, (Exception,), {"__module__": "магазин.заказы"})
    raise kind(name)


def _noted(number: int) -> None:
    error: Any = ValueError(text(number))
    error.__notes__ = [text(number + 1), "while reading the order"]
    raise error


def _raise(error: Exception, cause: Exception) -> None:
    raise error from cause


def _hypothesis(number: int) -> object:
    checks: Any = HealthCheck
    quiet = settings(max_examples=5, database=None, suppress_health_check=[*checks])
    return find(st.integers(), lambda value: False, settings=quiet)


def _validated(number: int) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"id": {"maxLength": 3}}}
    jsonschema.validate({"id": text(number) * 3}, schema)  # pyright: ignore[reportUnknownMemberType]


def _inserted(number: int) -> None:
    with sqlite3.connect(":memory:") as connection:
        _ = connection.execute("CREATE TABLE a (b UNIQUE)")
        _ = connection.executemany("INSERT INTO a VALUES (?)", [(text(number),)] * 2)


def _unzipped(number: int) -> object:
    with tempfile.NamedTemporaryFile() as file:
        _ = file.write(text(number).encode())
        file.flush()
        return zipfile.ZipFile(file.name)


def _configured(number: int) -> None:
    configparser.ConfigParser().read_string(text(number))


def _compiled(code: str) -> Callable[[int], object]:
    return lambda number: compile(code, f"{text(number)[:20]}.py", "exec")


def _timed_out(number: int) -> object:
    return subprocess.run([sys.executable, "-c", "input()"], timeout=0.001, check=True)


def _awaited(number: int) -> object:
    async def wait() -> None:
        await asyncio.wait_for(asyncio.sleep(9), 0.0001)

    return asyncio.run(wait())


def _in_a_thread(number: int) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(int, text(number)).result()


def _unpickled(number: int) -> None:
    _ = pickle.loads(text(number).encode())  # noqa: S301 - it is no pickle


def _undecoded(number: int) -> object:
    return text(number).encode("utf-16-le").decode("utf-8") + b"\xff".decode("utf-8")


FAILING: list[Callable[[int], object]] = [
    lambda number: json.loads(text(number)),
    lambda number: json.dumps({text(number): object()}),
    lambda number: int(text(number)),
    lambda number: text(number)[999],
    lambda number: NOTHING[text(number)],
    lambda number: getattr(None, f"order_{number}"),
    lambda number: Path(f"/nowhere/{text(number)[:40]}").read_text(encoding="utf-8"),
    lambda number: Path("/").open(encoding="utf-8").close(),
    lambda number: re.compile(f"({text(number)}"),
    lambda number: ast.literal_eval(text(number)),
    lambda number: decimal.Decimal(text(number)),
    lambda number: dt.date.fromisoformat(text(number)),
    lambda number: uuid.UUID(text(number)),
    lambda number: ipaddress.ip_address(text(number)),
    lambda number: struct.unpack("<q", b"\xff"),
    _unpickled,
    lambda number: zlib.decompress(text(number).encode()),
    lambda number: ET.fromstring(f"<a>{number}</b>"),  # noqa: S314 - our own text
    lambda number: f"{text(number)}é".encode("ascii"),
    lambda number: next(csv.reader(["\0\n"], strict=True))[number + 9],
    lambda number: importlib.import_module(f"shop.{number}"),
    lambda number: importlib.import_module("json.nothing"),
    lambda number: socket.create_connection(("127.0.0.1", closed_port()), 1),
    lambda number: socket.getaddrinfo("127.0.0.1", "no such service"),
    lambda number: ssl.create_default_context().load_verify_locations(cadata=text(number)),
    lambda number: ssl.create_default_context(cafile=f"/nowhere/{number}"),
    lambda number: subprocess.run(["/nowhere/nothing", text(number).replace("\0", "")], check=True),
    lambda number: parse_url(f"http://[{number}"),
    lambda number: requests.get(f"nothing://{text(number)}", timeout=1),
    lambda number: requests.Response().json(),
    _evil, _noted, _validated, _inserted, _unzipped, _configured, _undecoded, _in_a_thread,
    _awaited,
    _compiled("def f(:\n    pass"), _compiled("if True:\nx = 'é"), _compiled("a = (1,\n  2"),
    _compiled("print 'hello'"), _compiled("f(a for a in b, c)"), _compiled("\tx\n  y"),
    _compiled("größe = 価格 +* 2"), _compiled("return 1"),
    functools.partial(_chain, length=3), functools.partial(_chain, length=CHAIN), _deepest,
    lambda number: _named(["注文エラー", "ОшибкаЗаказа", "خطأ", "OrderError"][number % 4]),
]  # fmt: skip
"""What fails, as applications' code does."""


def failures(logger: logging.Logger, number: int) -> None:
    """Logs one of what fails, in one of the ways in which applications do."""
    fail = FAILING[number % len(FAILING)]
    try:
        _ = fail(number)
    except Exception as error:
        _log_failure(logger, number, error)
        return
    raise AssertionError(f"{FAILING.index(fail)} does not fail")


def _log_failure(logger: logging.Logger, number: int, error: Exception) -> None:
    whole: Any = (type(error), error, error.__traceback__)
    ways: list[Callable[[], None]] = [
        lambda: logger.error("order %d: %s", number, text(number), exc_info=whole),
        lambda: logger.error(error, exc_info=error),
        lambda: logger.critical(text(number), exc_info=error, stack_info=True),
        lambda: logger.warning("%r", error, exc_info=whole, extra={"order": number}),
        lambda: logger.info("retrying, %s: %s", type(error).__name__, text(number)),
    ]
    ways[number // len(FAILING) % len(ways)]()


def _attempt(logger: logging.Logger, number: int, call: Callable[[], object]) -> None:
    """Calls what fails, and logs it."""
    try:
        _ = call()
    except Exception:
        logger.exception("%s failed", text(number))
    else:
        raise AssertionError(f"{call} does not fail")


def messages(logger: logging.Logger, number: int) -> None:
    """Logs a message in one of the forms in which there are messages."""
    script, order = text(number), _order(number)
    extra = {
        "заказ": number, "note": script, "big": BIG, "ratio": 0.1, "vip": True, "none": None,
        "rate": float("nan"), "when": order.placed, "order": order, "tags": {script},
    }  # fmt: skip
    forms: list[Callable[[], None]] = [
        lambda: logger.info(script),
        lambda: logger.warning("%s: %d of %.2f", script, number, number / 3),
        lambda: logger.error("%(what)s: %(number)s", {"what": script, "number": number}),
        lambda: logger.info("%s", script, extra=extra),
        lambda: logger.log(25, "notice %s", script * 40, extra={"long": script * 2_000}),
        lambda: logger.info({"event": script, "order_id": number, "big": BIG, "rates": [0.5]}),
        lambda: logger.info({"event": "order.placed", "logger": "shop", "level": "info", **extra}),
        lambda: logger.info({text(n): {"n": [n, text(n)]} for n in range(number, number + 30)}),
        lambda: logger.debug(order),
        lambda: logger.info("many: %s", {text(n): ALL for n in range(20)}),
        lambda: logger.warning("%s", script, stack_info=True),
        lambda: logger.getChild(script.replace(".", ""))
        .error("in a logger of that name", extra={script: script}),
    ]  # fmt: skip
    forms[number % len(forms)]()


def captured_warnings(logger: logging.Logger, number: int) -> None:
    """Warns; the warning becomes a record, with its source line."""
    kinds = [DeprecationWarning, UserWarning, ResourceWarning, RuntimeWarning]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"{text(number)} {number}", kinds[number % len(kinds)], stacklevel=1)


def groups(logger: logging.Logger, number: int) -> None:
    """Logs groups of exceptions, where this Python or the backport has them."""
    if importlib.util.find_spec("exceptiongroup"):
        _ = importlib.import_module("exceptiongroup")
    group: Any = getattr(builtins, "ExceptionGroup", None) or getattr(
        sys.modules.get("exceptiongroup"), "ExceptionGroup", None
    )
    if group is None:
        return
    caused = KeyError(text(number))
    caused.__cause__ = OSError(text(number + 1))
    nested: Exception = caused
    for level in range(20):
        nested = group(f"level {level}: {text(level)}", [nested, ValueError(text(level))])
    wide = group(text(number), [ValueError(f"{text(n)} {n}") for n in range(WIDE)])
    for each in (group(text(number), [caused]), nested, wide):
        _attempt(logger, number, functools.partial(_raise, each, caused))


def asynchronous(logger: logging.Logger, number: int) -> None:
    """Lets asyncio itself log: tasks that fail unseen, callbacks that raise, slow callbacks."""

    async def fail() -> None:
        raise ConnectionError(text(number))

    async def cancelled() -> None:
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError as error:
            logger.warning("cancelled: %s", text(number), exc_info=error)
            raise

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0.0
        tasks = [asyncio.create_task(fail(), name=text(number)), asyncio.create_task(cancelled())]
        await asyncio.sleep(0)
        loop.call_soon(lambda: 1 // 0)
        tasks[1].cancel()
        _ = await asyncio.wait(tasks)
        logger.info("in a task: %s", text(number))
        del tasks[0]  # nobody has asked for its exception, which asyncio says when it is gone
        await asyncio.sleep(0)

    asyncio.run(work(), debug=True)


def http(logger: logging.Logger, number: int) -> None:
    """Calls a server that answers with errors, and one that is not there."""
    nowhere = f"http://127.0.0.1:{closed_port()}/{number}"
    pool = urllib3.PoolManager(retries=urllib3.Retry(2, backoff_factor=0))
    with FaultyCollector(404, 500) as server:
        url = f"{server.url}/bestellungen/{text(number)[:20]}"
        calls: list[Callable[[], object]] = [
            lambda: requests.get(url, timeout=5).raise_for_status(),
            lambda: requests.post(url, timeout=5).raise_for_status(),
            lambda: requests.get(nowhere, timeout=1),
            lambda: pool.request("GET", nowhere, timeout=1),
        ]
        for call in calls:
            _attempt(logger, number, call)


def subprocesses(logger: logging.Logger, number: int) -> None:
    """Runs what fails, and what does not end; finds nothing with hypothesis."""
    command = [sys.executable, "-c", f"raise SystemExit({text(number)!r})"]
    _attempt(logger, number, lambda: subprocess.run(command, check=True, capture_output=True))
    _attempt(logger, number, lambda: _timed_out(number))
    _attempt(logger, number, lambda: _hypothesis(number))


OFTEN = [failures, messages, failures, messages, captured_warnings]
RARELY = [groups, asynchronous, http, subprocesses]
"""Sources that take their time, or log much at once."""
