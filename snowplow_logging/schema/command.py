"""``snowplow-logging schema``: lists, shows, exports, lints and infers schemas.

The parts that need the extra ``collector`` are imported when they are asked for.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from snowplow_logging.schema import folders, screen
from snowplow_logging.schema.positions import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from snowplow_logging.schema.folders import Shipped
    from snowplow_logging.schema.sources import Seen

EXAMPLES = """\
examples:
  snowplow-logging schema list
  snowplow-logging schema show log_record
  snowplow-logging schema export --vendor com.acme ./registry
  snowplow-logging schema lint ./registry
  snowplow-logging schema infer -- python shop.py

Each has more with --help, as in: snowplow-logging schema lint --help
"""

LIST_EXAMPLES = """\
examples:
  snowplow-logging schema list
  snowplow-logging schema list --schemas ./registry

"to publish" is for your registry; "in any pipeline" is in Iglu Central, which pipelines know.
"""

SHOW_EXAMPLES = """\
examples:
  snowplow-logging schema show log_record
  snowplow-logging schema show iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0
  snowplow-logging schema show order_placed --schemas ./registry

A name alone means the latest version.
"""

EXPORT_EXAMPLES = """\
examples:
  snowplow-logging schema export --vendor com.acme ./registry
  igluctl static push ./registry/schemas https://iglu.acme.com/api API_KEY

writes the package's own schemas to DIR/schemas/VENDOR/NAME/jsonschema/VERSION. A file that is
there already stays as it is; if its contents are others, nothing at all is written.
"""

LINT_EXAMPLES = """\
examples:
  snowplow-logging schema lint ./registry
  snowplow-logging schema lint --strict ./registry/schemas/com.acme
  snowplow-logging schema lint --published ../main/registry ./registry

prints FILE:LINE: error|warning RULE MESSAGE for each finding. The exit status is 1 if there is
an error, with --strict also if there is a warning; else 0. An error makes data bad, or keeps
them out of the warehouse; a warning makes them hard to query.
"""

INFER_EXAMPLES = """\
examples:
  snowplow-logging schema infer -- python shop.py --port 8000
  snowplow-logging schema infer --collector http://localhost:9090 --output ./registry
  snowplow-logging schema infer --lines events.jsonl
  snowplow-logging schema infer --lines orders.jsonl --as iglu:com.acme/order/jsonschema/1-0-0

