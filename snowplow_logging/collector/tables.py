"""The tables of the store, in SQL. Whoever uses them holds the store's lock."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging.collector.database import open_database, release
from snowplow_logging.collector.kept import Kept
from snowplow_logging.collector.received import Received

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from snowplow_logging.collector.batch import Batch


class State(NamedTuple):
    """Counts of all that came, kept or not.

    Attributes:
        good: Good events since the last reset.
        bad: Bad ones.
        last: The number of the last event.
        last_at_reset: The same, at the last reset.
    """

    good: int
    bad: int
    last: int
    last_at_reset: int


@dataclass(frozen=True)
class Filter:
    """Which events to find; None means any.

    Attributes:
        good: Whether a pipeline would take them.
        event_type: The enriched name.
        schema: The URI of the event's schema.
        contexts: URIs of schemas, each of an entity that came with it.
        vendor: First segment of the request's path.
        version: Second segment.
    """

    good: bool | None = None
    event_type: str | None = None
    schema: str | None = None
    contexts: frozenset[str] = frozenset()
    vendor: str | None = None
    version: str | None = None

    def to_sql(self) -> tuple[str, list[str]]:
        """A condition on the table of events, with its arguments."""
        equal = {
            "event_type": self.event_type,
            "schema": self.schema,
            "vendor": self.vendor,
            "version": self.version,
        }
        given = {column: value for column, value in equal.items() if value is not None}
        conditions = [f"{column} = ?" for column in given]
        conditions += ["instr(contexts, ?)" for _ in self.contexts]
        if self.good is not None:
            conditions.append(f"bad_row IS {'' if self.good else 'NOT'} NULL")
        return (
            " AND ".join(["TRUE", *conditions]),
            [*given.values(), *(f"\n{uri}\n" for uri in self.contexts)],
        )


class Tables:
    """The tables of one database.

    Args:
        file: Its path; None keeps it in memory.

    Attributes:
        state: The counts.
        bytes: Of all that is kept.

    Raises:
        ValueError: The file cannot be used.
    """

    def __init__(self, file: str | Path | None) -> None:
        """Opens the database; it holds what it held before."""
        self.database: sqlite3.Connection = open_database(file)
        self.state = State(*self._one("SELECT good, bad, last, last_at_reset FROM state"))
        self.bytes: int = self._one("SELECT coalesce(sum(weight), 0) FROM events")[0]
        self._request: tuple[int, Received] | None = None  # the one that was read last

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """All of what the block changes, or nothing: also of ``state`` and ``bytes``."""
        before = self.state, self.bytes
        self.database.execute("BEGIN")
        try:
            yield
            self.database.execute(
                "UPDATE state SET (good, bad, last, last_at_reset) = (?, ?, ?, ?)", self.state
            )
            self.database.execute("COMMIT")
        except BaseException:
            self.state, self.bytes = before
            self.database.execute("ROLLBACK")
            raise

    def insert(self, batch: Batch) -> None:
        """Adds the events of a request; they are numbered behind the last."""
        good, bad, last, last_at_reset = self.state
        request = last + 1
        last += batch.total
        numbers = range(last - len(batch.events) + 1, last + 1)
        self.database.execute(
            "INSERT INTO requests VALUES (?, ?, ?)", (request, batch.received, batch.body)
        )
        self.database.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(seq, request, *event) for seq, event in zip(numbers, batch.events, strict=True)],
        )
        bad += batch.total - batch.good
        self.state = State(good + batch.good, bad, last, last_at_reset)
        self.bytes += batch.weight

    def trim(self, max_events: int, max_bytes: int) -> None:
        """Takes away the oldest events, but never the last one."""
        cutoff = self.state.last - max_events
        weight = "SELECT coalesce(sum(weight), 0) FROM events WHERE seq <= ?"
        self.bytes -= self._one(weight, cutoff)[0]
        self.database.execute("DELETE FROM events WHERE seq <= ?", (cutoff,))
        while self.bytes > max_bytes:
            seq, weight = self._one("SELECT seq, weight FROM events ORDER BY seq LIMIT 1")
            if seq == self.state.last:
                break
            self.bytes -= weight
            self.database.execute("DELETE FROM events WHERE seq = ?", (seq,))
        self.database.execute(
            "DELETE FROM requests WHERE id < (SELECT request FROM events ORDER BY seq LIMIT 1)"
        )

    def clear(self) -> None:
        """Takes all events away, and counts anew; their numbers do not come back."""
        self.database.execute("DELETE FROM events")
        self.database.execute("DELETE FROM requests")
        self.state = State(0, 0, self.state.last, self.state.last)
        self.bytes = 0

    def release(self) -> None:
        """Lets another collector have the file; what is in it can still be read."""
        release(self.database)

    def first(self) -> int | None:
        """The number of the oldest event."""
        first: int | None = self._one("SELECT min(seq) FROM events")[0]
        return first

    def rows(self, after: int, before: int, limit: int, *, newest: bool) -> list[str]:
        """The rows with numbers between two others, as JSON, newest first.

        Args:
            after: Their numbers are higher.
            before: Their numbers are lower.
            limit: How many there may be.
            newest: Whether the newest of them, or else the oldest, where there are more.
        """
        direction = "DESC" if newest else "ASC"
        rows = self.database.execute(
            "SELECT seq, row FROM events WHERE seq > ? AND seq < ? "  # noqa: S608 - of two words
            f"ORDER BY seq {direction} LIMIT ?",
            (after, before, limit),
        ).fetchall()
        return [f'{{"seq":{seq},{row[1:]}' for seq, row in (rows if newest else reversed(rows))]

    def find(self, condition: str, arguments: Sequence[str | int]) -> Kept | None:
        """The newest event under a condition in SQL."""
        found = self.database.execute(
            "SELECT seq, row, request, parameters, event_id, bad_row, problems FROM events "  # noqa: S608 - a condition of this package
            f"WHERE {condition} ORDER BY seq DESC LIMIT 1",
            arguments,
        ).fetchone()
        if found is None:
            return None
        seq, row, request, parameters, event_id, bad_row, problems = found
        return Kept(
            seq=seq,
            row={"seq": seq, **json.loads(row)},
            received=self._received(request),
            parameters=None if parameters is None else json.loads(parameters),
            event_id=event_id,
            bad_row=bad_row,
            problems=json.loads(problems),
        )

    def _received(self, number: int) -> Received:
        if self._request is None or self._request[0] != number:
            received, body = self._one("SELECT received, body FROM requests WHERE id = ?", number)
            self._request = number, Received.from_json(json.loads(received), body)
        return self._request[1]

    def _one(self, sql: str, *arguments: object) -> tuple[Any, ...]:
        return tuple(self.database.execute(sql, arguments).fetchone())
