"""``snowplow-logging demo``: shows what the package does, without any preparation."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType

DEFAULT_REQUESTS = 300
MAX_REQUESTS = 10_000

EXAMPLES = """\
examples:
  snowplow-logging demo
  snowplow-logging demo --serve
  snowplow-logging demo --endpoint http://localhost:9090

A small web shop runs for some seconds and gets a few hundred requests. What it logs becomes
events, which a collector on this machine receives and judges; without --endpoint nothing
leaves the machine. The exit status is 0 if every record that was logged arrived once and is
valid, else 1.

With --endpoint, options of the handler that stand in the environment hold as well, such as
SNOWPLOW_LOGGING_SHUTDOWN_TIMEOUT, the seconds after which it gives up. Whether the events are
good can be told only if the collector has the API of Snowplow Micro.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--serve", action="store_true", help="keep the collector and its page up until Ctrl-C"
    )
    where.add_argument("--endpoint", metavar="URL", help="send to a collector of your own")
    parser.add_argument(
        "--requests",
        type=_count,
        default=DEFAULT_REQUESTS,
        metavar="N",
        help=f"how many requests the shop gets (%(default)s; at most {MAX_REQUESTS})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the demo; returns the exit status."""
    # Here, so that the options can be shown where the extra is not installed.
    from snowplow_logging.demo.play import play  # noqa: PLC0415
    from snowplow_logging.demo.screen import Screen  # noqa: PLC0415
    from snowplow_logging.demo.targets import local, remote  # noqa: PLC0415

    requests, endpoint = arguments.requests, arguments.endpoint
    place = local(requests) if endpoint is None else remote(endpoint)
    try:
        with _interrupted(wanted=arguments.serve) as stopped, place as target:
            outcome = play(Screen(), target, requests, serve=arguments.serve)
            if arguments.serve:
                _ = stopped.wait()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"snowplow-logging demo: {error}\n")
        return 1
    return 1 if outcome.problems() else 0


def _count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= number <= MAX_REQUESTS:
        message = f"takes a whole number from 1 to {MAX_REQUESTS}, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return number


@contextmanager
def _interrupted(*, wanted: bool) -> Generator[threading.Event, None, None]:
    """Gives an event that SIGINT and SIGTERM set while the block runs, if that is wanted."""
    stopped = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM) if wanted else ()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            _ = signal.signal(number, handler)
