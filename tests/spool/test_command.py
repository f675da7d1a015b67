"""Tests of ``snowplow-logging spool``, as a process, also while an application uses the file."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from snowplow_logging import SnowplowHandler
from snowplow_logging._spool import Row, SpoolFile
from snowplow_logging.cli import main
from snowplow_logging.spool.contents import decoded, time_of
from snowplow_logging.spool.screen import size
from snowplow_logging.testing import closed_port
from tests.delivery.support import LOG, ROOT, logging_to
from tests.program import Program
from tests.spool.support import QUICK, events_on

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from snowplow_logging.testing import FaultyCollector
    from tests.delivery.conftest import MakeCollector

DOWN = "http://127.0.0.1:9"
ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"
COMMAND = [sys.executable, "-W", "error", "-m", "snowplow_logging", "spool"]


class Ended(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def spool_command(*words: str | Path) -> Ended:
    """Runs the command in this process, which is quicker than one of its own."""
    written = BytesIO(), BytesIO()
    out, err = (TextIOWrapper(each, encoding="utf-8") for each in written)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(["spool", *map(str, words)])
        except SystemExit as ended:
            status = cast("int", ended.code)
        out.flush()
        err.flush()
    return Ended(status, *(each.getvalue().decode() for each in written))


def fill(spool: Path, count: int = 5, endpoint: str = DOWN) -> None:
    """Leaves events on disk: log records, and one of the application's own."""
    options: dict[str, Any] = {**QUICK, "shutdown_timeout": 0}
    handler = SnowplowHandler(endpoint, spool=spool, **options)
    with logging_to(handler, "shop") as logger:
        for number in range(count - 1):
            logger.info("record %d \x9b31m", number)
        contexts: list[dict[str, Any]] = [{"schema": ORDER, "data": {}}]
        data: dict[str, Any] = {"schema": ORDER, "data": {"n": 1}, "contexts": contexts}
        logger.warning("ordered", extra=data)


