"""One run of the doctor, from the configuration to the schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowplow_logging._endpoint import Endpoint
from snowplow_logging._options import from_environment
from snowplow_logging.doctor import collector, configuration, probe, registry
from snowplow_logging.doctor.findings import Findings, Screen, note
from snowplow_logging.doctor.source import BrokenError, UsageError, read

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from snowplow_logging._redis_url import RedisAddress
    from snowplow_logging.doctor.findings import Finding
    from snowplow_logging.handler import SnowplowHandler

NO_ENDPOINT = "give --config or --endpoint, or set SNOWPLOW_LOGGING_ENDPOINT"


class Examination:
    """One run of the command.

    Args:
        arguments: The command line.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._handlers: list[configuration.Configured] = []

    def run(self) -> int:
        """Shows what it finds, when it finds it; returns the exit status."""
        arguments = self._arguments
        if arguments.config is None and not (arguments.endpoint or from_environment("endpoint")):
            raise UsageError(NO_ENDPOINT)
        configured = self._configured()  # reads it first: what is no configuration has no title
        screen = Screen()
        try:
            screen.section(arguments.config or "Environment", self._kept(configured))
            for handler, address in self._addresses():
                if isinstance(address, Endpoint):
                    reached = self._reached(handler, address)
                    screen.section(f"Collector {address.base}", reached)
                else:
                    screen.section(f"Stream {address.base}", self._written(handler, address))
            if self._handlers:
                screen.section("Schemas", self._schemas())
        finally:
            for made in self._handlers:
                made.handler.close()
        return screen.summary()

    def _configured(self) -> Findings[list[configuration.Configured]]:
        arguments = self._arguments
        if arguments.config is None:
            return configuration.of_environment(arguments.endpoint)
        try:
            return configuration.examine(read(arguments.config), arguments.endpoint)
        except BrokenError as error:
            return configuration.broken(str(error))

    def _kept(self, findings: Findings[list[configuration.Configured]]) -> Findings[None]:
        self._handlers = yield from findings

    def _addresses(self) -> Iterable[tuple[SnowplowHandler, Endpoint | RedisAddress]]:
        """Each address once, with a handler that sends to it."""
        seen: list[object] = []
        for configured in self._handlers:
            emitter = probe.emitter_of(configured.handler)
            address, method = emitter._endpoint, emitter._options["method"]  # noqa: SLF001
            if (address, method) not in seen:
                seen.append((address, method))
                yield configured.handler, address

    def _written(self, handler: SnowplowHandler, address: RedisAddress) -> Findings[None]:
        from snowplow_logging.doctor import redis  # noqa: PLC0415 - an extra, which is there then

        reached = yield from redis.examine(address, self._arguments.timeout)
        if self._arguments.send and reached:
            yield from redis.send(handler, self._arguments.timeout)

    def _reached(self, handler: SnowplowHandler, endpoint: Endpoint) -> Findings[None]:
        target = collector.Target.of(handler, endpoint, self._arguments.timeout)
        try:
            yield from collector.own_parts(handler)
            reached = yield from collector.examine(target)
            if self._arguments.send and reached:
                yield from collector.send(handler, target)
        finally:
            target.session.close()

    def _schemas(self) -> Iterable[Finding]:
        arguments = self._arguments
        samples = [sample for configured in self._handlers for sample in configured.samples]
        used = [each for sample in samples for each in (sample.event, *sample.entities)]
        named = [probe.Described(uri, None) for uri in arguments.schema]
        known = registry.registries(arguments.iglu, arguments.iglu_central, arguments.timeout)
        yield from registry.examine([*used, *named], known)
        if not named:
            text = "those that the application's calls name are not known here"
            yield note("schema", text, "name them: --schema iglu:com.acme/order_placed/…")
