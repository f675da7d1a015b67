"""The shop: a WSGI application that logs as applications do.

Nothing in it knows of Snowplow. ``order_placed`` becomes an event of the shop's own because its
extras name a schema; everything else is logged as it would be anyway.
"""

from __future__ import annotations

import itertools
import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ORDER_PLACED = "iglu:com.acme/order_placed/jsonschema/1-0-0"
CUSTOMER = "iglu:com.acme/customer/jsonschema/1-0-0"

# sku → name, price in cents
PRODUCTS = {
    "tea-sencha": ("煎茶 (Sencha) 100 g", 1290),
    "coffee-creme": ("Café crème 500 g", 950),
    "mug-blue": ("Mug, blue", 1400),
}

catalogue_log = logging.getLogger("shop.catalogue")
orders_log = logging.getLogger("shop.orders")
payments_log = logging.getLogger("shop.payments")
invoices_log = logging.getLogger("shop.invoices")


class Answer(NamedTuple):
    """What a page answers."""

    status: str
    body: dict[str, Any]


class PaymentError(Exception):
    """The payment provider gave no answer."""


class InvoiceError(Exception):
    """An invoice cannot be made."""


class Shop:
    """The application; each instance counts its orders from 1001."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1001)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request, as PEP 3333 says."""
        answer = self._route(environ)
        body = json.dumps(answer.body).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(answer.status, headers)
        return [body]

    def _route(self, environ: WSGIEnvironment) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        _, page, *rest = path.split("/")
        if (method, page) == ("POST", "orders"):
            length = int(environ.get("CONTENT_LENGTH") or 0)
            return self._order(json.loads(environ["wsgi.input"].read(length)))
        if (method, page) == ("GET", "products"):
            return _product(rest[0])
        if (method, page) == ("GET", "invoices"):
            return _invoice(rest[0])
        catalogue_log.debug("catalogue listed", extra={"products": len(PRODUCTS)})
        return Answer("200 OK", {"products": list(PRODUCTS)})

    def _order(self, wish: dict[str, Any]) -> Answer:
        number = str(next(self._numbers))
        name, price = PRODUCTS[wish["sku"]]
        total = wish["quantity"] * price
        try:
            if not _pay(number, total, wish["card"]):
                return Answer("402 Payment Required", {"order": number})
        except PaymentError:
            payments_log.exception("payment of order %s failed", number)
            return Answer("503 Service Unavailable", {"order": number})
        orders_log.info(
            "order %s placed",
            number,
            extra={
                "schema": ORDER_PLACED,
                "data": {
                    "order_id": number,
                    "sku": wish["sku"],
                    "product": name,
                    "quantity": wish["quantity"],
                    "total_cents": total,
                    "currency": "EUR",
                },
                "contexts": [{"schema": CUSTOMER, "data": wish["customer"]}],
            },
        )
        return Answer("201 Created", {"order": number})


def _product(sku: str) -> Answer:
    if sku not in PRODUCTS:
        catalogue_log.warning("no product %r", sku, extra={"sku": sku})
        return Answer("404 Not Found", {"error": "no such product"})
    name, price = PRODUCTS[sku]
    catalogue_log.debug("product shown: %s", name, extra={"sku": sku, "cached": True})
    return Answer("200 OK", {"name": name, "price_cents": price})


def _pay(order: str, total: int, card: str) -> bool:
    """Returns whether the payment was authorised."""
    extra = {"order_id": order, "total_cents": total, "provider": {"name": "acme-pay", "api": 3}}
    if card == "no-answer":
        try:
            _ask_provider()
        except TimeoutError as error:
            message = f"no authorisation for order {order}"
            raise PaymentError(message) from error
    if card == "declined":
        payments_log.warning("payment of order %s declined", order, extra=extra)
        return False
    payments_log.info("payment of order %s authorised", order, extra=extra)
    return True


def _ask_provider() -> None:
    message = "acme-pay did not answer within 2.0 s"
    raise TimeoutError(message)


def _invoice(number: str) -> Answer:
    """Has a mistake in it, which the server that runs the shop meets as an exception."""
    invoices_log.info("invoice %s asked for", number, extra={"order_id": number})
    addresses: dict[str, str] = {}
    try:
        return Answer("200 OK", {"address": addresses[number]})
    except KeyError as error:
        message = f"order {number} has no address"
        raise InvoiceError(message) from error
