"""Keeps gevent able to resolve names at exit: it does so in native threads of its own.

https://www.gevent.org/dns.html (the thread pool is the default resolver). The first of them
starts with the first name. Where all events wait for the exit that is too late: an interpreter
that shuts down gives no new threads (Python 3.12 and later), and no event would be delivered.
"""

from __future__ import annotations

import sys
from typing import Any


def start_resolver() -> None:
    """Starts a thread of gevent's pool, unless one runs or gevent does not rule the sockets."""
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("socket"):
        pool = sys.modules["gevent"].get_hub().threadpool
        if pool.size == 0 and pool.maxsize > 0:
            pool.size = 1
