"""Tests of formatters on the handler: texts make the message, python-json-logger's all the data."""

from __future__ import annotations

import logging
import logging.config
import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from pythonjsonlogger.json import JsonFormatter
from pythonjsonlogger.msgspec import MsgspecFormatter
from pythonjsonlogger.orjson import OrjsonFormatter

from snowplow_logging import LogRecordFormatter, SnowplowHandler
from tests.iglu_central import APPLICATION_ERROR, LOG_RECORD, needs_iglu_central, problems
from tests.unit import hostile
from tests.unit.records import exc_info, record
from tests.unit.wire import Wire, unstruct_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pythonjsonlogger.core import BaseJsonFormatter

OWN = "iglu:com.acme/log_record/jsonschema/1-0-0"
KINDS: list[type[BaseJsonFormatter]] = [JsonFormatter, OrjsonFormatter, MsgspecFormatter]
ERROR = exc_info(ValueError("no stock"))
pytestmark = needs_iglu_central
every_kind = pytest.mark.parametrize("kind", KINDS)


def sent(
    formatter: logging.Formatter, *records: logging.LogRecord, **options: Any
) -> list[dict[str, Any]]:
    """Returns what arrives of records that a handler with ``formatter`` gets: all of them."""
    wire = Wire()
    handler = SnowplowHandler(tracker=wire.tracker, **options)
    handler.setFormatter(formatter)
    for each in records:
        assert handler.handle(each)
    handler.close()
    assert wire.problems() == []
    stats = handler.stats()
    assert (stats.accepted, stats.dropped_by_reason) == (len(records), {})
    return [unstruct_event(fields)["data"] for fields in wire.events()]


def own(formatter: logging.Formatter, *arguments: Any, **members: Any) -> Any:
    """Returns the data that a formatter makes of a record, under a schema of the user's."""
    (event,) = sent(formatter, record(*arguments, **members), schema=OWN, exceptions="log_record")
    assert event["schema"] == OWN
    return event["data"]


def message(formatter: logging.Formatter, *arguments: Any, **members: Any) -> str:
    """Returns the message of the event of a record; it is the same in every kind of event."""
    plain, error = (
        sent(formatter, record(*arguments, **members), exceptions=exceptions)[0]
        for exceptions in ("log_record", "application_error")
    )
    assert plain["schema"] == LOG_RECORD
    assert problems(LOG_RECORD, plain["data"]) == []
    assert plain["data"]["message"] == error["data"]["message"]
    made: str = plain["data"]["message"]
    return made


@pytest.fixture
def named_logger() -> Iterator[logging.Logger]:
    """A logger that a configuration may name, and that is as before at the end."""
    logger = logging.getLogger("tests.formatters")
    yield logger
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


# python-json-logger


@every_kind
def test_options(kind: type[BaseJsonFormatter]) -> None:
    """The data is what the formatter made: renamed, static, default and computed fields."""
    formatter = kind(
        "%(levelname)s %(message)s %(asctime)s %(missing)s",
        datefmt="%Y",
        rename_fields={"levelname": "level", "order": "order_id"},
        static_fields={"service": "shop"},
        defaults={"environment": "test", "user": "nobody"},
        timestamp="at",
    )
    created = 1_700_000_000.0

    data = own(formatter, "%d items", 3, created=created, order="o-1", user="u-1")

    year = datetime.fromtimestamp(created, timezone.utc).astimezone().strftime("%Y")
    at = datetime.fromisoformat(data.pop("at").replace("Z", "+00:00"))
    assert at - datetime.fromtimestamp(created, timezone.utc) == timedelta()
    assert data == {
        "level": "INFO",
        "message": "3 items",
        "asctime": year,
        "missing": None,
        "service": "shop",
        "environment": "test",
        "user": "u-1",
        "order_id": "o-1",
    }


