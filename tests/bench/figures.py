"""What one run finds out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """What the process that logs measures; all that is time is in units, unless it says seconds.

    Args:
        unit: Seconds of processor time of the bare logging call.
        added: Processor time that the process takes for an event beyond the bare call, until all
            are acknowledged, or while the collector hangs until all are logged.
        caller: Processor time that is added in the calling thread.
        collecting: Processor time for an event that the garbage collector takes; part of `added`.
        call: Time that is added until the call returns, on average.
        p50: Time until the call returns, the bare call included.
        p99: Likewise.
        p999: Likewise.
        rate: Events a second until all are acknowledged.
        peak: Bytes that memory grows at most, imports included.
        queued: Bytes that it grows for an event while the collector hangs.
        tenths: `added` until it is logged, for each tenth of the events.
    """

    unit: float
    added: float
    caller: float
    collecting: float
    call: float
    p50: float
    p99: float
    p999: float
    rate: float
    peak: float
    queued: float
    tenths: list[float]


@dataclass(frozen=True)
class Arrived:
    """What the receiver has counted.

    Args:
        events: How many of the events arrived.
        copies: How often one came again.
        requests: How many requests there were.
        bytes: Their size.
        busy: Seconds of processor time that the receiver took meanwhile.
    """

    events: int
    copies: int
    requests: int
    bytes: int
    busy: float


@dataclass(frozen=True)
class Run:
    """One run: both, and how many events were logged."""

    figures: Figures
    arrived: Arrived
    events: int
