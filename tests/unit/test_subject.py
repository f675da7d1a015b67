"""Tests of the subject."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from snowplow_logging import SelfDescribingJson, Subject
from snowplow_logging.payload import FIELD_LIMITS, PLATFORMS
from tests.iglu_central import needs_iglu_central
from tests.unit.wire import Wire, loads

SESSION = "0a3b1c2d-0a3b-4c2d-8a3b-0a3b1c2d4e5f"
EVENT = SelfDescribingJson("iglu:com.acme/order_placed/jsonschema/1-0-0", {})
SETTINGS: list[tuple[str, Any, str, str]] = [
    ("platform", "web", "p", "web"),
    ("user_id", "u-1", "uid", "u-1"),
    ("domain_user_id", "d-1", "duid", "d-1"),
    ("network_user_id", "n-1", "tnuid", "n-1"),
    ("session_id", SESSION.upper(), "sid", SESSION),
    ("session_index", 3, "vid", "3"),
    ("session_index", "3", "vid", "3"),
    ("ip_address", "10.0.0.1", "ip", "10.0.0.1"),
    ("useragent", "Mozilla/5.0", "ua", "Mozilla/5.0"),
    ("timezone", "Europe/Berlin", "tz", "Europe/Berlin"),
    ("lang", "de", "lang", "de"),
    ("page_url", "https://acme.com/ä?b=c", "url", "https://acme.com/ä?b=c"),
    ("screen_resolution", [1920, 1080], "res", "1920x1080"),
    ("viewport", ("800", "600"), "vp", "800x600"),
    ("color_depth", 24, "cd", "24"),
]


def rendered(subject: Subject) -> dict[str, str]:
    """Returns the fields that an event of ``subject`` carries."""
    fields: dict[str, str] = loads(b"{" + subject.rendered + b"}")
    return fields


def test_a_new_subject_is_a_server() -> None:
    """A subject of which nothing is said is a server."""
    assert rendered(Subject()) == {"p": "srv"}


@pytest.mark.parametrize(("name", "value", "key", "expected"), SETTINGS)
def test_setters(name: str, value: Any, key: str, expected: str) -> None:
    """Each setter sets its field as text, returns the subject, and is a name in a mapping."""
    subject = Subject()
    arguments = value if type(value) in (list, tuple) else [value]

    assert getattr(subject, f"set_{name}")(*arguments) is subject
    assert rendered(subject) == {"p": "srv", key: expected}
    assert rendered(Subject.from_mapping({name: value})) == rendered(subject)


def test_every_setter_is_tested() -> None:
    """The table above has every setter there is."""
    assert {f"set_{name}" for name, *_ in SETTINGS} == {n for n in dir(Subject) if n[:4] == "set_"}


def test_setters_chain_and_replace() -> None:
    """Setters can be chained, and the last one counts."""
    subject = Subject().set_user_id("u-1").set_lang("de").set_user_id("u-2")

    assert rendered(subject) == {"p": "srv", "uid": "u-2", "lang": "de"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_platforms(platform: str) -> None:
    """Every platform of the protocol is taken."""
    assert rendered(Subject().set_platform(platform)) == {"p": platform}


@pytest.mark.parametrize(
    "values",
    [
        {"platform": "mainframe"},
        {"platform": None},
        {"session_id": "no uuid"},
        {"session_id": 5},
        {"session_id": None},
        {"session_index": "many"},
        {"session_index": None},
        {"viewport": [0, 600]},
        {"viewport": [800]},
        {"viewport": 800},
        {"viewport": "800x600"},
        {"viewport": [800, 600, 2]},
        {"screen_resolution": ["wide", "high"]},
        {"user_id": None},
        {"user_id": ["u-1", "u-2"]},
        {"color_depth": float("inf")},
        {"shoe_size": 43},
        {"_fields": {}},
        {5: 5},
    ],
    ids=str,
)
def test_wrong_settings(values: Any) -> None:
    """A mapping with an unknown name or a wrong value is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        _ = Subject.from_mapping(values)


def test_an_unknown_name_lists_those_there_are() -> None:
    """The error for an unknown name says which names there are."""
    with pytest.raises(ValueError, match=r"color_depth, domain_user_id, .*not 'userid'"):
        _ = Subject.from_mapping({"userid": "u-1"})


def test_a_uuid_is_a_session_id() -> None:
    """A session's id may be given as a UUID object."""
    subject = Subject().set_session_id(uuid.UUID(SESSION))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert rendered(subject)["sid"] == SESSION


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (name, key)
        for name, value, key, _ in SETTINGS
        if isinstance(value, str) and key in FIELD_LIMITS
    ],
)
def test_long_texts_are_cut(name: str, key: str) -> None:
    """Texts are cut to what the pipeline takes, in UTF-16 units."""
    subject = Subject.from_mapping({name: "😀" * 5_000})

    units = len(rendered(subject)[key].encode("utf-16-le")) // 2
    assert FIELD_LIMITS[key] - 1 <= units <= FIELD_LIMITS[key]


def test_repr_says_what_is_set_but_no_secret() -> None:
    """Its repr names the fields that are set, not their values."""
    assert repr(Subject().set_user_id("jane")) == "<Subject p uid>"


@needs_iglu_central
def test_its_fields_are_valid() -> None:
    """An event with every field there is, of hostile texts, is valid."""
    subject = Subject.from_mapping({name: value for name, value, *_ in SETTINGS})
    _ = subject.set_user_id('a"\\\n\0\ud83d').set_lang("\ud83d\ude00").set_useragent("é" * 5_000)
    wire = Wire(subject)

    _ = wire.tracker.track_unstruct_event(EVENT)

    assert wire.problems() == []
    assert wire.event()["uid"] == 'a"\\\n\ufffd\ufffd'
    assert wire.event()["lang"] == "😀"


def test_a_tracker_sees_changes() -> None:
    """A change of a subject shows from the next event on."""
    subject = Subject().set_user_id("u-1")
    wire = Wire(subject)

    _ = wire.tracker.track_unstruct_event(EVENT)
    _ = subject.set_user_id("u-2")
    _ = wire.tracker.track_unstruct_event(EVENT)

    assert [event["uid"] for event in wire.events()] == ["u-1", "u-2"]