proposes a schema for each that your records name, from the data that were logged with it. The
command runs as it always does, and its handlers deliver as they are configured to; the more it
does meanwhile, the better the proposal. Lines hold {"schema": "iglu:…", "data": {…}}, or with
--as the data alone.
"""

NOTHING_SEEN = (
    "no event with a schema of yours was seen, so there is nothing to propose; log with "
    'extra={"schema": "iglu:com.acme/order_placed/jsonschema/1-0-0"}'
)

_VENDOR = re.compile(r"[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-commands and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _list_arguments(_action(actions, _list, "list the schemas there are", LIST_EXAMPLES))
    show = _action(actions, _show, "print a schema", SHOW_EXAMPLES)
    _ = show.add_argument("schema", metavar="URI|NAME", help="which one")
    _list_arguments(show)
    export = _action(actions, _export, "write our schemas for your registry", EXPORT_EXAMPLES)
    _ = export.add_argument("folder", metavar="DIR", type=Path, help="the root of a registry")
    _ = export.add_argument(
        "--vendor", type=_vendor, help="the vendor that they get, such as com.acme"
    )
    _lint_arguments(_action(actions, _lint, "check schemas and their versions", LINT_EXAMPLES))
    _infer_arguments(_action(actions, _infer, "propose schemas for what is logged", INFER_EXAMPLES))


def run(arguments: argparse.Namespace) -> int:
    """Runs the sub-command; returns the exit status."""
    perform: Callable[[argparse.Namespace], int] = arguments.perform
    try:
        status = perform(arguments)
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
    perform: Callable[[argparse.Namespace], int],
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
    parser.set_defaults(perform=perform)
    return parser


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    _ = parser.add_argument(
        "--schemas",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help=f"folder of schemas, {folders.LAYOUT}; may be given again",
    )


def _lint_arguments(parser: argparse.ArgumentParser) -> None:
    _ = parser.add_argument(
        "paths", metavar="DIR|FILE", type=Path, nargs="+", help="folders of schemas, or schemas"
    )
    _ = parser.add_argument("--strict", action="store_true", help="fail on warnings, too")
    _ = parser.add_argument(
        "--published",
        metavar="DIR",
        type=Path,
        help="copy of the registry as it is: what is in it must not change",
    )


def _infer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "%(prog)s [-h] [--output DIR] (-- COMMAND … | --collector URL | --lines FILE [--as URI])"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    _ = source.add_argument("--collector", metavar="URL", help="read a running local collector")
    _ = source.add_argument("--lines", metavar="FILE", help="read JSON lines; - is stdin")
    _ = source.add_argument(
        "words", metavar="-- COMMAND", nargs="*", default=[], help="run this and record its events"
    )
    _ = parser.add_argument("--as", dest="uri", metavar="URI", help="schema of bare data in lines")
    _ = parser.add_argument(
        "--output", metavar="DIR", type=Path, help="write files there, not to stdout"
    )


def _vendor(text: str) -> str:
    if not _VENDOR.fullmatch(text):
        message = f"takes a vendor such as com.acme, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return text


def _list(arguments: argparse.Namespace) -> int:
    screen.catalogue(_known(arguments.schemas))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    asked: str = arguments.schema
    known = _known(arguments.schemas)
    found = [schema for schema in known if asked in {schema.uri, schema.path, schema.name}]
    if not found:
        screen.complain(f"there is no schema {asked}; see: snowplow-logging schema list")
        return 1
    screen.document(max(found, key=lambda schema: folders.version_of(schema.path)).text)
    return 0


def _known(extra: Sequence[Path]) -> list[Shipped]:
    return folders.shipped() + [schema for folder in extra for schema in folders.in_folder(folder)]


def _export(arguments: argparse.Namespace) -> int:
    texts: dict[str, str] = {}
    for schema in folders.shipped():
        if schema.source == folders.OWN:
            path, text = _with_vendor(schema, arguments.vendor)
            texts[path] = text
    for file, is_new in folders.write_new(arguments.folder, texts):
        screen.say(f"{'wrote' if is_new else 'is there already'}  {file}")
    for path in texts:
        if "/log_record/" in path:
            screen.say(f'Once it is published, tell the handler: schema="iglu:{path}"')
    return 0


def _with_vendor(schema: Shipped, vendor: str | None) -> tuple[str, str]:
    """The path and the text of a schema under a vendor; nothing else in the text changes."""
    if vendor is None:
        return schema.path, schema.text
    span = read(schema.text).spans["self", "vendor"]
    text = f'{schema.text[: span.start]}"{vendor}"{schema.text[span.end :]}'
    return f"{vendor}/{schema.path.partition('/')[2]}", text


def _lint(arguments: argparse.Namespace) -> int:
    from snowplow_logging.schema.lint import Published, files_of, lint  # noqa: PLC0415 - an extra

    files, published = files_of(arguments.paths), Published(arguments.published)
    findings = [finding for file in files for finding in lint(file, published)]
    for finding in findings:
        screen.finding(finding)
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    screen.say(
        f"{_count(len(files), 'schema')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}",
        "bold red" if errors else "yellow" if warnings else "green",
    )
    return 1 if errors or (arguments.strict and warnings) else 0


def _infer(arguments: argparse.Namespace) -> int:
    from snowplow_logging.schema import sources  # noqa: PLC0415 - only here

    if arguments.uri and not arguments.lines:
        message = "--as says what --lines are, so it goes with them alone"
        raise ValueError(message)
    if arguments.collector:
        seen = sources.from_collector(arguments.collector)
    elif arguments.lines:
        with _opened(arguments.lines) as lines:
            seen = list(sources.from_lines(lines, arguments.uri))
    else:
        seen = sources.from_command(arguments.words)
    return _propose(seen, arguments.output)


def _opened(name: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _propose(seen: Sequence[Seen], output: Path | None) -> int:
    from snowplow_logging.schema.infer import Proposal  # noqa: PLC0415 - only here

    proposals: dict[str, Proposal] = {}
    for uri, data in seen:
        proposals.setdefault(uri, Proposal(uri)).add(data)
    if not proposals:
        screen.complain(NOTHING_SEEN)
        return 1
    for proposal in proposals.values():
        for text in proposal.notes():
            screen.note(text)
    texts = {uri.removeprefix("iglu:"): proposals[uri].text() for uri in sorted(proposals)}
    if output is None:
        for text in texts.values():
            screen.document(text)
    else:
        for file, is_new in folders.write_new(output, texts):
            screen.say(f"{'wrote' if is_new else 'is there already'}  {file}")
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
