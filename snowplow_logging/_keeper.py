"""Keeps an emitter's events on disk: opens the file, claims segments, survives what goes wrong.

The law: nothing here raises or waits longer than a second or two, whatever the disk does; each
method says whether it worked, and what did not is told on stderr. SQLite is never entered in two
threads at once, nor by a forked child that was not alone in it (its locks would stay locked).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from snowplow_logging._claims import Claim, alone_in
from snowplow_logging._disk import Adopted, Kept
from snowplow_logging._losses import SECONDS_BETWEEN_LINES, say
from snowplow_logging._shelf import OWN
from snowplow_logging._spool import (
    BUSY_TIMEOUT,
    Row,
    SpoolBrokenError,
    SpoolError,
    SpoolFile,
    identity_of,
    set_aside,
)
from snowplow_logging.payload import (
    STM_BYTES,
    body_of,
    created_ms_of,
    finished,
    queued_at_of,
    sequence_of,
    severity_of,
    size_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from snowplow_logging._clock import Clock
    from snowplow_logging.payload import Payload

FORK_PATIENCE = 2.0  # seconds that a fork waits for the disk
OF_OTHERS = 2**60  # what lies between the sequence numbers of others and ours
MAX_SEVERITY = 2**62  # far above any level, and what SQLite takes
ROOM_AT_ONCE = 4 * 2**20  # bytes that are written until the file's size is looked at again
SPACE_TAKEN = 4  # times its size, by what is written: in the log, and in pages that are not full
SECONDS_BETWEEN_LOOKS = 1.0  # at whether the path still leads to the file
SHRINK_ABOVE = 4 * 2**20  # bytes of an empty file that are given back

_T = TypeVar("_T")


class Keeper:
    """What an emitter has on disk.

    Args:
        path: The file.
        endpoint: Where the emitter's events go; None: it takes over those for any endpoint.
        clock: The time.
        max_bytes: The size that the file may have.
        on_lost: Called when the file is lost, and with it all events that were on it alone.
    """

    poisoned = False  # this process was forked while SQLite was entered

    def __init__(
        self,
        path: str,
        endpoint: str | None,
        clock: Clock,
        *,
        max_bytes: int,
        on_lost: Callable[[], None],
    ) -> None:
        self._path = path
        self._folder = Path(f"{path}-claims")
        self._endpoint = endpoint
        self._clock = clock
        self._max_bytes = max_bytes
        self._on_lost = on_lost
        # The lock guards everything below, and SQLite. It is re-entrant, so that it can be asked
        # whether this very thread has it: a finaliser may close the emitter in the midst of all.
        self._lock = threading.RLock()
        self._file: SpoolFile | None = None
        self._identity: tuple[int, int] | None = None  # of the file that the claims are about
        self._claims: dict[int, Claim] = {}
        self._own: int | None = None
        self._room = 0
        self._looked_at = 0.0
        self._undeleted: dict[int, set[int]] = {}
        self._is_lost = False
        self._said = ("", 0.0)  # and when
        self._paused_by: int | None = None  # a thread that forks
        self._is_gone = False  # this is a child, where another one has taken its place

    def write(self, payloads: Sequence[Payload]) -> Kept:
        """Writes events into the emitter's own segment."""

        def action(file: SpoolFile) -> Kept:
            if not self._has_room(file, sum(map(size_of, payloads))):
                return Kept.FULL
            if self._own is None:
                self._own = self._begin_segment(file)
            since_epoch = self._clock.wall() - self._clock.monotonic()
            file.write(self._own, [_row(payload, since_epoch) for payload in payloads])
            return Kept.YES

        return self._do(action, Kept.NO)

    def read(self, segment: int, after: int, count: int, size: int) -> list[Payload] | None:
        """Returns the next events of a segment; None: the disk has failed.

        Args:
            segment: Which one.
            after: The sequence number that they come after.
            count: How many, at most.
            size: How many bytes in a request they take, at most, unless it is one event alone.
        """
        offset = 0 if segment == OWN else OF_OTHERS

        def action(file: SpoolFile) -> list[Payload]:
            number = self._number(segment)
            found: list[Payload] = []
            since_epoch = self._clock.wall() - self._clock.monotonic()
            room = size
            rows: Iterable[Row] = () if number is None else file.rows(number, after + offset)
            settled = self._undeleted.get(number or OWN, set())
            for row in rows:
                if row.sequence in settled:
                    continue
                room -= len(row.body) + STM_BYTES
                if found and room < 0:
                    break
                found.append(_payload(row, offset, since_epoch))
                if len(found) == count:
                    break
            return found

        return self._do(action, None)

    def delete(self, segment: int, payloads: Iterable[Payload]) -> None:
        """Deletes events that are delivered or dropped; what fails is tried again later."""
        offset = 0 if segment == OWN else OF_OTHERS
        sequences = {sequence_of(payload) + offset for payload in payloads}

        def action(file: SpoolFile) -> None:
            number = self._number(segment)
            if number is not None:
                self._undeleted.setdefault(number, set()).update(sequences)
                self._delete(file)

        self._do(action, None)

    def adopt(self) -> Adopted | None:
        """Takes over the oldest segment that others have left."""
        return self._do(self._adopt, None)

    def end(self, segments: Iterable[int]) -> None:
        """Forgets segments that were taken over and are empty."""

        def action(file: SpoolFile) -> None:
            for segment in segments:
                self._end(file, segment)

        self._do(action, None)

    def look_after(self) -> None:
        """Deletes what could not be deleted before; gives back what an empty file has had."""

        def action(file: SpoolFile) -> None:
            self._delete(file)
            file.shrink(SHRINK_ABOVE)

        self._do(action, None)

    def complain(self, line: str) -> None:
        """Says on stderr what is wrong, unless it was the last word and not a minute ago."""
        now = self._clock.monotonic()
        last, at = self._said
        if line != last or now - at >= SECONDS_BETWEEN_LINES:
            self._said = (line, now)
            say(f"spool {self._path}: {line}")

    @property
    def own(self) -> int:
        """The number of the emitter's own segment."""
        return self._own or OWN

    def release(self) -> None:
        """Lets go of everything; what is left on disk is for others."""

        def action(file: SpoolFile) -> None:
            self._delete(file)
            for segment in list(self._claims):
                self._end(file, segment)

        if self._is_entered:
            return
        if self._claims:
            self._do(action, None)
        with self._lock:
            self._forget()
            self._close()

    def before_fork(self) -> None:
        """Leaves SQLite, so that a child inherits nothing of it; ``after_fork`` ends that."""
        if not self._is_entered and self._lock.acquire(timeout=FORK_PATIENCE):
            self._paused_by = threading.get_ident()
            self._close()

    def after_fork_in_parent(self) -> None:
        """Goes on."""
        if self._paused_by == threading.get_ident():
            self._paused_by = None
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Lets go of a child's copies of the claims; from now on nothing is done here."""
        if self._paused_by != threading.get_ident():
            Keeper.poisoned = True
        for claim in self._claims.values():
            claim.abandon()
        self._claims = {}
        self._lock = threading.RLock()
        self._is_gone = True

    @property
    def _is_entered(self) -> bool:
        lock: Any = self._lock
        owned: bool = lock._is_owned()  # noqa: SLF001 - as Condition asks
        return owned

    def _do(self, action: Callable[[SpoolFile], _T], otherwise: _T) -> _T:
        """Acts on the file; where it is broken, once more on a new one."""
        if self._is_gone or self._is_entered:
            return otherwise
        result = otherwise
        lines: list[str] = []
        with self._lock:
            for _ in range(2):
                try:
                    result = action(self._opened())
                    break
                except SpoolBrokenError as error:
                    lines += self._replace(error)
                except Exception as error:  # noqa: BLE001 - no failure of the disk may end a worker
                    self._close()
                    lines.append(f"{error}; until that is mended, events wait in memory")
                    break
            lost, self._is_lost = self._is_lost, False
        if lost:
            self._on_lost()
        for line in lines:
            self.complain(line)
        return result

    def _opened(self) -> SpoolFile:
        if Keeper.poisoned:
            message = "this process was forked while its parent waited for the disk"
            raise OSError(message)
        if self._file is not None and self._is_in_place(self._file):
            return self._file
        self._close()
        with alone_in(self._folder, BUSY_TIMEOUT):
            self._file = file = SpoolFile(self._path, create=True)
        known, self._identity = self._identity, file.identity
        # The number of a deleted file may be that of the new one.
        ours = {segment.id for segment in file.segments()} >= self._claims.keys()
        if self._claims and not (ours and file.identity == known):
            self._lose()
            self._identity = file.identity
            self.complain("the file was taken away; a new one is begun")
        return file

    def _is_in_place(self, file: SpoolFile) -> bool:
        now = self._clock.monotonic()
        if now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return True
        self._looked_at = now
        return file.is_in_place

    def _replace(self, error: SpoolBrokenError) -> list[str]:
        """Sets a broken file aside, unless somebody else has done so; returns what to say."""
        known = self._identity
        self._close()
        self._lose()
        try:
            with alone_in(self._folder, BUSY_TIMEOUT):
                if not self._is_broken(known):
                    return []
                aside = set_aside(self._path)
        except Exception as failure:  # noqa: BLE001 - as above
            return [f"{error}, and it cannot be set aside: {failure}"]
        return [f"{error}; it is set aside as {aside}, and a new one begun"]

    def _is_broken(self, known: tuple[int, int] | None) -> bool:
        if known is not None:
            return known == identity_of(self._path)
        try:
            SpoolFile(self._path, create=False).close()
        except SpoolBrokenError:
            return True
        return False

    def _lose(self) -> None:
        """Forgets what was about another file."""
        self._is_lost = self._is_lost or bool(self._claims)
        self._forget()

    def _forget(self) -> None:
        for claim in self._claims.values():
            claim.release(remove=False)
        self._claims, self._own, self._undeleted = {}, None, {}
        self._identity = None

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def _begin_segment(self, file: SpoolFile) -> int:
        endpoint, created_ms = self._endpoint or "", int(self._clock.wall() * 1000)
        with file.changing():
            while True:
                segment = file.add_segment(endpoint, os.getpid(), created_ms)
                # Somebody whose file was set aside may have a claim of the same number.
                claim = Claim.take(self._folder / str(segment))
                if claim is not None:
                    self._claims[segment] = claim
                    return segment

    def _adopt(self, file: SpoolFile) -> Adopted | None:
        for segment in file.segments(self._endpoint):
            claim = None
            if segment.id not in self._claims:
                claim = Claim.take(self._folder / str(segment.id))
            if claim is None:
                continue
            self._claims[segment.id] = claim
            try:
                count = file.count(segment.id)
                if count:
                    return Adopted(segment.id, count)
                self._end(file, segment.id)
            except BaseException:
                self._claims.pop(segment.id).release(remove=False)
                raise
        return None

    def _end(self, file: SpoolFile, segment: int) -> None:
        """Lets go of a segment, for good if it is empty."""
        is_empty = not file.count(segment)
        if is_empty:
            file.drop_segment(segment)
        if segment in self._claims:
            self._claims.pop(segment).release(remove=is_empty)

    def _delete(self, file: SpoolFile) -> None:
        for segment, sequences in list(self._undeleted.items()):
            file.delete(segment, sequences)
            del self._undeleted[segment]

    def _number(self, segment: int) -> int | None:
        """Returns the number on disk of a segment that is ours; None: it is not."""
        if segment == OWN:
            return self._own
        return segment if segment in self._claims else None

    def _has_room(self, file: SpoolFile, size: int) -> bool:
        """Says whether the file may grow by ``size``; it is looked at now and then only."""
        self._room -= size
        if self._room < 0:
            free = file.free() - SPACE_TAKEN * size
            if free < 0:
                message = "the disk is full, but for a reserve"
                raise SpoolError(message)
            left = self._max_bytes - file.used() - size
            self._room = min(left, free // SPACE_TAKEN, ROOM_AT_ONCE)
        return self._room >= 0


def _row(payload: Payload, since_epoch: float) -> Row:
    """Returns what is written of ``payload``; ``since_epoch`` is what the clock began at."""
    severity = min(max(severity_of(payload), -MAX_SEVERITY), MAX_SEVERITY)
    queued_ms = int((queued_at_of(payload) + since_epoch) * 1000)
    return Row(sequence_of(payload), created_ms_of(payload), severity, queued_ms, body_of(payload))


def _payload(row: Row, offset: int, since_epoch: float) -> Payload:
    """Returns what was written as ``row``, with its sequence number ``offset`` less."""
    sequence, created_ms, severity, queued_ms, body = row
    queued_at = queued_ms / 1000 - since_epoch
    return sequence - offset, queued_at, finished(body, created_ms, severity)
