"""The spool's file: events on disk, in SQLite. Storage alone: it decides nothing, and tells nobody.

The law: each call is one transaction, so a process that ends in the midst of one leaves nothing
half done; and no call waits longer than ``BUSY_TIMEOUT`` for others who write.

The journal is a write-ahead log with ``synchronous=NORMAL``. What is committed is with the
operating system then, and outlives the process, however that ends. A commit does not wait for
the disk: a power failure may take the last ones, but never the file.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

APPLICATION_ID = 0x53504F4F  # "SPOO", which the file's header says
VERSION = 1  # of the tables
BUSY_TIMEOUT = 1.0  # seconds
PAGE_SIZE = 8_192  # bytes; events are about 1 kB
LOG_PAGES = 2_000  # of the log, from when on it is moved into the file, which waits for the disk
SHARE_OF_LOG = 16  # of a small disk the log takes one part in so many
RESERVE, SHARE_OF_RESERVE = 64 * 2**20, 4  # bytes, or one part in so many, that a disk keeps free
# Each statement lets go of the interpreter and must get it again, which takes a while where other
# threads are busy; so there are few of them. Older versions take 999 values, newer ones 32 766.
ROWS_A_STATEMENT = 1_000 if sqlite3.sqlite_version_info >= (3, 32) else 150
SUFFIXES = ("", "-wal", "-shm")  # of the files that SQLite makes

_TABLES = """
CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    pid INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
);
CREATE TABLE events (
    segment INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (segment, sequence)
)
"""


_DROP_SEGMENT = """
DELETE FROM segments
WHERE id = ? AND NOT EXISTS (SELECT 1 FROM events WHERE segment = segments.id)
"""
_USED = """
SELECT (page_count - freelist_count) * page_size
FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""
_DELETE_BEFORE = """
DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE created_ms < ? LIMIT ?)
"""
_UNUSED = """
SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size
"""
_ANY = "SELECT 1 FROM events LIMIT 1"
_INSERT = "INSERT OR IGNORE INTO events VALUES (?,?,?,?,?,?)"


class Row(NamedTuple):
    """An event on disk.

    Args:
        sequence: Its place in its segment.
        created_ms: As of ``payload.Payload``.
        severity: As of ``payload.Payload``.
        queued_ms: When it was accepted, in ms since epoch.
        body: As of ``payload.Payload``.
    """

    sequence: int
    created_ms: int
    severity: int
    queued_ms: int
    body: bytes


class Segment(NamedTuple):
    """What one emitter has written, from its first event on disk to its close.

    Args:
        id: Its number, which no other segment of the file ever has.
        endpoint: Where its events are to go.
        pid: The process that has begun it.
        created_ms: When it was begun, in ms since epoch.
    """

    id: int
    endpoint: str
    pid: int
    created_ms: int


class SpoolError(Exception):
    """The file cannot be used."""


class SpoolBrokenError(SpoolError):
    """The file is no spool, or is one no more: nothing can be read from it."""


