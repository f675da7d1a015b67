"""Tests of which files are read, over rotations and restarts."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
from contextlib import closing
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import pytest

from snowplow_logging.ship.files import MOST_OPEN
from tests.ship.reader import Reader
from tests.ship.support import aged, append, line, lines

LONG = 60  # lines, which are more than a copy must have to be known


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with some lines."""
    path = tmp_path / "app.log"
    append(path, lines(range(LONG)))
    return path


def read_all(log: Path, *patterns: object, **options: Any) -> list[int]:
    """Reads everything to its end; by default the log alone."""
    return Reader(log.parent / "state.db", *(patterns or [log]), **options).all()


def follower(log: Path, *patterns: object) -> Reader:
    """Follows files; by default the log alone."""
    return Reader(log.parent / "state.db", *(patterns or [log]), follow=True)


def test_goes_on_where_it_was_left(log: Path) -> None:
    """What was read is not read again, and what is new is."""
    assert read_all(log) == [*range(LONG)]
    assert read_all(log) == []
    append(log, lines([100]))
    assert read_all(log) == [100]
    assert (log.parent / "state.db").stat().st_mode & 0o777 == 0o600


def test_again(log: Path) -> None:
    """It can begin anew; ids are then what they were."""
    first = Reader(log.parent / "state.db", log)
    again = [first]
    assert first.all() == [*range(LONG)]
    again.append(Reader(log.parent / "state.db", log, again=True))
    assert again[1].all() == [*range(LONG)]
    assert again[0].ids == again[1].ids
    assert read_all(log) == []


def test_without_its_state(log: Path) -> None:
    """Whoever lost the state reads everything again, and gives the same ids."""
    readers = [Reader(log.parent / f"state{number}.db", log) for number in range(2)]
    for reader in readers:
        assert reader.all() == [*range(LONG)]
    assert readers[0].ids == readers[1].ids


def test_files_that_match(log: Path) -> None:
    """Patterns match files in folders, the oldest is read first, and none is read twice."""
    deep = log.parent / "a" / "b"
    deep.mkdir(parents=True)
    append(deep / "old.log", lines([201]))
    append(log.parent / "new.log", lines([202]))
    append(log.parent / "new.txt", lines([203]))
    aged(deep / "old.log")
    os.link(deep / "old.log", log.parent / "linked.log")
    (log.parent / "symbolic.log").symlink_to(log.parent / "new.log")
    os.utime(log.parent / "new.log", (2**31, 2**31))
    pattern = log.parent / "**" / "*.log"
    assert read_all(log, pattern, log, log.parent / "new.log") == [201, *range(LONG), 202]


def test_what_cannot_be_read(log: Path) -> None:
    """A file that there is not, or a folder, is complained of; others are read."""
    reader = Reader(log.parent / "state.db", log.parent / "none.log", log.parent, log)
    assert reader.all() == [*range(LONG)]
    assert reader.complaints == [
        "none.log: No such file or directory",
        f"{log.parent.name}: it is a folder: name files, such as {log.parent}/*.log",
    ]


def test_a_name_with_wildcards(log: Path) -> None:
    """A file whose very name is a pattern is that file."""
    odd = log.rename(log.parent / "app[1].log")
    assert read_all(log, odd) == [*range(LONG)]


def test_an_unfinished_line(log: Path) -> None:
    """It is left to the next run, and read when it has its end."""
    append(log, line(100)[:-20])
    assert read_all(log) == [*range(LONG)]
    append(log, line(100)[-20:])
    assert read_all(log) == [100]


def test_another_file_with_its_inode(log: Path) -> None:
    """A file that got the inode of one that is known, is read from its beginning."""
    assert read_all(log) == [*range(LONG)]
    inode = log.stat().st_ino
    with log.open("r+b") as file:
        _ = file.truncate()
        _ = file.write(lines(range(100, 200)))
    other = log.rename(log.parent / "other.log")
    assert other.stat().st_ino == inode
    assert other.stat().st_size > LONG * len(line(0))
    assert read_all(log, other) == [*range(100, 200)]


def test_begins_alike(tmp_path: Path) -> None:
    """Files with the same first lines are all read, and so is one that is a copy for the time."""
    for name in ("a.log", "b.log"):
        append(tmp_path / name, lines(range(LONG)))
    append(tmp_path / "b.log", lines([100]))
    assert sorted(read_all(tmp_path / "a.log", tmp_path / "*.log")) == sorted(
        [*range(LONG), *range(LONG), 100]
    )


