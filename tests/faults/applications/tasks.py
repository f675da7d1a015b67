"""A Celery application whose tasks log, and flush nothing; it sends itself the tasks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.faults.application import Application

untyped: Any = import_module("celery")

application = Application()
_ = application.configure()
application.log("before the pool")
celery = untyped.Celery("faults", broker=application.settings.more["broker"])


def work(number: int) -> None:
    """Is a task."""
    application.log("task %d", number)
    application.report()


def send(**_: Any) -> None:
    """Sends the tasks, as soon as somebody is there to run them."""
    for number in range(application.settings.records):
        task.delay(number)
    application.report()


task = celery.task(work, name="work")
untyped.signals.worker_ready.connect(send)
