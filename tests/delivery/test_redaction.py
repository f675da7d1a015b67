"""Redaction end to end: each planted secret, in every position of a record, over real HTTP."""

from __future__ import annotations

import json
import logging
from logging.handlers import BufferingHandler
from typing import TYPE_CHECKING, Any, cast

import pytest
from pythonjsonlogger.json import JsonFormatter

from snowplow_logging import SnowplowHandler, contexts
from tests.delivery.support import data_of, logging_to
from tests.unit.secrets_corpus import LOOK_ALIKES, PLANTED, Planted

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowplow_logging.testing import FaultyCollector

USER = "iglu:com.acme/user/jsonschema/1-0-0"


def _raised(logger: logging.Logger, value: Any) -> None:
    try:
        raise ValueError(value)
    except ValueError:
        logger.exception("failed")


def _cause(logger: logging.Logger, value: Any) -> None:
    try:
        try:
            raise KeyError(value)
        except KeyError as error:
            raise ValueError("failed") from error
    except ValueError:
        logger.exception("failed")


def _in_scope(logger: logging.Logger, value: Any) -> None:
    with contexts({"schema": USER, "data": {"value": value}}):
        logger.info("scoped")


def _record(logger: logging.Logger, **attributes: Any) -> None:
    logger.handle(logging.makeLogRecord({"msg": "made", "levelno": 20, **attributes}))


# What can hold any value, and what can hold texts alone.
ANYWHERE: dict[str, Callable[[logging.Logger, Any], object]] = {
    "extra": lambda logger, value: logger.info("logged", extra={"payload": value}),
    "dict message": lambda logger, value: logger.info({"event": "logged", "payload": value}),
    "data": lambda logger, value: logger.info(
        "logged", extra={"schema": USER, "data": {"value": value}}
    ),
    "extras as data": lambda logger, value: logger.info(
        "logged", extra={"schema": USER, "value": value}
    ),
    "entity": lambda logger, value: logger.info(
        "logged",
        extra={"schema": USER, "data": {}, "contexts": [{"schema": USER, "data": {"v": value}}]},
    ),
    "entity of a scope": _in_scope,
    "argument": lambda logger, value: logger.info("got %s", value),
    "arguments that do not fit": lambda logger, value: logger.info("got %d", value),
    "exception": _raised,
    "cause": _cause,
}
IN_TEXTS: dict[str, Callable[[logging.Logger, Any], object]] = {
    "message": lambda logger, value: logger.info(value),
    "message of a mapping": lambda logger, value: logger.info({"event": value}),
    "text of a traceback": lambda logger, value: _record(logger, exc_text=value),
    "stack": lambda logger, value: _record(logger, stack_info=value),
    "after much else": lambda logger, value: logger.info("%s\n%s", "lorem ipsum " * 500, value),
}
FORMATTERS: dict[str, tuple[logging.Formatter | None, dict[str, Any]]] = {
    "no formatter": (None, {}),
    "text": (logging.Formatter("%(name)s: %(message)s"), {}),
    "JSON": (JsonFormatter(), {"schema": USER}),
    "exceptions as records": (None, {"exceptions": "log_record"}),
}


