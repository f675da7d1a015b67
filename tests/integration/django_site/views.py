"""The project's views, which log as applications do."""
# Django has no types.
# mypy: ignore-errors
# pyright: basic

import logging

from django.http import HttpRequest, HttpResponse

orders_log = logging.getLogger("shop.orders")
catalogue_log = logging.getLogger("shop.catalogue")
payments_log = logging.getLogger("shop.payments")


class InvoiceError(Exception):
    """An invoice cannot be made."""


def order(request: HttpRequest, number: int) -> HttpResponse:
    """Logs an event with a schema of its own, and an entity."""
    orders_log.info(
        "order %d placed",
        number,
        extra={
            "schema": "iglu:com.acme/order_placed/jsonschema/1-0-0",
            "data": {
                "order_id": str(number),
                "sku": "mug-blue",
                "quantity": 1,
                "total_cents": 1400,
                "currency": "EUR",
            },
            "contexts": [
                {
                    "schema": "iglu:com.acme/customer/jsonschema/1-0-0",
                    "data": {"customer_id": f"c-{number}", "plan": "plus"},
                }
            ],
        },
    )
    return HttpResponse(b"placed")


def product(request: HttpRequest, number: int) -> HttpResponse:
    """Logs a record with extras, one of which is no JSON."""
    extra = {"sku": f"煎茶-{number}", "cached": True, "user_agent": request.META["HTTP_USER_AGENT"]}
    catalogue_log.info("product %d shown", number, extra={**extra, "http": request})
    return HttpResponse(b"shown")


def payment(request: HttpRequest, number: int) -> HttpResponse:
    """Logs an exception that it handles."""
    try:
        raise TimeoutError(f"no answer for payment {number}")
    except TimeoutError:
        payments_log.exception("payment %d failed", number)
    return HttpResponse(b"later")


def invoice(request: HttpRequest, number: int) -> HttpResponse:
    """Fails, which Django answers with a 500."""
    addresses: dict[int, bytes] = {}
    try:
        return HttpResponse(addresses[number])
    except KeyError as error:
        raise InvoiceError(f"order {number} has no address") from error
