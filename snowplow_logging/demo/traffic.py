"""The shop's customers: HTTP requests, several at a time, the same ones on each run."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor, as_completed
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging.demo.shop import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLIENTS = 8
TIMEOUT = 10.0  # seconds for one request
SEED = 20

# What customers do, and how often.
WISHES = {"list": 10, "look": 40, "order": 30, "decline": 6, "no answer": 5, "miss": 5, "crash": 4}
CARDS = {"order": "ok", "decline": "declined", "no answer": "no-answer"}


class Wish(NamedTuple):
    """One request."""

    method: str
    path: str
    body: dict[str, Any] | None = None


def plan(count: int) -> list[Wish]:
    """Returns ``count`` requests, of each kind its share."""
    chance = random.Random(SEED)  # noqa: S311 - nothing here is secret
    kinds = chance.choices(list(WISHES), list(WISHES.values()), k=count)
    return [_wish(kind, chance) for kind in kinds]


def send(address: tuple[str, int], wishes: Sequence[Wish]) -> Iterator[int | None]:
    """Sends all requests; yields the status of each as it comes, None where none came."""
    pool = ThreadPoolExecutor(CLIENTS, thread_name_prefix="customer")
    try:
        for future in as_completed([pool.submit(_ask, address, wish) for wish in wishes]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _wish(kind: str, chance: random.Random) -> Wish:
    sku = chance.choice(list(PRODUCTS))
    customer = chance.randrange(1, 100)
    if kind == "list":
        return Wish("GET", "/")
    if kind == "look":
        return Wish("GET", f"/products/{sku}")
    if kind == "miss":
        return Wish("GET", f"/products/{sku}-{customer}")
    if kind == "crash":
        return Wish("GET", f"/invoices/{customer}")
    order = {
        "sku": sku,
        "quantity": chance.randrange(1, 5),
        "card": CARDS[kind],
        "customer": {"customer_id": f"c-{customer}", "plan": chance.choice(["free", "plus"])},
    }
    return Wish("POST", "/orders", order)


def _ask(address: tuple[str, int], wish: Wish) -> int | None:
    connection = HTTPConnection(*address, timeout=TIMEOUT)
    try:
        body = None if wish.body is None else json.dumps(wish.body)
        connection.request(wish.method, wish.path, body)
        response = connection.getresponse()
        _ = response.read()
    except (OSError, HTTPException):
        return None
    else:
        return response.status
    finally:
        connection.close()