@every_kind
@pytest.mark.parametrize(
    ("fmt", "style"),
    [
        ("%(name)s %(message)s", "%"),
        ("{name} {message}", "{"),
        ("$name ${message}", "$"),
        ("name,message", ","),
        (["name", "message"], "%"),
        (("name", "message"), "{"),
    ],
)
def test_styles(kind: type[BaseJsonFormatter], fmt: Any, style: str) -> None:
    """Fields are named in any style, or as a list."""
    assert own(kind(fmt, style=style), "a", order=7) == {
        "name": "shop.orders",
        "message": "a",
        "order": 7,
    }


@every_kind
def test_reserved_attributes(kind: type[BaseJsonFormatter]) -> None:
    """What is reserved is the formatter's decision."""
    assert own(kind(reserved_attrs=[*vars(record()), "secret"]), "a", secret=1, order=7) == {
        "message": "a",
        "order": 7,
    }
    data = own(kind(reserved_attrs=["args", "exc_info"]), "a")
    assert (data["levelname"], data["lineno"], data["msg"]) == ("INFO", 42, "a")


@every_kind
def test_dict_messages(kind: type[BaseJsonFormatter]) -> None:
    """A message that is a dict gives its members."""
    assert own(kind("%(levelname)s"), {"order": 7, "user": "u-1"}, more=1) == {
        "levelname": "INFO",
        "order": 7,
        "user": "u-1",
        "more": 1,
    }


@every_kind
@pytest.mark.parametrize("as_array", [True, False])
def test_exceptions(kind: type[BaseJsonFormatter], as_array: bool) -> None:  # noqa: FBT001
    """Traceback and stack are the formatter's, as texts or as lists of lines."""
    formatter = kind(exc_info_as_array=as_array, stack_info_as_array=as_array)

    data = own(formatter, "a", exc_info=ERROR, stack_info="Stack:\n  here")

    stack, trace = data["stack_info"], data["exc_info"]
    assert stack == (["Stack:", "  here"] if as_array else "Stack:\n  here")
    assert (trace if as_array else trace.split("\n"))[-1] == "ValueError: no stock"


@every_kind
def test_exceptions_are_errors_unless_told_otherwise(kind: type[BaseJsonFormatter]) -> None:
    """A record with an exception is an ``application_error``, whatever formats plain records."""
    plain, error = sent(kind("%(name)s"), record("a"), record("b", exc_info=ERROR), schema=OWN)

    assert plain == {"schema": OWN, "data": {"name": "shop.orders"}}
    assert error["schema"] == APPLICATION_ERROR
    assert error["data"]["message"] == "b"


@every_kind
def test_prefix(kind: type[BaseJsonFormatter]) -> None:
    """A prefix, which the same formatter has for another handler, is no part of the data."""
    assert own(kind("%(message)s", prefix="@cee: "), "a") == {"message": "a"}


@every_kind
def test_json_default(kind: Any) -> None:
    """The formatter's own function says what other objects are."""

    def told(value: object) -> str:
        return f"told: {type(value).__name__}"

    assert own(kind(json_default=told), "a", order=hostile.Order(1, 2j))["order"] in (
        "told: Order",
        {"number": 1, "note": "told: complex"},  # encoders that know dataclasses
    )


def test_numbers_that_are_no_json() -> None:
    """NaN and infinities, which the standard library's encoder writes, become null."""
    data = own(JsonFormatter("%(message)s"), "a", numbers=[math.nan, math.inf, -math.inf, 1.5])

    assert data == {"message": "a", "numbers": [None, None, None, 1.5]}


@every_kind
@pytest.mark.parametrize("name", hostile.NAMES)
def test_what_an_encoder_cannot_encode(kind: type[BaseJsonFormatter], name: str) -> None:
    """A value that the formatter's encoder refuses costs neither the event nor other values."""
    data = own(kind(), "%d items", 3, before=1, hostile=hostile.values()[name], zafter="é")

    assert data.keys() == {"message", "before", "hostile", "zafter"}
    assert (data["message"], data["before"], data["zafter"]) == ("3 items", 1, "é")


