"""What is kept, how much of it, and what survives."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from snowplow_logging.collector import LocalCollector
from snowplow_logging.collector.judge import Judge
from snowplow_logging.collector.received import Received
from snowplow_logging.collector.registry import Registry
from snowplow_logging.collector.store import Store
from snowplow_logging.collector.tables import Filter
from tests.program import Program

from .support import APPLICATION, body, contexts, event, post

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from snowplow_logging.collector.judge import Verdict

TINY = b'{"e":"","p":"","tv":""}'
HEAD = b'{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":['


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge of standard events."""
    return Judge(Registry())


def assessed(judge: Judge, content: bytes) -> Sequence[Verdict]:
    """The verdicts on a request."""
    return judge.assess_post(
        Received(
            vendor="com.snowplowanalytics.snowplow",
            version="tp2",
            milliseconds=1_700_000_000_000,
            content_type="application/json",
            body=content,
        )
    )


def app_ids(store: Store) -> list[object]:
    """The applications of the events that are kept."""
    return [kept.row["app_id"] for kept in store.find(Filter())]


def test_the_last_events_are_kept(judge: Judge) -> None:
    """Whether they come together or one by one; the counts are of all."""
    store = Store(max_events=3)
    store.add(assessed(judge, body(*(event(aid=str(number)) for number in range(5)))))
    assert app_ids(store) == ["4", "3", "2"]
    assert (store.first(), store.last()) == (3, 5)
    store.add(assessed(judge, body(event(aid="5"))))
    assert app_ids(store) == ["5", "4", "3"]
    assert store.counts().to_json() == {"total": 6, "good": 6, "bad": 0}
    assert repr(store) == "<Store 6 good, 0 bad>"


def test_bytes_are_bounded_too(judge: Judge) -> None:
    """The oldest go first, and with them the requests that nobody shows any more."""
    store = Store(max_bytes=1_000_000)
    for number in range(30):
        store.add(assessed(judge, body(event(aid=str(number), eid="x", ue_na="x" * 90_000))))
    kept = app_ids(store)
    assert kept == [str(number) for number in range(29, 29 - len(kept), -1)]
    assert 3 < len(kept) < 10
    tables = store._tables
    assert tables.bytes <= 1_000_000
    assert tables.database.execute("SELECT count(*) FROM requests").fetchone() == (len(kept),)


def test_the_last_event_stays_however_large_it_is(judge: Judge) -> None:
    """Or else nobody would see it."""
    store = Store(max_bytes=1_000)
    store.add(assessed(judge, b"x" * 2_000_000))
    store.add(assessed(judge, body(event(aid="a", eid="x" * 5_000))))
    assert app_ids(store) == ["a"]


def test_events_are_found_by_what_they_are(judge: Judge) -> None:
    """An entity's schema must be there as a whole."""
    store = Store()
    entity = {"schema": APPLICATION, "data": {"version": "1"}}
    store.add(assessed(judge, body(event(aid="a", cx=contexts(entity)), event(aid="b"))))
    assert [kept.seq for kept in store.find(Filter(contexts=frozenset({APPLICATION})))] == [1]
    assert list(store.find(Filter(contexts=frozenset({APPLICATION[:-1]})))) == []
    assert [kept.seq for kept in store.find(Filter(good=True), limit=1)] == [2]


def test_a_request_of_many_bad_events_shows_its_body_in_part(judge: Judge) -> None:
    """All documents together are bounded; where they are few, each has the whole body."""
    few, many = Store(), Store(max_events=10)
    few.add(assessed(judge, body(*(event(eid="x", ue_na="x" * 100_000) for _ in range(8)))))
    (kept, *_) = few.find(Filter())
    assert len(kept.received.body or b"") > 800_000
    many.add(assessed(judge, HEAD + b",".join([TINY] * 9_000) + b"]}"))
    (kept, *_) = many.find(Filter())
    assert kept.received.body_text
    assert len(kept.received.body_text) == 1_000
    assert kept.received.body_text.endswith("…")


