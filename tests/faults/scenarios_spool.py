"""Processes and servers of the other themes, with each event on disk before it is sent."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.registry import fault
from tests.faults.scenarios_processes import BUSY, forks, green, multiprocessing
from tests.faults.scenarios_servers import SLOW_END, celery, gunicorn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.row import Measured


def spooled(scenario: Callable[..., Measured]) -> Measured:
    """Lets a scenario happen with a spool, which must have been used, and must be empty then."""
    with tempfile.TemporaryDirectory(prefix="spool-") as folder:
        path = Path(folder, "spool.db")
        more: dict[str, Any] = {"spool": str(path), "durability": "events", "spool_interval": 0.05}
        measured = scenario(options={**BUSY, **more})
        with closing(sqlite3.connect(path)) as file:
            ((left,),) = file.execute("SELECT count(*) FROM events")
            ((begun,),) = file.execute("SELECT coalesce(sum(seq), 0) FROM sqlite_sequence")
        files = {each.name for each in Path(folder).iterdir()}
    problems = [f"{name} is there" for name in sorted(files) if ".broken" in name]
    if left:
        problems.append(f"{left} events are left on disk")
    if not begun:
        problems.append("nothing was on disk")
    return replace(measured, problems=[*measured.problems, *problems])


_ = fault("spool-fork", "8 forked children and 4 threads, with a spool")(
    partial(spooled, partial(forks, pause=0.001, children=8, threads=4, used_before=True))
)
_ = fault("spool-multiprocessing", "3 children of multiprocessing (fork), with a spool")(
    partial(spooled, partial(multiprocessing, "fork"))
)
_ = fault("spool-gevent", "gevent, with a spool")(
    partial(spooled, partial(green, "gevent_program"))
)
_ = fault("spool-eventlet", "eventlet, with a spool")(
    partial(spooled, partial(green, "eventlet_program"))
)
_ = fault("spool-gunicorn", "gunicorn with `preload_app`, with a spool", SLOW_END)(
    partial(spooled, partial(gunicorn, "sync"))
)
_ = fault("spool-gunicorn-gevent", "gunicorn with `preload_app`, gevent, with a spool", SLOW_END)(
    partial(spooled, partial(gunicorn, "gevent"))
)
_ = fault("spool-celery", "Celery, prefork, with a spool", SLOW_END, needs="redis-server")(
    partial(spooled, celery)
)
