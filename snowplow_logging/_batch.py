"""What passes between those who decide and those who act: batches, outcomes, and a word to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging._shelf import Held
    from snowplow_logging.payload import Payload


class Drop(NamedTuple):
    """Payloads that were given up, and why."""

    reason: str
    payloads: Sequence[Payload]


@dataclass(eq=False)
class Batch:
    """Payloads that one worker has taken, and those that had grown too old for it.

    Attributes:
        payloads: What is to be sent, or written.
        expired: What had grown too old.
        ticket: What the breaker gave for the request; -1: there will be none.
        thread: Who has it.
        task: What is to be done: ``send`` it, ``write`` it to disk, or ``read`` it from there,
            and then send it.
        held: Where it is on disk; None: it is in memory alone. The outbox's lock guards it.
        after: Of one to be read: the sequence number that it comes after.
        expected: Of one to be read: how many events there are.
    """

    payloads: list[Payload]
    expired: list[Payload]
    ticket: int
    thread: int
    task: Literal["send", "write", "read"] = "send"
    held: Held | None = None
    after: int = 0
    expected: int = 0

    @property
    def all(self) -> list[Payload]:
        """Everything that was taken."""
        return [*self.payloads, *self.expired]

    def __len__(self) -> int:
        return len(self.payloads) + len(self.expired)


@dataclass
class Outcome:
    """What became of a batch: each of its payloads is in one of the first three.

    Attributes:
        delivered: What the collector has taken.
        dropped: What was given up, by reason.
        unsent: What is to be tried again.
        requests: How many requests were answered, or failed; not those that were cut short.
        failed: Whether the collector could not be reached, or asked to try again.
        error: What the last failed request failed of.
        retry_after: Seconds that the collector asks to be left alone.
    """

    delivered: list[Payload] = field(default_factory=list["Payload"])
    dropped: list[Drop] = field(default_factory=list[Drop])
    unsent: list[Payload] = field(default_factory=list["Payload"])
    requests: int = 0
    failed: bool = False
    error: str | None = None
    retry_after: float = 0.0


class Stop:
    """Tells one generation of workers to end; set and read under the outbox's lock."""

    requested = False
