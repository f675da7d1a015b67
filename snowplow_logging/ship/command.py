"""``snowplow-logging ship``: sends existing JSON-lines logs as events."""

from __future__ import annotations

import argparse
import os
import sys

LONGEST_LINE = 2**30

EXAMPLES = """\
examples:
  snowplow-logging ship --to https://collector.acme.com app.log 'old/app.log.*.gz'
  snowplow-logging ship --config logging.yaml --follow '/var/log/shop/*.log'
  python shop.py 2>&1 | snowplow-logging ship --to http://localhost:9090 -
  snowplow-logging ship --check --map level=sev --map message=text app.log

A line becomes the event that its record would have become through the handler, with the same
options: from the command line, else from --config, else from the environment. Where it stopped
it goes on, and nothing is lost whatever ends it; what comes twice has the same event_id. While
the collector is down, or refuses, it waits.

The exit status is 0 if all lines were delivered; 1 if events were lost, or not delivered, or a
file could not be read; 3 if lines were malformed, but nothing was lost; 2 for wrong usage.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    add = parser.add_argument
    add(
        "files",
        metavar="FILE",
        nargs="*",
        help="a file of JSON lines, also compressed by gzip; a pattern such as 'logs/*.log'; "
        "- or nothing is stdin",
    )
    add("--to", metavar="URL", help="the collector")
    add("--follow", action="store_true", help="go on with what is written later, over rotations")
    add("--check", action="store_true", help="show what the first lines become, and send nothing")
    reading = parser.add_argument_group("what lines say")
    reading.add_argument(
        "--format",
        metavar="NAME",
        help="python-json-logger, structlog, loguru, bunyan, pino, ecs, or json for any other; by "
        "default each line's own is detected",
    )
    reading.add_argument(
        "--map",
        metavar="FIELD=NAME",
        type=_mapping,
        action="append",
        default=[],
        help="where a field is, as in level=severity or message=log.text; may be given again",
    )
    reading.add_argument(
        "--max-line", metavar="BYTES", type=_bytes, default=1024 * 1024,
        help="a longer line is malformed (%(default)s)",
    )  # fmt: skip
    reading.add_argument(
        "--malformed", metavar="FILE", help="append malformed lines there, to look at them"
    )
    events = parser.add_argument_group("what they become")
    events.add_argument(
        "--config",
        metavar="WHERE",
        help="take the options of the SnowplowHandler in a logging configuration: a .yaml or "
        ".json file, a Python name such as acme.log:LOGGING, or django:",
    )
    events.add_argument("--schema", metavar="URI", help="the schema of plain records")
    events.add_argument("--app-id", metavar="ID", help="id of the application")
    events.add_argument("--namespace", metavar="NAME", help="name of the tracker")
    events.add_argument("--platform", metavar="P", help="srv, web, iot, …")
    events.add_argument("--level", metavar="LEVEL", help="leave out what is less severe")
    events.add_argument(
        "--redact", action=argparse.BooleanOptionalAction, help="remove secrets (it does)"
    )
    how = parser.add_argument_group("how they are sent")
    how.add_argument("--state", metavar="FILE", help="where places in files are remembered")
    how.add_argument("--again", action="store_true", help="begin anew with files that are known")
    how.add_argument(
        "--give-up-after", metavar="S", type=_seconds,
        help="end when nothing could be delivered for S seconds; by default it waits",
    )  # fmt: skip
    how.add_argument(
        "--skip-refused", action="store_true",
        help="give up events that the collector answers with 4xx, as the handler does",
    )  # fmt: skip
    how.add_argument("--quiet", action="store_true", help="show problems alone")


def run(arguments: argparse.Namespace) -> int:
    """Ships; returns the exit status."""
    # Here, so that the options can be shown quickly.
    from snowplow_logging.doctor.source import (  # noqa: PLC0415
        BrokenError,
        UsageError,
        application_path,
    )
    from snowplow_logging.ship.play import play  # noqa: PLC0415
    from snowplow_logging.ship.state import StateError  # noqa: PLC0415

    try:
        with application_path():
            status = play(arguments)
            sys.stdout.flush()
            return status
    except BrokenPipeError:  # whoever reads has seen enough, as with head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (BrokenError, UsageError, StateError, ValueError, TypeError) as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")
    sys.stderr.write(f"snowplow-logging ship: {' '.join(reason.split())}\n")
    return 2


def _mapping(text: str) -> tuple[str, str]:
    field, found, name = text.partition("=")
    if not (field and found and name):
        message = f"takes a field and a name, as in level=severity, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return field, name


def _bytes(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 0 < number <= LONGEST_LINE:
        message = f"takes a whole number of bytes from 1 to {LONGEST_LINE}, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        message = f"takes seconds over 0, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return seconds
