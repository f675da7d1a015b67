"""``snowplow-logging collector``: runs the local collector until it is interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator
    from types import FrameType

EXAMPLES = """\
examples:
  snowplow-logging collector
  snowplow-logging collector --port 0 --schemas ./schemas
  snowplow-logging collector --host 0.0.0.0 --quiet

Events go to http://127.0.0.1:9090, and http://127.0.0.1:9090/micro/ui shows them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to serve (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=9090, help="port to serve (%(default)s); 0 takes a free one"
    )
    parser.add_argument(
        "--schemas",
        metavar="DIR",
        action="append",
        default=[],
        help="folder of schemas, VENDOR/NAME/jsonschema/VERSION; may be given again",
    )
    parser.add_argument(
        "--max-events",
        type=int,
        default=10_000,
        metavar="N",
        help="how many events are kept (%(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="print no line for each event")


def run(arguments: argparse.Namespace) -> int:
    """Serves until SIGINT or SIGTERM; returns the exit status."""
    # Here, so that the options can be shown where the extra is not installed.
    from rich.console import Console  # noqa: PLC0415

    from snowplow_logging.collector.hosts import is_loopback  # noqa: PLC0415
    from snowplow_logging.collector.server import LocalCollector  # noqa: PLC0415
    from snowplow_logging.collector.terminal import printer  # noqa: PLC0415

    console = Console(highlight=False, markup=False)
    try:
        collector = LocalCollector(
            arguments.host,
            arguments.port,
            schemas=arguments.schemas,
            max_events=arguments.max_events,
            on_event=None if arguments.quiet else partial(printer, console),
        )
        with _until_signalled() as stopped, collector:
            console.print(f"Collector:  {collector.url}\nPage:       {collector.ui_url}")
            if not is_loopback(arguments.host):
                console.print(
                    f"Warning: --host {arguments.host} opens it to the network: "
                    "whoever reaches it can read and send events.",
                    style="yellow",
                )
            stopped.wait()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        sys.stderr.write(f"snowplow-logging collector: {reason}\n")
        return 1
    counts = collector.all()
    console.print(f"{counts['total']} events: {counts['good']} good, {counts['bad']} bad")
    return 0


@contextmanager
def _until_signalled() -> Generator[threading.Event, None, None]:
    """An event that SIGINT and SIGTERM set, while the block runs."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
