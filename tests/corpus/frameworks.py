"""Real records of Django and Celery, which log by themselves."""
# Neither has types.
# mypy: ignore-errors
# pyright: basic, reportArgumentType=false, reportGeneralTypeIssues=false
# ruff: noqa: ANN001, ANN201

from __future__ import annotations

import logging

import celery
import django
from celery.exceptions import MaxRetriesExceededError, NotRegistered, SoftTimeLimitExceeded
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import HttpResponse
from django.template import Context, Engine
from django.test import Client
from django.urls import path
from django.views.decorators.http import require_POST

from tests.corpus.scripts import text

SHOP = logging.getLogger("shop.web")


class InvoiceError(Exception):
    """An invoice cannot be made."""


def order(request, number):
    """Logs, and asks the database, which logs too."""
    with connection.cursor() as cursor:
        _ = cursor.execute("SELECT %s AS note, %s AS number", [text(number), number])
    SHOP.info("order %s: %s", number, text(number), extra={"http": request, "order": number})
    return HttpResponse(b"ok")


def invoice(request, number):
    """Fails with a cause."""
    try:
        return HttpResponse({}[text(number)])
    except KeyError as error:
        raise InvoiceError(f"{text(number)} {number}") from error


def template(request, number):
    """Fails in a template, which logs what it does not find first."""
    source = "{{ order.note }} {{ order.total|floatformat:2 }} {% include name %}"
    return HttpResponse(Engine().from_string(source).render(Context({"name": text(number)})))


def broken_template(request, number):
    """Has a template that does not parse."""
    return HttpResponse(Engine().from_string("{% if " + text(number)).render(Context()))


def forbidden(request, number):
    """Is not allowed."""
    raise PermissionDenied(text(number))


def suspicious(request, number):
    """Is suspicious."""
    raise SuspiciousOperation(text(number))


@require_POST
def only_post(request, number):
    """Takes no other method; reads a body that may be too large."""
    return HttpResponse(str(len(request.body)).encode())


VIEWS = [order, invoice, template, broken_template, forbidden, suspicious, only_post]
urlpatterns = [path(f"{view.__name__}/<int:number>/", view) for view in VIEWS]


def set_up():
    """Configures Django once, with its loggers as they come."""
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DATA_UPLOAD_MAX_MEMORY_SIZE=100,
        LOGGING_CONFIG=None,
        MIDDLEWARE=[
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        ROOT_URLCONF=__name__,
        SECRET_KEY="not-secret",  # noqa: S106 - it is not
        USE_TZ=True,
    )
    django.setup()
    connection.force_debug_cursor = True  # each query is logged


def web(logger, number):
    """Sends the requests of one visitor."""
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    for view in VIEWS:
        _ = client.get(f"/{view.__name__}/{number}/")
    _ = client.get(f"/{text(number)}/", headers={"user-agent": text(number).split("\n")[0]})
    _ = client.get(f"/order/{number}/", headers={"host": f"host-{number}.acme.com"})
    _ = client.post(f"/order/{number}/", {"note": text(number)})
    trusting = Client(raise_request_exception=False)
    _ = trusting.post(f"/only_post/{number}/", text(number) * 100, content_type="text/plain")


app = celery.Celery("shop", set_as_current=False)
app.conf.task_always_eager = True


@app.task(bind=True, max_retries=1)
def ship(task, number):
    """Fails in one of the ways in which tasks do."""
    failures = [
        lambda: task.retry(exc=ConnectionError(text(number)), countdown=0),
        SoftTimeLimitExceeded(number),
        MaxRetriesExceededError(text(number)),
        NotRegistered(text(number)),
        ValueError(text(number)),
    ]
    failure = failures[number % len(failures)]
    if callable(failure):
        raise failure()
    raise failure


def tasks(logger, number):
    """Runs a task that fails, and logs what became of it."""
    for count in range(number, number + 5):
        result = ship.apply((count,))
        logger.error(
            "task %s is %s: %s", result.id, result.state, text(count), exc_info=result.result
        )


RARELY = [web, tasks]
