"""Tests of the keeper: who may read what, and what it makes of a disk that fails."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from snowplow_logging._claims import Claim, alone_in, holder
from snowplow_logging._disk import Kept
from snowplow_logging._keeper import ROOM_AT_ONCE, Keeper
from snowplow_logging._shelf import OWN, START
from snowplow_logging.payload import body_of, finished, queued_at_of, sequence_of
from tests.delivery.support import run
from tests.program import Program
from tests.spool.support import events_on, keeper, payloads

if TYPE_CHECKING:
    from snowplow_logging._disk import Adopted

ALL = (START, 1_000, 2**30)

ABANDONED = """
import os, sys
from pathlib import Path
from tests.spool.support import keeper, payloads
one = keeper(Path(sys.argv[1]))
one.write(payloads(1, 5))
one.delete(0, payloads(2, 2))
{end}
os.kill(os.getpid(), 9)
"""


def abandon(spool: Path, end: str = "") -> None:
    """Lets a process write four events, and be killed."""
    assert run(ABANDONED.format(end=end), str(spool)).returncode == -9


def adopted(found: Adopted | None) -> tuple[int, int]:
    """Returns what was taken over."""
    assert found is not None
    return found.segment, found.events


def test_what_is_written_is_read(spool: Path) -> None:
    """Events come back as they were, a request's worth at a time."""
    one = keeper(spool)
    written = payloads(1, 5, queued_at=one._clock.monotonic())
    assert one.write(written) is Kept.YES

    found = one.read(OWN, *ALL) or []
    assert [(sequence_of(p), p[2:]) for p in found] == [(sequence_of(p), p[2:]) for p in written]
    assert all(abs(queued_at_of(p) - queued_at_of(written[0])) < 0.1 for p in found)
    assert [sequence_of(p) for p in one.read(OWN, 2, 2, 2**30) or []] == [3, 4]
    assert [sequence_of(p) for p in one.read(OWN, 2, 5, 200) or []] == [3, 4]
    assert [sequence_of(p) for p in one.read(OWN, 2, 5, 1) or []] == [3]
    one.release()


def test_a_severity_beyond_all_bounds(spool: Path) -> None:
    """Whatever number a level is, the event can be written."""
    one = keeper(spool)
    for sequence, severity in enumerate((2**63, -(2**70)), 1):
        large = (sequence, 0.0, finished(b'{"n":"1"', 1, severity))
        assert one.write([large]) is Kept.YES
    one.release()


def test_a_segment_is_its_writers(spool: Path) -> None:
    """Nobody takes over what somebody who lives has written, be it in the same process."""
    one, other = keeper(spool), keeper(spool)
    assert one.write(payloads(1, 5)) is Kept.YES
    assert other.adopt() is None
    assert other.read(1, *ALL) == []

    one.release()

    assert adopted(other.adopt()) == (1, 5)
    assert one.read(1, *ALL) == []
    one.release()
    found = other.read(1, *ALL) or []
    assert [body_of(p) for p in found] == [body_of(p) for p in payloads(1, 5)]
    assert all(sequence_of(p) < 0 for p in found)
    other.delete(1, found)
    other.end([1])
    other.release()
    assert events_on(spool) == 0
    assert list(Path(f"{spool}-claims").iterdir()) == []


def test_each_endpoint_has_its_own(spool: Path) -> None:
    """What was meant for one collector is not taken over for another, but where any will do."""
    one, other, any_ = keeper(spool), keeper(spool, endpoint="http://there"), keeper(
        spool, endpoint=None
    )  # fmt: skip
    assert one.write(payloads(1, 5)) is Kept.YES
    one.release()

    assert other.adopt() is None
    assert adopted(any_.adopt()) == (1, 5)
    any_.release()
    other.release()


def test_what_the_dead_have_left(spool: Path) -> None:
    """A killed process's events are anybody's at once, but one's alone."""
    abandon(spool)
    abandon(spool)
    one, other = keeper(spool), keeper(spool)

    assert {adopted(each.adopt()) for each in (one, other)} == {(1, 4), (2, 4)}
    assert one.adopt() is None
    one.release()
    other.release()


