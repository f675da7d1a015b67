"""What docs/spool.md shows is run, and says what it says there, but for times, ids and sizes."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from snowplow_logging.testing import closed_port
from tests.delivery.support import ROOT
from tests.spool.test_command import spool_command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from snowplow_logging.testing import FaultyCollector

PAGE = (ROOT / "docs" / "spool.md").read_text(encoding="utf-8")
PLACE, COLLECTOR = "/srv/shop/spool.db", "https://collector.acme.com"


def general(text: str) -> list[list[str]]:
    """Returns the words of each line, without figures and the ids that are made of them."""
    without_ids = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", text)
    return [re.sub(r"\d+", "9", line).split() for line in without_ids.splitlines()]


def test_the_page(
    collector: FaultyCollector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    restored_logging: None,
) -> None:
    """The program at the top leaves events on disk, which the commands show and send."""
    spool, down = str(tmp_path / "spool.db"), f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("SNOWPLOW_LOGGING_SHUTDOWN_TIMEOUT", "0.2")
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(program.replace(PLACE, spool).replace(COLLECTOR, down), {})  # noqa: S102
    logger = logging.getLogger("shop.orders")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()

    shown = re.findall(r"```text\n\$ snowplow-logging spool (.*?)\n(.*?)```", PAGE, re.DOTALL)
    assert len(shown) == 3
    for command, output in shown:
        words = command.replace(PLACE, spool).replace(COLLECTOR, collector.url).split()
        ended = spool_command(*words)
        assert (ended.returncode, ended.stderr) == (0, "")
        told = ended.stdout.replace(spool, PLACE).replace(down, COLLECTOR)
        assert general(told) == general(output)
    assert len(collector.events()) == 2
