"""Which of the files that there are is which of those that are known.

The law: a file goes on where it was left only if it is surely the same one: with the same inode,
if its first line and the last one that was read are the same; with another inode, if all that was
read is the same and the file that it was read of is gone. Any doubt is decided for reading again:
what comes twice has the same ids, what is left out is lost.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from snowplow_logging.ship.found import scan
from snowplow_logging.ship.lines import Position
from snowplow_logging.ship.logfile import LogFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from snowplow_logging.ship.found import Found
    from snowplow_logging.ship.state import Known, State

QUIET = 5.0  # seconds without a change after which a copy is complete, and the original gone
LEAST_COPY = 1_024  # bytes; shorter files may be alike by chance


class Recognition:
    """Knows files again.

    Args:
        state: What is known.
        max_line: Bytes that a line may have.
    """

    def __init__(self, state: State, max_line: int) -> None:
        self._state = state
        self._max_line = max_line

    def can_tell(self, file: LogFile, found: Found) -> bool:
        """Says whether a file that grows is complete enough to be told from others.

        A rotation that copies or compresses does so before it truncates or removes the original.
        """
        if not file.has_first_line:
            return False
        may_be_a_copy = file.is_compressed or (
            not self._state.known(identity=file.identity)
            and self._state.known(first_digest=file.first.digest)
        )
        return not may_be_a_copy or found.is_quiet(QUIET)

    def place(
        self,
        file: LogFile,
        found: Found,
        there: Mapping[str, Found],
        reached: Position | None,
        *,
        again: bool,
    ) -> None:
        """Goes to where a file was left, and gives it the number and the ids that it had.

        Args:
            file: The file.
            found: Where it is.
            there: All files that there are, by identity.
            reached: How far it was read by this process, which may not be settled yet.
            again: Whether it begins anew all the same.

        Raises:
            OSError: It cannot be read.
        """
        known = self._as_itself(file, reached) or self._as_a_copy(file, there)
        if known is None:
            values = (file.identity, found.path, found.pattern, file.seed, file.first)
            file.id = self._state.add(*values)
        else:
            file.id, file.seed = known.id, known.seed
            self._state.found(known.id, file.identity, found.path, found.pattern)
        if known is None or again:
            _ = file.go_on_from(Position())

    def rotated(self, patterns: Iterable[str], there: Mapping[str, Found]) -> dict[str, Found]:
        """Returns files that have got a name which no pattern matches before they were read."""
        away: dict[str, Found] = {}
        for pattern in patterns:
            known = self._state.known(pattern=pattern)
            gone = [each for each in known if each.identity not in there]
            for folder in {str(Path(each.path).parent) for each in gone}:
                inside = scan([f"{glob.escape(folder)}/*"])
                for each in gone:
                    found = inside.get(each.identity)
                    if found is not None and self._is(found, each) and _has_more(found, each):
                        away[found.identity] = found._replace(pattern=pattern)
        return away

    def _as_itself(self, file: LogFile, reached: Position | None) -> Known | None:
        for known in self._state.known(identity=file.identity)[:1]:
            if known.first == file.first and file.go_on_from(reached or known.position):
                return known
        return None

    def _as_a_copy(self, file: LogFile, there: Mapping[str, Found]) -> Known | None:
        for known in self._state.known(first_digest=file.first.digest):
            if known.position.offset < LEAST_COPY:
                continue
            original = there.get(known.identity)
            is_gone = original is None or not self._is(original, known)
            if is_gone and file.begins_with(known.position):
                return known
        return None

    def _is(self, found: Found, known: Known) -> bool:
        """Says whether this is the file that is known, as far as that was read."""
        newest = self._state.known(identity=known.identity)[0]
        try:
            file = LogFile(found.path, self._max_line)
            try:
                same = known.first == file.first and file.go_on_from(known.position)
            finally:
                file.close()
        except OSError:
            return False
        return same and newest.id == known.id


def _has_more(found: Found, known: Known) -> bool:
    return found.status.st_size > known.position.offset
