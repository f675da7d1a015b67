"""``snowplow-logging ship``, run as a user runs it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from snowplow_logging.collector import LocalCollector
from snowplow_logging.ship.delivery import LINE_BYTES, MOST_BYTES
from snowplow_logging.ship.lines import CHUNK_LINES
from snowplow_logging.testing import HANG, RESET_MIDWAY, Answer, FaultyCollector, closed_port
from tests.delivery.support import data_of, until
from tests.program import Program
from tests.ship.support import (
    append,
    command,
    line,
    lines,
    numbers,
    run,
    until_arrived,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 3_000  # lines, which are several batches
UNDER_WAY = MOST_BYTES // LINE_BYTES + CHUNK_LINES  # lines, at most


@pytest.fixture
def collector() -> Iterator[FaultyCollector]:
    """A collector that records what it gets, and fails on command."""
    with FaultyCollector() as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with many lines."""
    path = tmp_path / "app.log"
    append(path, lines(range(MANY)))
    return path


def test_all_are_good(tmp_path: Path) -> None:
    """Everything arrives, and the local collector finds nothing wrong with it."""
    log = tmp_path / "app.log"
    append(log, lines(range(500)))
    append(log, line(1, schema=None, exc_info="Traceback (most recent call last):\nValueError: a"))
    append(log, line(2, message="x" * 300_000, more="\x00\ud800"))
    with LocalCollector(port=0) as collector:
        ended = run(tmp_path, "--to", collector.url, "--app-id", "shop", log)
        assert (ended.process.returncode, ended.errors) == (0, "")
        assert ended.output == "502 lines, 502 delivered\n"
        assert collector.all() == {"total": 502, "good": 502, "bad": 0}
        events = [each["event"] for each in collector.good()]
    assert {(event["app_id"], event["platform"]) for event in events} == {("shop", "srv")}
    assert min(event["dvce_created_tstamp"] for event in events) == "2024-05-01T12:00:00.000Z"


def test_resumes(collector: FaultyCollector, log: Path) -> None:
    """The next run goes on where the last one stopped."""
    assert run(log.parent, "--to", collector.url, log).process.returncode == 0
    append(log, lines([MANY]))
    ended = run(log.parent, "--to", collector.url, log)
    assert ended.output == "1 lines, 1 delivered\n"
    assert numbers(collector.events()) == [*range(MANY + 1)]


def test_another_collector_gets_all(collector: FaultyCollector, tmp_path: Path) -> None:
    """What was sent to one collector is, by default, not taken as sent to another one."""
    append(tmp_path / "app.log", lines(range(3)))
    own = {"state": None, "XDG_STATE_HOME": str(tmp_path / "state")}
    with FaultyCollector() as other:
        for url in (collector.url, other.url, collector.url):
            _ = run(tmp_path, "--to", url, "app.log", **own)
        assert numbers(collector.events()) == numbers(other.events()) == [0, 1, 2]
    states = [*(tmp_path / "state" / "snowplow-logging").glob("ship-127.0.0.1-*.db")]
    assert [each.stat().st_mode & 0o777 for each in states] == [0o600] * 2
    assert (tmp_path / "state" / "snowplow-logging").stat().st_mode & 0o777 == 0o700


def test_killed(collector: FaultyCollector, log: Path) -> None:
    """After kill -9 at any moment nothing is lost; what comes twice is the same, and not much."""
    total = MANY * 7
    append(log, lines(range(MANY, total)))
    collector.answer(otherwise=Answer(delay=0.05))  # so that it takes a while
    pause = random.Random(5)
    kills = 0
    for _ in range(3):
        before = len(collector.events())
        with command(log.parent, "--to", collector.url, log) as running:
            until(lambda: len(collector.events()) > before or running.has_ended, "events")  # noqa: B023 - done at once
            threading.Event().wait(pause.uniform(0, 0.1))
            running.process.kill()
            kills += running.wait() == -signal.SIGKILL
    assert kills > 1
    assert run(log.parent, "--to", collector.url, log).process.returncode == 0
    events = collector.events()
    assert {*numbers(events)} == {*range(total)}
    assert len(events) - total <= kills * UNDER_WAY
    same = {event["eid"]: {k: v for k, v in event.items() if k != "stm"} for event in events}
    assert len(same) == total
    assert all(same[event["eid"]].items() <= event.items() for event in events)