def test_short_files_that_are_alike(tmp_path: Path) -> None:
    """A short file is no copy of one that is gone, though it has the same lines."""
    log, away = tmp_path / "a.log", tmp_path / "away"
    away.mkdir()
    append(log, lines([1]))
    assert read_all(log) == [1]
    _ = log.rename(away / "a.log")  # so that its inode is not free
    append(log, lines([1]))
    assert read_all(log) == [1]


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_rotated_while_nobody_looked(log: Path, pattern: str) -> None:
    """What was written before a rotation is read from the file that it went to."""
    assert read_all(log) == [*range(LONG)]
    append(log, lines([100, 101]))
    _ = log.rename(log.parent / "app.log.1")
    append(log, lines([102]))
    assert sorted(read_all(log, log.parent / pattern)) == [100, 101, 102]
    assert read_all(log, log.parent / pattern) == []


@pytest.mark.parametrize("read_before", [0, LONG // 2, LONG])
def test_compressed(log: Path, read_before: int) -> None:
    """A file that was compressed meanwhile is known again, and read on from the same line."""
    content = log.read_bytes()
    _ = log.write_bytes(lines(range(read_before)))
    before = Reader(log.parent / "state.db", log)
    assert before.all() == [*range(read_before)]
    log.unlink()
    packed = log.parent / "app.log.1.gz"
    with gzip.open(packed, "wb") as file:
        _ = file.write(content)
    after = Reader(log.parent / "state.db", packed)
    assert after.all() == [*range(read_before, LONG)]
    assert read_before in (0, LONG) or after.ids == before.ids
    assert read_all(log, packed) == []


def test_damaged(log: Path) -> None:
    """Of a compressed file that is cut short, what there is is read, and the rest complained of."""
    packed = log.parent / "app.log.gz"
    content = gzip.compress(lines(range(20_000)))
    _ = packed.write_bytes(content[: len(content) // 2])
    reader = Reader(log.parent / "state.db", packed)
    assert 5_000 < len(reader.all()) < 15_000
    assert "damaged, or cut short" in reader.complaints[0]


def test_follows(log: Path) -> None:
    """What is written later is read when its line is at its end."""
    with closing(follower(log)) as reader:
        reader.until(LONG - 1)
        append(log, line(100)[:30])
        assert reader.idle()[-1] == LONG - 1
        append(log, line(100)[30:] + line(101))
        reader.until(100, 101)
    assert len(reader.read) == LONG + 2


def test_follows_new_files(log: Path) -> None:
    """Files that come later are read from their beginning, also in new folders."""
    with closing(follower(log, log.parent / "**" / "*.log", log.parent / "later.txt")) as reader:
        reader.until(LONG - 1)
        (log.parent / "new").mkdir()
        append(log.parent / "new" / "b.log", lines([100]))
        append(log.parent / "later.txt", lines([101]))
        append(log.parent / "empty.log", b"")
        append(log.parent / "unfinished.log", line(102)[:-1])
        reader.until(100, 101)
        append(log.parent / "unfinished.log", b"\n")
        append(log.parent / "empty.log", lines([103]))
        reader.until(102, 103)
    assert reader.complaints == []
    assert len(reader.read) == LONG + 4


@pytest.mark.parametrize(("pattern", "burst"), [("app.log", 15), ("app.log*", 50)])
def test_rotated_by_logging(tmp_path: Path, pattern: str, burst: int) -> None:
    """Nothing is lost and nothing comes twice over the rotations of a RotatingFileHandler.

    Where rotated files match, too, several rotations may come between two looks.
    """
    log = tmp_path / "app.log"
    handler = RotatingFileHandler(log, maxBytes=2_000, backupCount=3)
    handler.setFormatter(logging.Formatter('{"n":%(message)s,"pad":"' + "x" * 80 + '"}'))
    with closing(follower(log, tmp_path / pattern)) as reader, closing(handler):
        for number in range(4 * burst):
            handler.handle(logging.makeLogRecord({"msg": str(number)}))
            if number % burst == burst - 1:  # a file has about twenty lines, and there are four
                reader.until(number)
    assert sorted(reader.read) == [*range(4 * burst)]


def test_rotated_and_removed(log: Path) -> None:
    """What was written last to a file that is removed is read, with an unfinished line."""
    with closing(follower(log)) as reader:
        reader.until(LONG - 1)
        append(log, line(100) + line(101)[:-1])
        aged(log)
        log.unlink()
        append(log, lines([102]))
        reader.until(100, 101, 102)
    assert len(reader.read) == LONG + 3


@pytest.mark.parametrize("again", [1, LONG + 20])
def test_truncated(log: Path, again: int) -> None:
    """A file that was truncated is read from its beginning, also if it has grown beyond."""
    with closing(follower(log)) as reader:
        reader.until(LONG - 1)
        os.truncate(log, 0)
        append(log, lines(range(100, 100 + again)))
        reader.until(100 + again - 1)
        append(log, lines([500]))
        reader.until(500)
    assert reader.read == [*range(LONG), *range(100, 100 + again), 500]


def test_truncated_under_a_writer(log: Path) -> None:
    """A writer that does not append leaves a hole at the beginning; it does not matter."""
    with closing(follower(log)) as reader, log.open("r+b") as writer:
        reader.until(LONG - 1)
        _ = writer.seek(0, os.SEEK_END)
        os.truncate(log, 0)
        _ = writer.write(lines([100]))
        writer.flush()
        reader.until(100)
        assert log.read_bytes()[:1] == b"\0"
    assert len(reader.read) == LONG + 1


def test_copied_and_truncated(log: Path) -> None:
    """The copy that a rotation made is known: only what had not been read yet comes from it."""
    copy = log.parent / "app.log.1"
    with closing(follower(log, log.parent / "app.log*")) as reader:
        reader.until(LONG - 1)
        append(log, lines([100]))
        _ = shutil.copy(log, copy)
        os.truncate(log, 0)
        append(log, lines([101]))
        reader.until(101)
        aged(copy)  # it is complete when it has not changed for a while
        reader.until(100)
        assert reader.idle()[LONG:] in ([100, 101], [101, 100])


def test_compressed_while_it_follows(log: Path) -> None:
    """A file that is compressed is not read again, and one that was not read yet is."""
    with closing(follower(log, log.parent / "app.log*")) as reader:
        reader.until(LONG - 1)
        packed = log.parent / "app.log.1.gz"
        _ = packed.write_bytes(gzip.compress(log.read_bytes()))
        log.unlink()
        append(log, lines([100]))
        reader.until(100)
        aged(packed)
        other = log.parent / "app.log.2.gz"
        _ = other.write_bytes(gzip.compress(lines([200])))
        reader.until(100)
        aged(other)
        reader.until(200)
        _ = reader.idle()
    assert reader.read == [*range(LONG), 100, 200]


def test_restarts_over_rotations(tmp_path: Path) -> None:
    """Over any restarts and rotations by renaming every line is read once."""
    log = tmp_path / "app.log"
    found: list[int] = []
    for number in range(0, 60, 3):
        append(log, lines([number, number + 1]))
        reader = follower(log)
        reader.until(number + 1)
        append(log, lines([number + 2]))
        if number % 2:
            reader.until(number + 2)
        reader.close()
        found += reader.read
        if number % 4 == 0:
            _ = log.rename(tmp_path / f"app.log.{number}")
    assert sorted(found + read_all(log)) == [*range(60)]


def test_more_files_than_can_be_open(tmp_path: Path) -> None:
    """All are read, and read on when they change, each line once."""
    number = MOST_OPEN + 30
    for each in range(number):
        append(tmp_path / f"{each}.log", lines([each]))
    with closing(Reader(tmp_path / "state.db", tmp_path / "*.log", follow=True)) as reader:
        reader.until(*range(number))
        for each in (0, 1, number - 1):
            append(tmp_path / f"{each}.log", lines([1_000 + each]))
        reader.until(1_000, 1_001, 1_000 + number - 1)
    assert len(reader.read) == number + 3
    assert reader.complaints == []


def test_idle_files_are_closed(log: Path) -> None:
    """A file that nobody has written to for an hour is closed, and read on when it changes."""
    aged(log, 4_000)
    descriptors = Path("/proc/self/fd")
    with closing(follower(log)) as reader:
        reader.until(LONG - 1)
        _ = reader.idle(0.3)
        opened = [each.readlink() for each in descriptors.iterdir() if each.is_symlink()]
        assert log not in opened
        append(log, lines([100]))
        reader.until(100)
    assert len(reader.read) == LONG + 1
