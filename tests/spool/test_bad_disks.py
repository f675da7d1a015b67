"""Whatever the disk or somebody does to the file: it is survived, named, and events arrive."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from snowplow_logging import AsyncEmitter
from snowplow_logging._spool import PAGE_SIZE, VERSION, SpoolFile
from tests.delivery.support import balanced, numbers, until
from tests.spool.support import QUICK, events_on, track

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.delivery.conftest import MakeCollector

BOTH = pytest.mark.parametrize("durability", ["outages", "events"])


def filled(spool: Path, count: int = 0) -> None:
    """Makes a spool, perhaps with events that nobody has."""
    spool.parent.mkdir(exist_ok=True)
    emitter = AsyncEmitter("http://127.0.0.1:9", spool=spool, **QUICK)
    track(emitter, 1, count)
    emitter.close()
    if not count:
        SpoolFile(str(spool), create=True).close()


def a_log(spool: Path) -> None:
    spool.parent.mkdir()
    _ = spool.write_text("a line of a log\n" * 1_000)


def scribble(spool: Path) -> None:
    """Overwrites all but the first page."""
    with closing(sqlite3.connect(spool)) as file:
        _ = file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    size = spool.stat().st_size
    with spool.open("r+b") as raw:
        _ = raw.seek(PAGE_SIZE)
        _ = raw.write(os.urandom(size - PAGE_SIZE))


def corrupt(spool: Path) -> None:
    filled(spool, 500)
    scribble(spool)


def truncated(spool: Path) -> None:
    filled(spool, 500)
    os.truncate(spool, spool.stat().st_size // 3)


def emptied(spool: Path) -> None:
    filled(spool, 500)
    os.truncate(spool, 0)


def newer(spool: Path) -> None:
    filled(spool)
    with closing(sqlite3.connect(spool)) as file:
        _ = file.execute(f"PRAGMA user_version = {VERSION + 1}")


def of_another(spool: Path) -> None:
    spool.parent.mkdir()
    with closing(sqlite3.connect(spool)) as file:
        _ = file.execute("CREATE TABLE shoes (size)")


def a_directory(spool: Path) -> None:
    spool.mkdir(parents=True)


def a_file_in_the_way(spool: Path) -> None:
    _ = spool.parent.write_text("this is no folder")


@BOTH
@pytest.mark.parametrize(
    ("arrange", "said", "aside"),
    [
        (a_log, "file is not a database; it is set aside as ", True),
        (corrupt, "; it is set aside as ", True),
        (truncated, "; it is set aside as ", True),
        (emptied, None, False),
        (newer, "was written by a newer version of snowplow-logging: upgrade this one", False),
        (of_another, "is a database of something else: name another path", False),
        (a_directory, "is no file", False),
        (a_file_in_the_way, "File exists", False),
    ],
)
def test_a_file_that_is_no_spool(
    make_collector: MakeCollector,
    spool: Path,
    durability: str,
    arrange: Callable[[Path], None],
    said: str | None,
    aside: bool,  # noqa: FBT001
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is broken is set aside, what is another's is left as it is; everything arrives."""
    arrange(spool)
    _ = capsys.readouterr()
    before = spool.read_bytes() if spool.is_file() else b""
    deliver_through_an_outage(make_collector, spool, durability)
    lines = [line for line in capsys.readouterr().err.splitlines() if "spool" in line]
    assert lines == [] if said is None else said in lines[0]
    assert all(line.startswith(f"snowplow_logging: spool {spool}: ") for line in lines)
    broken = Path(f"{spool}.broken1")
    assert broken.exists() == aside
    if aside and arrange is a_log:
        assert broken.read_bytes() == before
    elif spool.is_file() and not aside and said is not None:
        assert spool.read_bytes() == before
    if aside or said is None:
        assert events_on(spool) == 0


def deliver_through_an_outage(
    make_collector: MakeCollector, spool: Path, durability: str
) -> AsyncEmitter:
    """Delivers some events, of which the first meet a collector that is down."""
    collector = make_collector(otherwise=503)
    emitter = AsyncEmitter(
        collector.url, spool=spool, durability=durability, batch_size=10, **QUICK
    )  # fmt: skip
    track(emitter, 1, 30)
    until(lambda: emitter.stats().requests > 1, "some attempts")
    collector.answer()
    assert emitter.flush(20)
    assert balanced(emitter.stats())
    assert sorted(numbers(collector.events())) == list(range(1, 31))
    emitter.close()
    return emitter


