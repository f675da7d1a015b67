"""Tests of the spool's file: what is written is there, is the owner's alone, or is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging._spool import (
    ROWS_A_STATEMENT,
    VERSION,
    Row,
    SpoolBrokenError,
    SpoolError,
    SpoolFile,
    _runs,
    set_aside,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def row(sequence: int, body: bytes = b"{}") -> Row:
    """Returns a row."""
    return Row(sequence, 1_700_000_000_000 + sequence, 20, 1_700_000_000_000, body)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the file is."""
    return str(tmp_path / "it's a \u00e4 spool%20?.db")


@pytest.fixture
def file(path: str) -> Iterator[SpoolFile]:
    """An empty file with a segment, which has the number 1."""
    with closing(SpoolFile(path, create=True)) as made:
        with made.changing():
            assert made.add_segment("http://here", 7, 5) == 1
        yield made


def test_what_is_written_is_read(file: SpoolFile, path: str) -> None:
    """Events come back byte by byte in the order of their numbers, also on another connection."""
    bodies = [b"", b'{"x":"\xc3\xa4\\n"', b"\x00\xff", b"x" * 190_000]
    rows = [row(number, body) for number, body in enumerate(bodies, 1)]

    file.write(1, rows[::-1])

    assert list(file.rows(1)) == rows
    assert list(file.rows(1, after=2)) == rows[2:]
    with closing(SpoolFile(path, create=False)) as other:
        assert list(other.rows(1)) == rows
        assert other.sums(1) == (4, 190_013, rows[0].created_ms, rows[-1].created_ms)
        assert [tuple(each) for each in other.segments()] == [(1, "http://here", 7, 5)]
        assert other.segments("http://elsewhere") == []


@pytest.mark.parametrize("count", [1, ROWS_A_STATEMENT, ROWS_A_STATEMENT + 1])
def test_any_number_is_written(file: SpoolFile, count: int) -> None:
    """One statement or several, all of it is written; what is there already stays as it is."""
    file.write(1, [row(number) for number in range(count)])
    file.write(1, [row(number, b"other") for number in range(count + 1)])

    assert file.count(1) == count + 1
    assert [each.body for each in file.rows(1)] == [b"{}"] * count + [b"other"]


def test_what_is_deleted_is_gone(file: SpoolFile) -> None:
    """Events go one by one, and a segment once it is empty."""
    file.write(1, [row(number) for number in range(10)])

    file.delete(1, [9, 1, 2, 3, 5])
    file.drop_segment(1)
    assert [each.sequence for each in file.rows(1)] == [0, 4, 6, 7, 8]
    assert len(file.segments()) == 1

    file.delete(1, range(10))
    file.drop_segment(1)
    assert (file.count(1), file.segments()) == (0, [])


def test_what_is_old_is_deleted(file: SpoolFile) -> None:
    """Events go by their age, some at a time."""
    file.write(1, [row(number) for number in range(10)])

    assert file.delete_before(1_700_000_000_005, 3) == 3
    assert file.delete_before(1_700_000_000_005, 3) == 2
    assert [each.sequence for each in file.rows(1)] == [5, 6, 7, 8, 9]


@given(st.sets(st.integers(-5, 40)))
def test_runs_of_numbers(numbers: set[int]) -> None:
    """Runs hold each number once, and no other."""
    found = [number for first, last in _runs(numbers) for number in range(first, last + 1)]

    assert found == sorted(numbers)


def test_a_transaction_is_all_or_nothing(file: SpoolFile) -> None:
    """What raises in the midst of a transaction leaves nothing behind."""

    def fail() -> None:
        with file.changing():
            _ = file.add_segment("http://here", 1, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(file.segments()) == 1


def test_segments_have_numbers_of_their_own(file: SpoolFile) -> None:
    """The number of a segment that has gone is never given again."""
    file.drop_segment(1)
    with file.changing():
        assert file.add_segment("http://here", 1, 1) == 2


def test_files_are_the_owners_alone(file: SpoolFile, path: str, tmp_path: Path) -> None:
    """The file and all that SQLite lays beside it can be read by nobody else."""
    file.write(1, [row(1)])

    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}

    os.chmod(path, 0o644)  # noqa: PTH101 - as somebody else would have made it
    SpoolFile(path, create=True).close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600  # noqa: PTH116


def test_room_is_given_back(file: SpoolFile, path: str) -> None:
    """What events took is free for others once they are deleted, and the disk's in the end."""
    empty = file.used()
    file.write(1, [row(number, b"x" * 10_000) for number in range(200)])
    assert file.used() > empty + 2_000_000

    file.shrink(0)
    assert file.count(1) == 200
    file.delete(1, range(200))
    assert file.used() < empty + 100_000

    file.shrink(0)
    file.close()
    assert os.stat(path).st_size < 200_000  # noqa: PTH116


def database(path: str, *statements: str) -> None:
    """Makes a database."""
    with closing(sqlite3.connect(path)) as other, other:
        for sql in statements:
            _ = other.execute(sql)


def test_what_is_no_spool_is_refused(path: str, tmp_path: Path) -> None:
    """What is somebody else's is refused as it is; what is nobody's is broken."""
    with pytest.raises(SpoolError, match="is no file"):
        _ = SpoolFile(str(tmp_path), create=True)

    database(path, "CREATE TABLE shoes (size)")
    with pytest.raises(SpoolError, match="is a database of something else: name another path"):
        _ = SpoolFile(path, create=True)

    with open(path, "wb") as other:  # noqa: PTH123
        _ = other.write(b"This is the log of an application. " * 100)
    with pytest.raises(SpoolBrokenError, match="not a database"):
        _ = SpoolFile(path, create=True)


def test_newer_files_are_refused(file: SpoolFile, path: str) -> None:
    """A file that a newer version has written is left to that."""
    database(path, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(SpoolError, match="was written by a newer version"):
        _ = SpoolFile(path, create=True)
    assert file.segments()


def test_files_of_others_are_refused(path: str) -> None:
    """A file that another user has laid there, to read what is written, is not used."""
    SpoolFile(path, create=True).close()
    try:
        os.chown(path, 12_345, -1)
    except PermissionError:
        pytest.skip("files can be given away by root alone")
    with pytest.raises(SpoolError, match="belongs to another user"):
        _ = SpoolFile(path, create=True)


def test_a_missing_file(path: str) -> None:
    """What only looks makes no file."""
    with pytest.raises(FileNotFoundError):
        _ = SpoolFile(path, create=False)
    assert not os.path.lexists(path)


def test_a_file_that_is_taken_away(file: SpoolFile, path: str) -> None:
    """A connection knows whether the path still leads to its file."""
    assert file.is_in_place
    aside = [set_aside(path)]
    assert not file.is_in_place
    SpoolFile(path, create=True).close()
    assert not file.is_in_place

    aside.append(set_aside(path))
    assert aside == [f"{path}.broken1", f"{path}.broken2"]
    with closing(SpoolFile(aside[0], create=False)) as kept:
        assert kept.segments()
