"""The handler's options, as the command line, a logging configuration or the environment has them.

The law: they mean what they mean to the handler, and what the command line says wins.
"""

from __future__ import annotations

import logging
from logging.config import DictConfigurator
from typing import TYPE_CHECKING, Any

from snowplow_logging._options import HandlerOptions, from_environment, resolve
from snowplow_logging.doctor.source import read
from snowplow_logging.handler import SnowplowHandler

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ENDPOINT = (
    "no collector: give --to https://collector.acme.com or --config logging.yaml, or set "
    "SNOWPLOW_LOGGING_ENDPOINT"
)
_NAMES = [name for name in HandlerOptions.__annotations__ if name not in ("emitter", "tracker")]
MANY_THREADS = 4  # that deliver by default: a collector far away answers each after a while


class Options:
    """All that a handler is configured with.

    Args:
        config: What a handler of a logging configuration is given; see ``of_config``.
        given: What the command line says; None where it says nothing.

    Raises:
        ValueError: An option takes no such value.
        TypeError: There is no such option.

    Attributes:
        endpoint: The collector; empty if nothing says it.
        level: The least level that is sent.
        values: The value of each option.
    """

    def __init__(self, config: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        said = {**config, **{name: given[name] for name in given if given[name] is not None}}
        self.endpoint: str = said.pop("endpoint", None) or from_environment("endpoint") or ""
        self.level = _level(said.pop("level", 0))
        if from_environment("thread_count") is None:
            said.setdefault("thread_count", MANY_THREADS)
        self.values = resolve(said, _NAMES, environment=True)


def _level(value: Any) -> int:
    try:
        if isinstance(value, str):
            value = int(value) if value.isdecimal() else value.upper()
        return logging.Handler(value).level
    except (TypeError, ValueError):
        raise ValueError(f"level takes a name or a number, as WARNING; not {value!r}") from None


def of_config(source: str) -> dict[str, Any]:
    """Returns what a logging configuration gives its SnowplowHandler.

    Args:
        source: As ``doctor --config`` takes it.

    Raises:
        ValueError: It has none, or several.
        UsageError, BrokenError: It cannot be read.
    """
    configurator = DictConfigurator({**read(source)})
    config: Any = configurator.config
    ours: dict[str, dict[str, Any]] = {}
    handlers: Any = config.get("handlers") or {}
    for name in handlers:
        spec = handlers[name]
        made_by: Any = spec.get("()") or spec.get("class")
        made_by = configurator.resolve(made_by) if isinstance(made_by, str) else made_by
        if isinstance(made_by, type) and issubclass(made_by, SnowplowHandler):
            ours[str(name)] = {key: spec[key] for key in spec if key not in _OF_LOGGING}
    if len(ours) != 1:
        names = ", ".join(ours) or "none"
        raise ValueError(f"{source} has to have one SnowplowHandler, and has {names}")
    return next(iter(ours.values()))


_OF_LOGGING = ("()", "class", "formatter", "filters", ".")
