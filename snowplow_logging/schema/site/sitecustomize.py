"""Python imports this at its start, if its folder stands in ``PYTHONPATH``.

Law: the application behaves as without it. It is no handler, because one on the root would keep
``basicConfig`` from its work, and ``dictConfig`` would remove it; and nothing of the package is
imported before the first record, so that the application may still patch what it likes.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path


def install() -> None:
    """Has each record that a logger passes on kept, before its handlers get it."""
    pass_on = logging.Logger.callHandlers

    def keep_and_pass_on(self: logging.Logger, record: logging.LogRecord) -> None:
        with suppress(Exception):  # a logging call never raises
            from snowplow_logging.schema.recorder import keep  # noqa: PLC0415 - see above

            keep(record)
        pass_on(self, record)

    logging.Logger.callHandlers = keep_and_pass_on  # type: ignore[method-assign] # the purpose


def run_the_hidden_one() -> None:
    """Imports the ``sitecustomize`` that Python would have found without this one."""
    here, name = str(Path(__file__).parent), "sitecustomize"
    sys.path[:] = [path for path in sys.path if path != here]
    this = sys.modules.pop(name)
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
    finally:
        _ = sys.modules.setdefault(name, this)


if __name__ == "sitecustomize":
    install()
    run_the_hidden_one()
