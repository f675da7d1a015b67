"""A request → the parameters of each event in it, or what makes the whole request one bad row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from snowplow_logging.collector import problems, protocol
from snowplow_logging.collector.problems import Report, pointer
from snowplow_logging.collector.strict_json import JsonError, parse, shorten

if TYPE_CHECKING:
    from typing import TypeGuard

    from snowplow_logging.collector.problems import Problem
    from snowplow_logging.collector.received import Received
    from snowplow_logging.collector.strict_json import Json

Parameters = dict[str, str]

_REQUIRED = frozenset(protocol.REQUIRED_KEYS)


class EnvelopeError(Exception):
    """The request as a whole is wrong.

    Attributes:
        problems: What is wrong with it.
        adapter: Whether a pipeline's bad row is of the kind ``adapter_failures``.
    """

    def __init__(self, *found: Problem, adapter: bool = False) -> None:
        """Holds what was found."""
        super().__init__("; ".join(problem.text for problem in found))
        self.problems = found
        self.adapter = adapter


def open_get(received: Received) -> Parameters:
    """The one event of a GET request.

    Raises:
        EnvelopeError: There is none, or it breaks the envelope's rules.
    """
    try:
        parameters = _query(received)
    except EnvelopeError as error:
        raise EnvelopeError(*error.problems, adapter=True) from None
    if not parameters:
        empty = problems.wrong_input("querystring", None, "expected an event, got nothing")
        raise EnvelopeError(empty, adapter=True)
    found = [
        problems.wrong_input(report.path, parameters.get(report.path), report.message)
        for report in _event_reports(parameters)
    ]
    if found:
        raise EnvelopeError(*found, adapter=True)
    return parameters


def open_post(received: Received) -> list[Parameters]:
    """The events of a POST request, with the parameters of its query string in each.

    Raises:
        EnvelopeError: The request breaks the envelope's rules.
    """
    if (received.vendor, received.version) != (protocol.SNOWPLOW, "tp2"):
        path = f"{received.vendor}/{received.version}"
        expectation = f"expected the path {protocol.SNOWPLOW}/tp2, the only one taken here"
        raise EnvelopeError(problems.wrong_input("vendor/version", path, expectation), adapter=True)
    query = _query(received)
    _check_content_type(received)
    events = _events(_data(_body(received)))
    # What the query string says, wins.
    return [{**event, **query} for event in events] if query else events


def _query(received: Received) -> Parameters:
    try:
        pairs = parse_qsl(received.query, keep_blank_values=True, errors="strict")
    except ValueError:
        problem = problems.wrong_input("querystring", received.query, "expected UTF-8")
        raise EnvelopeError(problem) from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        expectation = f"expected each parameter once, {shorten(twice)} stands there more often"
        raise EnvelopeError(problems.wrong_input("querystring", received.query, expectation))
    return parameters


def _check_content_type(received: Received) -> None:
    given = received.content_type
    media_type, *arguments = (given or "").lower().replace('"', "").split(";")
    normal = "; ".join((media_type.strip(), *(argument.strip() for argument in arguments)))
    if normal not in protocol.CONTENT_TYPES:
        expectation = f"expected {' or '.join(protocol.CONTENT_TYPES)}"
        raise EnvelopeError(problems.wrong_input("contentType", given, expectation))


def _body(received: Received) -> Json:
    if not received.body:
        raise EnvelopeError(problems.wrong_input("body", None, "expected JSON, got an empty body"))
    shown = received.body_text or ""
    try:
        return parse(received.body.decode("utf-8"))
    except UnicodeDecodeError as error:
        wrong = f"not UTF-8: {error.reason} at byte {error.start}"
        raise EnvelopeError(problems.not_json("body", shown, wrong)) from None
    except JsonError as error:
        raise EnvelopeError(problems.not_json("body", shown, str(error))) from None


def _data(body: Json) -> Json:
    if not isinstance(body, dict) or "schema" not in body or "data" not in body:
        raise EnvelopeError(
            problems.not_self_describing(
                "body",
                body,
                "INVALID_DATA_PAYLOAD",
                f'expected an object with "schema" and "data", got {shorten(body)}',
            )
        )
    schema = body["schema"]
    if not isinstance(schema, str) or not protocol.IGLU_URI.fullmatch(schema):
        raise EnvelopeError(
            problems.not_self_describing(
                "body",
                body,
                "INVALID_IGLUURI",
                f"$.schema: expected an Iglu URI such as {protocol.PAYLOAD_DATA}, "
                f"got {shorten(schema)}",
            )
        )
    if schema not in protocol.PAYLOAD_DATA_VERSIONS:
        raise EnvelopeError(problems.other_schema("body", schema, protocol.PAYLOAD_DATA))
    return body["data"]


def _events(data: Json) -> list[Parameters]:
    reports: list[Report] = []
    events: list[Parameters] = []
    if not isinstance(data, list):
        reports.append(Report("$", "type", "expected array", shorten(data), ("array",)))
    elif not data:
        reports.append(Report("$", "minItems", "expected at least 1 event, got none", None, ("1",)))
    else:
        for index, item in enumerate(data):
            if _is_event(item):
                events.append(item)
            else:
                reports += [_inside(index, report) for report in _event_reports(item)]
    if reports:
        # A long batch may be wrong all along in the same way.
        few = reports[: problems.MAX_TARGETS]
        raise EnvelopeError(problems.invalid_data("body", protocol.PAYLOAD_DATA, few))
    return events


def _is_event(item: Json) -> TypeGuard[Parameters]:
    """Whether ``_event_reports`` would find nothing, in a fraction of its time."""
    return (
        isinstance(item, dict)
        and item.keys() <= protocol.KEYS
        and item.keys() >= _REQUIRED
        and set(map(type, item.values())) == {str}
    )


def _inside(index: int, report: Report) -> Report:
    path = f"$[{index}]" if report.path == "$" else f"$[{index}].{report.path}"
    return replace(report, path=path, pointer=f"/{index}{report.pointer}")


def _event_reports(event: Json | Parameters) -> list[Report]:
    if not isinstance(event, dict):
        return [Report("$", "type", "expected object", shorten(event), ("object",))]
    reports = [
        Report(
            key,
            "required",
            f"expected in every event, together with {_others(key)}",
            targets=(key,),
        )
        for key in protocol.REQUIRED_KEYS
        if key not in event
    ]
    for key, value in event.items():
        if key not in protocol.KEYS:
            reports.append(
                Report(
                    key,
                    "additionalProperties",
                    f"expected a key of the tracker protocol, got {shorten(key)}",
                    targets=(key,),
                    pointer=pointer([key]),
                )
            )
        elif not isinstance(value, str):
            got = shorten(value)
            place = pointer([key])
            reports.append(Report(key, "type", "expected string", got, ("string",), None, place))
    return reports


def _others(key: str) -> str:
    return " and ".join(other for other in protocol.REQUIRED_KEYS if other != key)
