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
    from collections.abc import Callable, Iterator

    import requests

# Plain dicts by id, whose single operations are atomic, as in _lifecycle.py; and a session of the
# application's own need not have a hash.
_known: dict[int, weakref.ref[requests.Session]] = {}
_copies: dict[int, weakref.ref[requests.Session]] = {}
_hooked = False


def shared(session: requests.Session) -> Callable[[], requests.Session]:
    """Returns what gives all threads of this process ``session``, and those of children copies.

    A forked child would share its connections with the parent, and read its answers.
    """
    process = os.getpid()

    def get() -> requests.Session:
        if os.getpid() == process:
            return session
        copied = copy.deepcopy(session)
        _note(copied, _copies)
        return copied

    return get


def close_copy(session: requests.Session) -> None:
    """Closes ``session`` if it is a copy, which nobody else knows."""
    if id(session) in _copies:
        _leave(session)
        session.close()


def look_after(session: requests.Session) -> None:
    """Has forked children leave what they inherit of ``session``."""
    global _hooked  # noqa: PLW0603 - hooks cannot be taken back, so there is one
    if not _hooked and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork_in_child)
    _hooked = True
    _note(session, _known)


def _note(session: requests.Session, where: dict[int, weakref.ref[requests.Session]]) -> None:
    key = id(session)
    if key not in where:
        with suppress(TypeError):  # of a kind of its own, which cannot be referred to so
            where[key] = weakref.ref(session, lambda _: where.pop(key, None))


def _after_fork_in_child() -> None:
    for reference in list(_known.values()):
        session = reference()
        if session is not None:
            _leave(session)


def _leave(session: requests.Session) -> None:
    """Closes a session's idle connections, in whichever state the locks of its pools are."""
    connections: list[Any] = []
    # Session and adapters may be of any kind, and this is no place to complain.
    with suppress(Exception):
        for waiting in _queues(session):
            connections += waiting.queue
            waiting.__init__(waiting.maxsize)  # with a new lock; the finalizer knows this one
    for connection in filter(None, connections):
        with suppress(Exception):
            connection.close()  # its copy of the socket: the parent has another


def _queues(session: Any) -> Iterator[Any]:
    for adapter in list(session.adapters.values()):
        managers = [getattr(adapter, "poolmanager", None)]
        managers += dict(getattr(adapter, "proxy_manager", None) or {}).values()
        for manager in filter(None, managers):
            for pool in list(manager.pools._container.values()):  # noqa: SLF001 - the public way locks
                if pool.pool is not None:
                    yield pool.pool
