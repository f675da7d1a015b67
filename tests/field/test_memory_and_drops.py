"""Hurts of outages: memory without bounds, silent losses, and what is said of secrets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import Emitter, SelfDescribingJson, SnowplowHandler, Tracker
from snowplow_logging.testing import HANG, FaultyCollector, closed_port
from tests.delivery.support import LOG, balanced, logging_to, run, until

if TYPE_CHECKING:
    from tests.delivery.conftest import MakeCollector

ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"

OUTAGE = """
import resource
unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
def log(count):
    for number in range(count):
        logger.info("%d %s", number, text)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
text = "x" * 8_000
before = log(500)  # warms up, and fills the queue
grown = log(20_000) - before
stats = handler.stats()
print(grown, stats.accepted, stats.delivered + stats.dropped + stats.pending)
"""


@pytest.mark.parametrize("trouble", ["refused", "hanging", "failing"])
def test_09_unbounded_memory_in_an_outage(make_collector: MakeCollector, trouble: str) -> None:
    """In an outage queues grew until the process was killed (python-logstash-async#63).

    Of 200 MB that are logged, no more than ``queue_bytes`` and a little stays in memory.
    """
    url = f"http://127.0.0.1:{closed_port()}"
    if trouble != "refused":
        url = make_collector(otherwise=HANG if trouble == "hanging" else 503).url
    options = {"queue_bytes": 2**20, "flush_interval": 0.01, "max_retry_delay": 0.05}
    ended = run(LOG + OUTAGE, url, str({**options, "shutdown_timeout": 0}), seconds=100)
    assert ended.returncode == 0, ended.stderr
    grown, accepted, accounted = map(int, ended.stdout.split())
    assert grown < 2**20 + 20 * 2**20
    assert accepted == accounted == 20_500


@pytest.mark.parametrize("overflow", ["drop_newest", "drop_oldest", "drop_lowest_severity"])
def test_09_queue_is_bounded_in_an_outage(
    make_collector: MakeCollector, overflow: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an outage the queue stays within its size, and the losses are told in one line."""
    collector = make_collector(otherwise=503)
    handler = SnowplowHandler(
        collector.url,
        queue_size=50,
        overflow=overflow,
        batch_size=10,
        shutdown_timeout=0,
        max_retry_delay=0.05,
    )
    with logging_to(handler) as logger:
        for number in range(500):
            logger.log(logging.ERROR if number % 10 == 0 else logging.INFO, "record %d", number)
            stats = handler.stats()
            assert balanced(stats)
            assert stats.pending <= 50 + 10
        until(lambda: handler.stats().requests > 2, "some attempts")
        assert "503" in (handler.stats().last_error or "")
    until(lambda: handler.stats().pending == 0, "the last attempt")
    assert handler.stats().dropped == 500
    lines = [line for line in capsys.readouterr().err.splitlines() if "events lost" in line]
    assert 1 <= len(lines) <= 2


ONE = "logger.info('lost')\n"
NO_EVENT = f"logger.info('lost', extra={{'schema': {ORDER!r}, 'data': 'a text'}})\n"
AFTER = """
deadline = time.monotonic() + 20
while handler.stats().pending:
    assert time.monotonic() < deadline
"""


@pytest.mark.parametrize(
    ("reason", "advice", "answer", "action", "options"),
    [
        ("queue_full", "raise queue_size or queue_bytes", 503, 9 * ONE, {"queue_size": 8}),
        ("shutdown", "raise shutdown_timeout", 503, ONE, {}),
        ("expired", "raise max_age", 503, ONE + AFTER, {"max_age": 0.05}),
        ("rejected", "check endpoint and path", 403, ONE + AFTER, {}),
        ("oversize", "log less data", 413, ONE + AFTER, {}),
        ("unmappable", "see the traceback", 200, NO_EVENT, {}),
    ],
)
def test_10_silent_drops(
    make_collector: MakeCollector,
    reason: str,
    advice: str,
    answer: int,
    action: str,
    options: dict[str, Any],
) -> None:
    """Losses stayed unknown for years (sentry-python#1191: "3 years not realising").

    Each is counted by its reason, given to ``on_drop`` where there was an event, and told on
    stderr with its number and the option that would have helped.
    """
    collector = make_collector(otherwise=answer)
    quick = {"flush_interval": 0.01, "max_retry_delay": 0.02, "shutdown_timeout": 0.5}
    script = "drops = []\n" + LOG + "import atexit\n"
    script += "atexit.register(lambda: print(handler.stats().dropped_by_reason, drops))\n"
    if reason == "queue_full":
        quick["flush_interval"] = 30
    told = "'on_drop': lambda reason, payloads: drops.append((reason, len(payloads)))"
    given = f"{{**{ {**quick, **options} }, {told}}}"
    ended = run(script + action + "handler.close()\n" + AFTER, collector.url, given)
    assert ended.returncode == 0, ended.stderr
    counted, _, dropped = ended.stdout.partition("}")
    assert f"'{reason}': 1" in counted
    assert (f"('{reason}', 1)" in dropped) == (reason != "unmappable")
    lines = [each for each in ended.stderr.splitlines() if "events lost" in each]
    assert 1 <= len(lines) <= 3
    line = lines[-1]
    assert f"1 {reason}: {advice}" in line
    assert line.startswith(f"snowplow_logging: {collector.url}: ")


def test_22_secrets_through_repr(collector: FaultyCollector) -> None:
    """Passwords of endpoints were printed with the repr of whatever held them.

    The repr of each part says its state, and neither user nor password.
    """
    url = collector.url.replace("//", "//anna:hunter2@")
    handler = SnowplowHandler(url, queue_size=50)
    with logging_to(handler) as logger:
        logger.info("hello")
        assert handler.flush(10)
        shown = repr(handler)
        assert shown == (f"<SnowplowHandler {collector.url} 0/50 queued, 1 delivered, 0 dropped>")
    emitter = Emitter(url)
    tracker = Tracker("namespace", emitter)
    for text in (shown, repr(emitter), repr(tracker), str(handler), str(emitter.stats())):
        assert "hunter2" not in text
        assert "anna" not in text


def test_22_secrets_through_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """What is told of an endpoint that is down or wrong has no password in it."""
    emitter = Emitter("http://anna:hunter2@127.0.0.1:9")
    Tracker("namespace", emitter).track_unstruct_event(SelfDescribingJson(ORDER, {}))
    emitter.close(timeout=0)
    assert emitter.stats().last_error
    assert "hunter2" not in str(emitter.stats()) + capsys.readouterr().err
    with pytest.raises(ValueError, match="endpoint takes") as caught:
        Emitter("https://anna:hunter2@c.acme.com:port")
    assert "hunter2" not in str(caught.value)


def test_22_secrets_of_events_through_errors() -> None:
    """What a failed GET says of itself holds none of the event that was in its URL."""
    emitter = Emitter(
        f"http://127.0.0.1:{closed_port()}", method="get", batch_size=10, shutdown_timeout=0.2
    )
    event = SelfDescribingJson("iglu:com.acme/login/jsonschema/1-0-0", {"password": "hunter2"})
    _ = Tracker("n", emitter, encode_base64=False).track_unstruct_event(event)
    _ = emitter.flush(0.3)
    error = str(emitter.stats().last_error)
    assert "refused" in error
    assert "hunter2" not in error
    emitter.close()
