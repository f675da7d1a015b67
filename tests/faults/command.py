"""The command line of ``python -m tests.faults``."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from tests.faults import pressure, soak
from tests.faults.console import show, tell
from tests.faults.document import write
from tests.faults.registry import FAULTS
from tests.faults.row import markdown, text
from tests.relay import command as relay
from tests.spool import command as spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.row import Row

THEMES = ("answers", "exits", "processes", "records", "servers", "spool")
EXAMPLES = """
examples:
  python -m tests.faults                         all faults, one after the other
  python -m tests.faults hang 503 celery         these three
  python -m tests.faults --list                  their names
  python -m tests.faults --write                 all, and docs/reliability.md is written anew
  python -m tests.faults pressure --write        logging calls while the queue is full
  python -m tests.faults spool kills             an application with a spool is killed, often
  python -m tests.faults soak --minutes 10       a collector that fails and restarts all the time
  python -m tests.faults relay --write           relays and Redis that are killed, and their speed
"""

for theme in THEMES:  # each enters its scenarios
    _ = import_module(f"tests.faults.scenarios_{theme}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 1 where something is not as expected."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["pressure"]:
        return pressure.main(given[1:])
    if given[:1] == ["soak"]:
        return soak.main(given[1:])
    if given[:1] == ["relay"]:
        return relay.main(given[1:])
    if given[:1] == ["spool"]:
        return spool.main(given[1:])
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Lets faults happen to applications that log, and shows what became of it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="FAULT", help="faults by name; default: all")
    parser.add_argument("--list", action="store_true", help="show the names")
    parser.add_argument("--write", action="store_true", help="write the table to the document")
    options = parser.parse_args(given)
    if unknown := set(options.names) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; see --list")
    if options.write and options.names:
        parser.error("--write takes all faults")
    if options.list:
        show("\n".join(f"{name:28}{fault.text}" for name, fault in FAULTS.items()))
        return 0
    rows = [_row(name) for name in options.names or FAULTS]
    show(text(rows))
    if options.write:
        write("faults", markdown(rows))
    return int(any(row.problems() for row in rows))


def _row(name: str) -> Row:
    tell(f"{name} …", end=" ")
    row = FAULTS[name].row()
    tell("; ".join(row.problems()) or "as expected")
    return row