def test_empty_segments_of_the_dead_are_cleared_up(spool: Path) -> None:
    """A process that had nothing left on disk leaves nothing that stays."""
    abandon(spool, "one.delete(0, payloads(1, 5))")
    one = keeper(spool)
    assert one.adopt() is None
    one.release()
    assert list(Path(f"{spool}-claims").iterdir()) == []


ORPHAN = """
import os, sys, time
from pathlib import Path
from tests.spool.support import keeper, payloads
one = keeper(Path(sys.argv[1]))
one.write(payloads(1, 5))
one.before_fork()
if os.fork():
    one.after_fork_in_parent()
    os.kill(os.getpid(), 9)
one.after_fork_in_child()
assert one.write(payloads(6, 6)).value == "no"
os.write(1, b"alone")
sys.stdin.read()
"""


def test_a_child_keeps_no_claim(spool: Path) -> None:
    """What a killed parent has left can be taken over although its child lives on."""
    with Program[bytes](
        [sys.executable, "-c", ORPHAN, str(spool)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.wait(20) == -9
        assert process.stdout.read(5) == b"alone"
        one = keeper(spool)
        assert adopted(one.adopt()) == (1, 5)
        one.release()
        process.stdin.close()


def test_a_fork_waits_for_the_disk(spool: Path) -> None:
    """While somebody is at the disk nobody forks; a child that cannot wait keeps off SQLite."""
    one = keeper(spool)
    assert one.write(payloads(1, 1)) is Kept.YES
    inside, done = threading.Event(), threading.Event()

    def stay() -> None:
        with one._lock:
            inside.set()
            assert done.wait(20)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(20)
    one.before_fork()
    assert one._paused_by is None
    one.after_fork_in_parent()
    done.set()
    thread.join()
    one.before_fork()
    assert one._paused_by == threading.get_ident()
    assert one._file is None
    one.after_fork_in_parent()
    assert [sequence_of(p) for p in one.read(OWN, *ALL) or []] == [1]
    one.release()


POISONED = """
import sys
from pathlib import Path
from tests.spool.support import keeper, payloads
one = keeper(Path(sys.argv[1]))
one.after_fork_in_child()  # without having waited for the disk
other = keeper(Path(sys.argv[1]))
print(other.write(payloads(1, 1)))
"""


def test_a_poisoned_child(spool: Path) -> None:
    """A child that was forked in the midst of SQLite does not enter it, and says so."""
    ended = run(POISONED, str(spool))
    assert ended.stdout == "Kept.NO\n"
    assert "was forked while its parent waited for the disk" in ended.stderr
    assert not spool.exists()


def test_the_file_is_bounded(spool: Path) -> None:
    """Beyond ``max_bytes`` nothing is written; what was deleted makes room."""
    limit = 2 * ROOM_AT_ONCE
    one = keeper(spool, max_bytes=limit)
    last = 0
    while one.write(payloads(last + 1, last + 100, 10_000)) is Kept.YES:
        last += 100
        assert last < limit / 10_000
    assert last * 10_000 > limit / 2
    with closing(sqlite3.connect(spool)) as file:
        ((pages,),), ((size,),) = (file.execute(f"PRAGMA page_{what}").fetchall()
                                   for what in ("count", "size"))  # fmt: skip
    assert pages * size <= limit + 2**20

    one.delete(OWN, payloads(1, 200))
    assert one.write(payloads(last + 1, last + 100, 10_000)) is Kept.YES
    one.release()


def test_what_cannot_be_deleted_now_is_deleted_later(
    spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who is locked out does not wait for long, says so once, and makes it good."""
    one = keeper(spool)
    assert one.write(payloads(1, 5)) is Kept.YES
    with closing(sqlite3.connect(spool, isolation_level=None)) as other:
        _ = other.execute("BEGIN IMMEDIATE")
        one.delete(OWN, payloads(1, 3))
        assert one.write(payloads(6, 7)) is Kept.NO
        assert [sequence_of(p) for p in one.read(OWN, *ALL) or []] == [4, 5]
        _ = other.execute("ROLLBACK")
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"snowplow_logging: spool {spool}: database is locked; until that is ")
    assert events_on(spool) == 5
    one.look_after()
    assert events_on(spool) == 2
    one.release()


@pytest.mark.parametrize("moment", ["before it is opened", "while it is open"])
def test_a_broken_file(
    spool: Path, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """A broken file is set aside, and what is to be written goes into a new one."""
    lost: list[str] = []
    one = keeper(spool, lambda: lost.append("lost"))
    assert one.write(payloads(1, 500, 1_000)) is Kept.YES
    if moment == "before it is opened":
        one.release()
    with closing(sqlite3.connect(spool)) as other:
        _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with spool.open("r+b") as file:
        file.seek(0 if moment == "before it is opened" else 8_192)
        _ = file.write(os.urandom(200_000))

    assert one.write(payloads(501, 505)) is Kept.YES
    if moment == "while it is open":  # it is the reading that meets the broken pages
        assert one.read(OWN, *ALL) is not None
        assert one.write(payloads(501, 505)) is Kept.YES
        assert lost == ["lost"]
    assert [sequence_of(p) for p in one.read(OWN, *ALL) or []] == [501, 502, 503, 504, 505]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"; it is set aside as {spool}.broken1, and a new one begun")
    assert Path(f"{spool}.broken1").stat().st_size > 200_000
    one.release()


def test_a_broken_file_that_others_have_set_aside(spool: Path) -> None:
    """Of those who find the file broken one sets it aside; the new one stays."""
    spool.parent.mkdir()
    _ = spool.write_bytes(b"x" * 5_000)
    keepers = [keeper(spool) for _ in range(8)]
    barrier = threading.Barrier(8)

    def write(one: Keeper) -> None:
        _ = barrier.wait(20)
        assert one.write(payloads(1, 5)) is Kept.YES

    threads = [threading.Thread(target=write, args=(each,)) for each in keepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events_on(spool) == 40
    assert [path.name for path in spool.parent.glob("*.broken*")] == ["spool.db.broken1"]
    for each in keepers:
        each.release()


def test_a_file_that_is_taken_away(spool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the file is deleted a new one is begun, and what was on it is lost."""
    lost: list[str] = []
    one = keeper(spool, lambda: lost.append("lost"))
    assert one.write(payloads(1, 5)) is Kept.YES
    for path in spool.parent.glob("spool.db*"):
        if path.is_file():
            path.unlink()
    one._looked_at = 0.0  # as a second later
    assert one.write(payloads(6, 7)) is Kept.YES
    assert lost == ["lost"]
    assert [sequence_of(p) for p in one.read(OWN, *ALL) or []] == [6, 7]
    assert "the file was taken away; a new one is begun" in capsys.readouterr().err
    one.release()


def test_claims(tmp_path: Path) -> None:
    """A claim is one's alone, names its process, and ends when it is released."""
    path = tmp_path / "1"
    assert holder(path) is None
    claim = Claim.take(path)
    assert claim is not None
    assert Claim.take(path) is None
    assert holder(path) == os.getpid()
    claim.release(remove=False)
    assert holder(path) is None
    again = Claim.take(path)
    assert again is not None
    again.release(remove=True)
    assert not path.exists()


def test_who_waits_for_a_folder_waits_not_for_ever(tmp_path: Path) -> None:
    """One is alone in a folder; who waits for that gives up at its deadline."""
    folder = tmp_path / "new" / "claims"
    with alone_in(folder, 1):
        with pytest.raises(TimeoutError, match="is locked"), alone_in(folder, 0.05):
            pass
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent.stat().st_mode & 0o777 == 0o700
    with alone_in(folder, 0):
        pass


def test_claims_are_known_to_the_system(tmp_path: Path) -> None:
    """A claim is a lock that any other program can see."""
    claim = Claim.take(tmp_path / "1")
    assert claim is not None
    with (tmp_path / "1").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    claim.release(remove=True)
