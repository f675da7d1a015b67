"""``snowplow-logging relay``: sends a Redis Stream to a collector until it is interrupted."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from snowplow_logging._options import OPTIONS, resolve

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator
    from types import FrameType

    from snowplow_logging.relay.relay import Relay, Settings

EXAMPLES = """\
examples:
  snowplow-logging relay redis://localhost:6379/0?stream=snowplow https://collector.acme.com
  snowplow-logging relay redis://redis https://collector.acme.com --threads 8 --metrics 9187
  snowplow-logging relay redis+sentinel://s1,s2,s3/mymaster https://collector.acme.com
  snowplow-logging relay 'redis://redis?stream=snowplow:dead' https://collector.acme.com --once

The last one sends again what was set aside. Where others may see command lines, give the addresses,
which may hold passwords, as SNOWPLOW_LOGGING_REDIS_URL and SNOWPLOW_LOGGING_COLLECTOR_URL instead.
SIGTERM and SIGINT end it once what it holds is sent; a second one ends it at once.
"""

REDIS_URL, COLLECTOR_URL = "SNOWPLOW_LOGGING_REDIS_URL", "SNOWPLOW_LOGGING_COLLECTOR_URL"
DEFAULTS: dict[str, Any] = {"thread_count": 4, "flush_interval": 0.2, "shutdown_timeout": 8.0}
"""Where a relay's differ from an emitter's; docker kills after ten seconds."""

SHORTEST_CLAIM, LONGEST_CLAIM = 0.5, 86_400.0  # seconds
TICK = 0.1  # seconds

FLAGS = {
    "--threads": "thread_count",
    "--batch-size": "batch_size",
    "--byte-limit": "byte_limit",
    "--flush-interval": "flush_interval",
    "--request-timeout": "request_timeout",
    "--max-retry-delay": "max_retry_delay",
    "--shutdown-timeout": "shutdown_timeout",
    "--path": "path",
}
"""The emitter's options that a relay has, too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "redis_url",
        metavar="REDIS_URL",
        nargs="?",
        default=os.environ.get(REDIS_URL),
        help="the stream: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://",
    )
    parser.add_argument(
        "collector_url",
        metavar="COLLECTOR_URL",
        nargs="?",
        default=os.environ.get(COLLECTOR_URL),
        help="the collector, as an endpoint of the handler",
    )
    parser.add_argument(
        "--group", default="relay", help="consumer group, which relays share (%(default)s)"
    )
    parser.add_argument(
        "--consumer", default=_consumer(), help="its own name in the group (host, process, chance)"
    )
    parser.add_argument(
        "--claim-after",
        metavar="SECONDS",
        type=float,
        default=10.0,
        help="adopt what another relay has not touched for so long (%(default)g)",
    )
    parser.add_argument(
        "--dead-letter",
        metavar="STREAM",
        help="where to put what cannot be sent (the stream's name and :dead)",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave what is sent in the stream, for other consumer groups",
    )
    parser.add_argument("--once", action="store_true", help="end when all is sent")
    parser.add_argument(
        "--metrics",
        metavar="[HOST:]PORT",
        help="serve /metrics, for Prometheus, and /health; on loopback unless HOST is given",
    )
    parser.add_argument("--quiet", action="store_true", help="show nothing but warnings")
    for flag, name in FLAGS.items():
        default = DEFAULTS.get(name, OPTIONS[name].default)
        shown = "" if default is None else f" ({default:g})"
        meaning = OPTIONS[name].meaning
        parser.add_argument(flag, dest=name, metavar="N", default=default, help=f"{meaning}{shown}")


def run(arguments: argparse.Namespace) -> int:
    """Relays until SIGINT or SIGTERM, or with ``--once`` until all is sent."""
    # Here, so that the options can be shown where the extra is not installed.
    from snowplow_logging.relay.relay import Relay  # noqa: PLC0415

    try:
        with ExitStack() as stack:
            settings = _settings(arguments)
            relay = Relay(settings)
            if arguments.metrics is not None:
                _serve(relay, arguments.metrics, stack)
            return _relay(relay, settings, quiet=arguments.quiet)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        sys.stderr.write(f"snowplow-logging relay: {reason}\n")
        return 2


def _relay(relay: Relay, settings: Settings, *, quiet: bool) -> int:
    from snowplow_logging.relay.screen import Screen  # noqa: PLC0415

    if (hopeless := relay.prepare()) is not None:
        sys.stderr.write(f"snowplow-logging relay: {hopeless}\n")
        return 1
    with _signals() as signalled, Screen(relay, quiet=quiet) as screen:
        screen.tell(f"{settings.address.base} to {relay.collector} as {settings.consumer}")
        relay.start()
        while relay.is_alive and not signalled:
            screen.update()
            time.sleep(TICK)
        ended = bool(signalled) or relay.ended
        left = relay.close(settings.options["shutdown_timeout"])
        screen.end(left)
    return 0 if ended else 1


def _settings(arguments: argparse.Namespace) -> Settings:
    from snowplow_logging import _redis_url  # noqa: PLC0415 - as above
    from snowplow_logging.relay.delivery import Delivery  # noqa: PLC0415
    from snowplow_logging.relay.relay import Settings  # noqa: PLC0415

    if not arguments.redis_url or not arguments.collector_url:
        raise ValueError(
            f"give REDIS_URL and COLLECTOR_URL, or set {REDIS_URL} and {COLLECTOR_URL}"
        )
    if not _redis_url.is_redis(arguments.redis_url):
        raise ValueError(f"REDIS_URL takes the address of a stream, like {_redis_url.EXAMPLE}")
    if not SHORTEST_CLAIM <= arguments.claim_after <= LONGEST_CLAIM:
        raise ValueError(f"--claim-after takes seconds from {SHORTEST_CLAIM:g}, up to a day")
    address = _redis_url.parse(arguments.redis_url)
    dead = arguments.dead_letter or f"{address.stream}:dead"
    if dead == address.stream:
        raise ValueError("--dead-letter takes another stream than the one that is read")
    return Settings(
        address=address,
        collector=arguments.collector_url,
        group=arguments.group,
        consumer=arguments.consumer,
        dead=dead,
        keep=arguments.keep,
        claim_after=arguments.claim_after,
        once=arguments.once,
        options=resolve(
            {name: getattr(arguments, name) for name in Delivery.NAMES}, Delivery.NAMES
        ),
    )


def _serve(relay: Relay, where: str, stack: ExitStack) -> None:
    from snowplow_logging.relay.metrics import MetricsServer  # noqa: PLC0415 - as above

    host, _, port = where.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the range of ports
        raise ValueError(f"--metrics takes a port, or an address and a port; not {where!r}")
    server = stack.enter_context(MetricsServer(relay, host.strip("[]") or "127.0.0.1", int(port)))
    sys.stderr.write(f"snowplow-logging relay: metrics at {server.url}\n")


def _consumer() -> str:
    """Returns a name that no other relay has: what a dead one left is adopted, never resumed."""
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(2).hex()}"


@contextmanager
def _signals() -> Generator[list[int]]:
    """Gives a list that gets the first SIGINT or SIGTERM; a second one ends the process."""
    signalled: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        signalled.append(number)
        for each in numbers:
            signal.signal(each, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield signalled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
