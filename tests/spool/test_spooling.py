"""Tests of emitters and handlers with a spool: what goes to disk when, and comes from there."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Emitter, SnowplowHandler
from snowplow_logging.testing import HANG, FaultyCollector, closed_port
from tests.delivery.support import (
    LOG,
    balanced,
    delivery_threads,
    dict_config,
    logging_to,
    messages,
    numbers,
    root_handler,
    run,
    until,
)
from tests.spool.support import QUICK, events_on, track

if TYPE_CHECKING:
    from tests.delivery.conftest import MakeCollector

BOTH = pytest.mark.parametrize("durability", ["outages", "events"])


def wait_until_spooled(emitter: AsyncEmitter, count: int) -> None:
    """Waits until all that is pending is on disk."""

    def is_spooled() -> bool:
        stats = emitter.stats()
        assert balanced(stats)
        return stats.pending == stats.spooled == count

    until(is_spooled, f"{count} events to be on disk")


@BOTH
def test_an_outage(make_collector: MakeCollector, spool: Path, durability: str) -> None:
    """What an outage keeps back is on disk, and arrives when it is over: once, oldest first."""
    collector = make_collector(otherwise=503)
    emitter = AsyncEmitter(
        collector.url, spool=spool, durability=durability, batch_size=10, queue_size=50, **QUICK
    )
    for first in range(0, 200, 20):  # more than the queue holds
        track(emitter, first, first + 19)
        wait_until_spooled(emitter, first + 20)
    assert "200 spooled, 0 delivered" in repr(emitter)
    assert events_on(spool) == 200

    sent_before = [event for request in collector.requests for event in request.events]
    collector.answer()
    assert emitter.flush(20)

    stats = emitter.stats()
    assert (stats.delivered, stats.dropped, stats.spooled, stats.adopted) == (200, 0, 0, 0)
    assert sorted(numbers(collector.events())) == list(range(200))
    if durability == "outages":
        assert numbers(collector.events()) == list(range(200))
    assert events_on(spool) == 0
    emitter.close()
    arrived = {event["eid"]: event for event in collector.events()}
    for event in sent_before:  # byte-identical but for the time of sending
        assert {**event, "stm": ""} == {**arrived[event["eid"]], "stm": ""}


def test_nothing_is_on_disk_while_all_is_well(collector: FaultyCollector, spool: Path) -> None:
    """Where the collector answers, nothing is written; nor where there is no event."""
    idle = AsyncEmitter(collector.url, spool=spool)
    idle.close()
    assert not spool.exists()
    patient: dict[str, Any] = {**QUICK, "spool_interval": 1}
    emitter = AsyncEmitter(collector.url, spool=spool, **patient)
    track(emitter, 1, 100)
    assert emitter.flush(10)
    emitter.close()
    assert emitter.stats().delivered == 100
    assert emitter._spooler is not None
    assert emitter._spooler.disk.own == 0
    until(lambda: not delivery_threads(), "the threads to end")


def test_every_event_is_on_disk_first(make_collector: MakeCollector, spool: Path) -> None:
    """With durability="events" an event is on disk before its request, and until its answer."""
    on_disk: list[int] = []

    def look(request: Any) -> int:
        on_disk.append(events_on(spool) - len(request.events))
        return 200

    collector = make_collector(otherwise=look)
    emitter = AsyncEmitter(
        collector.url, spool=spool, durability="events", batch_size=10, **QUICK
    )  # fmt: skip
    track(emitter, 1, 50)
    assert emitter.flush(10)
    assert on_disk
    assert min(on_disk) >= 0
    assert events_on(spool) == 0
    emitter.close()


def test_a_collector_that_hangs_keeps_nothing_from_the_disk(
    make_collector: MakeCollector, spool: Path
) -> None:
    """While the only worker waits for an answer, events go to disk all the same."""
    collector = make_collector(otherwise=HANG)
    emitter = AsyncEmitter(collector.url, spool=spool, durability="events", **QUICK)
    track(emitter, 1, 1)
    assert collector.wait_for_requests(1)
    track(emitter, 2, 30)
    wait_until_spooled(emitter, 30)
    emitter.close(0)
    collector.answer()
    collector.release()
    until(lambda: not delivery_threads(), "the worker to end")
    after = AsyncEmitter(collector.url, spool=spool, **QUICK)
    track(after, 31, 31)
    until(lambda: set(numbers(collector.events())) == set(range(1, 32)), "all events")
    after.close()


@BOTH
def test_a_close_leaves_the_rest_on_disk(
    make_collector: MakeCollector,
    spool: Path,
    durability: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is undelivered at close is no loss: the next one with the same spool sends it."""
    collector = make_collector(otherwise=503)
    first = AsyncEmitter(collector.url, spool=spool, durability=durability, **QUICK)
    track(first, 1, 20)
    first.close()
    stats = first.stats()
    assert balanced(stats)
    assert (stats.pending, stats.spooled, stats.dropped) == (20, 20, 0)
    assert capsys.readouterr().err == ""

    collector.answer()
    second = AsyncEmitter(collector.url, spool=spool, durability=durability, **QUICK)
    track(second, 21, 21)
    until(lambda: second.stats().delivered == 21, "all to be delivered")
    assert second.flush(10)
    assert second.stats().adopted == 20
    assert sorted(numbers(collector.events())) == list(range(1, 22))
    second.close()
    assert capsys.readouterr().err == ""
    assert events_on(spool) == 0


