"""``snowplow-logging doctor``: examines a configuration and the way of its events."""

from __future__ import annotations

import argparse
import math
import os
import sys
from urllib.parse import urlsplit

from snowplow_logging.doctor.findings import plain
from snowplow_logging.doctor.source import API_KEY, UsageError, application_path
from snowplow_logging.self_describing_json import is_schema_uri

EXAMPLES = """\
examples:
  snowplow-logging doctor --config logging.yaml --iglu https://iglu.acme.com
  snowplow-logging doctor --config acme.log:LOGGING --send
  snowplow-logging doctor --config django:
  snowplow-logging doctor --endpoint https://collector.acme.com

Without --config it examines what the environment's SNOWPLOW_LOGGING_ENDPOINT gives. It sends
nothing without --send. Exit status: 0 all is well, 1 there is something to fix, 2 wrong usage.
"""


LONGEST_TIMEOUT = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--config",
        metavar="WHERE",
        help="the logging configuration: a .yaml or .json file, a Python name such as "
        "acme.log:LOGGING, or django: for its settings",
    )
    parser.add_argument("--endpoint", metavar="URL", help="the collector, instead of the handlers'")
    parser.add_argument(
        "--iglu",
        metavar="URL",
        action="append",
        type=_registry,
        default=[],
        help="your schema registry, static or a server; may be given again",
    )
    parser.add_argument(
        "--iglu-central",
        metavar="URL",
        type=_registry,
        default="https://iglucentral.com",
        help="where the standard schemas are (%(default)s)",
    )
    parser.add_argument(
        "--schema",
        metavar="URI",
        action="append",
        type=_uri,
        default=[],
        help="a schema that the application's own calls name; may be given again",
    )
    parser.add_argument("--send", action="store_true", help="send one event, marked as a test")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=5.0,
        help="the longest that each step waits, in seconds (%(default)g)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Examines everything; returns the exit status."""
    try:
        with application_path():
            # Here, so that the options can be shown quickly.
            from snowplow_logging.doctor.examination import Examination  # noqa: PLC0415

            status = Examination(arguments).run()
            sys.stdout.flush()
            return status
    except BrokenPipeError:  # whoever reads has seen enough, as with head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # of the output; what is examined has its own words
        sys.stderr.write(f"snowplow-logging doctor: cannot write: {error.strerror}\n")
        return 1
    except UsageError as error:
        sys.stderr.write(f"snowplow-logging doctor: {plain(str(error))}\n")
        return 2


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_TIMEOUT:
        msg = f"takes seconds over 0, up to {LONGEST_TIMEOUT}, not {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _registry(text: str) -> str:
    """Takes the address of a registry; what is none is not quoted, as it may hold a secret."""
    url = text if "://" in text else f"https://{text}"
    msg = "takes the address of a registry, such as https://iglu.acme.com"
    try:
        parts = urlsplit(url)
        port = parts.port  # which it looks at here alone
    except ValueError:
        raise argparse.ArgumentTypeError(msg) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise argparse.ArgumentTypeError(msg)
    if "@" in parts.path:
        msg = "takes user and password with / as %2F and @ as %40"
        raise argparse.ArgumentTypeError(msg)
    if parts.query or parts.fragment:
        msg = "takes an address without ?… or #…; a key goes into the environment's " + API_KEY
        raise argparse.ArgumentTypeError(msg)
    return url


def _uri(text: str) -> str:
    if not is_schema_uri(text):
        msg = f"{text!r} is no Iglu URI such as iglu:com.acme/order_placed/jsonschema/1-0-0"
        raise argparse.ArgumentTypeError(msg)
    return text
