"""Tests of the options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging import SelfDescribingJson, Subject
from snowplow_logging._options import (
    ENVIRONMENT_PREFIX,
    LOG_RECORD,
    OPTIONS,
    AsyncEmitterOptions,
    EmitterOptions,
    HandlerOptions,
    from_environment,
    resolve,
)
from snowplow_logging._parsers import APPLICATION, entities
from snowplow_logging.redaction import Redactor
from snowplow_logging.self_describing_json import entity
from tests.unit import hostile

USER = "iglu:com.acme/user/jsonschema/1-0-0"
ENTITY = {"schema": USER, "data": {"id": 1}}

RIGHT: list[tuple[str, Any, Any]] = [
    ("protocol", "http", "http"),
    ("protocol", None, None),
    ("port", "9090", 9090),
    ("port", 65_535, 65_535),
    ("method", "get", "get"),
    ("path", "/a/b", "/a/b"),
    ("thread_count", 4.0, 4),
    ("queue_size", "1_000", 1_000),
    ("queue_bytes", 1, 1),
    ("overflow", "drop_lowest_severity", "drop_lowest_severity"),
    ("block_timeout", 0, 0.0),
    ("batch_size", " 7 ", 7),
    ("byte_limit", 2_000, 2_000),
    ("byte_limit", 1_000_000, 1_000_000),
    ("flush_interval", "0.5", 0.5),
    ("request_timeout", 1, 1.0),
    ("max_retry_delay", "1e-3", 0.001),
    ("custom_retry_codes", {403: True, "404": "false"}, {403: True, 404: False}),
    ("custom_retry_codes", [403, 404], {403: True, 404: True}),
    ("custom_retry_codes", '{"403": false}', {403: False}),
    ("custom_retry_codes", "[403]", {403: True}),
    ("max_age", 60, 60.0),
    ("shutdown_timeout", 0, 0.0),
    ("on_success", print, print),
    ("on_failure", "builtins:print", print),
    ("on_drop", None, None),
    ("session", "requests:Session", requests.Session),
    ("transport", "requests:Session", requests.Session),
    ("spool", None, None),
    ("spool", "/var/spool/shop.db", "/var/spool/shop.db"),
    ("spool", Path("/var/spool/../shop.db"), "/var/shop.db"),
    ("spool", "~root/shop.db", f"{Path('~root').expanduser()}/shop.db"),
    ("spool_bytes", "1_048_576", 2**20),
    ("spool_interval", "0.5", 0.5),
    ("durability", "events", "events"),
    ("app_id", "shop", "shop"),
    ("namespace", "x" * 128, "x" * 128),
    ("platform", "web", "web"),
    ("encode_base64", "No", False),
    ("encode_base64", True, True),
    ("record_entity", "TRUE", True),
    ("record_entity", "0", False),
    ("schema", None, None),
    ("schema", "none", None),
    ("schema", USER, USER),
    ("exceptions", "log_record", "log_record"),
    ("contexts", [ENTITY], [SelfDescribingJson(**ENTITY)]),  # type: ignore[arg-type]
    ("contexts", [SelfDescribingJson(USER, {})], [SelfDescribingJson(USER, {})]),
    ("contexts", f'[{{"schema": "{USER}", "data": {{}}}}]', [SelfDescribingJson(USER, {})]),
    ("contexts", (), []),
    ("application", None, None),
    (
        "application",
        "requests",
        SelfDescribingJson(APPLICATION, {"version": requests.__version__}),
    ),
    ("redact", False, None),
    ("redact", "false", None),
]

WRONG: list[tuple[str, list[Any]]] = [
    ("protocol", ["ftp", "HTTPS", 5, ["https"]]),
    ("port", [0, -1, 65_536, "https", 1.5, True, "", [], float("nan"), float("inf")]),
    ("method", ["put", "POST", None]),
    ("path", [5, b"a/b", "x" * 5_000]),
    ("thread_count", [0, -1, "many", None, 1.5, True, 10**400, -(10**5000)]),
    ("queue_size", [0, "0", None, {}, "1e3", 10**5000]),
    ("queue_bytes", [0, "64 MB"]),
    ("overflow", ["drop", None, 5, "BLOCK"]),
    ("block_timeout", [-1, "-0.1", float("nan"), float("inf"), "soon", None, True, 10**400]),
    ("batch_size", [0, False]),
    ("byte_limit", [1_999, 1_000_001, "a lot"]),
    ("flush_interval", [0, -1, "nan", "inf", 10**400, 10**5000]),
    ("request_timeout", [0, (1, 2), None]),
    ("max_retry_delay", [0, "1 minute"]),
    (
        "custom_retry_codes",
        ["403", "403,404", 403, [200], {399: True}, {403: "maybe"}, {403: 1}, "{"],
    ),
    ("max_age", [0, -1]),
    ("shutdown_timeout", [-1, "never"]),
    ("on_success", [5, "print", "no.such.module:f", "os:no_such_function", "os:sep", ""]),
    ("on_failure", [[], "builtins:"]),
    ("on_drop", [object()]),
    ("session", [5, "no_such_module:Session", None.__class__.__name__]),
    ("transport", [5, "os:sep"]),
    ("spool", ["", 5, [], "~nobody-of-that-name/x"]),
    ("spool_bytes", [2**20 - 1, "1 GB"]),
    ("spool_interval", [0, "soon"]),
    ("durability", ["all", None, True]),
    ("app_id", [5, b"shop", "x" * 256, "😀" * 128]),
    ("namespace", ["x" * 129, ["python"]]),
    ("platform", ["mainframe", 5]),
    ("encode_base64", [1, None, "maybe", "", []]),
    ("record_entity", [0, "on and off"]),
    ("schema", ["log_record", 5, "", LOG_RECORD + " ", ["x"]]),
    ("exceptions", [None, "both", True]),
    ("subject", [5, "user", "[1]", {"shoe_size": 43}, {"platform": "mainframe"}, {"viewport": 5}]),
    ("contexts", [5, None, "user", "{}", ENTITY, [5], [{"schema": USER}], "[" * 100_000]),
    ("application", ["no-such-distribution", "", 5, ["requests"]]),
    ("redact", [None, 5, "-no_rule", ["..."], "os:sep", "os:no_such_function", "[1", {}]),
]


def read(name: str, value: object) -> str:
    """Says whether an option takes ``value``, or else how its error begins."""
    try:
        _ = resolve({name: value}, [name])
    except ValueError as error:
        return " ".join(str(error).split(" ")[:2])
    return "taken"


def test_every_option_is_tested() -> None:
    """The tables above have every option that takes a value of its own."""
    assert {name for name, *_ in RIGHT} | {"subject", "clock"} == OPTIONS.keys()
    assert {name for name, *_ in WRONG} | {"clock"} == OPTIONS.keys()


def test_the_typed_options_are_the_options() -> None:
    """What type checkers see is what there is, less the two that the handler looks at itself."""
    handler = set(HandlerOptions.__annotations__) - {"emitter", "tracker"}

    assert handler == OPTIONS.keys()
    assert set(EmitterOptions.__annotations__) <= OPTIONS.keys()
    assert set(AsyncEmitterOptions.__annotations__) >= {"thread_count"}


@pytest.mark.parametrize("name", OPTIONS)
def test_defaults(name: str) -> None:
    """Without a value an option has its default, which it would take."""
    value, given = resolve({}, [name])[name], resolve({name: OPTIONS[name].default}, [name])[name]

    assert value == given or isinstance(value, Redactor)
    assert type(value) is type(given)


@pytest.mark.parametrize("name", OPTIONS)
def test_options_are_described(name: str) -> None:
    """Every option says what it takes and what it is for."""
    assert OPTIONS[name].takes
    assert OPTIONS[name].meaning


@pytest.mark.parametrize(("name", "value", "expected"), RIGHT)
def test_right_values(name: str, value: Any, expected: Any) -> None:
    """An option takes values in its own form, and as a file or the environment says them."""
    resolved = resolve({name: value}, OPTIONS)[name]

    assert resolved == expected
    assert type(resolved) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG for value in values],
    ids=lambda value: f"{type(value).__name__}" if not isinstance(value, str) else f"{value:.30}",
)  # fmt: skip
def test_wrong_values(name: str, value: Any) -> None:
    """A wrong value is a ValueError that names the option and says what it takes."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - looked at below
        _ = resolve({name: value}, OPTIONS)

    assert str(raised.value).startswith(f"{name} takes {OPTIONS[name].takes}; not ")
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize("value", [name for name in hostile.NAMES if name != "endless generator"])
def test_hostile_values(value: str) -> None:
    """A hostile value is taken, or is a ValueError that names the option."""
    for name in OPTIONS.keys() - {"clock"}:
        assert read(name, hostile.values()[value]) in ("taken", f"{name} takes")