def test_who_opens_again_knows_its_own(make_collector: MakeCollector, spool: Path) -> None:
    """An emitter that opens again after its close sends what it has left, and counts it once."""
    collector = make_collector(otherwise=503)
    emitter = AsyncEmitter(collector.url, spool=spool, **QUICK)
    track(emitter, 1, 20)
    emitter.close()
    collector.answer()
    track(emitter, 21, 21)
    until(lambda: emitter.stats().delivered == 21, "all to be delivered")
    stats = emitter.stats()
    assert (stats.accepted, stats.pending, stats.adopted) == (21, 0, 0)
    emitter.close()


def test_what_is_under_way_at_a_close(make_collector: MakeCollector, spool: Path) -> None:
    """What a request without an answer has in hand at close is on disk, too."""
    collector = make_collector(otherwise=HANG)
    ended = run(
        LOG + "logger.info('under way')\nwhile not handler.stats().requests and not "
        "handler._owned._outbox._in_flight: time.sleep(0.01)\nlogger.info('queued')",
        collector.url,
        str({**QUICK, "spool": str(spool), "spool_interval": 30, "shutdown_timeout": 0.5}),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert events_on(spool) == 2


def test_a_process_that_ends(make_collector: MakeCollector, spool: Path) -> None:
    """An exit while the collector is down leaves its events on disk, and says nothing of it."""
    options = str({"spool": str(spool), "shutdown_timeout": 0.3})
    script = LOG + "for number in range(30): logger.info('%d', number)"
    ended = run(script, f"http://127.0.0.1:{closed_port()}", options)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert events_on(spool) == 30


def test_the_oldest_go_where_the_spool_is_full(
    make_collector: MakeCollector, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond ``spool_bytes`` the oldest events go, are counted, told, and given to ``on_drop``."""
    collector = make_collector(otherwise=503)
    dropped: list[int] = []

    def on_drop(reason: str, gone: list[dict[str, Any]]) -> None:
        assert reason == "spool_full"
        dropped.extend(numbers(gone))

    emitter = AsyncEmitter(
        collector.url, spool=spool, spool_bytes=2**20, batch_size=20, on_drop=on_drop, **QUICK
    )
    for first in range(0, 600, 20):
        track(emitter, first, first + 19, more="x" * 3_000)
        until(lambda: emitter.stats().pending == emitter.stats().spooled, "them to be on disk")
    stats = emitter.stats()
    assert balanced(stats)
    assert stats.dropped_by_reason == {"spool_full": len(dropped)}
    assert 200 < len(dropped) < 500
    assert max(dropped) < len(dropped) + 20  # what is under way is not dropped for others
    collector.answer()
    assert emitter.flush(20)
    assert sorted([*dropped, *numbers(collector.events())]) == list(range(600))
    emitter.close()
    assert "spool_full: raise spool_bytes" in capsys.readouterr().err


def test_what_is_too_old_goes(
    make_collector: MakeCollector, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event on disk is tried for ``max_age``, counted from its call, whoever sends it."""
    collector = make_collector(otherwise=503)
    first = AsyncEmitter(collector.url, spool=spool, **QUICK)
    track(first, 1, 20)
    wait_until_spooled(first, 20)
    first.close()
    second = AsyncEmitter(collector.url, spool=spool, max_age=0.01, **QUICK)
    second._pool.start()
    until(lambda: second.stats().dropped_by_reason == {"expired": 20}, "them to expire")
    assert second.stats().adopted == 20
    second.close()
    assert events_on(spool) == 0
    assert "20 expired: raise max_age" in capsys.readouterr().err


def test_collectors_are_not_mixed_up(make_collector: MakeCollector, spool: Path) -> None:
    """Two handlers with one spool and a collector each send everything to the right one."""
    collectors = [make_collector(otherwise=503), make_collector(otherwise=503)]
    for _ in range(2):
        emitters = [AsyncEmitter(each.url, spool=spool, **QUICK) for each in collectors]
        track(emitters[0], 1, 10)
        track(emitters[1], 11, 20)
        for emitter in emitters:
            emitter.close()
    assert events_on(spool) == 40
    for collector in collectors:
        collector.answer()
    emitters = [AsyncEmitter(each.url, spool=spool, **QUICK) for each in collectors]
    for emitter in emitters:
        emitter._pool.start()
    until(lambda: not events_on(spool), "all to be sent")
    for emitter in emitters:
        emitter.close()
    assert sorted(set(numbers(collectors[0].events()))) == list(range(1, 11))
    assert sorted(set(numbers(collectors[1].events()))) == list(range(11, 21))
    assert len(collectors[0].events()) == len(collectors[1].events()) == 20


def test_handlers_share_a_spool(make_collector: MakeCollector, spool: Path) -> None:
    """Several handlers of a process with one spool and one collector: each event arrives once."""
    collector = make_collector(otherwise=503)
    handlers = [SnowplowHandler(collector.url, spool=spool, **QUICK) for _ in range(4)]
    for number, handler in enumerate(handlers):
        with logging_to(handler, f"tests.spool.{number}") as logger:
            for record in range(20):
                logger.info("%d %d", number, record)
            if number == 2:  # the last two meet a collector that is up
                collector.answer()
    until(lambda: not events_on(spool) or not delivery_threads(), "the last to end")
    last = SnowplowHandler(collector.url, spool=spool, **QUICK)
    with logging_to(last) as logger:
        logger.info("the last")
        until(lambda: not events_on(spool) and last.flush(1), "all to be sent")
    assert sorted(messages(collector)) == sorted(
        [*(f"{number} {record}" for number in range(4) for record in range(20)), "the last"]
    )


def test_the_environment_and_dictconfig(
    collector: FaultyCollector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    restored_logging: None,
) -> None:
    """The spool can come from the environment, and ``~`` in it is the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SNOWPLOW_LOGGING_SPOOL", "~/here/spool.db")
    monkeypatch.setenv("SNOWPLOW_LOGGING_DURABILITY", "events")
    logging.config.dictConfig(dict_config(endpoint=collector.url, spool_interval="0.01"))
    logging.getLogger("shop").info("hello")
    assert root_handler().flush(10)
    assert (tmp_path / "here" / "spool.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "here").stat().st_mode & 0o777 == 0o700
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    until(lambda: not delivery_threads(), "the handler to close")


def test_an_emitter_in_the_callers_thread_has_none(spool: Path) -> None:
    """``Emitter`` sends in the thread of the call, which nothing may take to the disk."""
    with pytest.raises(TypeError, match="unknown option 'spool'"):
        _ = Emitter("http://127.0.0.1:9", spool=spool)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_no_threads_at_all(collector: FaultyCollector, spool: Path) -> None:
    """Where the system gives no threads, flush and close do everything themselves."""
    no_threads = "import threading; threading.stack_size(2**46)\n"
    script = no_threads + LOG + "for number in range(30): logger.info('%d', number)\n"
    options = str({**QUICK, "spool": str(spool), "durability": "events"})
    ended = run(
        script + "print(handler.flush(10), handler.stats().delivered)", collector.url, options
    )
    assert (ended.returncode, ended.stdout) == (0, "True 30\n")
    assert "no thread can deliver" in ended.stderr
    ended = run(script, f"http://127.0.0.1:{closed_port()}", options)
    assert ended.returncode == 0
    assert events_on(spool) == 30


FORK = """
import json
for number in range(20): logger.info("parent %d", number)
children = []
for child in range(3):
    pid = os.fork()
    if not pid:
        for number in range(20): logger.info("child %d %d", child, number)
        sys.exit()
    children.append(pid)
    logger.info("forked %d", child)
ends = [os.waitpid(pid, 0)[1] for pid in children]
sys.exit(any(ends))
"""


@BOTH
def test_forks(make_collector: MakeCollector, spool: Path, durability: str) -> None:
    """Parent and children, forked in the midst of it, keep what they log on the same spool."""
    collector = make_collector(otherwise=503)
    options = str({**QUICK, "spool": str(spool), "durability": durability})
    ended = run(LOG + FORK, collector.url, options)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert events_on(spool) == 20 + 3 * 21
    collector.answer()
    ended = run(LOG + "logger.info('last'); handler.flush(10); print(handler.stats().adopted)",
                collector.url, options)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    until_sent = AsyncEmitter(collector.url, spool=spool, **QUICK)
    until_sent._pool.start()
    until(lambda: not events_on(spool), "the rest")
    until_sent.close()
    assert len(collector.event_ids()) == len(set(collector.event_ids())) == 84


CHILD_ALONE = """
import json
logger.info("parent")
while not handler.stats().spooled: time.sleep(0.01)
if os.fork():
    os.kill(os.getpid(), 9)
logger.info("child")
while handler.stats().adopted < 1: time.sleep(0.05)
handler.close()
os.write(1, json.dumps(handler.stats().spooled).encode())
"""


def test_a_child_takes_over_what_its_parent_has_left(
    make_collector: MakeCollector, spool: Path
) -> None:
    """A child that lives on sends what its parent, which was killed, had on disk."""
    collector = make_collector(otherwise=503)
    ended = run(LOG + CHILD_ALONE, collector.url, str({**QUICK, "spool": str(spool)}))
    assert ended.returncode == -9
    until(lambda: events_on(spool) == 2, "the child to end")


@BOTH
def test_the_accounts_of_what_others_have_taken_from_the_file(
    make_collector: MakeCollector, spool: Path, durability: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events that somebody has deleted from the file are counted as lost, and told."""
    collector = make_collector(otherwise=503)
    emitter = AsyncEmitter(
        collector.url, spool=spool, durability=durability, batch_size=5, **QUICK
    )  # fmt: skip
    track(emitter, 1, 50)
    wait_until_spooled(emitter, 50)
    dropped = run(
        "import sys; from snowplow_logging.cli import main; sys.exit(main(sys.argv[1:]))",
        "spool", "drop", str(spool), "--yes",
    )  # fmt: skip
    assert re.fullmatch(r"50 events dropped\n", dropped.stdout), dropped
    collector.answer()
    assert emitter.flush(10)
    stats = emitter.stats()
    assert balanced(stats)
    assert stats.delivered + stats.dropped_by_reason["spool_lost"] == 50
    assert stats.dropped_by_reason["spool_lost"] > 20
    emitter.close()
    assert "spool_lost: see what was said of the spool" in capsys.readouterr().err


def test_callbacks_of_the_thread_that_writes(make_collector: MakeCollector, spool: Path) -> None:
    """``on_drop`` may flush, track and fork in the thread that writes as in any other."""
    collector = make_collector(otherwise=503)
    flushed: list[bool] = []
    first = AsyncEmitter(collector.url, spool=spool, **QUICK)
    track(first, 1, 5)
    first.close()

    def on_drop(reason: str, gone: list[dict[str, Any]]) -> None:
        flushed.append(second.flush(0.05))
        pid = os.fork()
        if not pid:
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0

    second = AsyncEmitter(collector.url, spool=spool, max_age=0.01, on_drop=on_drop, **QUICK)
    second._pool.start()
    until(lambda: second.stats().dropped == 5, "them to expire")
    until(lambda: flushed == [True], "the callback")
    second.close()


def test_options_are_for_files(collector: FaultyCollector) -> None:
    """What cannot be the path of a file is refused at construction; nothing is made yet."""
    for wrong in ("", 5, "~nobody-of-this-name/x", "a\0b"):
        with pytest.raises(ValueError, match="spool takes the path of a file"):
            _ = AsyncEmitter(collector.url, spool=wrong)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    emitter = AsyncEmitter(collector.url, spool="relative/spool.db")
    assert emitter._options["spool"] == str(Path.cwd() / "relative" / "spool.db")
    assert not Path("relative").exists()
    assert json.dumps(emitter._options["durability"]) == '"outages"'
