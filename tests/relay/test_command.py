"""``snowplow-logging relay`` as a process: what it shows, its metrics, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from snowplow_logging.cli import main
from snowplow_logging.testing import Answer, closed_port
from tests.delivery.support import ROOT, numbers, until
from tests.relay.inside import add, consumers, events
from tests.relay.support import RelayProcess
from tests.relay.test_claims import is_empty

if TYPE_CHECKING:
    from pathlib import Path

    from snowplow_logging.testing import FaultyCollector
    from tests.delivery.conftest import MakeCollector
    from tests.relay.servers import RedisServer


def relay(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a relay that ends by itself."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "snowplow_logging", "relay", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def samples(url: str) -> dict[str, float]:
    """Returns what ``/metrics`` says, by name and labels, without the prefix."""
    families = text_string_to_metric_families(requests.get(url, timeout=10).text)
    return {
        re.sub("^snowplow_relay_", "", sample.name)
        + "".join(f" {value}" for _, value in sorted(sample.labels.items()) if value): sample.value
        for family in families
        for sample in family.samples
    }


def test_once(redis: RedisServer, client: Any, collector: FaultyCollector) -> None:
    """With ``--once`` it ends when all is sent, and says how much that was."""
    _ = add(client, *events(*range(5)), {"x": "y"})
    ended = relay(redis.url, collector.url, "--once", "--consumer", "me")
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[0] == f"{redis.url}?stream=snowplow to {collector.url} as me"
    assert ended.stdout.splitlines()[-1] == "5 delivered, 1 set aside"
    assert ended.stderr == (
        "snowplow_logging: 1 events set aside so far, the last for: no field named event\n"
    )
    assert is_empty(client)
    assert client.xlen("snowplow:dead") == 1


def test_addresses_from_the_environment(
    redis: RedisServer, client: Any, collector: FaultyCollector
) -> None:
    """Addresses, which may hold passwords, need not be on the command line; nor are they shown."""
    client.acl_setuser("low", enabled=True, passwords=["+s3cret"], keys=["*"], commands=["+@all"])
    try:
        _ = add(client, *events(1))
        ended = relay(
            "--once", "--quiet",
            SNOWPLOW_LOGGING_REDIS_URL=redis.url.replace("//", "//low:s3cret@"),
            SNOWPLOW_LOGGING_COLLECTOR_URL=collector.url.replace("//", "//me:s3cret@"),
        )  # fmt: skip
    finally:
        client.acl_deluser("low")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert collector.requests[0].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(
    redis: RedisServer, client: Any, make_collector: MakeCollector, tmp_path: Path, number: Any
) -> None:
    """It finishes what is under way, acknowledges it, removes its name and ends with status 0."""
    collector = make_collector(Answer(delay=1))
    _ = add(client, *events(1))
    with RelayProcess(tmp_path, redis.url, collector.url) as process:
        assert collector.wait_for(1)
        assert process.end(number) == 0
        assert process.output.splitlines()[-1] == "1 delivered"
    assert is_empty(client)
    assert consumers(client) == {}


def test_a_signal_when_the_collector_is_down(
    redis: RedisServer, client: Any, make_collector: MakeCollector, tmp_path: Path
) -> None:
    """After ``--shutdown-timeout`` it hands back what it could not send, and says so."""
    collector = make_collector(otherwise=503)
    _ = add(client, *events(1, 2))
    with RelayProcess(
        tmp_path, redis.url, collector.url, "--shutdown-timeout", "0.2", "--consumer", "me"
    ) as process:
        assert collector.wait_for_requests(1)
        until(lambda: "503" in process.output, "the warning")
        assert process.end() == 0
        assert process.output.splitlines()[-2:] == [
            f"snowplow_logging: {collector.url}: 503 Service Unavailable",
            "0 delivered, 2 handed back for other relays",
        ]
    assert consumers(client) == {"me": 2}


def test_a_second_signal_ends_it_at_once(
    redis: RedisServer, client: Any, make_collector: MakeCollector, tmp_path: Path
) -> None:
    """Whoever does not want to wait need not; the entries stay pending."""
    collector = make_collector(otherwise=503)
    _ = add(client, *events(1))
    with RelayProcess(tmp_path, redis.url, collector.url, "--shutdown-timeout", "60") as process:
        assert collector.wait_for_requests(1)
        process.process.send_signal(signal.SIGTERM)
        requests_before = len(collector.requests)
        assert collector.wait_for_requests(requests_before + 2)  # it tries to send the rest
        assert process.end() == -signal.SIGTERM
    assert client.xpending("snowplow", "relay")["pending"] == 1


def test_metrics(
    redis: RedisServer, client: Any, make_collector: MakeCollector, tmp_path: Path
) -> None:
    """``/metrics`` has what an operator asks for, ``/health`` whether the relay is well."""
    collector = make_collector(503)
    _ = add(client, *events(*range(7)), {"x": "y"}, {"event": "[]"})
    with RelayProcess(
        tmp_path,
        redis.url,
        collector.url,
        "--metrics",
        "0",
        "--max-retry-delay",
        "0.1",
        "--shutdown-timeout",
        "0.2",
    ) as process:
        url = process.metrics_url()
        assert url.startswith("http://127.0.0.1:")
        assert collector.wait_for(7)
        until(lambda: samples(url)["acknowledged_entries_total"] == 7, "the acknowledgement")
        assert samples(url).items() >= {
            "delivered_events_total": 7, "retried_events_total": 7, "requests_total": 2,
            "dead_lettered_entries_total malformed": 2, "dead_lettered_entries_total rejected": 0,
            "adopted_entries_total": 0, "held_entries": 0, "redis_up": 1, "stream_entries": 0,
            "lag_entries": 0, "pending_entries": 0, "consumers": 1, "dead_letter_entries": 2,
            "last_error_info 503 Service Unavailable collector": 1,
            "failing collector": 0, "failing redis": 0,
        }.items()  # fmt: skip
        health = requests.get(url.replace("/metrics", "/health"), timeout=10)
        assert (health.status_code, health.json()) == (200, {"collector": None, "redis": None})
        assert requests.get(url.replace("/metrics", "/"), timeout=10).status_code == 404
        collector.answer(otherwise=503)
        _ = add(client, *events(8))
        until(lambda: samples(url)["failing collector"], "the failure")
        assert process.end() == 0


def test_metrics_while_redis_is_down(
    redis: RedisServer, collector: FaultyCollector, tmp_path: Path
) -> None:
    """Without Redis the relay says so, tries again, and is not well."""
    nowhere = f"redis://127.0.0.1:{closed_port()}/0?stream=s"
    with RelayProcess(tmp_path, nowhere, collector.url, "--metrics", "[::1]:0") as process:
        url = process.metrics_url()
        assert url.startswith("http://[::1]:")
        until(lambda: samples(url)["redis_errors_total"] >= 2, "two attempts")
        assert samples(url)["redis_up"] == 0
        health = requests.get(url.replace("/metrics", "/health"), timeout=10)
        assert health.status_code == 503
        assert "Connection refused" in health.json()["redis"]
        until(lambda: "snowplow_logging: Redis: ConnectionError" in process.output, "the warning")
        assert process.end() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give REDIS_URL and COLLECTOR_URL, or set SNOWPLOW_LOGGING_REDIS_URL"),
        (["redis://h"], "give REDIS_URL and COLLECTOR_URL"),
        (["https://h", "https://h"], "REDIS_URL takes the address of a stream, like redis://host"),
        (["redis://h?x=1", "https://h"], "endpoint takes no query parameter 'x'"),
        (["redis://h", "redis://h"], "endpoint takes a host, or a URL that begins with https://"),
        (["redis://h", "h", "--claim-after", "0.1"], "--claim-after takes seconds from 0.5"),
        (["redis://h", "h", "--claim-after", "nan"], "--claim-after takes seconds from 0.5"),
        (["redis://h", "h", "--dead-letter", "snowplow"], "--dead-letter takes another stream"),
        (["redis://h", "h", "--batch-size", "0"], "batch_size takes a whole number from 1"),
        (["redis://h", "h", "--metrics", "x"], "--metrics takes a port, or an address and a port"),
        (["redis://h", "h", "--metrics", "192.0.2.1:1"], "Cannot assign requested address"),
    ],
)
def test_wrong_command_lines(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is named, in a line."""
    assert main(["relay", *arguments]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"snowplow-logging relay: {said}")
    assert len(errors.splitlines()) == 1


