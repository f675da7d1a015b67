"""Log records as Snowplow events: a logging handler, and the small tracker beneath it."""

from snowplow_logging._stats import Stats
from snowplow_logging._version import __version__
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
