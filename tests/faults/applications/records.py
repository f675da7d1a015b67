"""Logs records that do their worst."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from tests.faults.application import Application
from tests.unit.hostile import values

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = "iglu:com.acme/numbered/jsonschema/1-0-0"


def hostile(application: Application) -> None:
    """Logs hostile values wherever a record can hold them."""
    for name in values():
        application.log("argument %s: %s", name, values()[name])
        application.log("wrong arguments %d %s", name, values()[name])
        application.log(values()[name])
        application.log("extra %s", name, extra={"value": values()[name]})
        data = {"number": 1, "value": values()[name]}
        application.log("data %s", name, extra={"schema": SCHEMA, "data": data})
        contexts = [{"schema": SCHEMA, "data": data}]
        application.log("contexts %s", name, extra={"schema": SCHEMA, "contexts": contexts})
    try:
        raise values()["exception"]
    except Exception:
        application.log("exception", exc_info=True)


def mutated(application: Application) -> None:
    """Logs arguments and extras that change once the call has returned."""
    for number in range(application.settings.records):
        items = [number]
        mapping: dict[str, Any] = {"items": items}
        application.log("record %d: %s", number, items, extra=mapping)
        items[0] = -1
        mapping["items"] = "changed"


def finalisers(application: Application) -> None:
    """Has the garbage collector run finalisers that log, in the midst of logging calls."""

    class Cyclic:
        def __init__(self, number: int) -> None:
            self.number = number

        def make_cycle(self) -> None:
            self.itself = self  # so that the collector alone can free it

        def __del__(self) -> None:
            application.log("finaliser %d", self.number)

    gc.set_threshold(7, 2, 2)
    for number in range(application.settings.records):
        Cyclic(number).make_cycle()
        application.log("record %d", number, extra={"items": [{} for _ in range(5)]})
    _ = gc.collect()


KINDS: dict[str, Callable[[Application], None]] = {
    "hostile": hostile,
    "mutated": mutated,
    "finalisers": finalisers,
}


def main() -> None:
    """Runs the program."""
    application = Application()
    _ = application.configure()
    KINDS[application.settings.more["kind"]](application)
    application.done()


if __name__ == "__main__":
    main()
