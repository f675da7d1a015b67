"""What has been shipped of which file, over restarts: a small SQLite database.

The law: one process has it at a time. A place is saved by one write that survives the end of the
process, however it comes; after a power cut it may be an earlier one, so that some events come
again, with the ids that they had.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from snowplow_logging.ship.lines import Position, Print

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT_DAYS = 30  # that the place in a file which is gone is remembered
_TABLE = """
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL, path TEXT NOT NULL, pattern TEXT NOT NULL,
    seed TEXT NOT NULL, first_size INTEGER NOT NULL, first_digest TEXT NOT NULL,
    position INTEGER NOT NULL, lines INTEGER NOT NULL, checksum INTEGER NOT NULL,
    last_size INTEGER NOT NULL, last_digest TEXT NOT NULL, seen REAL NOT NULL
)
"""
_COLUMNS = (
    "id, identity, path, pattern, seed, first_size, first_digest, position, lines, checksum, "
    "last_size, last_digest"
)


class Known(NamedTuple):
    """A file as it is remembered.

    Args:
        id: Its number.
        identity: Device and inode.
        path: Where it was last.
        pattern: What it was named by.
        seed: What the ids of its events begin with.
        first: The print of its first line.
        position: How far its events are settled.
    """

    id: int
    identity: str
    path: str
    pattern: str
    seed: str
    first: Print
    position: Position


def _known(row: tuple[Any, ...]) -> Known:
    file, identity, path, pattern, seed, size, digest, *position = row
    offset, lines, checksum, last_size, last_digest = position
    last = Print(last_size, last_digest)
    place = Position(offset, lines, checksum, last)
    return Known(file, identity, path, pattern, seed, Print(size, digest), place)


class StateError(Exception):
    """The state cannot be used; the message says why, and what to do."""


class State:
    """The places in all files.

    Args:
        path: The database; None keeps it in memory.

    Raises:
        StateError: Another process has it, or it is none.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path = path
        self._database = sqlite3.connect(path or ":memory:", timeout=0, isolation_level=None)
        try:
            # Exclusive, so that the lock is held to the end of the process, even if that is sudden.
            _ = self._execute("PRAGMA locking_mode = EXCLUSIVE")
            _ = self._execute("PRAGMA journal_mode = WAL")
            _ = self._execute("PRAGMA synchronous = NORMAL")
            _ = self._execute(_TABLE)
            oldest = time.time() - KEPT_DAYS * 86_400
            _ = self._execute("DELETE FROM files WHERE seen < ?", oldest)
        except StateError:
            self.close()
            raise

    def known(self, **where: str) -> list[Known]:
        """Returns the files with these values in their columns, the newest first."""
        condition = " AND ".join(f"{column} = ?" for column in where)
        query = f"SELECT {_COLUMNS} FROM files WHERE {condition} ORDER BY id DESC"  # noqa: S608 - names of ours
        with closing(self._execute(query, *where.values())) as rows:
            return [_known(row) for row in rows]

    def add(self, identity: str, path: str, pattern: str, seed: str, first: Print) -> int:
        """Remembers a file of which nothing is shipped yet; returns its number."""
        values = (identity, path, pattern, seed, *first, *_flat(Position()), time.time())
        columns = f"{_COLUMNS.removeprefix('id, ')}, seen"
        marks = ", ".join("?" for _ in values)
        row = self._execute(f"INSERT INTO files ({columns}) VALUES ({marks})", *values)  # noqa: S608 - names of ours
        return row.lastrowid or 0

    def found(self, file: int, identity: str, path: str, pattern: str) -> None:
        """Notes where a file is now."""
        _ = self._execute(
            "UPDATE files SET identity = ?, path = ?, pattern = ?, seen = ? WHERE id = ?",
            identity, path, pattern, time.time(), file,
        )  # fmt: skip

    def save(self, positions: Mapping[int, Position]) -> None:
        """Notes how far files are settled, all at once.

        Raises:
            StateError: It cannot be written.
        """
        _ = self._execute("BEGIN")
        for file, position in positions.items():
            _ = self._execute(
                "UPDATE files SET position = ?, lines = ?, checksum = ?, last_size = ?, "
                "last_digest = ?, seen = ? WHERE id = ?",
                *_flat(position), time.time(), file,
            )  # fmt: skip
        _ = self._execute("COMMIT")

    def close(self) -> None:
        """Lets others have it."""
        self._database.close()

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise StateError(self._advice(str(error))) from None

    def _advice(self, error: str) -> str:
        if "locked" in error:
            return (
                f"another process ships with the state {self._path}: end that, or give each its "
                "own with --state FILE"
            )
        if "full" in error or "readonly" in error:
            return f"the state {self._path} cannot be written ({error}): nothing is lost; make room"
        return (
            f"the state {self._path} cannot be used ({error}): move it away, or name another with "
            "--state FILE; files are then shipped from their beginning"
        )


def _flat(position: Position) -> tuple[object, ...]:
    return (*position[:3], *position.last)


def default_path(endpoint: str) -> Path:
    """Returns where the state of what is shipped to a collector is by default."""
    home = Path.home()
    folder = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_STATE_HOME")
    host = urlsplit(endpoint).hostname or ""
    name = f"ship-{host}-{blake2b(endpoint.encode(), digest_size=4).hexdigest()}.db"
    return Path(folder or home / ".local" / "state") / "snowplow-logging" / name
