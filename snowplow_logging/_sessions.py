"""HTTP sessions over a fork: a child leaves the connections that it inherits, and their locks.

urllib3 closes pooled connections when the interpreter exits, and takes their queue's lock for
that. In a child whose parent had it locked in another thread, at the moment of the fork, that
exit would wait for ever.
"""

from __future__ import annotations

import copy
import os
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

# A plain dict, whose single operations are atomic, as in _lifecycle.py.
_known: dict[int, weakref.ref[requests.Session]] = {}
_hooked = False


_copies: weakref.WeakSet[requests.Session] = weakref.WeakSet()


def shared(session: requests.Session) -> Callable[[], requests.Session]:
    """Returns what gives all threads of this process ``session``, and those of children copies.

    A forked child would share its connections with the parent, and read its answers.
    """
    process = os.getpid()

    def get() -> requests.Session:
        if os.getpid() == process:
            return session
        copied = copy.deepcopy(session)
        _copies.add(copied)
        return copied

    return get


def close_copy(session: requests.Session) -> None:
    """Closes ``session`` if it is a copy, which nobody else knows."""
    if session in _copies:
        _leave(session)
        session.close()


def look_after(session: requests.Session) -> None:
    """Has forked children leave what they inherit of ``session``."""
    global _hooked  # noqa: PLW0603 - hooks cannot be taken back, so there is one
    if not _hooked and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork_in_child)
    _hooked = True
    key = id(session)
    if key not in _known:
        _known[key] = weakref.ref(session, lambda _: _known.pop(key, None))


def _after_fork_in_child() -> None:
    for reference in list(_known.values()):
        session = reference()
        if session is not None:
            _leave(session)


def _leave(session: requests.Session) -> None:
    """Closes a session's idle connections, in whichever state the locks of its pools are."""
    for adapter in list(session.adapters.values()):
        with suppress(Exception):  # it may be of any kind, and this is no place to complain
            _empty(adapter)


def _empty(adapter: Any) -> None:
    for manager in (adapter.poolmanager, *adapter.proxy_manager.values()):
        for pool in list(manager.pools._container.values()):  # noqa: SLF001 - the public way locks
            waiting = pool.pool
            if waiting is not None:
                connections = list(waiting.queue)
                waiting.__init__(waiting.maxsize)  # with a new lock; the finalizer knows this one
                for connection in connections:
                    if connection is not None:
                        connection.close()  # its copy of the socket: the parent has another
