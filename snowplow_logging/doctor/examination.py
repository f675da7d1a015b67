"""One run of the doctor, from the configuration to the schemas."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from snowplow_logging._options import ENVIRONMENT_PREFIX, from_environment
from snowplow_logging.doctor import collector, configuration, probe, registry
from snowplow_logging.doctor.findings import Findings, Screen, note, ok, one_line, problem
from snowplow_logging.doctor.source import BrokenError, UsageError, read
from snowplow_logging.handler import SnowplowHandler

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from snowplow_logging.doctor.findings import Finding

NO_ENDPOINT = "give --config or --endpoint, or set SNOWPLOW_LOGGING_ENDPOINT"


class Examination:
    """One run of the command.

    Args:
        arguments: The command line.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._handlers: list[configuration.Configured] = []
        self._used: list[probe.Described] = []

    def run(self) -> int:
        """Shows what it finds, when it finds it; returns the exit status."""
        arguments = self._arguments
        if arguments.config is None and not (arguments.endpoint or from_environment("endpoint")):
            raise UsageError(NO_ENDPOINT)
        screen = Screen()
        try:
            screen.section(arguments.config or "Environment", self._configured())
            for configured, target in self._targets():
                screen.section(
                    f"Collector {target.endpoint.base}", self._reached(configured, target)
                )
            if self._handlers:
                screen.section("Schemas", self._schemas())
        finally:
            for configured in self._handlers:
                configured.handler.close()
        return screen.summary()

    def _configured(self) -> Findings[None]:
        self._handlers = yield from self._made()
        for configured in self._handlers:
            for sample in (yield from probe.examine(configured.handler)):
                self._used += [sample.event, *sample.entities]

    def _made(self) -> Findings[list[configuration.Configured]]:
        if self._arguments.config is None:
            try:
                handler = SnowplowHandler(self._arguments.endpoint)
            except ValueError as error:
                yield problem("handler", one_line(error), "mend --endpoint or the environment")
                return []
            named = [name for name in sorted(os.environ) if name.startswith(ENVIRONMENT_PREFIX)]
            yield ok("handler", f"of {', '.join(named) or '--endpoint'}")
            return [configuration.Configured("environment", handler)]
        try:
            config = read(self._arguments.config)
        except BrokenError as error:
            yield problem("read", str(error), "mend it: the application would not start")
            return []
        return (yield from configuration.examine(config, self._arguments.endpoint))

    def _targets(self) -> Iterable[tuple[configuration.Configured, collector.Target]]:
        """Each collector once, with a handler that sends to it."""
        seen: set[object] = set()
        for configured in self._handlers:
            target = collector.Target.of(configured.handler, self._arguments.timeout)
            if (target.endpoint, target.method) not in seen:
                seen.add((target.endpoint, target.method))
                yield configured, target

    def _reached(
        self, configured: configuration.Configured, target: collector.Target
    ) -> Findings[None]:
        try:
            yield from collector.own_parts(configured.handler)
            reached = yield from collector.examine(target)
            if self._arguments.send and reached:
                yield from collector.send(configured.handler, target)
        finally:
            target.session.close()

    def _schemas(self) -> Iterable[Finding]:
        arguments = self._arguments
        named = [probe.Described(uri, None) for uri in arguments.schema]
        known = registry.registries(arguments.iglu, arguments.iglu_central, arguments.timeout)
        yield from registry.examine([*self._used, *named], known)
        if not named:
            text = "those that the application's calls name are not known here"
            yield note("schema", text, "name them: --schema iglu:com.acme/order_placed/…")
