"""A row of the table: what was measured, what was expected, and whether that agrees."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADINGS = (
    "fault",
    "logged",
    "delivered",
    "duplicates",
    "dropped by reason",
    "lost without account",
    "longest logging call (ms)",
    "time to exit (s)",
)


@dataclass(frozen=True)
class Expected:
    """What must hold of a row, beside: nothing is lost without account.

    Args:
        dropped: The reasons for which events may be, and are, dropped; none: all are delivered.
        answers_lost: Whether the collector took events and its answer did not reach us, so
            that they come twice.
        longest_call: Seconds; far from what is usual, but less than any wait for the network.
        exit: Seconds; the deadline of the exit, and some for a busy machine.
    """

    dropped: tuple[str, ...] = ()
    answers_lost: bool = False
    longest_call: float = 1.0
    exit: float = 10.0


@dataclass(frozen=True)
class Measured:
    """What happened.

    Args:
        logged: Logging calls that returned.
        delivered: Events that arrived, and were acknowledged, at least once.
        duplicates: Copies of events that arrived beyond the first one.
        dropped: Events given up, as the senders account for them, by reason; ``unanswered``
            are those under way at the end, of which the sender says so.
        longest_call: Seconds that the longest logging call took.
        exit: Seconds from the last record to the end of the process.
        problems: What else was wrong.
        notes: What only this scenario measures, in seconds.
    """

    logged: int
    delivered: int
    duplicates: int
    dropped: dict[str, int]
    longest_call: float
    exit: float
    problems: list[str] = field(default_factory=list[str])
    notes: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def lost(self) -> int:
        """Events of which nobody knows what became."""
        return self.logged - self.delivered - sum(self.dropped.values())


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    fault: str
    measured: Measured
    expected: Expected

    def problems(self) -> list[str]:
        """Returns in what it is not as expected; nothing: all is well."""
        measured, expected = self.measured, self.expected
        found = list(measured.problems)
        if not measured.logged:
            found.append("nothing was logged")
        if measured.lost:
            found.append(f"{measured.lost} events lost without account")
        # What is given up at the end may, or may not, have a last request under way.
        optional = {"unanswered"} if "shutdown" in expected.dropped else set[str]()
        if set(measured.dropped) - optional != set(expected.dropped) - optional:
            found.append(f"dropped {measured.dropped}, expected {expected.dropped or 'none'}")
        if measured.duplicates and not expected.answers_lost:
            found.append(f"{measured.duplicates} duplicates, though every answer reached us")
        if measured.longest_call > expected.longest_call:
            found.append(f"a logging call took {measured.longest_call:.1f} s")
        if measured.exit > expected.exit:
            found.append(f"the exit took {measured.exit:.1f} s")
        return found

    def cells(self) -> list[str]:
        """Returns the texts of the line, as ``HEADINGS`` has them."""
        measured = self.measured
        dropped = ", ".join(f"{n} {reason}" for reason, n in sorted(measured.dropped.items()))
        lost_answers = " (answers lost)" if self.expected.answers_lost else ""
        notes = "".join(f"; {note} {1e3 * value:.0f} ms" for note, value in measured.notes.items())
        return [
            f"{self.fault}{notes}",
            f"{measured.logged}",
            f"{measured.delivered}",
            f"{measured.duplicates}{lost_answers}",
            dropped or "none",
            f"{measured.lost}",
            f"{1e3 * measured.longest_call:.1f}",
            f"{measured.exit:.2f}",
        ]


def markdown(rows: list[Row]) -> str:
    """Returns the table for a document."""
    lines = [HEADINGS, ("---", *["---:"] * 3, "---", *["---:"] * 3), *[r.cells() for r in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(rows: list[Row]) -> str:
    """Returns the table for a terminal."""
    lines = [HEADINGS, *[row.cells() for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 4) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