def test_an_error_quotes_what_was_given_once() -> None:
    """The error for a wrong value quotes it, and adds a reason where there is one to tell."""
    with pytest.raises(ValueError, match=r"^record_entity takes true or false; not 'maybe'$"):
        _ = resolve({"record_entity": "maybe"}, OPTIONS)


def test_unknown_options() -> None:
    """An unknown option is a TypeError that proposes the option that was probably meant."""
    with pytest.raises(TypeError, match="unknown option 'batchsize': did you mean 'batch_size'"):
        _ = resolve({"batchsize": 1}, OPTIONS)
    with pytest.raises(TypeError, match="unknown option 'xyz': there are method, path"):
        _ = resolve({"xyz": 1}, ["method", "path"])


def test_options_of_another_are_unknown() -> None:
    """An option that the caller does not have is unknown, though others have it."""
    with pytest.raises(TypeError, match="unknown option 'app_id'"):
        _ = resolve({"app_id": "shop"}, EmitterOptions.__annotations__)


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller does not give, the environment may; what it says of nothing is no value."""
    monkeypatch.setenv("SNOWPLOW_LOGGING_APP_ID", "shop")
    monkeypatch.setenv("SNOWPLOW_LOGGING_BATCH_SIZE", "7")
    monkeypatch.setenv("SNOWPLOW_LOGGING_NAMESPACE", "")
    names = ["app_id", "batch_size", "namespace"]

    assert resolve({"app_id": "cart"}, names, environment=True) == {
        "app_id": "cart",
        "batch_size": 7,
        "namespace": None,
    }
    assert resolve({}, names)["app_id"] is None
    assert from_environment("app_id") == "shop"
    assert from_environment("namespace") is None


def test_none_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A None that the caller gives is a choice, which the environment does not replace."""
    monkeypatch.setenv("SNOWPLOW_LOGGING_SCHEMA", USER)

    assert resolve({"schema": None}, ["schema"], environment=True) == {"schema": None}
    assert resolve({}, ["schema"], environment=True) == {"schema": USER}


