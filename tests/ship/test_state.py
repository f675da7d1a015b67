"""Tests of the state: what is remembered, by whom, and what is said where that fails."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from snowplow_logging.ship.lines import Position, Print
from snowplow_logging.ship.state import KEPT_DAYS, State, StateError, default_path

if TYPE_CHECKING:
    from pathlib import Path

FIRST = Print(3, "abc")
PLACE = Position(2**40, 7, 2**32 - 1, Print(9, "def"))


def test_remembers(tmp_path: Path) -> None:
    """What is saved is there after the end of the process; the newest comes first."""
    path = tmp_path / "new" / "state.db"
    with closing(State(path)) as state:
        old = state.add("1:2", "/a.log", "/*.log", "seed", FIRST)
        new = state.add("1:2", "/a.log", "/*.log", "other", FIRST)
        state.save({old: PLACE})
        state.found(new, "1:3", "/b.log", "/b.log")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with closing(State(path)) as state:
        (known,) = state.known(identity="1:2")
        assert (known.id, known.seed, known.first, known.position) == (old, "seed", FIRST, PLACE)
        assert [each.id for each in state.known(first_digest="abc")] == [new, old]
        assert [each.path for each in state.known(pattern="/b.log")] == ["/b.log"]


def test_forgets(tmp_path: Path) -> None:
    """Files that have not been seen for long are forgotten."""
    path = tmp_path / "state.db"
    with closing(State(path)) as state:
        kept, gone = (state.add(name, "/a", "/a", "s", FIRST) for name in ("1:1", "1:2"))
    with closing(sqlite3.connect(path)) as database, database:
        then = time.time() - (KEPT_DAYS + 1) * 86_400
        _ = database.execute("UPDATE files SET seen = ? WHERE id = ?", (then, gone))
    with closing(State(path)) as state:
        assert [each.id for each in state.known(path="/a")] == [kept]


def test_one_process_has_it(tmp_path: Path) -> None:
    """Who comes second is told so, and what to do."""
    path = tmp_path / "state.db"
    with closing(State(path)), pytest.raises(StateError, match=r"another process .* --state FILE"):
        _ = State(path)
    State(path).close()


def test_what_is_none(tmp_path: Path) -> None:
    """Another file is left as it is."""
    path = tmp_path / "state.db"
    _ = path.write_bytes(b"something else, which is long enough to be a database" * 100)
    before = path.read_bytes()
    with pytest.raises(StateError, match="move it away"):
        _ = State(path)
    assert path.read_bytes() == before


def test_a_full_disk(tmp_path: Path) -> None:
    """Where it cannot be written any more, that is said, and that nothing is lost."""
    with closing(State(tmp_path / "state.db")) as state:
        _ = state._database.execute("PRAGMA max_page_count = 4").fetchone()
        with pytest.raises(StateError, match=r"full.*nothing is lost"):
            _ = [state.add(f"1:{number}", "/a" * 100, "/a", "s", FIRST) for number in range(999)]


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default it is the user's own, and another one for each collector."""
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.setenv("LOCALAPPDATA", "/state")
    paths = {default_path(f"https://c.acme.com/{name}/tp2") for name in "ab"}
    assert len(paths) == 2
    for path in paths:
        assert path.parent.as_posix() == "/state/snowplow-logging"
        assert path.name.startswith("ship-c.acme.com-")
