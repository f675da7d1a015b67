"""Which Snowplow handlers a configuration makes, and which loggers they are on.

The law: only our own handlers are made, with their formatters and filters. No logger is touched,
and no handler of others is made: a file handler would create its file.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from logging.config import DictConfigurator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from snowplow_logging._options import ENVIRONMENT_PREFIX
from snowplow_logging.doctor import probe
from snowplow_logging.doctor.findings import Findings, note, ok, one_line, problem
from snowplow_logging.handler import SnowplowHandler

if TYPE_CHECKING:
    from snowplow_logging.doctor.probe import Sample

HOW_TO_ADD_ONE = """\
add one: "snowplow": {"class": "snowplow_logging.SnowplowHandler",
  "endpoint": "https://collector.acme.com"} under "handlers", and "snowplow" to root's handlers"""


class Configured(NamedTuple):
    """A Snowplow handler, and the events that it makes of examples."""

    handler: SnowplowHandler
    samples: list[Sample]


def of_environment(endpoint: str | None) -> Findings[list[Configured]]:
    """Makes the handler that the environment's options give, which ``endpoint`` may complete."""
    try:
        handler = SnowplowHandler(endpoint)
    except ValueError as error:
        yield problem("handler", one_line(error), "mend --endpoint or the environment")
        return []
    named = [name for name in sorted(os.environ) if name.startswith(ENVIRONMENT_PREFIX)]
    yield ok("handler", f"of {', '.join(named) or '--endpoint'}")
    return [Configured(handler, (yield from probe.examine(handler)))]


def broken(reason: str) -> Findings[list[Configured]]:
    """Finds that there is no configuration."""
    yield problem("read", reason, "mend it: the application would not start")
    return []


def examine(config: Mapping[str, Any], endpoint: str | None) -> Findings[list[Configured]]:
    """Makes the Snowplow handlers of ``config``; finds what is wrong with it.

    Args:
        config: As dictConfig takes it.
        endpoint: Replaces that of the handlers.
    """
    made: list[Configured] = []
    configurator = _Configurator(config)
    unknown = False
    yield from _wrong_loggers(config)
    for name, spec in _mappings(config.get("handlers")).items():
        try:
            made_by = configurator.made_by(spec)
            if not isinstance(made_by, type):
                unknown = True
                yield note("handler", f"{name} is made by a function, which is not called here")
            if not (isinstance(made_by, type) and issubclass(made_by, SnowplowHandler)):
                continue
            handler = configurator.handler(name, spec, endpoint)
        except Exception as error:  # noqa: BLE001 - what the configuration names may raise anything
            unknown = True
            text = f"{name}: {_reason(error)}"
            yield problem("handler", text, "mend this handler: the application would not start")
            continue
        yield from _placed(config, name, handler)
        made.append(Configured(handler, (yield from probe.examine(handler))))
    if not made and not unknown:
        yield problem("handler", "no handler is a SnowplowHandler", HOW_TO_ADD_ONE)
    if made and config.get("disable_existing_loggers", True) and not config.get("incremental"):
        text = "disable_existing_loggers is true: loggers made before it is loaded fall silent"
        yield note("loggers", text, 'set "disable_existing_loggers": false')
    return made


