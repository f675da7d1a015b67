"""Random writes, rotations and restarts: every line is read, and none twice."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.ship.reader import POLL, Reader
from tests.ship.support import aged, append, line, lines

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 40
LEAST = 2_000  # bytes of a file whose copy is known, and a bit more
FEW, MANY = range(4), range(100)


class World:
    """A log with its rotated files, who writes it, and who reads it.

    Args:
        folder: Where they are.
        choose: What happens.
    """

    def __init__(self, folder: Path, choose: random.Random) -> None:
        self.log = folder / "app.log"
        self.written: set[int] = set()
        self.read: list[int] = []
        self._folder = folder
        self._choose = choose
        self._next = 0
        self._rotated = 0
        self._rest = b""  # of a line that has begun
        self._reader = self._new_reader()

    def write(self) -> None:
        """Ends the line that has begun, and writes some more."""
        number = self._choose.randint(1, 60)
        append(self.log, self._rest + lines(range(self._next, self._next + number)))
        self.written |= {*range(self._next + number)}
        self._next += number
        self._rest = b""

    def begin_a_line(self) -> None:
        """Writes a part of a line."""
        if not self._rest:
            whole = line(self._next)
            cut = self._choose.randrange(1, len(whole))
            self._next += 1
            self._rest = whole[cut:]
            append(self.log, whole[:cut])

    def rename(self) -> None:
        """Rotates by renaming."""
        self.write()
        _ = self.log.rename(self._another_name())

    def copy_and_truncate(self) -> None:
        """Rotates by copying; some lines may have come since the last look."""
        self.write()
        if self.log.stat().st_size > LEAST:
            _ = self._reader.idle()
            self.write()
            copy = self._another_name()
            _ = shutil.copy(self.log, copy)
            os.truncate(self.log, 0)
            if self._choose.random() < 0.5:
                self.write()
            _ = self._reader.idle()
            _ = aged(copy)

    def compress(self) -> None:
        """Compresses a rotated file, which may not have been read yet."""
        rotated = self._folder.glob("app.log.*[0-9]")
        large = [each for each in rotated if each.stat().st_size > LEAST]
        if large:
            chosen = self._choose.choice(large)
            if self._choose.random() < 0.7:
                _ = self._reader.idle()
            packed = chosen.with_name(f"{chosen.name}.gz")
            _ = packed.write_bytes(gzip.compress(chosen.read_bytes()))
            chosen.unlink()
            _ = self._reader.idle()
            _ = aged(packed)

    def look(self) -> None:
        """Lets the reader look for a while."""
        _ = self._reader.idle(self._choose.choice([0, POLL, 3 * POLL]))

    def restart(self) -> None:
        """Ends the reader, rotates perhaps, and begins another one."""
        self._reader.close()
        self.read += self._reader.read
        if self._choose.random() < 0.5:
            self.rename()
        self._reader = self._new_reader()

    def end(self) -> None:
        """Reads all that there is."""
        self.write()
        for each in self._folder.glob("app.log.*"):
            _ = aged(each)
        self._reader.until(*(self.written - {*self.read}))
        self.read += self._reader.idle()
        self._reader.close()
        assert self._reader.complaints == []

    def _another_name(self) -> Path:
        self._rotated += 1
        return self._folder / f"app.log.{self._rotated}"

    def _new_reader(self) -> Reader:
        return Reader(self._folder / "state.db", self._folder / "app.log*", follow=True)


ACTIONS = [
    World.write, World.write, World.write, World.begin_a_line, World.rename,
    World.copy_and_truncate, World.compress, World.look, World.look, World.restart,
]  # fmt: skip


@pytest.mark.timeout(900)
def test_every_line_once(tmp_path: Path, long: bool) -> None:  # noqa: FBT001 - a fixture
    """However a log is written and rotated, and whenever the reader restarts."""
    for seed in MANY if long else FEW:
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        choose = random.Random(seed)
        world = World(folder, choose)
        for _ in range(STEPS):
            choose.choice(ACTIONS)(world)
        world.end()
        assert sorted(world.read) == sorted(world.written), f"seed {seed}"
