"""The stream in Redis, as one consumer of a group: every command that a relay gives.

The law: each method is one step that Redis does whole, and may be repeated after an error. No
method waits or tries again by itself.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import ResponseError

from snowplow_logging._redis import connect, transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowplow_logging._redis_url import RedisAddress
    from snowplow_logging.relay.entry import Dead

TIMEOUT = 3.0  # seconds for each step of an answer; longer than any read blocks
IDS_AT_ONCE = 1_000
FIRST = b"0-0"

# A consumer is removed with what it has pending. So nobody may read in its name between the look
# and the removal, which a script makes sure of.
_REMOVE_IDLE = """
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local is = {}
  for i = 1, #consumer, 2 do is[consumer[i]] = consumer[i + 1] end
  if is.pending == 0 and is.idle >= tonumber(ARGV[2]) and (ARGV[3] == '' or is.name == ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], is.name)
  end
end
"""


class Entry(NamedTuple):
    """An entry as it stands in the stream."""

    id: bytes
    fields: Mapping[bytes, bytes]


class State(NamedTuple):
    """What Redis says of the stream.

    Args:
        length: Entries in the stream.
        lag: Entries that no relay has read.
        pending: Entries that relays have read and not acknowledged.
        consumers: Relays of the group, dead ones included.
        dead: Entries in the dead-letter stream.
    """

    length: int
    lag: int
    pending: int
    consumers: int
    dead: int


class Stream:
    """A consumer's view.

    Args:
        address: Where the stream is.
        group: The consumer group.
        consumer: The consumer's name in it.
        dead: Key of the dead-letter stream.
        keep: Whether acknowledged entries stay in the stream, for other groups.
    """

    def __init__(
        self, address: RedisAddress, group: str, consumer: str, dead: str, *, keep: bool
    ) -> None:
        self._address = address
        self._key = address.stream
        self._group = group
        self._consumer = consumer
        self._dead = dead
        self._keep = keep
        self._lock = threading.Lock()  # guards the next; the client itself is safe in threads
        self._connected: Any = None

    @property
    def _client(self) -> Any:
        with self._lock:
            if self._connected is None:
                self._connected = connect(self._address, TIMEOUT)
            return self._connected

    def create_group(self) -> None:
        """Makes the stream and its group where they are not there, to be read from the start."""
        try:
            self._client.xgroup_create(self._key, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def read(self, count: int, block_ms: int) -> list[Entry]:
        """Returns entries that nobody has read; none if there are none within ``block_ms``."""
        streams = {self._key: ">"}
        answer = self._client.xreadgroup(
            self._group, self._consumer, streams, count=count, block=block_ms
        )
        return [Entry(*entry) for _, entries in answer or () for entry in entries]

    def adopt(self, idle_ms: int, start: bytes, count: int) -> tuple[bytes, list[Entry], int]:
        """Takes over entries that nobody has touched for ``idle_ms``.

        Returns:
            Where to go on, or ``FIRST`` at the end; the entries; how many others were pending and
            are no longer in the stream.
        """
        onward, entries, gone = self._client.xautoclaim(
            self._key, self._group, self._consumer, idle_ms, start_id=start, count=count
        )
        return onward, [Entry(*entry) for entry in entries], len(gone)

    def touch(self, ids: Sequence[bytes], idle_ms: int = 0) -> None:
        """Says that these entries are in work, so that nobody adopts them for a while.

        Args:
            ids: The entries; what is no longer pending among them stays as it is.
            idle_ms: For how long they shall count as untouched.
        """
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = list(ids[start : start + IDS_AT_ONCE])
            self._client.xclaim(
                self._key, self._group, self._consumer, 0, some, idle=idle_ms, justid=True
            )

    def acknowledge(self, ids: Sequence[bytes]) -> None:
        """Notes that entries are done with, and removes them."""
        with transaction(self._client, self._address) as pipeline:
            pipeline.xack(self._key, self._group, *ids)
            if not self._keep:
                pipeline.xdel(self._key, *ids)
            pipeline.execute()

    def set_aside(self, dead: Sequence[Dead]) -> None:
        """Writes entries to the dead-letter stream, then acknowledges them."""
        with transaction(self._client, self._address) as pipeline:
            for each in dead:
                why = {b"reason": each.reason, b"detail": each.detail, b"entry": each.id}
                fields = {**each.fields, **why}
                pipeline.xadd(self._dead, fields, maxlen=self._address.maxlen or None)
            pipeline.execute()
        self.acknowledge([each.id for each in dead])

    def remove_idle(self, idle_ms: int) -> None:
        """Removes consumers that have been silent for ``idle_ms`` and have nothing pending."""
        self._client.eval(_REMOVE_IDLE, 1, self._key, self._group, idle_ms, "")

    def leave(self) -> None:
        """Removes this consumer, unless it has something pending."""
        self._client.eval(_REMOVE_IDLE, 1, self._key, self._group, 0, self._consumer)

    def state(self) -> State:
        """Asks how things stand."""
        length, dead = self._client.xlen(self._key), self._client.xlen(self._dead)
        pending, lag, consumers = 0, None, 0
        for each in self._groups():
            if each["name"] == self._group.encode():
                pending, lag, consumers = each["pending"], each.get("lag"), each["consumers"]
        # Deleted entries can keep Redis from knowing the lag, and trimmed ones make it too high.
        unread = max(0, length - pending) if lag is None else min(lag, length)
        return State(length, unread, pending, consumers, dead)

    def _groups(self) -> list[dict[str, Any]]:
        try:
            groups: list[dict[str, Any]] = self._client.xinfo_groups(self._key)
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            return []
        return groups

    def close(self) -> None:
        """Closes the connections."""
        client, self._connected = self._connected, None
        if client is not None:
            client.close()