class _Configurator:
    """Makes handlers as dictConfig does, one by one."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._own: Any = DictConfigurator({key: config[key] for key in config})
        self._config: Any = self._own.config

    def made_by(self, spec: Mapping[str, Any]) -> Any:
        """Returns the class, or the function, that makes this handler."""
        named: Any = spec.get("()") or spec.get("class")
        return self._own.resolve(named) if isinstance(named, str) else named

    def handler(self, name: str, spec: Mapping[str, Any], endpoint: str | None) -> SnowplowHandler:
        """Makes the handler ``name``."""
        if spec.get("formatter"):
            self._make("formatters", spec["formatter"], self._own.configure_formatter)
        for each in spec.get("filters") or ():
            self._make("filters", each, self._own.configure_filter)
        given: Any = self._config["handlers"][name]
        if endpoint:
            given["endpoint"] = endpoint
        handler: SnowplowHandler = self._own.configure_handler(given)
        return handler

    def _make(self, section: str, name: Any, configure: Any) -> None:
        if not isinstance(name, str):
            return  # from Python 3.11 on a filter itself
        specs: dict[str, Any] = self._config.get(section) or {}
        if name not in specs:
            msg = f"there is no {name!r} under {section!r}"
            raise ValueError(msg)
        if isinstance(specs[name], Mapping):  # else it is made already
            specs[name] = configure(specs[name])


def _placed(config: Mapping[str, Any], name: str, handler: SnowplowHandler) -> Findings[None]:
    """Finds the loggers that a handler is on, and from which level they reach it."""
    through = {name} | {
        other
        for other, spec in _mappings(config.get("handlers")).items()
        if spec.get("target") == name or name in _names(spec.get("handlers"))  # buffers, queues
    }
    loggers = _loggers(config)
    found = [each for each, spec in loggers.items() if through & _names(spec.get("handlers"))]
    if not found:
        advice = (
            f'add "{name}" to "handlers" of "root": {{"level": "INFO", "handlers": ["{name}"]}}'
        )
        yield problem("handler", f"{name} is on no logger, so it gets no record", advice)
        return
    levels = [max(_level(loggers, each), handler.level) for each in found]
    places = [
        f"{each or 'root'} from {logging.getLevelName(level)}"
        for each, level in zip(found, levels, strict=True)
    ]
    yield ok("handler", f"{name} on {', '.join(places)}")
    yield from _hints(loggers, found, name)


def _wrong_loggers(config: Mapping[str, Any]) -> Findings[None]:
    handlers = _mappings(config.get("handlers"))
    for name, spec in _loggers(config).items():
        advice = f"mend this logger ({name or 'root'}): the application would not start"
        try:
            _ = logging.Handler(spec.get("level") or 0)  # takes numbers and names, as loggers do
        except (TypeError, ValueError) as error:
            yield problem("loggers", f"{name or 'root'}: {one_line(error)}", advice)
        named: Any = spec.get("handlers") or ()
        if isinstance(named, str) or not isinstance(named, Iterable):
            text = f"{name or 'root'}: handlers takes a list of names, not {named!r}"
            yield problem("loggers", text, advice)
        for each in sorted(_names(named) - handlers.keys()):
            text = f"{name or 'root'} names the handler {each}, which there is not"
            yield problem("loggers", text, advice)


def _hints(loggers: Mapping[str, Mapping[str, Any]], found: list[str], name: str) -> Findings[None]:
    if "" in found and "level" not in loggers.get("", {}):
        text = "root has no level, which means WARNING: INFO records are not sent"
        yield note("level", text, 'set "level": "INFO" for "root"')
    for each, spec in loggers.items():
        if each and spec.get("propagate") is False and each not in found:
            text = f"{each} does not propagate, and does not name {name}: its records stay out"
            yield note("loggers", text, f'add "{name}" to its handlers if they are wanted')


def _loggers(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Returns what is said of each logger; root's name is empty."""
    loggers = dict(_mappings(config.get("loggers")))
    root = config.get("root")
    if isinstance(root, Mapping):
        loggers[""] = cast("Mapping[str, Any]", root)
    return loggers


def _level(loggers: Mapping[str, Mapping[str, Any]], name: str) -> int:
    """Returns the effective level of a logger, its parents' where it has none itself."""
    while True:
        said = loggers.get(name, {}).get("level")
        with suppress(TypeError, ValueError):  # told of before
            if said:
                return logging.Handler(said).level
        if not name:
            return logging.WARNING
        name = name.rpartition(".")[0]


def _names(value: Any) -> set[str]:
    """Returns the names in a list; none of what is no list."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return set()
    return {each for each in cast("Iterable[Any]", value) if isinstance(each, str)}


def _mappings(section: Any) -> dict[str, Mapping[str, Any]]:
    """Returns the members of a section that are mappings."""
    if not isinstance(section, Mapping):
        return {}
    members = cast("Mapping[str, Any]", section)
    return {name: each for name, each in members.items() if isinstance(each, Mapping)}


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None and not isinstance(error, (ValueError, TypeError)):
        error = error.__cause__
    return one_line(error)
