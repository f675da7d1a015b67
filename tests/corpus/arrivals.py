"""What arrives of a corpus over HTTP, each event judged twice, and what it then holds.

Once by the local collector's judge, which knows the limits of enriched events; once by the
reference schemas alone, with lengths in UTF-16 units, the strictest way that a pipeline counts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from jsonschema import Draft4Validator, ValidationError, validators

from snowplow_logging._text import CUT_MARK
from snowplow_logging.collector.judge import Judge
from snowplow_logging.collector.received import Received
from snowplow_logging.collector.registry import Registry
from snowplow_logging.testing import FaultyCollector
from tests.collector.support import write_schema
from tests.delivery.conftest import problems_of
from tests.fuzz.records import OWN
from tests.iglu_central import FOLDER, LOG_RECORD, schema
from tests.unit.wire import contexts, loads, unstruct_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from snowplow_logging.testing import Request

ACME_LOG_RECORD = "iglu:com.acme/log_record/jsonschema/1-0-0"  # our schema, as users publish it
LOG_RECORDS = (LOG_RECORD, ACME_LOG_RECORD)
MOST_PROBLEMS = 5  # of one cause and one request; the rest would only repeat


class Described(NamedTuple):
    """An event or an entity.

    Args:
        schema: The URI of its schema.
        data: Its data.
    """

    schema: str
    data: Any


class Event(NamedTuple):
    """An event that arrived.

    Args:
        fields: Its fields, as they came.
        event: The event.
        entities: What came with it.
    """

    fields: dict[str, str]
    event: Described
    entities: list[Described]

    @property
    def log_record(self) -> dict[str, Any] | None:
        """The ``log_record`` in it, as the event itself or as an entity."""
        parts = [self.event, *self.entities]
        return next((part.data for part in parts if part.schema in LOG_RECORDS), None)

    @property
    def attributes(self) -> dict[str, Any]:
        """The extras in its ``log_record``."""
        text = (self.log_record or {}).get("attributes")
        attributes: dict[str, Any] = loads(text) if text and _is_object(text) else {}
        return attributes


class Arrivals:
    """A collector on loopback, and the verdicts on what came to it.

    Args:
        folder: An empty one, for the schemas of the corpus itself.

    Attributes:
        good: How many events are good.
        bad: What is wrong with the others.
        problems: What else is wrong: with requests by the reference schemas, or with contents.
    """

    def __init__(self, folder: Path) -> None:
        assert write_schema(folder, {"type": ["object", "array"]}, "anything") == OWN
        ours = {key: schema(LOG_RECORD)[key] for key in ("type", "properties", "required")}
        body: dict[str, object] = {**ours, "additionalProperties": False}
        assert write_schema(folder, body, "log_record") == ACME_LOG_RECORD
        self._judge = Judge(Registry([FOLDER, folder]))
        self._collector = FaultyCollector()
        self._reviewed = 0
        self.good = 0
        self.bad: list[str] = []
        self.problems: list[str] = []
        self.url = self._collector.url

    def review(self) -> list[Event]:
        """Judges the requests since the last time; returns their events, in their order."""
        requests = self._collector.requests[self._reviewed :]
        self._reviewed += len(requests)
        return [event for request in requests for event in self._judged(request)]

    def verdict(self, problems: Iterable[str]) -> dict[str, Any]:
        """Returns what is wrong, by cause, with these problems and those of the review."""
        return {
            "good": self.good,
            "bad": len(self.bad),
            "causes": by_cause(self.bad),
            "problems": by_cause([*self.problems, *problems]),
        }

    def close(self) -> None:
        """Stops listening."""
        self._collector.close()

    def _judged(self, request: Request) -> list[Event]:
        verdicts = self._judge.assess_post(_received(request)) if request.body else (
            self._judge.assess_get(_received(request))
        )  # fmt: skip
        self.good += sum(verdict.good for verdict in verdicts)
        self.bad += [verdict.reason[:600] for verdict in verdicts if not verdict.good]
        if len(verdicts) != len(request.events):
            self.problems.append(f"{len(request.events)} events got {len(verdicts)} verdicts")
        self.problems += problems_of(request)[:MOST_PROBLEMS]
        events = [event_of(fields) for fields in request.events]
        found = [problem for event in events for problem in _problems(event)]
        self.problems += found[:MOST_PROBLEMS]
        return events


def _received(request: Request) -> Received:
    path = urlsplit(request.target)
    vendor, _, version = path.path.strip("/").partition("/")
    return Received(
        vendor=vendor if request.body else "com.snowplowanalytics.snowplow",
        version=version if request.body else "tp1",
        milliseconds=int(request.events[0]["stm"]) if request.events else 0,
        query=path.query,
        content_type=request.headers.get("content-type"),
        body=request.body or None,
        user_agent=request.headers.get("user-agent"),
    )


def by_cause(problems: Iterable[str]) -> dict[str, str]:
    """Returns each kind of problem once: how often there is one, and an example."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for problem in problems:
        cause = re.sub(r"[-\d]+|'.*", "#", problem)[:80]
        counts[cause] += 1
        _ = examples.setdefault(cause, problem[:600])
    return {f"{counts[cause]} x {cause}": examples[cause] for cause in examples}


