"""What belongs to everything that is logged in a scope: entities, and the trace.

The law: scopes are context variables, so each asyncio task, and each thread that was started
with a copied context, has its own. What is read here never raises: it is read in logging calls.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging._json import encode
from snowplow_logging.self_describing_json import entity

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from snowplow_logging.self_describing_json import SelfDescribingJson

# https://www.w3.org/TR/trace-context/#traceparent-header; no version but ff is refused.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)


class Trace(NamedTuple):
    """A place in a distributed trace, as hexadecimal digits in lower case.

    Args:
        trace_id: 32 digits.
        span_id: 16 digits.
    """

    trace_id: str
    span_id: str


_entities: ContextVar[tuple[bytes, ...]] = ContextVar("snowplow_logging.entities", default=())
_trace: ContextVar[Trace | None] = ContextVar("snowplow_logging.trace", default=None)


@contextmanager
def contexts(*entities: SelfDescribingJson | Mapping[str, Any]) -> Generator[None]:
    """Adds entities to every event that is logged in a ``with``, or in a decorated function.

    Scopes nest: an inner one adds to what the outer ones have.

    Args:
        entities: Each a ``SelfDescribingJson`` or ``{"schema": …, "data": …}``.

    Raises:
        TypeError: One of them is no entity.
    """
    encoded = tuple(encode(entity(each).to_json()) for each in entities)
    token = _entities.set(_entities.get() + encoded)
    try:
        yield
    finally:
        with suppress(ValueError):  # a generator that is closed in another context than it began
            _entities.reset(token)


@contextmanager
def traceparent(header: str | None) -> Generator[None]:
    """Says which trace all that is logged in a ``with`` belongs to, if OpenTelemetry does not.

    Args:
        header: A W3C ``traceparent``, as it came with a request; what is none is ignored.
    """
    match = _TRACEPARENT.fullmatch(header.strip()) if isinstance(header, str) else None
    token = _trace.set(Trace(match[1], match[2]) if match else _trace.get())
    try:
        yield
    finally:
        with suppress(ValueError):
            _trace.reset(token)


def scoped_entities() -> tuple[bytes, ...]:
    """Returns the entities of this scope, each as self-describing JSON."""
    return _entities.get()


def current_trace() -> Trace | None:
    """Returns the trace of OpenTelemetry's current span, else of this scope, if there is any."""
    telemetry: Any = sys.modules.get("opentelemetry.trace")
    if telemetry is not None:
        try:
            span = telemetry.get_current_span().get_span_context()
            if span.is_valid:
                return Trace(format(span.trace_id, "032x"), format(span.span_id, "016x"))
        except Exception:  # noqa: BLE001, S110 - somebody else's code, in a logging call
            pass
    return _trace.get()
