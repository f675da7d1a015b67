"""RedisEmitter: writes payloads to a Redis Stream, for relays to send them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging import _redis_url
from snowplow_logging.emitter import AsyncEmitter

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from snowplow_logging._options import AsyncEmitterOptions


class RedisEmitter(AsyncEmitter):
    """Writes payloads to a Redis Stream from a fixed pool of threads.

    The command ``snowplow-logging relay`` sends from there to the collector. A Redis that is down
    is like a collector that is down: payloads wait, within the same bounds. A handler or an
    ``AsyncEmitter`` whose endpoint is such an address does the same; what this one adds is that
    it takes no other address.

    Args:
        url: The stream's address, such as ``redis://host:6379/0?stream=snowplow``. It begins with
            ``redis://``, ``rediss://`` (TLS), ``unix://``, ``redis+sentinel://``,
            ``rediss+sentinel://``, ``redis+cluster://`` or ``rediss+cluster://``.
        stream: Key of the stream, if the address does not say it; ``snowplow`` by default.
        maxlen: How many entries the stream keeps, more or less, before the oldest go, sent or not;
            1 000 000 by default, 0 for all. The address may say it, too.
        options: As for ``AsyncEmitter``, without those that are of HTTP alone.

    Raises:
        ValueError: An option takes no such value, or redis-py is not installed.
        TypeError: There is no such option.
    """

    def __init__(
        self,
        url: str,
        *,
        stream: str | None = None,
        maxlen: int | None = None,
        **options: Unpack[AsyncEmitterOptions],
    ) -> None:
        super().__init__(_redis_url.completed(url, stream, maxlen), **options)