@pytest.mark.parametrize("follow", [False, True])
def test_stopped(collector: FaultyCollector, log: Path, *, follow: bool) -> None:
    """SIGTERM delivers what is under way and ends; nothing is lost, and nothing comes twice."""
    append(log, lines(range(MANY, MANY * 10)))
    words = ["--follow"] if follow else []
    with command(log.parent, *words, "--to", collector.url, log) as running:
        assert collector.wait_for(1)
        status = running.stop()
    assert status == 0 if follow else status in (0, 128 + signal.SIGTERM)
    assert run(log.parent, "--to", collector.url, log).process.returncode == 0
    assert numbers(collector.events()) == [*range(MANY * 10)]


def test_stopped_in_an_outage(log: Path) -> None:
    """It ends soon while the collector is down, says what is left, and the next run sends it."""
    down = f"http://127.0.0.1:{closed_port()}"
    with command(log.parent, "--to", down, log, SNOWPLOW_LOGGING_SHUTDOWN_TIMEOUT="0.3") as running:
        running.until_it_says("waiting for the collector")
        assert running.stop(signal.SIGINT) == 128 + signal.SIGINT
    assert f"{MANY} lines, 0 delivered, {MANY} under way, left to the next run" in running.output
    with FaultyCollector() as collector:
        _ = run(log.parent, "--to", collector.url, log)
        assert numbers(collector.events()) == [*range(MANY)]


def test_no_spool(tmp_path: Path) -> None:
    """What cannot be delivered is still in the file, so it is kept nowhere else."""
    append(tmp_path / "app.log", lines(range(3)))
    with command(
        tmp_path, "--to", f"http://127.0.0.1:{closed_port()}", "app.log",
        SNOWPLOW_LOGGING_SPOOL="spool.db", SNOWPLOW_LOGGING_SHUTDOWN_TIMEOUT="0.2",
    ) as running:  # fmt: skip
        running.until_it_says("waiting for the collector")
        assert running.stop() == 128 + signal.SIGTERM
    assert [*tmp_path.glob("spool*")] == []


def test_an_outage(log: Path) -> None:
    """While the collector is down or refuses it waits, reads no further, and then goes on."""
    append(log, lines(range(MANY, UNDER_WAY * 2)))
    with FaultyCollector(otherwise=503) as collector:
        with command(log.parent, "--to", collector.url, log) as running:
            running.until_it_says("waiting for the collector: 503")
            collector.answer(otherwise=404)
            assert collector.wait_for_requests(len(collector.requests) + 3)
            collector.answer(RESET_MIDWAY)
            assert running.wait() == 0
        assert "the collector takes events again" in running.errors
        assert {*numbers(collector.events())} == {*range(UNDER_WAY * 2)}


def test_gives_up(log: Path) -> None:
    """It can be told to end when nothing could be delivered for a while."""
    with FaultyCollector(otherwise=401) as collector:
        ended = run(log.parent, "--to", collector.url, "--give-up-after", "0.5", log)
    assert ended.process.returncode == 1
    assert "nothing could be delivered for" in ended.errors
    assert "last error: 401 Unauthorized" in ended.errors


def test_skips_what_is_refused(collector: FaultyCollector, log: Path) -> None:
    """It can be told to give up what the collector refuses, and says how much that is."""
    collector.answer(400)
    ended = run(log.parent, "--to", collector.url, "--skip-refused", log)
    assert ended.process.returncode == 1
    delivered = len(collector.events())
    assert 0 < delivered < MANY
    assert f"{delivered} delivered, {MANY - delivered} lost" in ended.output
    assert "rejected: check endpoint and path" in ended.errors


