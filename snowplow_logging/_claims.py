"""Claims on segments of the spool: locks of the operating system, which end with their process.

The law: whoever has a segment's claim is the only one to read it. However a process ends, its
claims are free then; a child that it has forked lets go of its copies at once.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

IS_POSSIBLE = sys.platform != "win32"  # which has no such locks; the option ``spool`` says so
POLL = 0.01  # seconds between attempts to get a folder's lock


class Claim:
    """A lock on a file, for as long as it is not released and the process lives.

    Args:
        path: The file.
        descriptor: Of the open file, which has the lock.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Claim | None:
        """Claims ``path``, which is made where it is missing; None: somebody has it."""
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        with suppress(OSError):  # it is for people alone
            os.ftruncate(descriptor, 0)
            _ = os.write(descriptor, b"%d" % os.getpid())
        return cls(path, descriptor)

    def release(self, *, remove: bool) -> None:
        """Lets go of it.

        Args:
            remove: Whether the file goes, too, as nobody will claim it again.
        """
        if remove:
            with suppress(OSError):
                self._path.unlink()
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Closes a forked child's copy; the parent's claim stays."""
        os.close(self._descriptor)


def holder(path: Path) -> int | None:
    """Returns the id of the process that has a claim on ``path``; None: nobody has."""
    if not path.exists():
        return None
    said = path.read_text(encoding="ascii")
    claim = Claim.take(path)
    if claim is None:
        return int(said) if said.isdecimal() else 0
    claim.release(remove=False)
    return None


@contextmanager
def alone_in(folder: Path, timeout: float) -> Generator[None]:
    """Keeps others out who would do the same to ``folder``.

    Args:
        folder: It is made where it is missing, and the one that it is in.
        timeout: Seconds to wait for others.

    Raises:
        TimeoutError: Somebody else was at it for too long.
    """
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    message = f"{folder} is locked"
                    raise TimeoutError(message) from None
                time.sleep(POLL)
        yield
    finally:
        os.close(descriptor)
