"""What docs/collector.md shows is run, and its tables are held against the code."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import requests

from snowplow_logging.collector import LocalCollector, command

PAGE = (Path(__file__).parents[2] / "docs" / "collector.md").read_text(encoding="utf-8")


def test_its_example_runs() -> None:
    """From top to bottom."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(block, namespace)  # noqa: S102 - our own page
    assert namespace["row"]["good"]


def test_its_table_of_options_is_the_command_s() -> None:
    """With the defaults."""
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    rows = dict(re.findall(r"^\| `(--[\w-]+)` \| (\S*) +\|", PAGE, re.MULTILINE))
    assert set(rows) == {action.option_strings[0] for action in parser._actions}
    for action in parser._actions:
        is_plain = isinstance(action.default, (str, int)) and action.default is not False
        assert rows[action.option_strings[0]] == (f"`{action.default}`" if is_plain else "")


def test_its_tables_of_paths_are_complete() -> None:
    """Each path that the collector names is documented, and no other."""
    with LocalCollector(port=0) as collector:
        text = requests.get(f"{collector.url}/micro/nothing", timeout=10).text
    served = set(text.removeprefix("The paths here are: ").split())
    documented = set(re.findall(r"^\| [^|]*`(/micro/\w+)[^|]*\|", PAGE, re.MULTILINE))
    assert documented == served


def test_the_command_s_examples_are_right() -> None:
    """Each is taken by the parser."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    lines = re.findall(r"^  snowplow-logging collector(.*)$", command.EXAMPLES, re.MULTILINE)
    assert len(lines) > 4
    for line in lines:
        parser.parse_args(line.partition("|")[0].split())