def test_a_collector_that_hangs(log: Path) -> None:
    """A collector that does not answer holds the end up no longer than it may take."""
    with (
        FaultyCollector(otherwise=HANG) as collector,
        command(
            log.parent, "--to", collector.url, log, SNOWPLOW_LOGGING_SHUTDOWN_TIMEOUT="0.3"
        ) as running,
    ):
        assert collector.wait_for_requests(1)
        assert running.stop() == 128 + signal.SIGTERM


def test_a_pipe(collector: FaultyCollector, tmp_path: Path) -> None:
    """Lines of a pipe are sent while it is open, and the last one needs no end."""
    with command(tmp_path, "--to", collector.url, "-", stdin=subprocess.PIPE) as running:
        pipe = running.process.stdin
        assert pipe is not None
        _ = pipe.write(lines(range(10)))
        pipe.flush()
        until_arrived(collector, range(10))
        _ = pipe.write(line(10)[:-1])
        pipe.close()
        assert running.wait() == 0
    assert numbers(collector.events()) == [*range(11)]
    assert len({*collector.event_ids()}) == 11


def test_a_pipe_in_an_outage(tmp_path: Path) -> None:
    """What came through a pipe and cannot be delivered when it must end, is lost, and said so."""
    with command(
        tmp_path, "--to", f"http://127.0.0.1:{closed_port()}", stdin=subprocess.PIPE,
        SNOWPLOW_LOGGING_SHUTDOWN_TIMEOUT="0.2",
    ) as running:  # fmt: skip
        pipe = running.process.stdin
        assert pipe is not None
        _ = pipe.write(lines(range(10)))
        pipe.flush()
        running.until_it_says("waiting for the collector")
        assert running.stop() == 1
    assert running.output == "10 lines, 0 delivered, 10 lost\n"


def test_malformed(collector: FaultyCollector, tmp_path: Path) -> None:
    """Malformed lines are shown without their contents, counted and kept; the others are sent."""
    log, kept = tmp_path / "app.log", tmp_path / "malformed"
    wrong = [b"secret: 1", b"[1]", b'{"n":', b"x" * 500, b'{"schema":"iglu:a/b/c/1-0-0","data":3}']
    for number, each in enumerate([*wrong, *wrong]):
        append(log, line(number) + b"\n" + each + b"\n")
    ended = run(
        tmp_path, "--to", collector.url, "--malformed", kept, "--max-line", "400", "app.log"
    )
    assert ended.process.returncode == 3
    assert ended.output == "30 lines, 10 delivered, 10 malformed, 10 empty\n"
    shown = ended.errors.splitlines()
    assert len(shown) == 6
    assert shown[0].endswith("app.log:3: no JSON: Expecting value at column 1")
    assert shown[3].endswith("app.log:12: longer than 400 bytes")
    assert "it names a schema, but its data is no object or array" in shown[4]
    assert "secret" not in ended.errors
    assert kept.read_bytes().splitlines() == [each[:400] for each in [*wrong, *wrong]]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert numbers(collector.events()) == [*range(10)]


def test_quiet(collector: FaultyCollector, tmp_path: Path) -> None:
    """It can be told to say nothing but what is wrong."""
    append(tmp_path / "app.log", lines(range(3)))
    ended = run(tmp_path, "--to", collector.url, "--quiet", "app.log")
    assert (ended.process.returncode, ended.output, ended.errors) == (0, "", "")


def test_left_out(collector: FaultyCollector, tmp_path: Path) -> None:
    """What is less severe than wanted is left out, and what has no level is sent."""
    content = line(0) + line(1, levelname="ERROR") + line(2, levelname=None)
    append(tmp_path / "app.log", content)
    ended = run(tmp_path, "--to", collector.url, "--level", "warning", "app.log")
    assert ended.output == "3 lines, 2 delivered, 1 left out\n"
    assert numbers(collector.events()) == [1, 2]


