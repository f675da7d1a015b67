"""What the README shows is run, and its table of options is held against the code."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging._options import OPTIONS, HandlerOptions
from snowplow_logging.collector import LocalCollector
from tests.delivery.support import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \|.*$", README, re.MULTILINE)}
NOT_IN_TABLE = {"clock", "tracker", "emitter"}
ACME = {
    "order_placed": '{"order_id": {"type": "string"}, "total_cents": {"type": "integer"}}',
    "customer": '{"customer_id": {"type": "string"}}',
    "paid": '{"order_id": {"type": "string"}}',
}


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LocalCollector]:
    """A collector that knows the schemas of the README's examples."""
    for name, properties in ACME.items():
        file = tmp_path / "com.acme" / name / "jsonschema" / "1-0-0"
        file.parent.mkdir(parents=True)
        own = f'"vendor": "com.acme", "name": "{name}", "format": "jsonschema", "version": "1-0-0"'
        meta = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
        _ = file.write_text(
            f'{{"$schema": "{meta}", "self": {{{own}}}, "type": "object", '
            f'"properties": {properties}, "additionalProperties": false}}'
        )
    with LocalCollector(port=0, schemas=[tmp_path]) as running:
        yield running


def test_examples(collector: LocalCollector, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's Python, run from top to bottom, delivers valid events."""
    before = list(logging.getLogger().handlers)
    namespace: dict[str, Any] = {}
    try:
        for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
            exec(block.replace("https://collector.acme.com", collector.url), namespace)  # noqa: S102
    finally:
        namespace["handler"].close()
        namespace["emitter"].close()
        logging.getLogger().handlers = before
    assert collector.bad() == []
    schemas = [event["schema"].split("/")[1] for event in collector.good()]
    assert sorted(schemas) == [
        "application_error", "log_record", "order_placed", "order_placed", "paid", "paid",
    ]  # fmt: skip
    assert "0/10000 queued, 5 delivered, 0 dropped>" in capsys.readouterr().out


def test_examples_of_processes() -> None:
    """The Python of docs/processes.md runs, in a process that it may reconfigure."""
    page = (ROOT / "docs" / "processes.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    ended = run("\n".join([*blocks, "app.log.setup()", "print(logging.getLogger().handlers)"]))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(r"\[<SnowplowHandler https://collector.acme.com .*>\]\n", ended.stdout)


@pytest.mark.parametrize("name", sorted(set(HandlerOptions.__annotations__) - NOT_IN_TABLE))
def test_options_are_documented(name: str) -> None:
    """The table says of every option what it takes, what it is for, and its default."""
    option = OPTIONS[name]
    assert f"| {option.takes} | {option.meaning} |" in ROWS[name]
    if isinstance(option.default, (str, int, float)):
        shown = f"{option.default:g}" if isinstance(option.default, float) else str(option.default)
        assert f"| `{shown.lower() if isinstance(option.default, bool) else shown}` |" in ROWS[name]


def test_no_option_is_invented() -> None:
    """The table holds no option that there is not."""
    assert set(ROWS) == set(HandlerOptions.__annotations__) - NOT_IN_TABLE
