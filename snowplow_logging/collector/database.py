"""The database behind the store: in memory, or a file that only one collector has open.

A file belongs to its owner alone, and survives the end of the process, however it ends; not
necessarily that of the whole machine, since nothing waits for the disk.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_APPLICATION_ID = 0x53_50_4C_43
_VERSION = 1

# One row of ``state``; the id of a request is the number of its first event.
_TABLES = """
CREATE TABLE state (good INTEGER, bad INTEGER, last INTEGER, last_at_reset INTEGER);
INSERT INTO state VALUES (0, 0, 0, 0);
CREATE TABLE requests (id INTEGER PRIMARY KEY, received TEXT, body TEXT);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, request INTEGER, weight INTEGER, bad_row TEXT, event_type TEXT,
    schema TEXT, contexts TEXT, vendor TEXT, version TEXT, event_id TEXT, row TEXT,
    parameters TEXT, problems TEXT
);
CREATE INDEX by_event_id ON events (event_id);
"""


def open_database(file: str | Path | None) -> sqlite3.Connection:
    """A database with the tables, old or new.

    Args:
        file: Its path; None keeps it in memory.

    Raises:
        ValueError: The file is in use, of another program, or cannot be read or written.
    """
    if file is None:
        return _prepared(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
    path = Path(file)
    try:
        # SQLite would make it readable by others.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except OSError as error:
        message = f"storage: {path}: {error.strerror or error}"
        raise ValueError(message) from None
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA synchronous = OFF")
        return _prepared(database)
    except sqlite3.Error as error:
        database.close()
        is_locked = getattr(error, "sqlite_errorname", str(error)) in {
            "SQLITE_BUSY",
            "database is locked",  # before Python 3.11
        }
        reason = "another collector has it open" if is_locked else str(error)
        message = f"storage: {path}: {reason}"
        raise ValueError(message) from None
    except ValueError as error:
        database.close()
        message = f"storage: {path}: {error}"
        raise ValueError(message) from None


def release(database: sqlite3.Connection) -> None:
    """Lets another collector have the file; what is in it can still be read here."""
    database.execute("PRAGMA locking_mode = NORMAL")
    database.execute("SELECT * FROM state").fetchall()  # only now the lock is given up


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("BEGIN EXCLUSIVE")
    ((application,),) = database.execute("PRAGMA application_id")
    ((version,),) = database.execute("PRAGMA user_version")
    ((tables,),) = database.execute("SELECT count(*) FROM sqlite_master")
    if not tables:
        for statement in _TABLES.strip().rstrip(";").split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {_VERSION}")
    elif (application, version) != (_APPLICATION_ID, _VERSION):
        message = "it is no storage of this collector; name a file that does not exist yet"
        raise ValueError(message)
    database.execute("COMMIT")
    return database