def test_without_a_time(collector: FaultyCollector, tmp_path: Path) -> None:
    """Lines that say no time are sent as of now, and counted."""
    append(tmp_path / "app.log", b'{"message":"m"}\n{"message":"m","time":"soon"}\n')
    ended = run(tmp_path, "--to", collector.url, "app.log")
    assert ended.output == "2 lines, 2 delivered, 2 without a time that can be read\n"
    created = [int(event["dtm"]) for event in collector.events()]
    sent = [int(event["stm"]) for event in collector.events()]
    assert all(0 <= late - early < 60_000 for early, late in zip(created, sent, strict=True))


def test_redaction(collector: FaultyCollector, tmp_path: Path) -> None:
    """Secrets are removed as by the handler, unless it is told to leave them."""
    append(tmp_path / "app.log", line(0, message="password=hunter2", api_key="abc"))
    _ = run(tmp_path, "--to", collector.url, "app.log")
    _ = run(tmp_path, "--to", collector.url, "app.log", "--again", "--no-redact")
    clean, raw = (data_of(event) for event in collector.events())
    assert clean["message"] == "password=[redacted: password]"
    assert json.loads(clean["attributes"])["api_key"] == "[redacted: api_key]"
    assert raw["message"] == "password=hunter2"
    assert "abc" in raw["attributes"]


def test_configured(collector: FaultyCollector, tmp_path: Path) -> None:
    """It takes what a handler is configured with; the command line wins over it."""
    config = {
        "version": 1,
        "formatters": {"plain": {"format": "%(message)s"}},
        "handlers": {
            "file": {"class": "logging.FileHandler", "filename": "other.log"},
            "snowplow": {
                "class": "snowplow_logging.SnowplowHandler",
                "formatter": "plain",
                "level": "WARNING",
                "endpoint": collector.url,
                "app_id": "shop",
                "namespace": "python",
                "subject": {"user_id": "u-1"},
                "schema": "iglu:com.acme/log_record/jsonschema/1-0-0",
            },
        },
        "root": {"handlers": ["snowplow", "file"]},
    }
    _ = (tmp_path / "logging.json").write_text(json.dumps(config))
    append(tmp_path / "app.log", line(0) + line(1, levelname="ERROR"))
    ended = run(tmp_path, "--config", "logging.json", "--namespace", "ship", "app.log")
    assert ended.output == "2 lines, 1 delivered, 1 left out\n"
    (event,) = collector.events()
    assert (event["aid"], event["tna"], event["uid"]) == ("shop", "ship", "u-1")
    assert not (tmp_path / "other.log").exists()


