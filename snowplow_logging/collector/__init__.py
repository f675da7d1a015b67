"""The local collector: receives events as a Snowplow pipeline does, and judges them.

It is a judge that is independent of the sending side: nothing in this package imports from
the rest of ``snowplow_logging`` (its version apart), so that a mistake made there is not
repeated here.

    with LocalCollector(port=0) as collector:
        send_something_to(collector.url)
        assert collector.bad() == []
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowplow_logging.collector.server import LocalCollector

__all__ = ["LocalCollector"]


def __getattr__(name: str) -> object:
    """Imports the server at first use: the command's options must show without the extra."""
    if name == "LocalCollector":
        from snowplow_logging.collector.server import LocalCollector  # noqa: PLC0415

        return LocalCollector
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
