"""``snowplow-logging collector``: runs the local collector until it is interrupted."""

from __future__ import annotations

import signal
import sys
import threading
import webbrowser
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator
    from types import FrameType

    from rich.console import Console

    from snowplow_logging.collector.server import LocalCollector

EXAMPLES = """\
examples:
  snowplow-logging collector
  snowplow-logging collector --port 0 --schemas ./schemas --open
  snowplow-logging collector --schemas https://iglu.acme.com --storage events.db
  snowplow-logging collector --resolver iglu.json
  snowplow-logging collector --json | jq 'select(.good | not) | .reason'
  snowplow-logging collector --host 0.0.0.0 --quiet

Events go to http://127.0.0.1:9090, and http://127.0.0.1:9090/micro/ui shows them.
The key for an Iglu server's private schemas: SNOWPLOW_LOGGING_IGLU_API_KEY in the environment.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to serve (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=9090, help="port to serve (%(default)s); 0 takes a free one"
    )
    parser.add_argument(
        "--schemas",
        metavar="DIR|URL",
        action="append",
        default=[],
        help="folder of schemas, VENDOR/NAME/jsonschema/VERSION, or address of an Iglu registry; "
        "may be given again",
    )
    parser.add_argument(
        "--resolver", metavar="FILE", help="configuration of an Iglu resolver, as Micro takes it"
    )
    parser.add_argument(
        "--path",
        metavar="PATH",
        action="append",
        default=[],
        dest="paths",
        help="further path to take events at, such as com.acme/track; may be given again",
    )
    parser.add_argument(
        "--max-events",
        type=int,
        default=10_000,
        metavar="N",
        help="how many events are kept (%(default)s)",
    )
    parser.add_argument(
        "--storage", metavar="FILE", help="keep the events in this file, over restarts too"
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--quiet", action="store_true", help="print no line for each event")
    output.add_argument(
        "--json", action="store_true", help="print each event as a line of JSON, and nothing else"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serves until SIGINT or SIGTERM; returns the exit status."""
    # Here, so that the options can be shown where the extra is not installed.
    from rich.console import Console  # noqa: PLC0415

    from snowplow_logging.collector.server import LocalCollector  # noqa: PLC0415
    from snowplow_logging.collector.terminal import Lines, json_line, line  # noqa: PLC0415

    stopped = threading.Event()
    lines = Lines(stopped.set)
    # What a program reads stands alone.
    console = Console(stderr=True, highlight=False, markup=False) if arguments.json else lines
    line_of = json_line if arguments.json else line
    try:
        collector = LocalCollector(
            arguments.host,
            arguments.port,
            schemas=arguments.schemas,
            resolver=arguments.resolver,
            paths=arguments.paths,
            max_events=arguments.max_events,
            storage=arguments.storage,
            on_event=None
            if arguments.quiet
            else lambda verdict: lines.print(line_of(verdict), soft_wrap=True),
        )
        with _signals_set(stopped), collector:
            _welcome(console, collector, arguments)
            stopped.wait()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        sys.stderr.write(f"snowplow-logging collector: {reason}\n")
        return 1
    counts = collector.all()
    console.print(f"{_events(counts['total'])}: {counts['good']} good, {counts['bad']} bad")
    return 0


def _welcome(console: Console, collector: LocalCollector, arguments: argparse.Namespace) -> None:
    from snowplow_logging.collector.hosts import is_loopback  # noqa: PLC0415

    console.print(f"Collector:  {collector.url}\nPage:       {collector.ui_url}", soft_wrap=True)
    if not is_loopback(arguments.host):
        console.print(
            f"Warning: --host {arguments.host} opens it to the network: "
            "whoever reaches it can read and send events.",
            style="yellow",
            soft_wrap=True,
        )
    total = collector.all()["total"]
    if total:
        console.print(f"{_events(total)} from before", style="dim")
    if arguments.open and not webbrowser.open(collector.ui_url):
        console.print("There is no browser to open the page in.", style="yellow")


def _events(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"


@contextmanager
def _signals_set(stopped: threading.Event) -> Generator[None, None, None]:
    """SIGINT and SIGTERM set ``stopped``, while the block runs."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