def test_a_redis_that_will_never_do(
    redis: RedisServer, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key of another type ends it at once, with what to do."""
    client.set("text", "x")
    assert main(["relay", f"{redis.url}?stream=text", "https://collector.acme.com"]) == 1
    assert "name another stream in the endpoint" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` says what each option is for, with defaults and examples."""
    with pytest.raises(SystemExit):
        _ = main(["relay", "--help"])
    said = capsys.readouterr().out
    assert "adopt what another relay has not touched for so long (10)" in " ".join(said.split())
    assert "snowplow-logging relay redis://redis https://collector.acme.com" in said


def test_without_the_extra() -> None:
    """Where redis-py is not installed, the command says how to install it."""
    script = (
        "import sys; sys.modules['redis'] = None; from snowplow_logging.cli import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "relay", "redis://h", "https://h"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == "relay needs redis: pip install 'snowplow-logging[redis]'\n"


def test_adopts_what_a_killed_relay_held(
    redis: RedisServer, client: Any, make_collector: MakeCollector, tmp_path: Path
) -> None:
    """What a relay was about to send when it was killed, another one sends."""
    slow, collector = make_collector(otherwise=Answer(delay=60)), make_collector()
    _ = add(client, *events(*range(30)))
    with RelayProcess(tmp_path, redis.url, slow.url, "--threads", "1", "--batch-size", "10") as one:
        assert slow.wait_for(10)
        until(lambda: client.xpending("snowplow", "relay")["pending"] == 20, "the reading")
        one.kill()
    ended = relay(redis.url, collector.url, "--claim-after", "0.5", "--once")
    assert ended.returncode == 0
    assert sorted(numbers(collector.events())) == [*range(30)]
    assert consumers(client) == {}
