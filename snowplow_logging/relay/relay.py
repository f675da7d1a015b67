"""A relay: reads while there is room, keeps its claims alive, adopts what the dead have left.

The law: two live relays send no entry twice. Whoever holds an entry touches it more often than
others adopt what is untouched; and after a pause, of Redis or of this machine, nobody is taken for
dead before all have had the time to touch what they hold.
"""

from __future__ import annotations

import math
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from snowplow_logging._redis import FAILURES, answer_to, described
from snowplow_logging._retry import Breaker
from snowplow_logging.relay.delivery import Delivery
from snowplow_logging.relay.entry import Dead, UnfitError, event
from snowplow_logging.relay.ledger import Ledger
from snowplow_logging.relay.stream import FIRST, Stream
from snowplow_logging.relay.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from snowplow_logging._redis_url import RedisAddress
    from snowplow_logging._stats import Stats
    from snowplow_logging.relay.stream import Entry, State
    from snowplow_logging.relay.tally import Counts

LONGEST_BLOCK = 0.5  # seconds that a read waits for entries, so that nothing else waits longer
NEVER_MS = 2**40
WINDOW_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """What a relay is told.

    Args:
        address: The stream.
        collector: The collector's address, perhaps with a password.
        group: The consumer group.
        consumer: The relay's own name in it.
        dead: Key of the dead-letter stream.
        keep: Whether acknowledged entries stay in the stream.
        claim_after: Seconds after which untouched entries are adopted.
        once: Whether the relay ends when all is sent.
        options: Those of ``Delivery.NAMES``.
    """

    address: RedisAddress
    collector: str = field(repr=False)
    group: str
    consumer: str
    dead: str
    keep: bool
    claim_after: float
    once: bool
    options: Mapping[str, Any]


