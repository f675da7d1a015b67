"""The collector as a part of a test: it starts, stops and leaves no trace."""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from snowplow_logging.collector import LocalCollector

from .support import body, event, post

if TYPE_CHECKING:
    from snowplow_logging.collector.judge import Verdict


def test_it_takes_a_free_port_and_gives_it_back() -> None:
    """While it runs the port is taken, afterwards it is free."""
    with LocalCollector(port=0) as collector:
        assert requests.get(f"{collector.url}/health", timeout=10).text == "ok"
        assert collector.ui_url == f"{collector.url}/micro/ui"
        with pytest.raises(OSError, match=f"cannot serve 127.0.0.1:{collector.port}"):
            LocalCollector(port=collector.port).start()
        taken = collector.port
    with LocalCollector(port=taken) as again:
        assert again.port == taken


def test_closing_is_idempotent_and_events_stay_readable() -> None:
    """After close no thread is left, and what came is still known."""
    collector = LocalCollector(port=0).start()
    assert collector.start() is collector
    post(collector.url, body(event()))
    collector.close()
    collector.close()
    assert collector.all() == {"total": 1, "good": 1, "bad": 0}
    assert not [
        thread
        for thread in threading.enumerate()
        if "collector" in thread.name and thread.ident != _session_thread()
    ]
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{collector.url}/health", timeout=10)


def test_it_can_be_started_again() -> None:
    """With the events that it had, and for requests of every size."""
    collector = LocalCollector(port=0)
    for _ in range(2):
        with collector:
            threads = [
                threading.Thread(target=post, args=(collector.url, body(*[event()] * 200)))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert collector.all()["good"] == 1600


def test_its_address_is_not_known_before_it_starts() -> None:
    """It says so; its repr works all the same."""
    collector = LocalCollector()
    assert repr(collector) == "<LocalCollector not started 0 good, 0 bad>"
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = collector.url


def test_it_leaves_logging_and_signals_alone(caplog: pytest.LogCaptureFixture) -> None:
    """No handler, level, filter or record is left behind, and none comes meanwhile."""
    names = ("", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio")
    state = [_state_of(name) for name in names]
    handler = signal.getsignal(signal.SIGINT)
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    caplog.set_level(logging.DEBUG, logger="asyncio")
    with LocalCollector(port=0) as collector:
        requests.get(f"{collector.url}/health", timeout=10)
        assert signal.getsignal(signal.SIGINT) is handler
    assert [record.name for record in caplog.records if "urllib3" not in record.name] == []
    caplog.clear()
    logging.getLogger("uvicorn").setLevel(logging.NOTSET)
    logging.getLogger("asyncio").setLevel(logging.NOTSET)
    assert [_state_of(name) for name in names] == state


def test_old_events_go_and_the_counts_stay() -> None:
    """Memory is bounded by the number of events that are kept."""
    with LocalCollector(port=0, max_events=3) as collector:
        post(collector.url, body(*(event(aid=str(number)) for number in range(10))))
        assert [item["event"]["app_id"] for item in collector.good()] == ["9", "8", "7"]
        assert collector.all() == {"total": 10, "good": 10, "bad": 0}


def test_each_event_is_told_to_the_listener(capsys: pytest.CaptureFixture[str]) -> None:
    """And a listener that fails does no harm to the sender."""
    seen: list[Verdict] = []

    def listen(verdict: Verdict) -> None:
        seen.append(verdict)
        if not verdict.good:
            message = "listener at fault"
            raise RuntimeError(message)

    with LocalCollector(port=0, on_event=listen) as collector:
        answer = post(collector.url, body(event(), event(eid="x")))
        assert answer.text == "ok"
    assert [verdict.good for verdict in seen] == [True, False]
    assert seen[1].reason.startswith("atomic")
    assert "listener at fault" in capsys.readouterr().err


def test_many_threads_may_send_at_once(collector: LocalCollector) -> None:
    """Each event is counted once."""

    def send() -> None:
        for _ in range(5):
            post(collector.url, body(event(), event(eid="x")))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert collector.all() == {"total": 80, "good": 40, "bad": 40}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 65536}, "port: expected a number from 0 to 65535, got 65536"),
        ({"max_events": 0}, "max_events: expected at least 1, got 0"),
    ],
)
def test_a_wrong_number_is_refused_at_construction(options: dict[str, int], message: str) -> None:
    """The message names the option and what it takes."""
    with pytest.raises(ValueError, match=message):
        LocalCollector(**options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _state_of(name: str) -> object:
    logger = logging.getLogger(name)
    return logger.level, list(logger.handlers), list(logger.filters), logger.propagate


def _session_thread() -> int | None:
    """The thread of the collector that the other tests share, if it runs."""
    running = [thread for thread in threading.enumerate() if "collector" in thread.name]
    return running[0].ident if running else None
