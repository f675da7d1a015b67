"""``snowplow-logging spool``: shows, sends, exports and drops what is in a spool."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from snowplow_logging._options import OPTIONS
from snowplow_logging.spool import screen
from snowplow_logging.spool.contents import Contents, Part, decoded, payload, time_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

EXAMPLES = """\
examples:
  snowplow-logging spool status ~/.cache/shop/spool.db
  snowplow-logging spool list ~/.cache/shop/spool.db
  snowplow-logging spool send ~/.cache/shop/spool.db https://collector.acme.com

Applications may use the spool meanwhile. Each action has more with --help, as in:
snowplow-logging spool send --help
"""

STATUS_EXAMPLES = """\
examples:
  snowplow-logging spool status ~/.cache/shop/spool.db

shows how many events there are for which collector, and which process has them in its care: one
that runs sends them itself, as soon as it can. What nobody has, the next process with this spool
and this collector sends, or: snowplow-logging spool send
"""

LIST_EXAMPLES = """\
examples:
  snowplow-logging spool list ~/.cache/shop/spool.db
  snowplow-logging spool list ~/.cache/shop/spool.db --limit 0
  snowplow-logging spool list ~/.cache/shop/spool.db --json | jq .data

With --json each event is a line with its data and entities, decoded.
"""

SEND_EXAMPLES = """\
examples:
  snowplow-logging spool send ~/.cache/shop/spool.db https://collector.acme.com
  snowplow-logging spool send spool.db https://new.acme.com --meant-for https://old.acme.com

sends what no running process has in its care, whatever collector it was meant for, and deletes
what was acknowledged. Events keep their ids and times. The exit status is 0 if nothing is left,
1 if something is, or was refused; it can be run again.
"""

EXPORT_EXAMPLES = """\
examples:
  snowplow-logging spool export ~/.cache/shop/spool.db events.jsonl
  snowplow-logging spool export ~/.cache/shop/spool.db | gzip > events.jsonl.gz

writes each event as a line of JSON, with the fields of the tracker protocol as they would be
sent. The spool stays as it is.
"""

DROP_EXAMPLES = """\
examples:
  snowplow-logging spool drop ~/.cache/shop/spool.db --older-than 7d
  snowplow-logging spool drop ~/.cache/shop/spool.db --yes

