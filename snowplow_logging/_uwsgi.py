"""Warns where uWSGI is set up so that its workers would not send: it has its own threads and forks.

https://uwsgi-docs.readthedocs.io/en/latest/Options.html (``enable-threads``,
``py-call-uwsgi-fork-hooks``, ``lazy-apps``).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from snowplow_logging._losses import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_said: set[str] = set()


def warn() -> None:
    """Says on stderr, once a process, which option of uWSGI is missing."""
    uwsgi: Any = sys.modules.get("uwsgi")
    problem = None if uwsgi is None else _problem(getattr(uwsgi, "opt", {}))
    if problem is not None and problem not in _said:
        _said.add(problem)
        say(problem)


def _problem(options: Mapping[str, object]) -> str | None:
    if not any(_is_on(options, name) for name in ("enable-threads", "threads", "gevent")):
        return (
            "uWSGI runs without threads, so its workers may not send: "
            "add 'enable-threads = true' to its configuration"
        )
    lazy = _is_on(options, "lazy-apps") or _is_on(options, "lazy")
    if _is_on(options, "master") and not lazy and not _is_on(options, "py-call-uwsgi-fork-hooks"):
        return (
            "uWSGI loads the application before it forks, and does not tell Python of it, so its "
            "workers would not send: add 'py-call-uwsgi-fork-hooks = true' or 'lazy-apps = true'"
        )
    return None


def _is_on(options: Mapping[str, object], name: str) -> bool:
    value = options.get(name, False)
    said = value.decode() if isinstance(value, bytes) else str(value)
    return said.lower() not in ("", "0", "false", "no", "off")
