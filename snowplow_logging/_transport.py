"""The port through which batches leave.

The law: ``send`` always returns an ``Answer``; whatever goes wrong on the way is one, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowplow_logging.payload import Payload


class Answer(NamedTuple):
    """What came back for a request.

    Args:
        status: The final HTTP status, or None where there was none. A transport of another kind
            says by it what is to become of the events; see ``_retry.judge``.
        error: What went wrong, in words; None with a 2xx or 3xx.
        retry_after: Seconds that the other side asks to be left alone.
    """

    status: int | None
    error: str | None = None
    retry_after: float = 0.0


class Transport(Protocol):
    """The port through which an emitter sends; one is made for each thread that delivers."""

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        """Sends ``batch`` and waits at most ``timeout`` seconds for each step of the answer."""
        ...

    def close(self) -> None:
        """Frees what the transport holds."""


class NoTransport:
    """Stands in where no transport could be made: every attempt fails of that.

    Args:
        error: Why there is none.
    """

    def __init__(self, error: str) -> None:
        self._error = error

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:  # noqa: ARG002 - the port's
        """Fails."""
        return Answer(None, self._error)

    def close(self) -> None:
        """Has nothing to free."""