class Relay:
    """Relays from ``start`` to ``close``, in threads of its own.

    Args:
        settings: What it is told.

    Raises:
        ValueError: The collector's address is none.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stream = Stream(
            settings.address, settings.group, settings.consumer, settings.dead, keep=settings.keep
        )
        self._tally = Tally()
        self._batch_size: int = settings.options["batch_size"]
        window = 2 * self._batch_size * settings.options["thread_count"]
        self._ledger = Ledger(self._stream, self._tally, window, WINDOW_BYTES)
        self._delivery = Delivery(settings.collector, settings.options, self._ledger)
        self._breaker = Breaker(min(5.0, settings.claim_after / 2), random.uniform)
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="snowplow-logging-relay", daemon=True
        )
        self.ended = False  # with all that there was to do
        self._turned_at = -math.inf  # when the last turn without an error ended
        self._well_since = -math.inf  # since when turns have followed each other
        self._redis_fails = False
        self._touch_at = 0.0
        self._adopt_at = 0.0
        self._adopt_from = FIRST

    @property
    def collector(self) -> str:
        """The collector, without user and password."""
        return self._delivery.address.base

    @property
    def is_alive(self) -> bool:
        """Whether it reads."""
        return self._thread.is_alive()

    def failing(self) -> dict[str, str | None]:
        """Returns of each side what it fails of, for as long as it does."""
        redis = self.counts().redis_error if self._redis_fails else None
        return {"redis": redis, "collector": self._delivery.error}

    def prepare(self) -> str | None:
        """Makes the group; returns why this Redis will never do, if that is so."""
        try:
            self._stream.create_group()
            _, _, gone = self._stream.adopt(NEVER_MS, FIRST, 1)  # tells whether Redis can do it
        except FAILURES as error:
            answer = answer_to(error)
            return None if answer.status is None else answer.error
        with self._tally.changing() as counts:
            counts.gone += gone
        return None

    def start(self) -> None:
        """Starts to read."""
        self._thread.start()

    def counts(self) -> Counts:
        """Returns what it has counted."""
        return self._tally.snapshot()

    def stats(self) -> Stats:
        """Returns the account of its deliveries."""
        return self._delivery.stats()

    def state(self) -> State:
        """Asks Redis how things stand; may raise what ``stream.FAILURES`` names."""
        return self._stream.state()

    def held(self) -> int:
        """Returns how many entries it holds."""
        return len(self._ledger.ids())

    def close(self, timeout: float) -> int:
        """Finishes what it holds, for at most ``timeout`` seconds.

        Returns:
            How many entries it hands back, for other relays to send.
        """
        deadline = time.monotonic() + timeout
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(max(timeout, 2 * LONGEST_BLOCK))
        self._delivery.finish(max(0.0, deadline - time.monotonic()))
        answers = self._ledger.settle()
        left = self._ledger.ids()
        if answers:
            with self._noting():
                self._stream.touch(left, idle_ms=ms(self._settings.claim_after))
                self._stream.leave()
        if not self._thread.is_alive():  # else it is in the midst of a command
            self._stream.close()
        return len(left)

    @contextmanager
    def _noting(self) -> Generator[None]:
        """Notes what Redis does not do, where nothing depends on it."""
        try:
            yield
        except FAILURES as error:
            self._tally.redis_failed(described(error))

    def _run(self) -> None:
        while not self._stopping.is_set():
            ticket = self._breaker.begin()
            try:
                ended = self._turn(time.monotonic())
            except FAILURES as error:
                self._failed(ticket, error)
                continue
            self._breaker.succeeded()
            self._turned_at = time.monotonic()
            self._redis_fails = False
            if ended:
                self.ended = True
                return

    def _failed(self, ticket: int, error: Exception) -> None:
        self._tally.redis_failed(described(error))
        self._redis_fails = True
        self._touch_at = 0.0  # as soon as Redis is back
        now = time.monotonic()
        self._breaker.failed(ticket, now, 0.0)
        if is_lost(error):
            with self._noting():
                self._stream.create_group()
                self._breaker.succeeded()
        _ = self._stopping.wait(self._breaker.delay(now))

    def _turn(self, now: float) -> bool:
        """Does what is due, then reads; returns whether all is done that there was to do."""
        settings = self._settings
        if now - self._turned_at > settings.claim_after / 2:
            self._well_since = now
        if now >= self._touch_at:
            _ = self._ledger.settle()
            self._stream.touch(self._ledger.ids())
            self._touch_at = now + settings.claim_after / 3
        room = self._ledger.room()
        block = min(LONGEST_BLOCK, settings.claim_after / 6)
        if room <= 0:
            self._ledger.wait_for_room(block)
            return False
        count = min(room, self._batch_size)
        entries = self._adopted(now, count) or self._stream.read(count, ms(block))
        self._take(entries)
        return settings.once and not entries and not self._stream.state().pending

    def _adopted(self, now: float, count: int) -> list[Entry]:
        """Returns entries of relays that are silent, if it is time to look for them."""
        settings = self._settings
        if now < max(self._adopt_at, self._well_since + settings.claim_after):
            return []
        idle = ms(settings.claim_after)
        self._adopt_from, entries, gone = self._stream.adopt(idle, self._adopt_from, count)
        if self._adopt_from == FIRST:
            self._adopt_at = now + settings.claim_after / 2
            with self._noting():  # a user of Redis may not be allowed to run scripts
                self._stream.remove_idle(idle)
        with self._tally.changing() as counts:
            counts.adopted += len(entries)
            counts.gone += gone
        return entries

    def _take(self, entries: list[Entry]) -> None:
        held = set(self._ledger.ids())
        dead: list[Dead] = []
        for entry in entries:
            if entry.id in held:
                continue  # read again, after the group was made anew
            try:
                body, created_ms = event(entry.fields)
            except UnfitError as unfit:
                dead.append(Dead(entry.id, entry.fields, unfit.reason, unfit.detail))
                continue
            self._ledger.hold(self._delivery.next_sequence, entry.id, len(body))
            self._delivery.put(body, created_ms)
        if dead:
            self._ledger.set_aside(dead)


def ms(seconds: float) -> int:
    """Returns whole milliseconds, at least one."""
    return max(1, round(seconds * 1000))


def is_lost(error: Exception) -> bool:
    """Says whether Redis does not know the group (any more), as after a loss of its data."""
    return isinstance(error, ResponseError) and any(
        sign in str(error) for sign in ("NOGROUP", "UNBLOCKED", "no such key")
    )