@contextmanager
def application(spool: Path, spooled: int) -> Generator[subprocess.Popen[bytes]]:
    """An application that runs, logs five events, and has ``spooled`` on disk."""
    script = LOG + (
        "for number in range(5): logger.info('held %d', number)\n"
        f"while handler.stats().spooled < {spooled}: time.sleep(0.01)\n"
        "os.write(1, b'ready')\nsys.stdin.read()\n"
    )
    options = str({**QUICK, "spool": str(spool), "shutdown_timeout": 0})
    with Program[bytes](
        [sys.executable, "-c", script, DOWN, options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"ready"
        yield process
        process.kill()


def test_status(spool: Path) -> None:
    """It shows what there is for which collector, and which process has it in its care."""
    fill(spool)
    with application(spool, spooled=10) as process:
        ended = spool_command("status", spool)
    assert (ended.returncode, ended.stderr) == (0, "")
    first, headings, *rows = ended.stdout.splitlines()
    assert re.fullmatch(rf"{spool}: 10 events, \d+\.\d KiB; the file: \d+\.\d KiB", first)
    assert headings.split()[:3] == ["Collector", "Events", "Size"]
    assert [row.split()[:2] for row in rows] == [[DOWN, "5"], [DOWN, "5"]]
    assert all(row.endswith(f"process {process.pid}") for row in rows)

    (spool.parent / "spool.db.broken1").touch()
    (spool.parent / "spool.db.broken1-wal").touch()
    ended = spool_command("status", spool)
    first, _, *rows, broken = ended.stdout.splitlines()
    assert first.startswith(f"{spool}: 10 events")
    assert all(row.endswith("nobody") for row in rows)
    assert broken == f"{spool}.broken1 was broken and set aside"


def test_list(spool: Path) -> None:
    """It shows each event in a line, which steers no terminal, or decoded."""
    fill(spool)
    ended = spool_command("list", spool)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\x1b" not in ended.stdout
    headings, *rows = ended.stdout.splitlines()
    assert re.split(r"  +", headings.strip()) == [
        "Logged (UTC)", "Level", "Bytes", "Schema", "Event id",
    ]  # fmt: skip
    assert [row.split()[2] for row in rows] == ["INFO"] * 4 + ["WARNING"]
    assert rows[-1].split()[4] == ORDER
    assert all(re.fullmatch(r"[0-9a-f-]{36}", row.split()[-1]) for row in rows)

    ended = spool_command("list", spool, "--limit", "2")
    assert ended.stdout.splitlines()[-1] == "and 3 more; --limit 0 shows all"
    assert len(spool_command("list", spool, "--limit", "0").stdout.splitlines()) == 6

    ended = spool_command("list", spool, "--json")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [event["data"].get("message") for event in events[:2]] == [
        f"record {number} \ufffd31m" for number in range(2)
    ]
    last = events[-1]
    assert (last["schema"], last["data"], last["level"]) == (ORDER, {"n": 1}, "WARNING")
    assert last["contexts"] == [{"schema": ORDER, "data": {}}]
    assert last["collector"] == DOWN
    assert events_on(spool) == 5


def test_send(collector: FaultyCollector, spool: Path) -> None:
    """It sends what nobody has in his care, to wherever it is told, and deletes it."""
    fill(spool)
    fill(spool, endpoint="http://127.0.0.1:10")
    with application(spool, spooled=10) as process:
        ended = spool_command("send", spool, collector.url)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.splitlines()[0].endswith("sent, 0 refused, 0 left")
        assert "are in the care of processes that run, and send them" in ended.stdout
        assert process.poll() is None
    sent = messages_or_data(collector)
    assert not any("held" in str(message) for message in sent)

    ended = spool_command("send", spool, collector.url)
    assert ended.returncode == 0
    assert sorted(map(str, messages_or_data(collector))) == sorted(
        [*2 * [f"record {number} \ufffd31m" for number in range(4)], *2 * ["{'n': 1}"],
         *[f"held {number}" for number in range(5)]]
    )  # fmt: skip
    assert len(set(collector.event_ids())) == 15
    assert events_on(spool) == 0
    ended = spool_command("send", spool, collector.url)
    assert (ended.returncode, ended.stdout) == (0, "0 events sent, 0 refused, 0 left\n")


def messages_or_data(collector: FaultyCollector) -> list[Any]:
    """Returns the messages of records, or else the data."""
    found: list[Any] = []
    for event in collector.events():
        data = json.loads(base64.urlsafe_b64decode(event["ue_px"]))["data"]["data"]
        found.append(data.get("message", data))
    return found


def test_send_for_one_collector(collector: FaultyCollector, spool: Path) -> None:
    """It sends only what was meant for one collector, if that is asked."""
    fill(spool, 3)
    fill(spool, 4, "http://127.0.0.1:10")
    ended = spool_command("send", spool, collector.url, "--meant-for", DOWN)
    assert (ended.returncode, ended.stdout) == (0, "3 events sent, 0 refused, 0 left\n")
    assert events_on(spool) == 4


def test_send_in_vain(make_collector: MakeCollector, spool: Path) -> None:
    """Where the collector does not take them, events stay, and it says why."""
    fill(spool)
    down = f"http://127.0.0.1:{closed_port()}"
    ended = spool_command("send", spool, down, "--patience", "2")
    assert (ended.returncode, ended.stdout) == (1, "0 events sent, 0 refused, 5 left\n")
    assert f"{down} does not take them: " in ended.stderr
    assert "Connection refused" in ended.stderr
    assert events_on(spool) == 5

    ended = spool_command("send", spool, make_collector(otherwise=403).url)
    assert ended.returncode == 1
    assert ended.stdout == "0 events sent, 5 refused, 0 left\n"
    assert "5 rejected" in ended.stderr


def test_send_goes_on_after_failures(make_collector: MakeCollector, spool: Path) -> None:
    """A collector that fails now and then gets everything, once."""
    fill(spool, 1_200)
    collector = make_collector(503, 500, 429, 503)
    ended = spool_command("send", spool, collector.url)
    assert (ended.returncode, ended.stdout) == (0, "1200 events sent, 0 refused, 0 left\n")
    assert len(set(collector.event_ids())) == len(collector.event_ids()) == 1_200


def test_export(spool: Path, tmp_path: Path) -> None:
    """It writes the fields of each event, as they would be sent, and leaves the spool alone."""
    fill(spool)
    shown = spool_command("export", spool)
    assert (shown.returncode, shown.stderr) == (0, "")
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert {"e", "p", "tv", "eid", "dtm", "ue_px"} <= events[0].keys()
    assert "stm" not in events[0]

    file = tmp_path / "events.jsonl"
    ended = spool_command("export", spool, file)
    assert ended.stdout == f"5 events written to {file}\n"
    assert file.read_text(encoding="utf-8") == shown.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    again = spool_command("export", spool, file)
    assert (again.returncode, again.stderr) == (
        1,
        f"snowplow-logging spool: {file}: File exists\n",
    )
    assert events_on(spool) == 5


def test_drop(spool: Path) -> None:
    """It drops what it is told to, once that is confirmed."""
    fill(spool)
    ended = spool_command("drop", spool)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "snowplow-logging spool: 5 events would be dropped: say --yes\n"
    ended = spool_command("drop", spool, "--older-than", "1h")
    assert (ended.returncode, ended.stdout) == (0, "0 events dropped\n")
    with closing(SpoolFile(str(spool), create=False)) as file:
        file.write(1, [Row(1_000, 0, 20, 0, b'{"eid":"old"')])
    ended = spool_command("drop", spool, "--older-than", "1h", "--yes")
    assert (ended.returncode, ended.stdout) == (0, "1 event dropped\n")
    ended = spool_command("drop", spool, "--yes")
    assert (ended.returncode, ended.stdout) == (0, "5 events dropped\n")
    assert events_on(spool) == 0


def test_drop_is_asked_for(spool: Path) -> None:
    """On a terminal it asks; anything but yes leaves everything as it is."""
    fill(spool)
    for answer, status, left in (("\n", 1, 5), ("no\n", 1, 5), ("y\n", 0, 0)):
        leader, follower = os.openpty()
        with Program[bytes](
            [*COMMAND, "drop", str(spool)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=follower,
            stdout=subprocess.PIPE,
        ) as process:
            os.close(follower)
            _ = os.write(leader, answer.encode())
            output, _ = process.communicate(timeout=30)
            os.close(leader)
        assert process.returncode == status
        assert output.startswith(f"Drop 5 events of {spool} for good? [y/N] ".encode())
        assert events_on(spool) == left


@pytest.mark.parametrize("action", ["status", "list", "export", "drop", "send"])
def test_wrong_paths(action: str, spool: Path, tmp_path: Path) -> None:
    """What is no spool is named, and left as it is."""
    more = [DOWN] if action == "send" else []
    text = tmp_path / "notes.txt"
    _ = text.write_text("notes\n" * 1_000)
    for path, said in (
        (spool, f"there is no spool at {spool}"),
        (tmp_path, f"{tmp_path} is no file"),
        (text, f"{text} is no spool, or is broken: file is not a database"),
    ):
        ended = spool_command(action, path, *more)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == f"snowplow-logging spool: {said}\n"
    assert text.read_text() == "notes\n" * 1_000
    assert not spool.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "x", "--limit", "-1"], "takes a whole number"),
        (["drop", "x", "--older-than", "yesterday"], "takes an age such as 30s, 10m, 12h or 7d"),
        (["send", "x", DOWN, "--patience", "soon"], "takes seconds, not 'soon'"),
        (["status", ""], "takes the path of a file"),
        (["look", "x"], "invalid choice"),
    ],
)
def test_wrong_usage(words: list[str], said: str) -> None:
    """Wrong usage has the status 2 and a line that says what is taken."""
    ended = spool_command(*words)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_wrong_collector(spool: Path) -> None:
    """A collector's address that is none is named, and nothing is sent."""
    fill(spool)
    ended = spool_command("send", spool, "ftp://collector")
    assert ended.returncode == 1
    assert "endpoint takes" in ended.stderr
    assert events_on(spool) == 5