deletes events for good, also those that a running process has in its care; it counts them as
spool_lost. What that has in memory already, it sends.
"""

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DEFAULT_LIMIT = 50
_DEFAULT_PATIENCE = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-commands and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _ = _action(actions, _status, "show how many events there are, and who has them",
                STATUS_EXAMPLES)  # fmt: skip
    listing = _action(actions, _list, "show the events", LIST_EXAMPLES)
    _ = listing.add_argument("--json", action="store_true", help="decoded, a line of JSON each")
    _ = listing.add_argument(
        "--limit",
        type=_whole,
        default=_DEFAULT_LIMIT,
        metavar="N",
        help="show so many (%(default)s); 0: all",
    )
    sending = _action(actions, _send, "send them", SEND_EXAMPLES)
    _ = sending.add_argument("endpoint", metavar="COLLECTOR_URL", help="where to")
    _ = sending.add_argument(
        "--meant-for", metavar="URL", help="only what was logged for this collector, as status says"
    )
    _ = sending.add_argument(
        "--threads", type=_whole, default=4, metavar="N", help="requests at once (%(default)s)"
    )
    _ = sending.add_argument(
        "--patience",
        type=_seconds,
        default=_DEFAULT_PATIENCE,
        metavar="S",
        help="give up after so many seconds in which nothing went (%(default)g)",
    )
    export = _action(actions, _export, "write them as lines of JSON", EXPORT_EXAMPLES)
    _ = export.add_argument("file", metavar="FILE", nargs="?", help="a new file; default: stdout")
    dropping = _action(actions, _drop, "delete them", DROP_EXAMPLES)
    _ = dropping.add_argument(
        "--older-than", type=_age, metavar="AGE", help="only those: 30s, 10m, 12h or 7d"
    )
    _ = dropping.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Runs the sub-command; returns the exit status."""
    perform: Callable[[Contents, argparse.Namespace], int] = arguments.perform
    try:
        status = perform(Contents(arguments.path), arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has seen enough, as with head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        screen.complain(f"{where}{error.strerror or error}")
    except ValueError as error:
        screen.complain(str(error))
    return 1


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    perform: Callable[[Contents, argparse.Namespace], int],
    summary: str,
    examples: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        perform.__name__.lstrip("_"),
        help=summary,
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _ = parser.add_argument("path", metavar="PATH", type=_path, help="the spool")
    parser.set_defaults(perform=perform)
    return parser


def _status(contents: Contents, _: argparse.Namespace) -> int:
    parts = contents.parts()
    events, bytes_ = sum(part.events for part in parts), sum(part.size for part in parts)
    on_disk = screen.size(Path(contents.path).stat().st_size)
    screen.say(f"{contents.path}: {_events(events)}, {screen.size(bytes_)}; the file: {on_disk}")
    if parts:
        headings = ["Collector", "Events", "Size", "First", "Last", "In the care of"]
        screen.table(headings, [_row(part) for part in parts], right=[1, 2])
    for file in contents.set_aside():
        screen.say(f"{file} was broken and set aside")
    return 0


def _row(part: Part) -> list[str]:
    return [
        part.segment.endpoint,
        str(part.events),
        screen.size(part.size),
        _time(part.first_ms),
        _time(part.last_ms),
        "nobody" if part.holder is None else f"process {part.holder}",
    ]


def _list(contents: Contents, arguments: argparse.Namespace) -> int:
    limit = arguments.limit or None
    found = islice(contents.rows(), limit)
    if arguments.json:
        for segment, row in found:
            event = decoded(row)._asdict()
            event["logged"] = event["logged"].isoformat()
            line = json.dumps({**event, "collector": segment.endpoint}, ensure_ascii=True)
            _ = sys.stdout.write(f"{line}\n")
        return 0
    events = [decoded(row) for _, row in found]
    rows = [
        [e.logged.isoformat(" ", "milliseconds")[:23], e.level, str(e.size), e.schema, e.eid]
        for e in events
    ]
    screen.table(["Logged (UTC)", "Level", "Bytes", "Schema", "Event id"], rows, right=[2])
    all_ = sum(part.events for part in contents.parts())
    if all_ > len(events):
        screen.say(f"and {all_ - len(events)} more; --limit 0 shows all")
    return 0


def _send(contents: Contents, arguments: argparse.Namespace) -> int:
    from snowplow_logging.spool.sending import Sending  # noqa: PLC0415 - takes long to import

    meant_for: str | None = arguments.meant_for
    total = contents.left(meant_for)
    held = sum(part.events for part in contents.parts() if part.holder is not None)
    with screen.progress("Sending", total) as move:
        sending = Sending(arguments.endpoint, contents, meant_for, max(1, arguments.threads))
        stats = sending.send(arguments.patience, lambda s: move(s.delivered + s.dropped))
    left = contents.left(meant_for)
    screen.say(f"{_events(stats.delivered)} sent, {stats.dropped} refused, {left} left")
    if held:
        screen.say(f"{_events(held)} are in the care of processes that run, and send them")
    if left:
        why = stats.last_error or "no answer yet"
        screen.complain(f"{sending.endpoint} does not take them: {why}")
    return 1 if left or stats.dropped else 0


def _export(contents: Contents, arguments: argparse.Namespace) -> int:
    with _created(arguments.file) as file:
        number = 0
        for _, row in contents.rows():
            _ = file.write(json.dumps(payload(row), ensure_ascii=True) + "\n")
            number += 1
    if arguments.file is not None:
        screen.say(f"{_events(number)} written to {arguments.file}")
    return 0


def _created(name: str | None) -> AbstractContextManager[TextIO]:
    if name is None:
        return nullcontext(sys.stdout)
    descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def _drop(contents: Contents, arguments: argparse.Namespace) -> int:
    age: float | None = arguments.older_than
    before_ms = 2**62 if age is None else int((time.time() - age) * 1000)
    number = sum(row.created_ms < before_ms for _, row in contents.rows())
    if number and not arguments.yes:
        if not sys.stdin.isatty():
            screen.complain(f"{_events(number)} would be dropped: say --yes")
            return 2
        answer = input(f"Drop {_events(number)} of {contents.path} for good? [y/N] ")
        if answer.strip().lower() not in {"y", "yes"}:
            return 1
    screen.say(f"{_events(contents.drop(before_ms))} dropped")
    return 0


def _path(text: str) -> str:
    try:
        path: str = OPTIONS["spool"].parse(text)
    except ValueError as error:
        message = f"takes {OPTIONS['spool'].takes}, not {text!r}"
        raise argparse.ArgumentTypeError(message) from error
    return path


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        message = f"takes a whole number, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds: float = OPTIONS["flush_interval"].parse(text)
    except ValueError:
        message = f"takes seconds, not {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return seconds


def _age(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if found is None:
        message = f"takes an age such as 30s, 10m, 12h or 7d, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return float(found[1]) * _UNITS[found[2]]


def _events(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"


def _time(milliseconds: int | None) -> str:
    return "" if milliseconds is None else time_of(milliseconds).isoformat(" ", "seconds")[:19]
