"""The options: what each takes, its default, what it is for.

The law: whatever comes out of ``resolve`` is right. What is not is a ``ValueError`` (or, for a
name that no option has, a ``TypeError``) that names the option and says what it takes. Texts
are taken for every option, as a file or the environment says them.
"""

from __future__ import annotations

import copy
import json
import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar, cast

from snowplow_logging._buffer import OVERFLOWS, Overflow
from snowplow_logging._clock import Clock
from snowplow_logging._json import elements
from snowplow_logging._text import is_a, shown, text
from snowplow_logging.payload import PLATFORMS
from snowplow_logging.self_describing_json import SelfDescribingJson, entity, is_schema_uri
from snowplow_logging.subject import Subject

if TYPE_CHECKING:
    import requests

    from snowplow_logging._transport import Transport
    from snowplow_logging.emitter import Emitter
    from snowplow_logging.tracker import Tracker

    Entity = SelfDescribingJson | Mapping[str, Any]
    OnSuccess = Callable[[list[dict[str, Any]]], object]
    OnFailure = Callable[[int, list[dict[str, Any]]], object]
    OnDrop = Callable[[str, list[dict[str, Any]]], object]

ENVIRONMENT_PREFIX = "SNOWPLOW_LOGGING_"
YEARS, DAY = 1e8, 86_400.0  # seconds; what threads, and what sockets, can wait for is not far above
_T = TypeVar("_T")


LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"
"""The package's own schema, which users publish under a vendor of their own."""


class EmitterOptions(TypedDict, total=False):
    """The options of ``Emitter``; ``OPTIONS`` says what each takes."""

    protocol: str | None
    port: int | str | None
    method: str
    path: str | None
    queue_size: int | str
    queue_bytes: int | str
    overflow: Overflow | str
    block_timeout: float | str
    batch_size: int | str
    byte_limit: int | str
    flush_interval: float | str
    request_timeout: float | str
    max_retry_delay: float | str
    custom_retry_codes: Mapping[int, bool] | Sequence[int] | str
    max_age: float | str
    shutdown_timeout: float | str
    on_success: OnSuccess | str | None
    on_failure: OnFailure | str | None
    on_drop: OnDrop | str | None
    session: requests.Session | Callable[[], requests.Session] | str | None
    transport: Callable[[], Transport] | str | None
    clock: Clock | None


class AsyncEmitterOptions(EmitterOptions, total=False):
    """The options of ``AsyncEmitter``."""

    thread_count: int | str


class HandlerOptions(AsyncEmitterOptions, total=False):
    """The options of ``SnowplowHandler``."""

    app_id: str | None
    namespace: str | None
    platform: str | None
    subject: Subject | Mapping[str, Any] | str | None
    contexts: Sequence[Entity] | str
    schema: str | None
    exceptions: str
    record_entity: bool | str
    encode_base64: bool | str
    emitter: Emitter | None
    tracker: Tracker | None


class Option(NamedTuple):
    """One option of the emitters or of the handler.

    Args:
        default: Its value where neither the caller nor the environment gives one.
        takes: What it takes, in words.
        parse: Returns the value for what was given, or raises ValueError or TypeError.
        meaning: What it is for, in one line.
    """

    default: Any
    takes: str
    parse: Callable[[Any], Any]
    meaning: str


def _whole(minimum: int, maximum: int = 2**53) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if type(value) not in (int, float, str) or (
            type(value) is float and not value.is_integer()
        ):
            raise TypeError
        number = int(value)
        if not minimum <= number <= maximum:
            raise ValueError
        return number

    return parse


def _seconds(minimum: float, maximum: float, *, above: bool = False) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        if type(value) not in (int, float, str):
            raise TypeError
        number = float(value)
        if not minimum <= number <= maximum or (above and number == minimum):
            raise ValueError
        return number

    return parse


