"""The port to what keeps an emitter's events on disk.

The law: no method raises; each says whether it worked. Sequence numbers are those of the
emitter's own events, and below zero for events of segments that others have left.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snowplow_logging.payload import Payload


class Kept(Enum):
    """Whether events were written."""

    YES = "yes"
    NO = "no"
    FULL = "full"


class Adopted(NamedTuple):
    """A segment that was taken over.

    Args:
        segment: Its number.
        events: How many it has.
    """

    segment: int
    events: int


class Disk(Protocol):
    """What an emitter has on disk: a segment of its own, and those that it takes over."""

    @property
    def own(self) -> int:
        """The number of the emitter's own segment; 0: there is none."""
        ...

    def write(self, payloads: Sequence[Payload]) -> Kept:
        """Writes events into the emitter's own segment."""
        ...

    def read(self, segment: int, after: int, count: int, size: int) -> list[Payload] | None:
        """Returns the next events of a segment; None: the disk has failed.

        Args:
            segment: Which one.
            after: The sequence number that they come after.
            count: How many, at most.
            size: How many bytes of a request they take, at most, unless it is one event alone.
        """
        ...

    def delete(self, segment: int, payloads: Iterable[Payload]) -> None:
        """Deletes events that are delivered or dropped; what fails is tried again later."""

    def adopt(self) -> Adopted | None:
        """Takes over the oldest segment that others have left."""
        ...

    def end(self, segments: Iterable[int]) -> None:
        """Forgets segments that were taken over and are empty."""

    def look_after(self) -> None:
        """Deletes what could not be deleted before; gives back what an empty file has had."""

    def release(self) -> None:
        """Lets go of everything; what is left on disk is for others."""

    def complain(self, line: str) -> None:
        """Says on stderr what is wrong, unless it was the last word and not a minute ago."""

    def before_fork(self) -> None:
        """Leaves what no child may inherit; one of the next two ends that."""

    def after_fork_in_parent(self) -> None:
        """Goes on."""

    def after_fork_in_child(self) -> None:
        """Lets go of a child's copies of the claims; from now on nothing is done here."""
