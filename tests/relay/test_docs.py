"""The Python of docs/relay.md runs, and what it logs arrives; its tables hold what there is."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import _redis_url
from snowplow_logging.cli import main
from snowplow_logging.collector import LocalCollector
from tests.delivery.support import ROOT
from tests.relay.inside import relaying, settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.servers import RedisServer

PAGE = (ROOT / "docs" / "relay.md").read_text(encoding="utf-8")
PAID = """{
    "$schema":
        "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
    "self": {"vendor": "com.acme", "name": "paid", "format": "jsonschema", "version": "1-0-0"},
    "type": "object", "properties": {"order_id": {"type": "string"}}
}"""


def test_examples(redis: RedisServer, client: Any, restored_logging: None, tmp_path: Path) -> None:
    """The examples write to a stream; a relay sends them, and they are good events."""
    file = tmp_path / "com.acme" / "paid" / "jsonschema" / "1-0-0"
    file.parent.mkdir(parents=True)
    _ = file.write_text(PAID)
    namespace: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block.replace("localhost:6379", f"localhost:{redis.port}"), namespace)  # noqa: S102
    logging.getLogger().handlers[-1].close()
    namespace["emitter"].close()
    with LocalCollector(port=0, schemas=[tmp_path]) as collector:
        with relaying(settings(redis.url, collector.url, once=True)) as relay:
            relay._thread.join(20)
        assert collector.bad() == []
        schemas = [event["schema"].split("/")[1] for event in collector.good()]
    assert sorted(schemas) == ["log_record", "paid"]


def test_parameters_are_documented() -> None:
    """The table of parameters has each that there is."""
    rows = PAGE.partition("| parameter |")[2].partition("\n\n")[0]
    known = {**_redis_url._OURS, **_redis_url._PLAIN, **_redis_url._DATABASE, **_redis_url._TLS,
             **_redis_url._SENTINEL}  # fmt: skip
    assert set(re.findall(r"`(\w+)`", rows)) >= set(known)
    assert all(f"`{scheme}://" in PAGE for scheme in _redis_url.KINDS)


def test_options_are_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of options has each that ``--help`` has."""
    with pytest.raises(SystemExit):
        _ = main(["relay", "--help"])
    said = set(re.findall(r"^  (--[\w-]+)", capsys.readouterr().out, re.MULTILINE))
    rows = PAGE.partition("| option | default |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(--[\w-]+)`", rows)) == said


def test_metrics_are_documented() -> None:
    """The table of metrics has each that the code has."""
    code = (ROOT / "snowplow_logging" / "relay" / "metrics.py").read_text(encoding="utf-8")
    there = {
        *re.findall(r'_(?:counter|gauge)\(\s*"(\w+)"', code),
        *re.findall(r"PREFIX\}_(\w+)", code),
    }
    rows = PAGE.partition("| `snowplow_relay_…` |")[2].partition("\n\n")[0]
    named = {name.removesuffix("_total") for name in re.findall(r"`(\w+)[`{]", rows)}
    assert there - named == set()
    assert named - there <= {"malformed", "oversize", "rejected", "collector", "redis"}
