"""A disk for the engine, in memory: the double of ``Keeper``, which fails when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from snowplow_logging._disk import Adopted, Kept
from snowplow_logging._shelf import OWN
from snowplow_logging.payload import STM_BYTES, body_of, sequence_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from snowplow_logging.payload import Payload

Doing = Literal["works", "fails", "is full", "breaks"]
OF_OTHERS = 2**60


@dataclass
class File:
    """What all processes share.

    Attributes:
        segments: Events by sequence number, by segment.
        claims: Who holds each segment.
        generation: Which file this is; a broken one is followed by a new one.
        broken: What the ones before had, and whose it was.
        does: What it does to whoever uses it next.
    """

    segments: dict[int, dict[int, Payload]] = field(default_factory=dict[int, "dict[int, Payload]"])
    claims: dict[int, FakeDisk] = field(default_factory=dict[int, "FakeDisk"])
    generation: int = 0
    broken: list[tuple[dict[int, dict[int, Payload]], dict[int, FakeDisk]]] = field(
        default_factory=list[Any]
    )
    does: Doing = "works"
    last: int = 0

    def abandon(self, disk: FakeDisk) -> None:
        """Frees what a process has claimed."""
        for segment in [number for number, owner in self.claims.items() if owner is disk]:
            del self.claims[segment]

    def breaks(self) -> None:
        """Begins a new file."""
        self.broken.append((self.segments, self.claims))
        self.segments, self.claims = {}, {}
        self.generation += 1
        self.does = "works"


class Watch(Protocol):
    """Who wants to know what becomes of events on disk."""

    def on_lost(self, disk: FakeDisk) -> None:
        """The file is lost."""

    def on_adopted(self, disk: FakeDisk, payloads: Iterable[Payload]) -> None:
        """Events of others are taken over."""

    def on_left(self, disk: FakeDisk, payloads: Iterable[Payload]) -> None:
        """Events are left to others."""

    def on_done(self) -> None:
        """Something was written, read or deleted, and nobody has been told yet."""


class FakeDisk:
    """One process's view of the file.

    Args:
        file: The file.
        watch: Who is told.
        on_lost: As of ``Keeper``.
    """

    def __init__(self, file: File, watch: Watch, on_lost: Callable[[], None]) -> None:
        self._file = file
        self._watch = watch
        self._on_lost = on_lost
        self._generation = file.generation
        self._undeleted: list[tuple[int, int]] = []
        self.own = OWN
        self.refused = 0  # how often it has not written what it should

    def write(self, payloads: Sequence[Payload]) -> Kept:
        if not self._works() or self._file.does == "is full":
            self.refused += 1
            return Kept.FULL if self._file.does == "is full" else Kept.NO
        if self.own == OWN:
            self._file.last += 1
            self.own = self._file.last
            self._file.segments[self.own] = {}
            self._file.claims[self.own] = self
        for payload in payloads:
            self._file.segments[self.own].setdefault(sequence_of(payload), payload)
        self._watch.on_done()
        return Kept.YES

    def read(self, segment: int, after: int, count: int, size: int) -> list[Payload] | None:
        if not self._works():
            return None
        rows, offset = self._rows(segment)
        found: list[Payload] = []
        for sequence in sorted(s for s in rows if s > after + offset):
            size -= len(body_of(rows[sequence])) + STM_BYTES
            if len(found) == count or (found and size < 0):
                break
            found.append((sequence - offset, *rows[sequence][1:]))
        self._watch.on_done()
        return found

    def delete(self, segment: int, payloads: Iterable[Payload]) -> None:
        number, offset = (self.own, 0) if segment == OWN else (segment, OF_OTHERS)
        self._undeleted += [(number, sequence_of(payload) + offset) for payload in payloads]
        self.look_after()
        self._watch.on_done()

    def adopt(self) -> Adopted | None:
        if not self._works():
            return None
        for segment, rows in sorted(self._file.segments.items()):
            if segment not in self._file.claims and rows:
                self._file.claims[segment] = self
                self._watch.on_adopted(self, rows.values())
                return Adopted(segment, len(rows))
        return None

    def end(self, segments: Iterable[int]) -> None:
        if self._works():
            for segment in segments:
                _ = self._file.claims.pop(segment, None)

    def look_after(self) -> None:
        if self._works():
            for segment, sequence in self._undeleted:
                _ = self._file.segments.get(segment, {}).pop(sequence, None)
            self._undeleted = []

    def release(self) -> None:
        self.look_after()
        for segment, disk in self._file.claims.items():
            if disk is self:
                self._watch.on_left(self, self._file.segments[segment].values())
        self._file.abandon(self)
        self._undeleted, self.own = [], OWN

    def complain(self, line: str) -> None:
        assert line

    def before_fork(self) -> None:
        """Has nothing to leave."""

    def after_fork_in_parent(self) -> None:
        """Has nothing to go on with."""

    def after_fork_in_child(self) -> None:
        """Has no copies: the parent goes on with this one."""

    def rows(self, segment: int) -> dict[int, Payload]:
        """Returns what is on disk of a segment, by the sequence numbers that the engine knows."""
        rows, offset = self._rows(segment)
        return {sequence - offset: payload for sequence, payload in rows.items()}

    def lost(self) -> list[Payload]:
        """Returns what this process had on the file before this one."""
        segments, claims = self._known
        mine = [rows for segment, rows in segments.items() if claims.get(segment) is self]
        gone = {sequence for _, sequence in self._undeleted}
        return [p for rows in mine for sequence, p in rows.items() if sequence not in gone]

    def _rows(self, segment: int) -> tuple[dict[int, Payload], int]:
        number, offset = (self.own, 0) if segment == OWN else (segment, OF_OTHERS)
        segments, claims = self._known
        rows = segments.get(number, {}) if claims.get(number) is self else {}
        gone = {sequence for place, sequence in self._undeleted if place == number}
        return {s: payload for s, payload in rows.items() if s not in gone}, offset

    @property
    def _known(self) -> tuple[dict[int, dict[int, Payload]], dict[int, FakeDisk]]:
        """The file as far as this process knows: it may be broken, and others know already."""
        file = self._file
        files = [*file.broken, (file.segments, file.claims)]
        return files[self._generation]

    def _works(self) -> bool:
        if self._file.does == "breaks":
            self._file.breaks()
        if self._generation != self._file.generation:
            self._watch.on_lost(self)
            self._on_lost()
            self._generation = self._file.generation
            self._undeleted, self.own = [], OWN
        return self._file.does != "fails"
