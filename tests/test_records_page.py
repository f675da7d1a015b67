"""What docs/records.md shows is run, and its table is held against the schema and the bounds."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING, Any

from snowplow_logging.collector import LocalCollector
from tests.iglu_central import APPLICATION_ERROR, LOG_RECORD, ROOT, needs_iglu_central, schema

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
TABLES = {
    LOG_RECORD: PAGE.partition("## The fields of a log_record")[2].partition("\n## ")[0],
    APPLICATION_ERROR: PAGE.partition("## The fields of an application_error")[2].partition(
        "\n## "
    )[0],
}
ACME = {
    "order_placed": ["order_id"],
    "customer": ["customer_id"],
    "shop_log": ["severity", "message", "service", "order_id"],
}


NAMES = [*ACME, "log_record", "application_error"]


class Arrived:
    """An event as the collector has it."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.name: str = event["event"]["event_name"]
        self.data: dict[str, Any] = event["event"]["unstruct_event"]["data"]["data"]
        along: list[dict[str, Any]] = event["event"]["contexts"].get("data", [])
        self.customers = [entity["data"]["customer_id"] for entity in along]


def shown(beginning: str) -> str:
    """Returns what a comment of the page says is sent."""
    (found,) = re.findall(rf"# (?:message: )?({re.escape(beginning)}.*)", PAGE)
    return str(found)


def publish(folder: Path) -> None:
    """Writes the schemas of the page's examples; all that they have is texts."""
    for name, texts in ACME.items():
        file = folder / "com.acme" / name / "jsonschema" / "1-0-0"
        file.parent.mkdir(parents=True)
        own = {"vendor": "com.acme", "name": name, "format": "jsonschema", "version": "1-0-0"}
        described = {
            "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
            "self": own,
            "type": "object",
            "properties": {text: {"type": "string"} for text in texts},
            "required": texts,
            "additionalProperties": False,
        }
        _ = file.write_text(json.dumps(described), "utf-8")


def test_examples(tmp_path: Path) -> None:
    """The page's Python, run from top to bottom, delivers what the page says."""
    publish(tmp_path)
    namespace: dict[str, Any] = {}
    with LocalCollector(port=0, schemas=[tmp_path]) as collector:
        try:
            for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
                exec(block.replace("https://collector.acme.com", collector.url), namespace)  # noqa: S102
        finally:
            for name in ("handler", "plain"):
                namespace[name].close()
            for name in ("logger", "audit"):
                namespace[name].handlers.clear()
                namespace[name].setLevel(logging.NOTSET)
                namespace[name].propagate = True
            asyncio.set_event_loop(None)
        assert collector.bad() == []
        events = [Arrived(each) for each in reversed(collector.good())]
    of = {name: [each for each in events if each.name == name] for name in NAMES}
    assert sum(map(len, of.values())) == len(events)
    assert [each.data for each in of["order_placed"]] == [{"order_id": "o-17"}]
    assert [each.data["exceptionName"] for each in of["application_error"]] == ["KeyError"]
    assert [each.data for each in of["shop_log"]] == [json.loads(shown(r'{"severity"'))]
    records = {each.data["message"]: each for each in of["log_record"]}
    assert json.loads(records["stock is low"].data["attributes"])["left"] == 2
    assert shown("INFO paid") in records
    assert records["INFO in the scope"].customers == ["u-1"]
    assert records["INFO cleaned up"].customers == ["system"]
    for number in range(10):
        assert records[f"INFO request {number}"].customers == [f"u-{number}"]
    in_trace = records["INFO in the trace"].data
    assert namespace["header"] == f"00-{in_trace['trace_id']}-{in_trace['span_id']}-01"


def bounds(table: str) -> dict[str, str]:
    """Returns the fields of a table with what they hold at most, as the schema would say it."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|.*\| ([^|]*) ?\|$", table, re.MULTILINE)
    said = [
        (name, bound)
        for names, bounds in rows
        for name, bound in zip(re.findall(r"\w+", names), bounds.split(", "), strict=True)
    ]
    return {
        name: bound.strip().lstrip("±").replace("2⁶³ − 1", str(2**63 - 1))  # noqa: RUF001
        for name, bound in said
    }


def test_the_table_of_log_records() -> None:
    """The table has the fields of the schema, in its order, and says how much they hold."""
    fields = schema(LOG_RECORD)["properties"]
    held = {
        name: str(fields[name].get("maxLength", fields[name].get("maximum"))) for name in fields
    }

    assert bounds(TABLES[LOG_RECORD]) == held
    assert list(bounds(TABLES[LOG_RECORD])) == list(held)


@needs_iglu_central
def test_the_table_of_errors() -> None:
    """The table has fields of Snowplow's schema alone, and none holds more than that takes."""
    fields = schema(APPLICATION_ERROR)["properties"]
    for name, bound in bounds(TABLES[APPLICATION_ERROR]).items():
        assert name in fields
        taken = fields[name].get("maxLength", fields[name].get("maximum"))
        assert not bound or taken is None or int(bound) <= taken