def _one_of(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if type(value) is not str or value not in choices:
            raise ValueError
        return value

    return parse


def _truth(value: Any) -> bool:
    if type(value) is str:
        said = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        value = said.get(value.lower())
    if type(value) is not bool:
        raise TypeError
    return value


def _text(limit: int) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if len(value.encode("utf-16-le", "surrogatepass")) > 2 * limit:
            raise ValueError
        return value

    return parse


def _function(value: Any) -> Any:
    """A callable, or the name of one as ``package.module:function``."""
    found: Any = pkgutil.resolve_name(value) if isinstance(value, str) else value
    if not callable(found):
        raise TypeError
    return found


def _session(value: Any) -> Callable[[], requests.Session]:
    """A session that all threads share, or a function that makes one for each."""
    from requests import Session  # noqa: PLC0415 - see emitter.py

    if isinstance(value, Session):
        process = os.getpid()
        # A forked child would share its connections with the parent, and read its answers.
        return lambda: value if os.getpid() == process else copy.deepcopy(value)
    make: Callable[[], requests.Session] = _function(value)
    return make


def _schema(value: Any) -> str | None:
    if isinstance(value, str) and value.lower() == "none":
        return None
    if not is_schema_uri(value):
        raise ValueError
    return cast("str", value)


def _clock(value: Any) -> Any:
    if value is not None and not isinstance(value, Clock):
        raise TypeError
    return value


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value) if is_a(value, str) else value
    except RecursionError:
        raise ValueError("it nests too deep") from None


def _subject(value: Any) -> Subject:
    value = _from_json(value)
    return value if isinstance(value, Subject) else Subject.from_mapping(dict(value))


def entities(value: Any) -> list[SelfDescribingJson]:
    """Returns a list of entities, each as ``entity`` takes it; also from JSON text."""
    value = _from_json(value)
    if not is_a(value, (list, tuple)):
        msg = f"contexts takes a list of entities; not {shown(value)}"
        raise TypeError(msg)
    return [entity(item) for item in elements(value)]


def _retry_codes(value: Any) -> dict[int, bool]:
    """``{403: true}``, or a list of codes to retry, or either as JSON text."""
    if isinstance(value, str):
        value = json.loads(value)
    if not is_a(value, (Mapping, list, tuple, set)):
        raise TypeError
    codes: Mapping[Any, Any] = value if is_a(value, Mapping) else dict.fromkeys(value, True)
    return {_whole(400, 599)(code): _truth(codes[code]) for code in codes}


def or_none(parse: Callable[[Any], _T]) -> Callable[[Any], _T | None]:
    """Returns a parser that also takes None."""
    return lambda value: None if value is None else parse(value)


