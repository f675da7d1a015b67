"""Which files some patterns match at a moment."""

from __future__ import annotations

import glob
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging.ship.logfile import PIPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Version = tuple[int, int]


class Found(NamedTuple):
    """A file that there is now.

    Args:
        path: Its path.
        pattern: What matches that.
        status: What the system says of it.
    """

    path: str
    pattern: str
    status: os.stat_result

    @property
    def identity(self) -> str:
        """Its device and inode."""
        return f"{self.status.st_dev}:{self.status.st_ino}"

    @property
    def version(self) -> Version:
        """Size and time, of which one is another whenever the file has changed."""
        return self.status.st_size, self.status.st_mtime_ns

    @property
    def is_regular(self) -> bool:
        """Whether it is a file, and no pipe."""
        return stat.S_ISREG(self.status.st_mode)

    def is_quiet(self, seconds: float) -> bool:
        """Says whether nobody has written to it for so long."""
        return time.time() - self.status.st_mtime >= seconds


def of_stdin() -> Found:
    """Returns stdin as a file."""
    return Found(PIPE, PIPE, os.fstat(sys.stdin.fileno()))


def absolute(patterns: Iterable[str]) -> list[str]:
    """Returns patterns that mean the same in any folder."""
    return [each if each == PIPE else str(Path(each).absolute()) for each in patterns]


def _nothing(path: str, error: OSError) -> None:
    """Is said of files that are not asked for."""


def scan(
    patterns: Sequence[str], complain: Callable[[str, OSError], None] = _nothing
) -> dict[str, Found]:
    """Returns the files that there are, by identity; the same one by two names counts once.

    Args:
        patterns: Paths, which may have wildcards.
        complain: Gets a path that cannot be looked at, and why.
    """
    there: dict[str, Found] = {}
    for pattern in patterns:
        if pattern == PIPE:
            continue
        is_named = os.path.lexists(pattern) or not glob.has_magic(pattern)
        for path in [pattern] if is_named else glob.iglob(pattern, recursive=True):  # noqa: PTH207 - absolute ones
            try:
                found = Found(path, pattern, os.stat(path))  # noqa: PTH116 - of a text, as globs are
            except OSError as error:
                complain(path, error)
                continue
            if not stat.S_ISDIR(found.status.st_mode):
                _ = there.setdefault(found.identity, found)
            elif is_named:
                complain(path, OSError(f"it is a folder: name files, such as {path}/*.log"))
    return there
