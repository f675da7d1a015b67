"""The official Python tracker sends to the collector: all that is good, and all that is not."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from .running import (
    FOLDER,
    OFFSETS,
    PAGE,
    STRUCT,
    TRUE_TIME,
    URL,
    VERSION,
    Expected,
    check_bad,
    check_good,
    described,
    send,
)

if TYPE_CHECKING:
    from snowplow_logging.testing import SnowplowCollector

PROGRAM = [sys.executable, str(FOLDER / "python_tracker.py")]
LINK = {"targetUrl": "https://a.example/", "elementClasses": ["big", "red"]}
SCREEN = {
    "id": "a6ef3124-b53a-4b13-a233-0088f79dcbcb",
    "name": "cart",
    "type": "list",
    "previousName": "home",
    "previousId": "b6ef3124-b53a-4b13-a233-0088f79dcbcb",
    "previousType": "feed",
    "transitionType": "tap",
}
EXPECTED = {
    "page_view": Expected("page_view", PAGE),
    "page_ping": Expected("page_ping", {**PAGE, **OFFSETS}),
    "struct": Expected("struct", STRUCT),
    "self_describing": described("link_click/jsonschema/1-0-1", LINK),
    "screen_view": Expected(
        "unstruct", {}, SCREEN, "iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0"
    ),
    "with_context": Expected("page_view", URL, contexts=(VERSION, VERSION)),
    "with_subject": Expected("page_view", {**URL, "user_id": "u-2", "platform": "pc"}),
    "with_time": Expected("page_view", {**URL, **TRUE_TIME}),
}


@pytest.mark.parametrize("base64", [True, False], ids=["base64", "plain"])
@pytest.mark.parametrize("method", ["post", "get"])
def test_all_classes_of_events(
    snowplow_collector: SnowplowCollector, method: str, *, base64: bool
) -> None:
    """All are good, and show all that was sent, and nothing else."""
    ids = send(PROGRAM, snowplow_collector, method, str(base64).lower(), "good")
    tracker = "py", f"py-{version('snowplow-tracker')}"
    check_good(snowplow_collector, ids, EXPECTED, tracker, base64=base64)


def test_bad_events(snowplow_collector: SnowplowCollector) -> None:
    """Each is bad for the reason that a pipeline gives; what is too large, is refused."""
    check_bad(snowplow_collector, send(PROGRAM, snowplow_collector, "post", "true", "bad"))