OPTIONS: dict[str, Option] = {
    "protocol": Option(
        None, '"https" or "http"', or_none(_one_of("https", "http")),
        "scheme of an `endpoint` that has none; https by default",
    ),
    "port": Option(
        None, "a port from 1 to 65535", or_none(_whole(1, 65_535)),
        "port of an `endpoint` that has none",
    ),
    "method": Option("post", '"post" or "get"', _one_of("post", "get"), "how events are sent"),
    "path": Option(
        None, "a path of two segments without a slash at its end", or_none(_text(4096)),
        "the collector's path, where it is not the standard one",
    ),
    "thread_count": Option(1, "a whole number from 1", _whole(1), "threads that deliver"),
    "queue_size": Option(10_000, "a whole number from 1", _whole(1), "events that may wait"),
    "queue_bytes": Option(
        64 * 1024 * 1024, "a whole number of bytes from 1", _whole(1),
        "bytes of events that may wait",
    ),
    "overflow": Option(
        "drop_newest", "one of " + ", ".join(OVERFLOWS), _one_of(*OVERFLOWS),
        "what happens to an event for which there is no room",
    ),
    "block_timeout": Option(
        1.0, "seconds from 0, up to 1e8", _seconds(0, YEARS),
        'the longest that `overflow="block"` waits for room, in seconds',
    ),
    "batch_size": Option(500, "a whole number from 1", _whole(1), "events in a request, at most"),
    "byte_limit": Option(
        900_000, "a whole number of bytes from 2000 to 1000000",
        _whole(2_000, 1_000_000),
        "bytes in a request, at most",
    ),
    "flush_interval": Option(
        1.0, "seconds over 0, up to 1e8", _seconds(0, YEARS, above=True),
        "how long an event waits for its batch to fill, in seconds",
    ),
    "request_timeout": Option(
        10.0, "seconds over 0, up to 86400", _seconds(0, DAY, above=True),
        "how long to wait for a connection, and for an answer, in seconds",
    ),
    "max_retry_delay": Option(
        60.0, "seconds over 0, up to 1e8", _seconds(0, YEARS, above=True),
        "the longest rest between two attempts, in seconds",
    ),
    "custom_retry_codes": Option(
        {}, "HTTP codes from 400, each with true (retry) or false (give up)", _retry_codes,
        "answers to retry or to give up on against the rule",
    ),
    "max_age": Option(
        86_400.0, "seconds over 0, up to 1e8", _seconds(0, YEARS, above=True),
        "how long an event is tried, in seconds",
    ),
    "shutdown_timeout": Option(
        5.0, "seconds from 0, up to 1e8", _seconds(0, YEARS),
        "the longest that flush and close wait, in seconds",
    ),
    "on_success": Option(
        None, "a callable", or_none(_function), "called with the payloads of a delivery"
    ),
    "on_failure": Option(
        None, "a callable", or_none(_function),
        "called with the number delivered and the payloads that were not",
    ),
    "on_drop": Option(
        None, "a callable", or_none(_function), "called with a reason and the payloads given up"
    ),
    "app_id": Option(None, "a text of up to 255", or_none(_text(255)), "id of the application"),
    "namespace": Option(None, "a text of up to 128", or_none(_text(128)), "name of the tracker"),
    "platform": Option(
        None, "one of " + ", ".join(PLATFORMS), or_none(_one_of(*PLATFORMS)),
        "kind of device that the application runs on; srv by default",
    ),
    "encode_base64": Option(
        True, "true or false", _truth, "whether JSON in an event is sent as base64"
    ),
    "subject": Option(
        None, 'a Subject, or a mapping such as {"user_id": "u-1"}', or_none(_subject),
        "user, session and device of every event",
    ),
    "contexts": Option(
        (), 'a list of entities, each a SelfDescribingJson or {"schema": …, "data": …}', entities,
        "entities of every event",
    ),
    "schema": Option(
        LOG_RECORD, "an Iglu URI such as iglu:com.acme/log_record/jsonschema/1-0-0, or None",
        or_none(_schema), "schema of plain records; None: they are not sent",
    ),
    "exceptions": Option(
        "application_error", '"application_error" or "log_record"',
        _one_of("application_error", "log_record"), "what a record with an exception becomes",
    ),
    "record_entity": Option(
        False, "true or false", _truth,
        "whether events with another schema carry the `log_record` as an entity",
    ),
    "session": Option(
        None, "a requests.Session, or a function that returns one", or_none(_session),
        "the HTTP session, for proxies, certificates or authentication of your own",
    ),
    "transport": Option(
        None, "a function that returns a Transport", or_none(_function),
        "replaces HTTP, for instance by a double in tests",
    ),
    "clock": Option(None, "a Clock", _clock, "replaces the time in tests"),
}  # fmt: skip


def resolve(
    given: Mapping[str, Any], names: Iterable[str], *, environment: bool = False
) -> dict[str, Any]:
    """Returns the value of every option in ``names``: given, else of the environment, else default.

    Args:
        given: What the caller gave, by name.
        names: The options that the caller has.
        environment: Whether ``SNOWPLOW_LOGGING_<NAME>`` is asked for what was not given.

    Raises:
        TypeError: A name is no option.
        ValueError: An option takes no such value.
    """
    names = list(names)
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}"
            msg = f"unknown option {name!r}: {hint}"
            raise TypeError(msg)
    values: dict[str, Any] = {}
    for name in names:
        value = given[name] if name in given else from_environment(name) if environment else None
        chosen = name in given or value is not None
        values[name] = _read(name, value) if chosen else OPTIONS[name].default
    return values


def _read(name: str, value: object) -> Any:
    option = OPTIONS[name]
    try:
        return option.parse(value)
    except Exception as error:
        why = f" ({text(error)})" if text(error) else ""
        msg = f"{name} takes {option.takes}; not {shown(value)}{why}"
        raise ValueError(msg) from error


def from_environment(name: str) -> str | None:
    """Returns what the environment says of an option, such as ``SNOWPLOW_LOGGING_APP_ID``."""
    return os.environ.get(ENVIRONMENT_PREFIX + name.upper()) or None
