"""What belongs to everything that is logged in a scope: entities, and the trace.

The law: scopes are context variables, so each asyncio task, and each thread that was started
with a copied context, has its own. What is read here never raises: it is read in logging calls.
"""

from __future__ import annotations

import inspect
import re
import sys
from contextlib import ContextDecorator
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from snowplow_logging._text import is_a
from snowplow_logging.self_describing_json import encoded_entity, entity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from snowplow_logging.self_describing_json import SelfDescribingJson

F = TypeVar("F", bound="Callable[..., Any]")

# https://www.w3.org/TR/trace-context/#traceparent-header; no version but ff is refused, and only
# versions after 00 may have more than four fields.
_TRACEPARENT = re.compile(
    r"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)


class Trace(NamedTuple):
    """A place in a distributed trace, as hexadecimal digits in lower case.

    Args:
        trace_id: 32 digits.
        span_id: 16 digits.
    """

    trace_id: str
    span_id: str


class Scope(ContextDecorator):
    """What belongs to everything logged in a ``with``, or in a decorated function.

    It does not change, so that it can be entered again, and by several threads or tasks at once.
    It leaves by taking itself away, not by restoring what was before: generators that are in
    scopes end in any order, or in another context than they began.

    Args:
        entities: Each as self-describing JSON.
        trace: The trace, if it says one.
    """

    def __init__(self, entities: tuple[bytes, ...] = (), trace: Trace | None = None) -> None:
        self.entities = entities
        self.trace = trace

    def __enter__(self) -> Self:
        _ = _scopes.set((*_scopes.get(), self))
        return self

    def __exit__(self, *_exc_info: object) -> None:
        entered = _scopes.get()
        for index in reversed(range(len(entered))):
            if entered[index] is self:
                _ = _scopes.set(entered[:index] + entered[index + 1 :])
                return

    def __call__(self, func: F) -> F:
        """Decorates a function or a coroutine function.

        Raises:
            TypeError: It is a generator function, which returns before it runs.
        """
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            msg = "a scope decorates a function or a coroutine function, no generator function"
            raise TypeError(msg)
        if not inspect.iscoroutinefunction(func):
            return super().__call__(func)
        wrapped: Any = func

        @wraps(func)
        async def scoped(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await wrapped(*args, **kwargs)

        return cast("F", scoped)


_scopes: ContextVar[tuple[Scope, ...]] = ContextVar("snowplow_logging.scopes", default=())


def contexts(*entities: SelfDescribingJson | Mapping[str, Any]) -> Scope:
    """Adds entities to every event that is logged in a ``with``, or in a decorated function.

    Scopes nest: an inner one adds to what the outer ones have.

    Args:
        entities: Each a ``SelfDescribingJson`` or ``{"schema": …, "data": …}``.

    Raises:
        TypeError: One of them is no entity.
    """
    given = [entity(each) for each in entities]
    return Scope(entities=tuple(encoded_entity(each.schema, each.data) for each in given))


def traceparent(header: str | None) -> Scope:
    """Says which trace all that is logged in a ``with`` belongs to, if OpenTelemetry does not.

    Args:
        header: A W3C ``traceparent``, as it came with a request; what is none is ignored.
    """
    match = _TRACEPARENT.fullmatch(str.strip(cast("str", header))) if is_a(header, str) else None
    return Scope(trace=Trace(match[1], match[2]) if match else None)


def scoped_entities() -> tuple[bytes, ...]:
    """Returns the entities of this scope, each as self-describing JSON."""
    scopes = _scopes.get()
    return tuple(each for scope in scopes for each in scope.entities) if scopes else ()


def current_trace() -> Trace | None:
    """Returns the trace of OpenTelemetry's current span, else of this scope, if there is any."""
    telemetry: Any = sys.modules.get("opentelemetry.trace")
    if telemetry is not None:
        try:
            span = telemetry.get_current_span().get_span_context()
            if span.is_valid:
                made = f"00-{span.trace_id:032x}-{span.span_id:016x}-00"
                match = _TRACEPARENT.fullmatch(made)
                if match:  # else it is another's, whose ids are no ids
                    return Trace(match[1], match[2])
        except Exception:  # noqa: BLE001, S110 - somebody else's code, in a logging call
            pass
    scopes = _scopes.get()
    return next((each.trace for each in reversed(scopes) if each.trace), None) if scopes else None
