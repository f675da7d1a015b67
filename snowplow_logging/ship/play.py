"""Puts the parts together for one run of the command, and says what came of it."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, TYPE_CHECKING

from snowplow_logging.schema.screen import say
from snowplow_logging.ship.check import check
from snowplow_logging.ship.delivery import Delivery
from snowplow_logging.ship.files import Files
from snowplow_logging.ship.formats import FORMATS, TARGETS
from snowplow_logging.ship.found import absolute, scan
from snowplow_logging.ship.logfile import PIPE
from snowplow_logging.ship.mapping import LineMapper
from snowplow_logging.ship.options import NO_ENDPOINT, Options, of_config
from snowplow_logging.ship.outcome import LOST, MALFORMED
from snowplow_logging.ship.screen import Screen
from snowplow_logging.ship.shipment import Mark, Shipment
from snowplow_logging.ship.state import State, default_path

if TYPE_CHECKING:
    import argparse

_OF_HANDLER = ("schema", "app_id", "namespace", "platform", "redact", "level")


def play(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit status.

    Raises:
        ValueError, TypeError, OSError, StateError, UsageError, BrokenError: It cannot begin.
    """
    said = {name: getattr(arguments, name) for name in _OF_HANDLER}
    config = of_config(arguments.config) if arguments.config else {}
    options = Options(config, {**said, "endpoint": arguments.to})
    mapper = _mapper(arguments, options)
    patterns = _patterns(arguments.files)
    if arguments.check:
        return _check(patterns, mapper, arguments.max_line)
    if not options.endpoint:
        raise ValueError(NO_ENDPOINT)
    screen = Screen(quiet=arguments.quiet)
    with ExitStack() as stack:
        _ = stack.enter_context(closing(screen))
        shipment = _shipment(
            arguments, options, patterns=patterns, mapper=mapper, screen=screen, stack=stack
        )
        outcome = shipment.run(options.values["shutdown_timeout"])
    if (problem := outcome.problem()) is not None:
        screen.say(problem, "bold red")
    if not arguments.quiet:
        say(outcome.summary())
    return outcome.status(follows=arguments.follow)


def _check(patterns: list[str], mapper: LineMapper, max_line: int) -> int:
    screen = Screen(quiet=True)
    found = scan(patterns, lambda path, error: screen.complain(path, error.strerror or f"{error}"))
    paths = [*([PIPE] if PIPE in patterns else []), *(each.path for each in found.values())]
    is_well = check(paths, mapper, max_line)
    return LOST if screen.complaints else 0 if is_well else MALFORMED


def _shipment(
    arguments: argparse.Namespace,
    options: Options,
    *,
    patterns: list[str],
    mapper: LineMapper,
    screen: Screen,
    stack: ExitStack,
) -> Shipment:
    """Makes what ships; what it holds is closed with the stack, the delivery first."""
    delivery: Delivery[Mark] = Delivery(
        options.endpoint, options.values, skip_refused=arguments.skip_refused
    )
    named = Path(arguments.state) if arguments.state else default_path(delivery.endpoint)
    state = stack.enter_context(closing(State(named if patterns != [PIPE] else None)))
    files = Files(
        absolute(patterns),
        state,
        follow=arguments.follow,
        again=arguments.again,
        max_line=arguments.max_line,
        complain=screen.complain,
    )
    _ = stack.enter_context(closing(files))
    malformed = stack.enter_context(_kept(arguments.malformed)) if arguments.malformed else None
    _ = stack.enter_context(closing(delivery))
    return Shipment(
        files,
        mapper,
        delivery,
        state,
        screen,
        malformed=malformed,
        level=options.level,
        max_line=arguments.max_line,
        give_up_after=arguments.give_up_after,
    )


def _mapper(arguments: argparse.Namespace, options: Options) -> LineMapper:
    mapping = dict(arguments.map)
    for field in mapping:
        if field not in TARGETS:
            raise ValueError(f"--map takes {', '.join(TARGETS)}; not {field}")
    if arguments.format not in (None, *FORMATS):
        raise ValueError(f"--format takes {', '.join(FORMATS)}; not {arguments.format}")
    values = options.values
    return LineMapper(
        format_=arguments.format,
        mapping=mapping,
        schema=values["schema"],
        exceptions=values["exceptions"],
        record_entity=values["record_entity"],
        contexts=[*values["contexts"], *filter(None, [values["application"]])],
        redactor=values["redact"],
    )


def _patterns(files: list[str]) -> list[str]:
    if not files and sys.stdin.isatty():
        raise ValueError("name a file, or a pattern such as 'logs/*.log', or pipe lines into it")
    return files or [PIPE]


def _kept(path: str) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "ab")