def _plain_text(value: Any) -> str:
    """Returns all texts in a value, those that are JSON themselves read again."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return "\n".join(f"{_plain_text(key)}\n{_plain_text(members[key])}" for key in members)
    if isinstance(value, list):
        return "\n".join(map(_plain_text, cast("list[Any]", value)))
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return f"{value}\n{_plain_text(json.loads(value))}"
        except ValueError:
            return value
    return str(value)


def _left(event: dict[str, str]) -> str:
    """Returns all that an event says, its entities with it."""
    entities: list[Any] = json.loads(event["co"])["data"] if "co" in event else []
    return _plain_text([data_of(event), entities])


def _logged(
    collector: FaultyCollector, cases: list[Any], log: Callable[[logging.Logger, Any], object],
    formatting: str,
) -> list[str]:  # fmt: skip
    """Logs all cases, and returns what left of each."""
    formatter, options = FORMATTERS[formatting]
    handler = SnowplowHandler(
        collector.url, encode_base64=False, record_entity=formatting == "no formatter", **options
    )
    handler.setFormatter(formatter)
    with logging_to(handler) as logger:
        for case in cases:
            log(logger, case)
        assert handler.flush(30)
    left = [_left(event) for event in collector.events()]
    assert len(left) == len(cases)
    return left


def _found(cases: list[Planted], left: list[str]) -> list[str]:
    return [case.name for case, said in zip(cases, left, strict=True) if case.secret in said]


@pytest.mark.parametrize("formatting", FORMATTERS)
@pytest.mark.parametrize("position", ANYWHERE)
def test_no_secret_leaves_anywhere(
    collector: FaultyCollector, position: str, formatting: str
) -> None:
    """Texts and values with secrets, wherever a record can hold them."""
    cases = [case for case in PLANTED if case.kind in ("text", "value")]
    log = ANYWHERE[position]

    left = _logged(collector, [case.given for case in cases], log, formatting)

    assert _found(cases, left) == []


@pytest.mark.parametrize("formatting", FORMATTERS)
@pytest.mark.parametrize("position", IN_TEXTS)
def test_no_secret_leaves_in_a_text(
    collector: FaultyCollector, position: str, formatting: str
) -> None:
    """Texts with secrets, where a record has texts alone."""
    cases = [case for case in PLANTED if case.kind == "text"]

    left = _logged(collector, [case.given for case in cases], IN_TEXTS[position], formatting)

    assert _found(cases, left) == []


@pytest.mark.parametrize("formatting", FORMATTERS)
def test_no_secret_leaves_as_an_argument(collector: FaultyCollector, formatting: str) -> None:
    """An argument that the message names as a secret goes as a whole."""
    cases = [case for case in PLANTED if case.kind == "arguments"]

    def log(logger: logging.Logger, case: tuple[str, Any]) -> None:
        message, arguments = case
        given = cast("tuple[Any, ...]", arguments if type(arguments) is tuple else (arguments,))
        logger.info(message, *given)

    left = _logged(collector, [case.given for case in cases], log, formatting)

    assert _found(cases, left) == []


def test_no_secret_leaves_by_a_formatters_key(collector: FaultyCollector) -> None:
    """A formatter writes what an extra holds, but for its name, which alone says what it is."""
    handler = SnowplowHandler(collector.url)
    handler.setFormatter(logging.Formatter("%(message)s %(password)s %(order)05d"))
    with logging_to(handler) as logger:
        logger.info("in", extra={"password": "correct horse", "order": 17})
        assert handler.flush(30)

    assert data_of(collector.events()[0])["message"] == "in [redacted: password] 00017"


def test_no_secret_leaves_in_colour(collector: FaultyCollector) -> None:
    """A message made for a terminal is read as people read it there."""
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        logger.info("\x1b[1mlogged in\x1b[0m \x1b[36mpassword\x1b[0m=\x1b[35mcorrect\x1b[0m")
        assert handler.flush(30)

    message = data_of(collector.events()[0])["message"]
    assert message == "logged in password=[redacted: password]"


def test_what_looks_like_a_secret_stays(collector: FaultyCollector) -> None:
    """Messages and extras that only look like secrets arrive as they were logged."""
    texts = [value for kind, value in LOOK_ALIKES if kind == "text"]
    values = [value for kind, value in LOOK_ALIKES if kind != "text"]
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        for value in texts:
            logger.info(value)
        for value in values:
            logger.info("logged", extra={"payload": value})
        assert handler.flush(30)

    arrived = [data_of(event) for event in collector.events()]
    assert [each["message"] for each in arrived[: len(texts)]] == texts
    assert [json.loads(each["attributes"]) for each in arrived[len(texts) :]] == [
        json.loads(json.dumps({"payload": value})) for value in values
    ]


def test_the_application_keeps_its_secrets(collector: FaultyCollector) -> None:
    """Neither the record nor what is in it changes: other handlers see what was logged."""
    handler, other = SnowplowHandler(collector.url), BufferingHandler(10)
    payload = {"password": "correct horse"}
    with logging_to(handler) as logger:
        logger.addHandler(other)
        logger.info("password: %s", "correct horse", extra={"payload": payload})
        logger.removeHandler(other)
        assert handler.flush(30)

    [record] = other.buffer
    assert record.getMessage() == "password: correct horse"
    assert vars(record)["payload"] is payload
    assert payload == {"password": "correct horse"}
    assert "horse" not in _left(collector.events()[0])


def test_off(collector: FaultyCollector) -> None:
    """Without redaction all of it leaves."""
    handler = SnowplowHandler(collector.url, redact=False)
    with logging_to(handler) as logger:
        logger.info("password: %s", "correct horse")
        assert handler.flush(30)

    assert data_of(collector.events()[0])["message"] == "password: correct horse"


def test_a_failing_rule_removes_the_value(collector: FaultyCollector) -> None:
    """What a function of the application's cannot judge does not leave; the event does."""

    def hide(key: str | None, value: Any) -> Any:
        if key == "order":
            raise LookupError(value)
        return value

    handler = SnowplowHandler(collector.url, redact=hide)
    with logging_to(handler) as logger:
        logger.info("logged", extra={"order": 17, "size": 3})
        assert handler.flush(30)

    data = data_of(collector.events()[0])
    assert json.loads(data["attributes"]) == {"order": "[redacted: hide failed]", "size": 3}


def test_a_secret_at_a_cut(collector: FaultyCollector) -> None:
    """A secret is found whole before its text is cut, so that no part of it stays."""
    secret = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    handler = SnowplowHandler(collector.url)
    lengths = [*range(8_140, 8_195, 3), *range(65_480, 65_540, 3), 8_000, 65_000, 200_000]
    with logging_to(handler) as logger:
        for length in lengths:
            logger.info("%s %s %s", "x" * (length - 20), secret, "y" * 10)
        assert handler.flush(30)

    arrived = [data_of(event)["message"] for event in collector.events()]
    assert len(arrived) == len(lengths)
    assert [message[-60:] for message in arrived if "ghp_" in message] == []
    assert all(len(message) <= 8_192 for message in arrived)


@pytest.mark.parametrize("rest", ["record", "nothing"])
def test_no_secret_on_stderr(
    collector: FaultyCollector, capsys: pytest.CaptureFixture[str], rest: str
) -> None:
    """What is said of a record that is no event has no secret in it, either."""
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        extra = {"schema": USER, "data": 17, "rest": rest}
        logger.info("password=correct-horse %s", {"token": "horse-battery"}, extra=extra)
        assert handler.flush(30)

    said = capsys.readouterr().err
    assert "no event from" in said
    assert "horse" not in said
