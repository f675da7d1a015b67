"""Log records as Snowplow events: a logging handler, and the small tracker beneath it.

The names below are imported when they are first used: pytest loads the package's plugin at each
start, and that must cost those nothing who do not use it.

PYTEST_DONT_REWRITE: else pytest, which rewrites the assertions of a package that has a plugin,
warns whoever has imported this one before.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from snowplow_logging._version import __version__

if TYPE_CHECKING:
    from snowplow_logging._stats import Stats
    from snowplow_logging.draining import drain_on_signal, flush, flush_on_return
    from snowplow_logging.emitter import AsyncEmitter, Emitter
    from snowplow_logging.flood import FloodFilter
    from snowplow_logging.formatter import LogRecordFormatter
    from snowplow_logging.handler import SnowplowHandler
    from snowplow_logging.redis_emitter import RedisEmitter
    from snowplow_logging.scope import contexts, traceparent
    from snowplow_logging.self_describing_json import SelfDescribingJson
    from snowplow_logging.subject import Subject
    from snowplow_logging.tracker import Tracker

__all__ = [
    "AsyncEmitter",
    "Emitter",
    "FloodFilter",
    "LogRecordFormatter",
    "RedisEmitter",
    "SelfDescribingJson",
    "SnowplowHandler",
    "Stats",
    "Subject",
    "Tracker",
    "__version__",
    "contexts",
    "drain_on_signal",
    "flush",
    "flush_on_return",
    "traceparent",
]

if not TYPE_CHECKING:  # type checkers shall know no names but those above
    _HOMES = {
        "AsyncEmitter": "emitter",
        "Emitter": "emitter",
        "FloodFilter": "flood",
        "LogRecordFormatter": "formatter",
        "RedisEmitter": "redis_emitter",
        "SelfDescribingJson": "self_describing_json",
        "SnowplowHandler": "handler",
        "Stats": "_stats",
        "Subject": "subject",
        "Tracker": "tracker",
        "contexts": "scope",
        "drain_on_signal": "draining",
        "flush": "draining",
        "flush_on_return": "draining",
        "traceparent": "scope",
    }

    def __getattr__(name: str) -> object:
        """Imports what is used for the first time."""
        if name not in _HOMES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