@every_kind
def test_json_default_that_raises(kind: Any) -> None:
    """Where the formatter's own function raises, ours says what the object is."""
    formatter = kind(json_default=hostile.raising, static_fields={"service": "shop"})

    data = own(formatter, "a", order=2j, exc_info=ERROR)

    assert (data["message"], data["service"], data["order"]) == ("a", "shop", "2j")
    assert data["exc_info"].endswith("ValueError: no stock")


@every_kind
def test_arguments_that_do_not_fit(kind: type[BaseJsonFormatter]) -> None:
    """Where arguments do not fit, the message is there as written, with them and a marker."""
    data = own(kind("%(message)s"), "%d items", "three", order=7)

    assert data["order"] == 7
    assert data["message"].startswith("%d items <unformattable: TypeError")
    assert data["message"].endswith('["three"]')


@every_kind
def test_an_exception_that_cannot_be_formatted(kind: type[BaseJsonFormatter]) -> None:
    """An exception whose own methods raise costs nothing but its text."""
    exception = hostile.made(
        Exception, __str__=hostile.raising, __cause__=property(hostile.raising)
    )

    data = own(kind(), "a", exc_info=(exception, exception("x"), None), order=7)

    assert (data["message"], data["order"]) == ("a", 7)
    assert "Hostile" in data["exc_info"]


@pytest.mark.parametrize("method", ["format", "add_fields", "process_log_record"])
def test_a_formatter_that_raises(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Where a formatter of one's own raises, the logging call does not, and the loss is counted."""
    wire = Wire()
    handler = SnowplowHandler(tracker=wire.tracker, schema=OWN)
    handler.setFormatter(hostile.made(JsonFormatter, **{method: hostile.raising})())

    assert handler.handle(record("a"))

    assert handler.stats().dropped_by_reason == {"unmappable": 1}
    assert "ZeroDivisionError" in capfd.readouterr().err
    handler.close()


@pytest.mark.parametrize("written", ["[1, 2]", "5", "null", "no json", ""])
def test_what_is_no_object(written: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What a serialiser writes is sent if it is an object or an array; else it is counted."""
    wire = Wire()
    handler = SnowplowHandler(tracker=wire.tracker, schema=OWN)
    handler.setFormatter(JsonFormatter(json_serializer=hostile.returning(written)))

    assert handler.handle(record("a"))

    lost = {} if written == "[1, 2]" else {"unmappable": 1}
    assert handler.stats().dropped_by_reason == lost
    assert bool(capfd.readouterr().err) == bool(lost)
    handler.close()


@every_kind
def test_our_schema_is_refused(kind: type[BaseJsonFormatter]) -> None:
    """A formatter that makes all the data needs a schema of the user's own; ours needs none."""
    handler = SnowplowHandler("https://c.acme.com")
    with pytest.raises(ValueError, match=f"{kind.__name__} makes the whole data"):
        handler.setFormatter(kind())
    handler.setFormatter(LogRecordFormatter())
    handler.close()


@pytest.mark.parametrize("by", ["class", "()"])
@every_kind
def test_dict_config(kind: type[BaseJsonFormatter], by: str, named_logger: logging.Logger) -> None:
    """A dictConfig names formatters by their class, or by a factory that gets options."""
    wire = Wire()
    fields = {"class": "format", "()": "fmt"}[by]
    options: dict[str, Any] = {"static_fields": {"service": "shop"}} if by == "()" else {}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    by: f"{kind.__module__}.{kind.__name__}",
                    fields: "%(levelname)s %(message)s",
                    **options,
                }
            },
            "handlers": {
                "snowplow": {
                    "class": "snowplow_logging.SnowplowHandler",
                    "formatter": "json",
                    "schema": OWN,
                    "tracker": wire.tracker,
                }
            },
            "loggers": {
                named_logger.name: {"level": "INFO", "handlers": ["snowplow"], "propagate": False}
            },
        }
    )

    named_logger.info("%d items", 3, extra={"order": 7})

    made = {
        "levelname": "INFO",
        "message": "3 items",
        "order": 7,
        **options.get("static_fields", {}),
    }
    assert unstruct_event(wire.event())["data"] == {"schema": OWN, "data": made}