def test_check(tmp_path: Path) -> None:
    """A dry run shows what the first lines become; nothing is sent, nothing is remembered."""
    append(tmp_path / "app.log", lines(range(10)) + b"malformed\n")
    append(
        tmp_path / "bad.log", b"malformed\n" + line(11, schema="iglu:a/b/c/1-0-0", data={"x": 1})
    )
    ended = run(tmp_path, "--check", "app.log")
    assert (ended.process.returncode, ended.errors) == (0, "")
    assert ended.output.count("python-json-logger\n") == 3
    first = ended.output.split("python-json-logger\n")[1].rpartition("}\n")[0]
    assert json.loads(first + "}")["data"]["message"] == "number 0"
    ended = run(tmp_path, "--check", "bad.log", "--follow", "--to", "http://localhost:1")
    assert ended.process.returncode == 3
    assert "bad.log:1: malformed, no JSON" in ended.output
    assert '"schema": "iglu:a/b/c/1-0-0"' in ended.output
    assert not (tmp_path / "state.db").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["app.log"], "no collector: give --to"),
        (["--to", "ftp://x", "app.log"], "endpoint takes"),
        (["--to", "localhost", "--map", "levl=x", "app.log"], "--map takes time, message"),
        (["--to", "localhost", "--map", "level", "app.log"], "takes a field and a name"),
        (["--to", "localhost", "--format", "xml", "app.log"], "--format takes loguru, ecs"),
        (["--to", "localhost", "--schema", "x", "app.log"], "schema takes an Iglu URI"),
        (["--to", "localhost", "--level", "loud", "app.log"], "level takes"),
        (["--to", "localhost", "--max-line", "0", "app.log"], "a whole number of bytes"),
        (["--to", "localhost", "--give-up-after", "x", "app.log"], "seconds over 0"),
        (["--config", "none.yaml", "app.log"], "none.yaml: No such file"),
        (["--to", "localhost", "--malformed", "no/where", "app.log"], "no/where: No such file"),
        (["--to", "localhost", "--state", "app.log", "app.log"], "move it away, or name another"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], said: str) -> None:
    """Wrong usage ends with status 2, and a line that says what is right."""
    append(tmp_path / "app.log", lines(range(3)))
    ended = run(tmp_path, *arguments, state=None, XDG_STATE_HOME=str(tmp_path))
    assert ended.process.returncode == 2
    assert said in ended.errors
    assert "Traceback" not in ended.errors


def test_what_cannot_be_read(collector: FaultyCollector, log: Path) -> None:
    """A file that there is not is named, the others are shipped, and the status says so."""
    ended = run(log.parent, "--to", collector.url, "none.log", log)
    assert ended.process.returncode == 1
    assert "none.log: No such file or directory" in ended.errors
    assert f"{MANY} delivered, 1 unreadable" in ended.output


def test_one_at_a_time(collector: FaultyCollector, log: Path) -> None:
    """A second one with the same state ends, and says what to do; kill -9 leaves no lock."""
    with command(log.parent, "--follow", "--to", collector.url, log) as first:
        assert collector.wait_for(MANY)
        second = run(log.parent, "--to", collector.url, log)
        first.process.kill()
        _ = first.wait()
    assert second.process.returncode == 2
    assert "another process ships with the state" in second.errors
    assert "--state FILE" in second.errors
    assert run(log.parent, "--to", collector.url, log).process.returncode == 0


def test_follows_a_writer(collector: FaultyCollector, tmp_path: Path) -> None:
    """Over rotations, a kill -9 and an outage, all that a live writer logs arrives."""
    code = (
        "import logging.handlers, sys, time\n"
        "h = logging.handlers.RotatingFileHandler('app.log', maxBytes=20_000, backupCount=50)\n"
        'h.setFormatter(logging.Formatter(\'{"message": "m", "n": %(message)s}\'))\n'
        "for n in range(4_000):\n"
        "    h.handle(logging.makeLogRecord({'msg': str(n)}))\n"
        "    if n % 20 == 0: time.sleep(0.01)\n"
    )
    words = ["--follow", "--to", collector.url, "app.log*"]
    with Program[bytes]([sys.executable, "-c", code], cwd=tmp_path) as writer:
        with command(tmp_path, *words) as running:
            assert collector.wait_for(500)
            running.process.kill()
            _ = running.wait()
        collector.answer(otherwise=503)
        with command(tmp_path, *words) as running:
            assert collector.wait_for_requests(len(collector.requests) + 2)
            collector.answer()
            until_arrived(collector, range(4_000))
            assert running.stop() == 0
        assert writer.wait() == 0
    assert len({*collector.event_ids()}) == 4_000


@pytest.mark.parametrize("hidden", [["orjson"], ["rich", "starlette", "uvicorn", "jsonschema"]])
def test_without_extras(collector: FaultyCollector, log: Path, hidden: list[str]) -> None:
    """It needs no extra, and does the same without."""
    ended = run(log.parent, "--to", collector.url, log, hidden=hidden)
    assert (ended.process.returncode, ended.errors) == (0, "")
    assert numbers(collector.events()) == [*range(MANY)]
