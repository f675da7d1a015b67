"""The ``snowplow-logging`` command: finds the subcommand, loads its module, runs it.

Each command lives in a module with two functions, ``add_arguments(parser)`` and
``run(arguments) -> exit status``. Only the module that is asked for is imported, so that
a command which needs an extra does not stop the others from working.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING, Protocol, cast

from snowplow_logging._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


class Command(Protocol):
    """What a command's module holds."""

    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the options of the command."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Does the work; returns the exit status."""
        ...


# name → (module, one line of help)
COMMANDS = {
    "demo": ("snowplow_logging.demo.command", "see a web shop's log records arrive as events"),
    "collector": ("snowplow_logging.collector.command", "run the local collector"),
    "relay": ("snowplow_logging.relay.command", "send a Redis Stream to a collector"),
    "doctor": ("snowplow_logging.doctor.command", "examine a configuration, and what it reaches"),
    "spool": ("snowplow_logging.spool.command", "show, send, export or drop spooled events"),
    "schema": ("snowplow_logging.schema.command", "list, export, lint and infer schemas"),
    "ship": ("snowplow_logging.ship.command", "send existing JSON-lines logs as events"),
}

EXTRAS = {"relay": "redis"}
"""What each command needs, where that is not the extra ``collector``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line ``argv`` (``sys.argv[1:]`` by default); returns the exit status."""
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - to the end of the process
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="snowplow-logging", description="Log records as Snowplow events."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, (module, summary) in COMMANDS.items():
        subparser = commands.add_parser(
            name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == chosen:
            command = cast("Command", importlib.import_module(module))
            subparser.description, subparser.epilog = summary, command.EXAMPLES
            command.add_arguments(subparser)
            subparser.set_defaults(run=command.run)
    arguments = parser.parse_args(words)
    try:
        return int(arguments.run(arguments))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "snowplow_logging":
            raise
        extra = EXTRAS.get(chosen or "", "collector")
        parser.exit(2, f"{chosen} needs {missing}: pip install 'snowplow-logging[{extra}]'\n")
    except KeyboardInterrupt:
        return 130