# Text formatters


@pytest.mark.parametrize(
    ("fmt", "style"),
    [
        ("%(asctime)s %(levelname)s %(message)s", "%"),
        ("{asctime} {levelname:s} {message}", "{"),
        ("$asctime ${levelname} $message", "$"),
    ],
)
def test_text_formatters(fmt: str, style: Any) -> None:
    """Formatters of every style make the message, with their date format, without the traceback."""
    formatter = logging.Formatter(fmt, "%Y", style)

    made = message(formatter, "%d items", 3, exc_info=ERROR, stack_info="Stack", created=1e9)

    assert made == "2001 INFO 3 items"


def test_defaults_of_text_formatters() -> None:
    """A formatter's defaults stand where a record has no such attribute."""
    formatter = logging.Formatter("%(user)s: %(message)s", defaults={"user": "nobody"})

    assert message(formatter, "a") == "nobody: a"
    assert message(formatter, "a", user="u-1") == "u-1: a"


def test_a_field_that_is_missing() -> None:
    """Where a formatter names a field that a record has not, the record's own message is there."""
    assert message(logging.Formatter("%(user)s: %(message)s"), "%d items", 3) == "3 items"


class Shouting(logging.Formatter):
    """Overrides what a formatter may override."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record) + "!"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return super().formatMessage(record).upper()

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return f"<{ei[1]}>"


def test_subclasses() -> None:
    """A formatter's own methods make the message, still without the traceback."""
    assert message(Shouting("%(message)s"), "a", exc_info=ERROR, stack_info="Stack") == "A!"


@pytest.mark.parametrize("formatter", [Shouting(), *(kind() for kind in KINDS)])
def test_other_handlers_get_their_own(formatter: logging.Formatter) -> None:
    """What was formatted for us does not show to the handlers that come after, nor theirs to us."""
    shared = record("a", exc_info=ERROR)
    options = {"schema": OWN, "exceptions": "log_record"}

    _ = sent(formatter, shared, **options)

    assert shared.exc_text is None
    assert "Traceback" in logging.Formatter().format(shared)
    assert shared.exc_text is not None
    assert logging.Formatter().format(shared).startswith("a\nTraceback")
    _ = sent(formatter, shared, **options)
    assert shared.exc_info == ERROR


class Braced(logging.LogRecord):
    """A record whose message is written in another style, as applications have them."""

    def getMessage(self) -> str:  # noqa: N802 - logging's name
        return str(self.msg).format(*(self.args or ()))


@pytest.mark.parametrize("formatter", [None, logging.Formatter("%(message)s"), JsonFormatter()])
@pytest.mark.parametrize("info", [None, ERROR])
def test_records_of_ones_own_class(formatter: Any, info: Any) -> None:
    """A record's own class says what its message is, whichever factory logging has."""
    made = Braced("shop", logging.INFO, "/srv/a.py", 1, "{} items", (3,), info)

    (event,) = sent(formatter, made, schema=OWN)

    assert event["data"]["message"] == "3 items"


@pytest.mark.parametrize("formatter", [None, logging.Formatter("<%(message)s>"), JsonFormatter()])
def test_a_strict_record_factory(formatter: Any) -> None:
    """The application's record factory makes the application's records, and is not called by us."""
    cause = exc_info(ValueError("outer"), KeyError("inner"))
    plain, error = record("a", order=7), record("b", exc_info=cause)
    usual = logging.getLogRecordFactory()
    factory: Callable[..., logging.LogRecord] = hostile.raising
    logging.setLogRecordFactory(factory)
    try:
        events = sent(formatter, plain, error, schema=OWN)
    finally:
        logging.setLogRecordFactory(usual)

    around = "<{}>" if type(formatter) is logging.Formatter else "{}"
    assert [event["data"]["message"] for event in events] == [around.format(m) for m in "ab"]
    assert "inner" in events[1]["data"]["causeStackTrace"]