def test_a_file_survives_and_goes_on(tmp_path: Path, judge: Judge) -> None:
    """Events, counts and numbers; a reset, too."""
    file = tmp_path / "events.db"
    with LocalCollector(port=0, storage=file) as first:
        post(first.url, body(event(aid="a"), event(eid="x")))
        before = first.good(), first.bad(), first.all(), first.events()
    assert before == (first.good(), first.bad(), first.all(), first.events())
    with LocalCollector(port=0, storage=file) as second:
        assert before == (second.good(), second.bad(), second.all(), second.events())
        second.reset()
        post(second.url, body(event()))
        assert second.events()[0]["seq"] == 3
    store = Store(file=file)
    assert store.counts().to_json() == {"total": 1, "good": 1, "bad": 0}
    assert store.is_before_reset(2)
    assert not store.is_before_reset(3)
    store.close()


def test_a_smaller_bound_holds_for_what_was_there(tmp_path: Path, judge: Judge) -> None:
    """From the next event on."""
    file = tmp_path / "events.db"
    store = Store(file=file)
    store.add(assessed(judge, body(*(event() for _ in range(10)))))
    store.close()
    store = Store(max_events=2, file=file)
    store.add(assessed(judge, body(event())))
    assert [kept.seq for kept in store.find(Filter())] == [11, 10]
    store.close()


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """And left as it is."""
    foreign = tmp_path / "foreign.db"
    database = sqlite3.connect(foreign)
    database.execute("CREATE TABLE theirs (a)")
    database.close()
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but a text of some length" * 100)
    before = foreign.read_bytes(), text.read_bytes()
    with pytest.raises(ValueError, match=r"storage: .*foreign.db: it is no storage"):
        LocalCollector(storage=foreign)
    with pytest.raises(ValueError, match=r"storage: .*notes.txt: file is not a database"):
        LocalCollector(storage=text)
    with pytest.raises(ValueError, match=r"storage: .*nowhere/x: No such file or directory"):
        LocalCollector(storage=tmp_path / "nowhere" / "x")
    assert before == (foreign.read_bytes(), text.read_bytes())


def test_a_full_disk_is_told_to_the_sender(tmp_path: Path) -> None:
    """With 503, so that it tries again; after a reset it goes on."""
    file = tmp_path / "events.db"
    command = f"ulimit -f 300; exec {sys.executable} -m snowplow_logging collector --port 0 --quiet"
    with Program[str](
        ["bash", "-c", f"{command} --storage {file}"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        large = body(event(eid="x", ue_na="x" * 60_000))
        answers = [post(url, large) for _ in range(10)]
        stored = [answer.status_code for answer in answers].count(200)
        assert 0 < stored < 10
        assert answers[-1].status_code == 503
        assert answers[-1].text.startswith("The events could not be stored: ")
        counts = requests.get(f"{url}/micro/reset", timeout=10)
        assert counts.json()["total"] == 0
        assert post(url, large).status_code == 200
        process.terminate()


def test_a_megabyte_of_bad_events_costs_little_memory() -> None:
    """Neither when it is assessed, nor when it is asked for."""
    content = HEAD + b",".join([TINY] * 32_000) + b"]}"
    command = [sys.executable, "-m", "snowplow_logging", "collector", "--port", "0", "--quiet"]
    with Program[str](command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        memory = _Memory(process.pid)
        headers = {"Content-Type": "application/json"}
        path = f"{url}/com.snowplowanalytics.snowplow/tp2"
        answer = requests.post(path, data=content, headers=headers, timeout=100)
        assert answer.text == "ok"
        bad = requests.post(f"{url}/micro/bad", json={"limit": 200}, timeout=100).json()
        process.terminate()
    assert len(bad) == 200
    assert memory.peak() < 400_000_000


class _Memory:
    """Watches the memory of a process until it ends."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def peak(self) -> int:
        """The most bytes that it had."""
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        with suppress(psutil.Error):  # it has ended
            while True:
                self._peak = max(self._peak, self._process.memory_info().rss)
                time.sleep(0.01)


def test_rows_are_json(judge: Judge) -> None:
    """Whatever an event contains."""
    store = Store()
    store.add(assessed(judge, body(event(aid='"\u2028\ud800'))))
    (row,) = store.rows(0, None, 1)
    assert json.loads(row)["app_id"] == '"\u2028\ud800'
