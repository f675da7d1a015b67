"""The options: what each takes, its default, what it is for.

The law: whatever comes out of ``resolve`` is right. What is not is a ``ValueError`` (or, for a
name that no option has, a ``TypeError``) that names the option and says what it takes. Texts
are taken for every option, as a file or the environment says them.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from snowplow_logging._buffer import OVERFLOWS, Overflow
from snowplow_logging._parsers import (
    application,
    clock,
    entities,
    function,
    one_of,
    or_none,
    redaction,
    retry_codes,
    schema,
    seconds,
    session,
    spool_path,
    subject,
    text_up_to,
    truth,
    whole,
)
from snowplow_logging._text import shown, text
from snowplow_logging.payload import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import requests

    from snowplow_logging._clock import Clock
    from snowplow_logging._transport import Transport
    from snowplow_logging.emitter import Emitter
    from snowplow_logging.self_describing_json import SelfDescribingJson
    from snowplow_logging.subject import Subject
    from snowplow_logging.tracker import Tracker

    Entity = SelfDescribingJson | Mapping[str, Any]
    OnSuccess = Callable[[list[dict[str, Any]]], object]
    OnFailure = Callable[[int, list[dict[str, Any]]], object]
    OnDrop = Callable[[str, list[dict[str, Any]]], object]
    Hide = Callable[[str | None, Any], Any]
    Redact = bool | str | Hide | Sequence[str | Hide]

ENVIRONMENT_PREFIX = "SNOWPLOW_LOGGING_"
YEARS, DAY = 1e8, 86_400.0  # seconds; what threads, and what sockets, can wait for is not far above

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
    spool: str | os.PathLike[str] | None
    spool_bytes: int | str
    spool_interval: float | str
    durability: str


class HandlerOptions(AsyncEmitterOptions, total=False):
    """The options of ``SnowplowHandler``."""

    app_id: str | None
    namespace: str | None
    platform: str | None
    subject: Subject | Mapping[str, Any] | str | None
    contexts: Sequence[Entity] | str
    application: str | None
    redact: Redact
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


OPTIONS: dict[str, Option] = {
    "protocol": Option(
        None, '"https" or "http"', or_none(one_of("https", "http")),
        "scheme of an `endpoint` that has none; https by default",
    ),
    "port": Option(
        None, "a port from 1 to 65535", or_none(whole(1, 65_535)),
        "port of an `endpoint` that has none",
    ),
    "method": Option("post", '"post" or "get"', one_of("post", "get"), "how events are sent"),
    "path": Option(
        None, "a path of two segments without a slash at its end", or_none(text_up_to(4096)),
        "the collector's path, where it is not the standard one",
    ),
    "thread_count": Option(1, "a whole number from 1", whole(1), "threads that deliver"),
    "queue_size": Option(10_000, "a whole number from 1", whole(1), "events that may wait"),
    "queue_bytes": Option(
        64 * 1024 * 1024, "a whole number of bytes from 1", whole(1),
        "bytes of events that may wait",
    ),
    "overflow": Option(
        "drop_newest", "one of " + ", ".join(OVERFLOWS), one_of(*OVERFLOWS),
        "what happens to an event for which there is no room",
    ),
    "block_timeout": Option(
        1.0, "seconds from 0, up to 1e8", seconds(0, YEARS),
        'the longest that `overflow="block"` waits for room, in seconds',
    ),
    "batch_size": Option(1000, "a whole number from 1", whole(1), "events in a request, at most"),
    "byte_limit": Option(
        900_000, "a whole number of bytes from 2000 to 1000000",
        whole(2_000, 1_000_000),
        "bytes in a request, at most",
    ),
    "flush_interval": Option(
        1.0, "seconds over 0, up to 1e8", seconds(0, YEARS, above=True),
        "how long an event waits for its batch to fill, in seconds",
    ),
    "request_timeout": Option(
        10.0, "seconds over 0, up to 86400", seconds(0, DAY, above=True),
        "how long to wait for a connection, and for an answer, in seconds",
    ),
    "max_retry_delay": Option(
        60.0, "seconds over 0, up to 1e8", seconds(0, YEARS, above=True),
        "the longest rest between two attempts, in seconds",
    ),
    "custom_retry_codes": Option(
        {}, "HTTP codes from 400, each with true (retry) or false (give up)", retry_codes,
        "answers to retry or to give up on against the rule",
    ),
    "max_age": Option(
        86_400.0, "seconds over 0, up to 1e8", seconds(0, YEARS, above=True),
        "how long an event is tried, in seconds",
    ),
    "shutdown_timeout": Option(
        5.0, "seconds from 0, up to 1e8", seconds(0, YEARS),
        "the longest that flush and close wait, in seconds",
    ),
    "on_success": Option(
        None, "a callable", or_none(function), "called with the payloads of a delivery"
    ),
    "on_failure": Option(
        None, "a callable", or_none(function),
        "called with the number delivered and the payloads that were not",
    ),
    "on_drop": Option(
        None, "a callable", or_none(function), "called with a reason and the payloads given up"
    ),
    "spool": Option(
        None, "the path of a file, such as ~/.cache/shop/spool.db", or_none(spool_path),
        "keeps on disk what cannot be sent, until it can",
    ),
    "spool_bytes": Option(
        2**30, "a whole number of bytes from 1048576", whole(2**20),
        "bytes that the spool may take; the oldest events go",
    ),
    "spool_interval": Option(
        0.2, "seconds over 0, up to 1e8", seconds(0, YEARS, above=True),
        "how soon an event that is to be spooled is on disk, in seconds",
    ),
    "durability": Option(
        "outages", '"outages" or "events"', one_of("outages", "events"),
        "what is spooled: what waits longer than it should, or every event before it is sent",
    ),
    "app_id": Option(
        None, "a text of up to 255", or_none(text_up_to(255)), "id of the application"
    ),
    "namespace": Option(
        None, "a text of up to 128", or_none(text_up_to(128)), "name of the tracker"
    ),
    "platform": Option(
        None, "one of " + ", ".join(PLATFORMS), or_none(one_of(*PLATFORMS)),
        "kind of device that the application runs on; srv by default",
    ),
    "encode_base64": Option(
        True, "true or false", truth, "whether JSON in an event is sent as base64"
    ),
    "subject": Option(
        None, 'a Subject, or a mapping such as {"user_id": "u-1"}', or_none(subject),
        "user, session and device of every event",
    ),
    "contexts": Option(
        (), 'a list of entities, each a SelfDescribingJson or {"schema": …, "data": …}', entities,
        "entities of every event",
    ),
    "application": Option(
        None, "the name of an installed distribution, such as acme-checkout", or_none(application),
        "adds the standard `application` entity, with the version of this distribution",
    ),
    "redact": Option(
        True,
        "true, false, a function of key and value, or a list of such functions and of names: "
        "a key to redact too (ssn), or a rule to leave out (-card)",
        redaction,
        "which secrets become markers before an event is queued",
    ),
    "schema": Option(
        LOG_RECORD, "an Iglu URI such as iglu:com.acme/log_record/jsonschema/1-0-0, or None",
        or_none(schema), "schema of plain records; None: they are not sent",
    ),
    "exceptions": Option(
        "application_error", '"application_error" or "log_record"',
        one_of("application_error", "log_record"), "what a record with an exception becomes",
    ),
    "record_entity": Option(
        False, "true or false", truth,
        "whether events with another schema carry the `log_record` as an entity",
    ),
    "session": Option(
        None, "a requests.Session, or a function that returns one", or_none(session),
        "the HTTP session, for proxies, certificates or authentication of your own",
    ),
    "transport": Option(
        None, "a function that returns a Transport", or_none(function),
        "replaces HTTP, for instance by a double in tests",
    ),
    "clock": Option(None, "a Clock", clock, "replaces the time in tests"),
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
        said = from_environment(name) if environment else None
        value = OPTIONS[name].default if said is None else said
        values[name] = _read(name, given.get(name, value))
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
