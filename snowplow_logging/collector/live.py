"""The rows as they come, as server-sent events.

Law: nothing is queued for a client. Each one has a number, up to which it has seen all; what comes
next is read from the store when the connection takes it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

from snowplow_logging.collector.changes import within
from snowplow_logging.collector.strict_json import encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from snowplow_logging.collector.changes import Changes
    from snowplow_logging.collector.store import Store

HEARTBEAT = 15.0  # seconds; shorter than what proxies and browsers allow to be idle
PAUSE = 0.2  # seconds between two messages
MAX_ROWS = 500  # in a message

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Live:
    """The streams of events.

    Args:
        store: The verdicts.
        changes: Of the store.
        heartbeat: Seconds of silence after which a client hears that it is still there.
    """

    def __init__(self, store: Store, changes: Changes, heartbeat: float = HEARTBEAT) -> None:
        """Keeps its arguments."""
        self._store = store
        self._heartbeat = heartbeat
        self._changes = changes
        # Clients that have seen the same get the same next message: it is made once.
        self._made: tuple[object, bytes, int] | None = None

    def response(self, after: int | None) -> StreamingResponse:
        """A stream of the rows behind the number ``after``; of the new ones without it."""
        return StreamingResponse(
            self.messages(after), media_type="text/event-stream", headers=_HEADERS
        )

    async def messages(self, after: int | None) -> AsyncIterator[bytes]:
        """The same, in parts."""
        resets, cursor = self._start(after)
        yield b"retry: 1000\n\n"
        is_first = True
        while not self._changes.closed:
            change = self._changes.next()
            counts = self._store.counts()
            if counts.resets != resets:
                resets = counts.resets
                yield _message("reset", cursor, encode(counts.to_json()))
                is_first = True
            before = cursor
            message, cursor = self._rows(cursor)
            if is_first or cursor != before:
                is_first = False
                yield message
                await asyncio.sleep(PAUSE)
            elif not await within(change, self._heartbeat):
                yield b": still here\n\n"

    def _start(self, after: int | None) -> tuple[int, int]:
        """The number of resets, and of the event, up to which a client has seen all."""
        resets = self._store.counts().resets
        last = self._store.last()
        if after is None:
            return resets, last
        # What it has seen is gone: it was reset since, or this is another process.
        if after > last or self._store.is_before_reset(after):
            return resets - 1, 0
        return resets, after

    def _rows(self, after: int) -> tuple[bytes, int]:
        """The message with the rows behind the number ``after``, and the number of the last."""
        counts, last = self._store.counts(), self._store.last()
        key = (after, counts, last)
        if self._made is None or self._made[0] != key:
            rows, cursor = self._store.next_rows(after, MAX_ROWS)
            text = f'{encode(counts.to_json())[:-1]},"rows":[{",".join(rows)}]}}'
            self._made = key, _message("rows", cursor, text), cursor
        return self._made[1], self._made[2]


def _message(kind: str, last: int, data: str) -> bytes:
    return f"event: {kind}\nid: {last}\ndata: {data}\n\n".encode("ascii")
