"""The transport to a Redis Stream, by redis-py: an entry for each event, a transaction a batch.

An entry for each event rather than for each batch costs some ten times the processor time, which
is still less than half of a logging call's. For that, what a relay claims, acknowledges, sets
aside and counts is one event, a batch at the collector can mix what many processes wrote, and
``MAXLEN`` bounds events.

The law: Redis never judges an event, so what it refuses says something of its state, and is
tried again. Only what no waiting can mend is a rejection.
"""

from __future__ import annotations

import encodings.idna
import re
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from snowplow_logging._text import cut, legible, text
from snowplow_logging._transport import Answer
from snowplow_logging.payload import body_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging._redis_url import RedisAddress
    from snowplow_logging.payload import Payload

IMPORTED_EARLY = (encodings.idna,)  # as in _http.py
FAILURES = (RedisError, RedisClusterException, OSError)
"""What redis-py raises, and what is on the way to Redis."""

FIELD = "event"
"""The field of an entry: the event as a JSON object, complete but for ``stm``."""

MAX_ERROR_TEXT = 200  # UTF-16 units
TAKEN, REFUSED = 200, 400  # what the verdicts know
_HOPELESS = {
    r"WRONGTYPE": "the key holds something that is no stream: name another stream in the endpoint",
    r"unknown command .X": "this Redis is too old: it takes version 5 to write, 7 to relay",
    r"^MovedError": "the endpoint is of a cluster: it takes redis+cluster://",
}
"""What errors say that stay, whatever is waited for, with what helps."""


def connect(address: RedisAddress, timeout: float) -> Any:
    """Returns redis-py's client, which does not try again by itself: who uses it decides on that.

    Args:
        address: Where to. Of a cluster, nodes are asked here; else nothing is connected yet.
        timeout: Seconds for a connection, and for each step of an answer.

    Raises:
        Exception: No node of a cluster could be reached.
    """
    common: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,  # what every server and proxy speaks, with answers of one shape
    }
    if address.kind == "cluster":
        nodes = [ClusterNode(*node) for node in address.nodes]
        return RedisCluster(startup_nodes=nodes, **common, **address.options)
    if address.kind == "sentinel":
        theirs = common | address.sentinel_options
        sentinels: Any = Sentinel(
            address.nodes, sentinel_kwargs=theirs, **common, **address.options
        )
        return sentinels.master_for(address.service)
    return Redis(**common, **address.options)


def transaction(client: Any, address: RedisAddress) -> Any:
    """Returns redis-py's pipeline of ``client``, whose commands Redis does all or none of.

    In a cluster it may do a part of them, as its transactions came late to redis-py.
    """
    return client.pipeline(transaction=address.kind != "cluster")


class RedisTransport:
    """Writes batches to a stream, from which ``snowplow-logging relay`` takes them.

    Args:
        address: Where the stream is.
    """

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._client: Any = None
        self._timeout = 0.0

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        """Writes ``batch``, in a cluster perhaps a part of it, else all of it or nothing."""
        try:
            if timeout != self._timeout:
                self.close()
            if self._client is None:
                self._client, self._timeout = connect(self._address, timeout), timeout
            self._write(batch)
        except Exception as error:  # noqa: BLE001 - no failure of a request may end its worker
            return answer_to(error)
        return Answer(TAKEN)

    def close(self) -> None:
        """Closes the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _write(self, batch: Sequence[Payload]) -> None:
        address = self._address
        with transaction(self._client, address) as pipeline:
            for payload in batch:
                entry = {FIELD: body_of(payload) + b"}"}
                pipeline.xadd(address.stream, entry, maxlen=address.maxlen or None)
            pipeline.execute()


def answer_to(error: Exception) -> Answer:
    """Returns the answer that an error of redis-py, or on the way to Redis, amounts to."""
    said = described(error)
    advice = next((each for part, each in _HOPELESS.items() if re.search(part, said)), None)
    return Answer(None, said) if advice is None else Answer(REFUSED, f"{said} ({advice})")


def described(error: Exception) -> str:
    """Returns an error fit to be printed: one short line, without the events of its command."""
    message = text(error).rpartition(" of pipeline caused error: ")[2]
    message = message.partition(" : <")[0]  # from where on it shows redis-py's own objects
    line = " ".join(legible(f"{type(error).__name__}: {message}").split())
    return cut(line, MAX_ERROR_TEXT)