class SpoolFile:
    """A connection to the file. It belongs to one thread at a time, and never to a forked child.

    Args:
        path: The file.
        create: Whether it is made where there is none.

    Raises:
        SpoolError: It cannot be used.
        SpoolBrokenError: Its contents are no spool.
        OSError: It cannot be reached.
    """

    def __init__(self, path: str, *, create: bool) -> None:
        _prepare(path, create=create)
        with _told_apart():
            self._sql = sqlite3.connect(
                f"file:{quote(path)}?mode=rw",
                uri=True,
                timeout=BUSY_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._set_up(path)
            except BaseException:
                self._sql.close()
                raise
        self._path = path
        self.identity = identity_of(path)

    def close(self) -> None:
        """Closes the connection."""
        self._sql.close()

    @property
    def is_in_place(self) -> bool:
        """Whether the path still leads to this file."""
        return identity_of(self._path) == self.identity

    @contextmanager
    def changing(self) -> Generator[None]:
        """A transaction in which nobody else writes."""
        with _told_apart():
            _ = self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
                _ = self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:
                    _ = self._sql.execute("ROLLBACK")
                raise

    def add_segment(self, endpoint: str, pid: int, created_ms: int) -> int:
        """Begins a segment, within a transaction; returns its number."""
        values = (endpoint, pid, created_ms)
        sql = "INSERT INTO segments (endpoint, pid, created_ms) VALUES (?, ?, ?)"
        return self._sql.execute(sql, values).lastrowid or 0

    def drop_segment(self, segment: int) -> None:
        """Forgets a segment that has no events; one that has some stays."""
        _ = self._all(_DROP_SEGMENT, segment)

    def segments(self, endpoint: str | None = None) -> list[Segment]:
        """Returns the segments for ``endpoint``, or all of them, the oldest first."""
        sql = "SELECT id, endpoint, pid, created_ms FROM segments"
        if endpoint is None:
            return [Segment(*row) for row in self._all(f"{sql} ORDER BY id")]
        chosen = f"{sql} WHERE endpoint = ? ORDER BY id"
        return [Segment(*row) for row in self._all(chosen, endpoint)]

    def count(self, segment: int) -> int:
        """Returns how many events a segment has."""
        ((number,),) = self._all("SELECT count(*) FROM events WHERE segment = ?", segment)
        return int(number)

    def sums(self, segment: int) -> tuple[int, int, int | None, int | None]:
        """Returns a segment's number and bytes of events, and when first and last were made."""
        sql = "SELECT count(*), sum(length(body)), min(created_ms), max(created_ms) FROM events"
        ((number, size, first, last),) = self._all(f"{sql} WHERE segment = ?", segment)
        return number, size or 0, first, last

    def write(self, segment: int, rows: Sequence[Row]) -> None:
        """Writes events; those that are there already stay as they are."""
        with self._changing_if(len(rows) > ROWS_A_STATEMENT):
            for start in range(0, len(rows), ROWS_A_STATEMENT):
                part = rows[start : start + ROWS_A_STATEMENT]
                sql = _INSERT + ",(?,?,?,?,?,?)" * (len(part) - 1)
                _ = self._sql.execute(sql, [v for row in part for v in (segment, *row)])

    def rows(self, segment: int, after: int = -(2**62)) -> Iterator[Row]:
        """Yields a segment's events after a sequence number, in their order."""
        sql = "SELECT sequence, created_ms, severity, queued_ms, body FROM events"
        chosen = f"{sql} WHERE segment = ? AND sequence > ? ORDER BY sequence"
        with _told_apart(), closing(self._sql.execute(chosen, (segment, after))) as found:
            for row in found:
                yield Row(*row)

    def oldest_queued_ms(self, segment: int, after: int) -> int | None:
        """Returns when the first event after a sequence number was accepted."""
        sql = "SELECT queued_ms FROM events WHERE segment = ? AND sequence > ? ORDER BY sequence"
        found = self._all(f"{sql} LIMIT 1", segment, after)
        return found[0][0] if found else None

    def delete(self, segment: int, sequences: Iterable[int]) -> None:
        """Deletes events."""
        sql = "DELETE FROM events WHERE segment = ? AND sequence BETWEEN ? AND ?"
        runs = list(_runs(sequences))
        with self._changing_if(len(runs) > 1):
            for first, last in runs:
                _ = self._sql.execute(sql, (segment, first, last))

    def delete_before(self, created_ms: int, limit: int) -> int:
        """Deletes some events made before a time, of whatever segment; returns how many."""
        with _told_apart():
            return self._sql.execute(_DELETE_BEFORE, (created_ms, limit)).rowcount

    def used(self) -> int:
        """Returns how many bytes of the file hold something."""
        ((size,),) = self._all(_USED)
        return int(size)

    def free(self) -> int:
        """Returns how many bytes can be written before the disk is full but for its reserve.

        Where a disk is full to the last byte, nothing can be deleted either: that is written, too.
        """
        disk = os.statvfs(self._path)
        total = disk.f_blocks * disk.f_frsize
        left = disk.f_bavail * disk.f_frsize - min(RESERVE, total // SHARE_OF_RESERVE)
        ((unused,),) = self._all(_UNUSED)
        return int(max(0, left) + unused)

    def shrink(self, above: int) -> None:
        """Gives the disk back what an empty file of more than ``above`` bytes has had."""
        if Path(self._path).stat().st_size > above and not self._all(_ANY):
            _ = self._all("VACUUM")

    def _changing_if(self, several: bool) -> AbstractContextManager[None]:  # noqa: FBT001
        """A transaction for ``several`` statements; a single one is one by itself."""
        return self.changing() if several else _told_apart()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with _told_apart():
            return self._sql.execute(sql, values).fetchall()

    def _set_up(self, path: str) -> None:
        _ = self._sql.execute("PRAGMA synchronous = NORMAL")
        disk = os.statvfs(path)
        pages = min(LOG_PAGES, disk.f_blocks * disk.f_frsize // SHARE_OF_LOG // PAGE_SIZE)
        _ = self._sql.execute(f"PRAGMA wal_autocheckpoint = {max(1, pages)}")
        _ = self._sql.execute(f"PRAGMA journal_size_limit = {pages * PAGE_SIZE}")
        (((kind,),), ((version,),), ((tables,),)) = (
            self._sql.execute(sql).fetchall()
            for sql in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        if kind == 0 and tables == 0:
            self._create()
        elif kind != APPLICATION_ID:
            message = f"{path} is a database of something else: name another path"
            raise SpoolError(message)
        elif version > VERSION:
            message = f"{path} was written by a newer version of snowplow-logging: upgrade this one"
            raise SpoolError(message)

    def _create(self) -> None:
        _ = self._sql.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        _ = self._sql.execute("PRAGMA journal_mode = WAL")
        with self.changing():
            for sql in _TABLES.split(";"):
                _ = self._sql.execute(sql)
            _ = self._sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            _ = self._sql.execute(f"PRAGMA user_version = {VERSION}")


def identity_of(path: str) -> tuple[int, int] | None:
    """Returns what tells the file at ``path`` from any other; None: there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked for before each use of the file
    except OSError:
        return None
    return found.st_dev, found.st_ino


def set_aside(path: str) -> str:
    """Renames a broken file, and what SQLite has laid beside it; returns its new path."""
    free = (f"{path}.broken{number}" for number in count(1))
    aside = next(name for name in free if not os.path.lexists(name))
    for suffix in SUFFIXES:
        if Path(path + suffix).exists():
            _ = Path(path + suffix).rename(aside + suffix)
    return aside


def _prepare(path: str, *, create: bool) -> None:
    """Sees to it that the file is there, is ours, and is nobody else's to read."""
    if create:
        with suppress(FileExistsError):
            # SQLite gives the files that it lays beside this one the same permissions.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode):
        message = f"{path} is no file"
        raise SpoolError(message)
    if found.st_uid != os.geteuid():
        message = f"{path} belongs to another user"
        raise SpoolError(message)
    if stat.S_IMODE(found.st_mode) & 0o077:
        Path(path).chmod(0o600)


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yields first and last of each run of consecutive numbers."""
    ordered = sorted(numbers)
    start = 0
    for index in range(1, len(ordered) + 1):
        if index == len(ordered) or ordered[index] != ordered[index - 1] + 1:
            yield ordered[start], ordered[index - 1]
            start = index


@contextmanager
def _told_apart() -> Generator[None]:
    """Raises what SQLite says as one of the two errors here."""
    try:
        yield
    except sqlite3.Error as error:
        # Full, locked, read-only and the like are operational; what is corrupt, or no database,
        # is the plain kind.
        broken = type(error) is sqlite3.DatabaseError or str(error).startswith("no such ")
        raise (SpoolBrokenError if broken else SpoolError)(str(error)) from error