def event_of(fields: dict[str, str]) -> Event:
    """Reads an event."""
    wrapped = contexts(fields) or {"data": []}
    return Event(
        fields,
        _described(unstruct_event(fields)["data"]),
        [_described(entity) for entity in wrapped["data"]],
    )


def _described(value: Any) -> Described:
    return Described(value["schema"], value["data"])


def _problems(event: Event) -> Iterator[str]:
    """Says what is wrong with an event beyond what a collector checks."""
    for part in (event.event, *event.entities):
        yield from _length_problems(part)
        yield from (f"{part.schema}: {problem}" for problem in _mark_problems(part))
        if part.schema in LOG_RECORDS:
            yield from _attributes_problems(part.data)


def _length_problems(part: Described) -> Iterator[str]:
    if part.schema == OWN:
        return  # takes everything
    uri = LOG_RECORD if part.schema == ACME_LOG_RECORD else part.schema
    for error in _Utf16Validator(schema(uri)).iter_errors(part.data):
        yield f"{part.schema} {list(error.absolute_path)}: {error.message[:300]}"


def _mark_problems(part: Described) -> Iterator[str]:
    """Says which values were cut more than once."""
    for path, text in texts(part.data):
        # The text of a JSON object has a mark for each of the values in it.
        is_json = part.schema in LOG_RECORDS and path == "attributes" and _is_object(text)
        values = texts(loads(text)) if is_json else [("", text)]
        for within, value in values:
            at_both_ends = value.startswith(CUT_MARK) and value[1:].endswith(CUT_MARK)
            if at_both_ends or CUT_MARK * 2 in value:
                yield f"{path} {within} was cut twice: {value[:60]!r} … {value[-60:]!r}"


def _attributes_problems(data: dict[str, Any]) -> Iterator[str]:
    attributes = data.get("attributes")
    if attributes is not None and not _is_object(attributes):
        yield f"attributes are no text of a JSON object: {attributes[:60]!r} … {attributes[-60:]!r}"


def _is_object(text: str) -> bool:
    try:
        return text.startswith("{") and type(loads(text)) is dict
    except ValueError:
        return False


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Returns every text in ``value``, which was read from JSON, with its place."""
    if type(value) is str:
        yield path, value
    elif type(value) is dict:
        for key, item in cast("dict[str, Any]", value).items():
            yield from texts(item, f"{path}.{key}" if path else key)
    elif type(value) is list:
        for item in cast("list[Any]", value):
            yield from texts(item, f"{path}[]")


def _max_length(_: Any, limit: int, value: object, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and len(value.encode("utf-16-le")) > 2 * limit:
        units = len(value.encode("utf-16-le")) // 2
        yield ValidationError(f"{units} UTF-16 units, not at most {limit}: {json.dumps(value)}")


_validators: Any = validators  # which has no types
_Utf16Validator = _validators.extend(Draft4Validator, {"maxLength": _max_length})