@pytest.mark.parametrize("action", ["", "status", "list", "send", "export", "drop"])
def test_help(action: str) -> None:
    """Each action has help with examples."""
    ended = spool_command(*filter(None, [action]), "--help")
    assert ended.returncode == 0
    assert "examples:\n  snowplow-logging spool " in ended.stdout


def test_a_reader_that_has_seen_enough(spool: Path) -> None:
    """It ends quietly where its output is no longer read, as with head."""
    fill(spool, 500)
    command = " ".join([*COMMAND, "export", str(spool)])
    ended = subprocess.run(
        ["sh", "-c", f"{command} | head -1"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_cannot_be_decoded() -> None:
    """An event that is no JSON, or lacks what it should have, is shown as far as it goes."""
    for body in (
        b"",
        b"\xff",
        b'{"eid":5',
        b'{"ue_px":"!"',
        b'{"ue_pr":"[]","cx":"W10"',
        b'{"ue_pr":5',
    ):
        event = decoded(Row(1, 0, 0, 0, body))
        assert (event.schema, event.level, event.size) == ("?", "", len(body))
        assert event.contexts == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 * 2**20, "5.0 MiB"),
        (2**41, "2048.0 GiB"),
    ],
)
def test_sizes(number: int, text: str) -> None:
    """Sizes are said in units that suit them."""
    assert size(number) == text


def test_progress(collector: FaultyCollector, spool: Path) -> None:
    """On a terminal the way is shown while it sends."""
    fill(spool, 3_000)
    leader, follower = os.openpty()
    with Program[bytes](
        [*COMMAND, "send", str(spool), collector.url],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=follower,
    ) as process:
        os.close(follower)
        output, _ = process.communicate(timeout=60)
        shown = os.read(leader, 1_000_000).decode()
        os.close(leader)
    assert output == b"3000 events sent, 0 refused, 0 left\n"
    assert "Sending" in shown
    assert "/3000" in shown


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (1_700_000_000_123, "2023-11-14 22:13:20.123"),
        (-62_167_219_200_000, "0001-01-01 00:00:00.000"),
        (253_402_300_799_999, "9999-12-31 23:59:59.999"),
    ],
)
def test_times(milliseconds: int, text: str) -> None:
    """Whatever time an event may have, it can be shown."""
    assert time_of(milliseconds).isoformat(" ", "milliseconds") == f"{text}+00:00"