@BOTH
def test_a_file_that_breaks_meanwhile(
    make_collector: MakeCollector, spool: Path, durability: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events on a file that breaks are lost, counted and told; the others arrive."""
    collector = make_collector(otherwise=503)
    emitter = AsyncEmitter(
        collector.url, spool=spool, durability=durability, batch_size=20, **QUICK
    )  # fmt: skip
    track(emitter, 1, 600)
    until(lambda: emitter.stats().pending == emitter.stats().spooled, "them to be on disk")
    scribble(spool)
    collector.answer()
    track(emitter, 601, 700)
    assert emitter.flush(20)

    stats = emitter.stats()
    assert balanced(stats)
    assert stats.delivered + stats.dropped_by_reason["spool_lost"] == 700
    assert set(range(601, 701)) <= set(numbers(collector.events()))
    emitter.close()
    told = capsys.readouterr().err
    assert "spool_lost: see what was said of the spool" in told
    assert f"; it is set aside as {spool}.broken1, and a new one begun" in told
    assert events_on(spool) == 0


def test_a_file_that_is_locked(
    make_collector: MakeCollector, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While somebody has locked the file, events wait in memory and arrive."""
    filled(spool)
    with closing(sqlite3.connect(spool, isolation_level=None)) as other:
        _ = other.execute("BEGIN EXCLUSIVE")
        _ = deliver_through_an_outage(make_collector, spool, "events")
    said = capsys.readouterr().err
    assert f"spool {spool}: database is locked; until that is mended, events wait in memory" in said
    assert "lost" not in said


@pytest.fixture
def read_only(small_disk: Path) -> Path:
    """A file system that nothing can be written to."""
    filled(small_disk / "spool.db")
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    _ = subprocess.run(remount, check=True)
    return small_disk


@BOTH
@pytest.mark.parametrize("name", ["spool.db", "new.db", "folder/new.db"])
def test_a_disk_that_is_read_only(
    make_collector: MakeCollector,
    read_only: Path,
    name: str,
    durability: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where nothing can be written, events wait in memory and arrive."""
    _ = deliver_through_an_outage(make_collector, read_only / name, durability)
    said = capsys.readouterr().err
    assert f"spool {read_only / name}: " in said
    assert "Read-only file system" in said or "readonly database" in said
    assert "lost" not in said


@BOTH
def test_a_disk_that_is_full(
    make_collector: MakeCollector,
    small_disk: Path,
    durability: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a full disk does not take waits in memory; everything arrives, and is deleted."""
    collector = make_collector(otherwise=503)
    spool = small_disk / "spool.db"
    emitter = AsyncEmitter(
        collector.url, spool=spool, durability=durability, batch_size=20, **QUICK
    )
    track(emitter, 1, 600, more="x" * 3_000)
    until(lambda: "full" in capsys.readouterr().err, "the disk to be full")
    stats = emitter.stats()
    assert balanced(stats)
    assert 0 < stats.spooled < stats.pending == 600
    collector.answer()
    assert emitter.flush(20)
    assert emitter.stats().delivered == 600
    assert sorted(numbers(collector.events())) == list(range(1, 601))
    emitter.close()
    assert events_on(spool) == 0


def test_a_disk_that_was_full_before(
    make_collector: MakeCollector, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a disk without room for a file, events wait in memory, and no half a file is left."""
    with suppress(OSError), (small_disk / "large").open("wb") as large:
        while True:
            _ = large.write(bytes(1_000))
            large.flush()
    _ = deliver_through_an_outage(make_collector, small_disk / "spool.db", "events")
    said = capsys.readouterr().err
    assert f"spool {small_disk}/spool.db: " in said
    assert "full" in said or "No space left" in said or "disk I/O error" in said
    (small_disk / "large").unlink()
    emitter = deliver_through_an_outage(make_collector, small_disk / "spool.db", "events")
    assert capsys.readouterr().err == ""
    assert emitter.stats().delivered == 30
