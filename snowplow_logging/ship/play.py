"""Puts the parts together for one run of the command, and says what came of it."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from snowplow_logging import _endpoint
from snowplow_logging.schema.screen import say
from snowplow_logging.ship.check import check
from snowplow_logging.ship.delivery import Delivery
from snowplow_logging.ship.files import Files
from snowplow_logging.ship.formats import FORMATS, TARGETS
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
    if not (options.endpoint or arguments.check):
        raise ValueError(NO_ENDPOINT)
    with ExitStack() as stack:
        screen = stack.enter_context(closing(Screen(quiet=arguments.quiet or arguments.check)))
        remembers = not arguments.check and patterns != [PIPE]
        state = State(_state_path(arguments.state, options) if remembers else None)
        _ = stack.enter_context(closing(state))
        files = Files(
            patterns,
            state,
            follow=arguments.follow and not arguments.check,
            again=arguments.again,
            max_line=arguments.max_line,
            complain=screen.complain,
        )
        _ = stack.enter_context(closing(files))
        if arguments.check:
            is_well = check(files, mapper, arguments.max_line)
            return LOST if screen.complaints else 0 if is_well else MALFORMED
        shipment = _shipment(arguments, options, stack, (files, mapper, state, screen))
        outcome = shipment.run(options.values["shutdown_timeout"])
    outcome = replace(outcome, can_repeat=PIPE not in patterns)
    if (problem := outcome.problem()) is not None:
        screen.say(problem, "bold red")
    if not arguments.quiet:
        say(outcome.summary())
    return outcome.status(follows=arguments.follow)


def _shipment(
    arguments: argparse.Namespace,
    options: Options,
    stack: ExitStack,
    parts: tuple[Files, LineMapper, State, Screen],
) -> Shipment:
    delivery: Delivery[Mark] = Delivery(
        options.endpoint, options.values, skip_refused=arguments.skip_refused
    )
    _ = stack.enter_context(closing(delivery))
    files, mapper, state, screen = parts
    return Shipment(
        files,
        mapper,
        delivery,
        state,
        screen,
        malformed=stack.enter_context(_kept(arguments.malformed)) if arguments.malformed else None,
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


def _state_path(named: str | None, options: Options) -> Path:
    if named is not None:
        return Path(named)
    names = ("protocol", "port", "method", "path")
    endpoint = _endpoint.parse(options.endpoint, *(options.values[name] for name in names))
    return default_path(endpoint.url)


def _kept(path: str) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "ab")