@pytest.mark.parametrize(("name", "values"), WRONG)
def test_a_wrong_environment(name: str, values: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value in the environment is the same error as one given."""
    for value in values:
        if isinstance(value, str) and value and len(value) < 10_000:
            monkeypatch.setenv(ENVIRONMENT_PREFIX + name.upper(), value)

            with pytest.raises(ValueError, match=f"^{name} takes "):
                _ = resolve({}, [name], environment=True)


@given(st.sampled_from(sorted(OPTIONS.keys() - {"clock"})), st.text(max_size=20))
def test_texts_are_values_or_errors(name: str, text: str) -> None:
    """Any text is a value of an option, or a ValueError that names it."""
    assert read(name, text) in ("taken", f"{name} takes")


def test_subjects() -> None:
    """A subject may be given as such, as a mapping, and as JSON text."""
    subject = Subject().set_user_id("u-1")

    for value in (subject, {"user_id": "u-1"}, '{"user_id": "u-1"}'):
        assert resolve({"subject": value}, ["subject"])["subject"].rendered == subject.rendered
    assert resolve({"subject": subject}, ["subject"])["subject"] is subject


def test_a_session_is_shared() -> None:
    """A session that is given is the one that every thread gets."""
    session = requests.Session()

    assert resolve({"session": session}, ["session"])["session"]() is session


def test_entities() -> None:
    """Entities are taken as self-describing JSON or as mappings with schema and data."""
    made = SelfDescribingJson(USER, {"id": 1})

    assert entity(made) is made
    assert entity(ENTITY) == made
    assert entities([made, ENTITY]) == [made, made]
    assert entities(()) == []


@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_entities(name: str) -> None:
    """A hostile value is no entity, which is a TypeError or ValueError."""
    with pytest.raises((TypeError, ValueError)):
        _ = entity(hostile.values()[name])


def test_resolving_leaves_the_environment_alone() -> None:
    """Nothing is written into the environment."""
    before = dict(os.environ)

    _ = resolve({}, OPTIONS, environment=True)

    assert dict(os.environ) == before
