"""Tests of the account, and of what people are told of losses."""

from __future__ import annotations

import dataclasses
import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging._losses import SECONDS_BETWEEN_LINES, Losses, describe, say
from snowplow_logging._stats import DROP_ADVICE, Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowplow_logging import Stats

PREFIX = "snowplow_logging: https://c.acme.com: "


def stats(**dropped: int) -> Stats:
    """Returns an account of 100 events with the given losses."""
    account = Account(accepted=100, delivered=100 - sum(dropped.values()))
    account.dropped.update(dropped)
    return account.snapshot(0)


@pytest.fixture(name="losses")
def _losses() -> Losses:
    return Losses("https://c.acme.com")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Returns what was said since the last time, and that it was said on stderr alone."""
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_a_snapshot_adds_up() -> None:
    """A snapshot is the account of one moment, which changes no more."""
    account = Account(accepted=10, delivered=4, last_error="503")
    account.dropped.update(queue_full=2, expired=1)

    snapshot = account.snapshot(3)
    account.dropped["queue_full"] += 5
    account.accepted += 5

    assert snapshot.accepted == snapshot.delivered + snapshot.dropped + snapshot.pending == 10
    assert snapshot.dropped_by_reason == {"queue_full": 2, "expired": 1}
    assert snapshot.last_error == "503"
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.accepted = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_no_loss_is_not_mentioned(losses: Losses, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was lost, nothing is said, at the end neither."""
    losses.report(stats(), 0.0)
    losses.report(stats(), 1_000.0, last=True)

    assert lines(capsys) == []


def test_a_loss_is_told_at_once(losses: Losses, capsys: pytest.CaptureFixture[str]) -> None:
    """The first loss is told at once: how many, why, and what would have helped."""
    losses.report(stats(queue_full=3, expired=2), 0.0)

    assert lines(capsys) == [
        PREFIX + "5 of 100 events lost so far "
        "(2 expired: raise max_age; 3 queue_full: raise queue_size or queue_bytes)"
    ]


def test_one_line_a_minute(losses: Losses, capsys: pytest.CaptureFixture[str]) -> None:
    """However many are lost, there is at most a line a minute, and none without a new loss."""
    for second in range(1_000):
        losses.report(stats(queue_full=1 + second // 20), float(second) / 10)

    assert len(lines(capsys)) == 2
    losses.report(stats(queue_full=90), 10_000.0)
    assert lines(capsys)[0].startswith(PREFIX + "90 of 100")
    losses.report(stats(queue_full=90), 20_000.0)
    assert lines(capsys) == []


def test_the_bound_is_a_minute(losses: Losses, capsys: pytest.CaptureFixture[str]) -> None:
    """The next line comes when a full minute is over, on a clock that starts anywhere."""
    losses.report(stats(expired=1), -5.0)
    losses.report(stats(expired=2), -5.0 + SECONDS_BETWEEN_LINES - 0.001)
    assert len(lines(capsys)) == 1

    losses.report(stats(expired=2), -5.0 + SECONDS_BETWEEN_LINES)
    assert len(lines(capsys)) == 1


def test_what_is_under_way_at_the_end(losses: Losses, capsys: pytest.CaptureFixture[str]) -> None:
    """What is still under way at the end is told once: nobody will know what became of it."""
    losses.report(Account(accepted=7).snapshot(7), 0.0)
    assert lines(capsys) == []
    losses.report(Account(accepted=7).snapshot(7), 1.0, last=True)
    losses.report(Account(accepted=7).snapshot(7), 2.0, last=True)
    assert lines(capsys) == [f"{PREFIX}7 events are under way without an answer"]


def test_the_last_line(losses: Losses, capsys: pytest.CaptureFixture[str]) -> None:
    """At the end what was not told yet is told at once, and only once."""
    losses.report(stats(shutdown=1), 0.0)
    losses.report(stats(shutdown=2), 1.0, last=True)
    losses.report(stats(shutdown=2), 2.0, last=True)

    assert len(lines(capsys)) == 2


@pytest.mark.parametrize("reason", [*DROP_ADVICE, "something_new"])
def test_every_reason_has_advice(reason: str) -> None:
    """Whatever the reason, the line says what would have helped or where to look."""
    assert f"1 {reason}: {DROP_ADVICE.get(reason, 'see the documentation')}" in describe(
        stats(**{reason: 1})
    )


def test_the_last_error_is_told() -> None:
    """The line ends in what the last failed request failed of."""
    lost = dataclasses.replace(stats(rejected=1), last_error="403 Forbidden")

    assert describe(lost).endswith(" (last error: 403 Forbidden)")


def test_one_loss_is_one_line(losses: Losses, capsys: pytest.CaptureFixture[str]) -> None:
    """What the other side answered cannot make more than one line of it."""
    losses.report(dataclasses.replace(stats(rejected=1), last_error="403 a\nb\r\nc\u2028d"), 0.0)

    assert len(lines(capsys)) == 1


class _Closed(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.fixture(name="stderr")
def _stderr() -> Iterator[None]:
    before = sys.stderr
    yield
    sys.stderr = before


@pytest.mark.parametrize("kind", ["none", "closed", "broken", "ascii"])
@pytest.mark.usefixtures("stderr")
def test_nobody_to_tell(kind: str) -> None:
    """Where stderr is gone, closed, broken or narrow, nothing happens."""
    closed = io.StringIO()
    closed.close()
    gone: Any = {
        "none": None,
        "closed": closed,
        "broken": _Closed(),
        "ascii": io.TextIOWrapper(io.BytesIO(), "ascii", "strict"),
    }[kind]
    sys.stderr = gone

    say("é\ud83d")
