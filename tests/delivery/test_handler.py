"""The handler as applications configure it, and what it keeps in and out."""

from __future__ import annotations

import logging
import logging.config
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging import AsyncEmitter, Emitter, SelfDescribingJson, SnowplowHandler, Tracker
from snowplow_logging.testing import HANG, FaultyCollector
from tests.delivery.support import (
    balanced,
    data_of,
    delivery_threads,
    dict_config,
    logging_to,
    messages,
    root_handler,
    within,
)
from tests.unit.wire import contexts, unstruct_event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.delivery.conftest import MakeCollector

LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"
APPLICATION_ERROR = "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"


def test_plain_construction(collector: FaultyCollector) -> None:
    """Records become events of their schema, errors and log records."""
    handler = SnowplowHandler(collector.url, app_id="shop", namespace="python")
    with logging_to(handler) as logger:
        entity = SelfDescribingJson("iglu:com.acme/user/jsonschema/1-0-0", {"id": 7})
        logger.info("placed", extra={"schema": ORDER, "data": {"id": 1}, "contexts": [entity]})
        logger.info("placed", extra={"schema": ORDER, "id": 2})
        logger.info(SelfDescribingJson(ORDER, {"id": 3}))
        try:
            raise KeyError("x")
        except KeyError:
            logger.exception("failed")
        logger.warning("hello %s", "world")
        assert handler.flush(10)
    events = collector.events()
    schemas = [unstruct_event(event)["data"]["schema"] for event in events]
    assert schemas == [ORDER, ORDER, ORDER, APPLICATION_ERROR, LOG_RECORD]
    assert [data_of(event)["id"] for event in events[:3]] == [1, 2, 3]
    assert (contexts(events[0]) or {})["data"] == [entity.to_json()]
    assert data_of(events[3])["exceptionName"] == "KeyError"
    assert data_of(events[4])["message"] == "hello world"
    assert {(event["aid"], event["tna"], event["p"]) for event in events} == {
        ("shop", "python", "srv")
    }


@pytest.mark.usefixtures("restored_logging")
def test_dict_config(collector: FaultyCollector) -> None:
    """DictConfig makes a handler that delivers, with its options and its level."""
    logging.config.dictConfig(
        dict_config(endpoint=collector.url, app_id="shop", level="WARNING", encode_base64=False)
    )
    logging.getLogger("shop").info("left out")
    logging.getLogger("shop").warning("taken")
    assert root_handler().flush(10)
    (event,) = collector.events()
    assert event["aid"] == "shop"
    assert "ue_pr" in event
    assert data_of(event)["message"] == "taken"


@pytest.mark.usefixtures("restored_logging")
def test_file_config(collector: FaultyCollector, tmp_path: Path) -> None:
    """FileConfig makes a handler that delivers."""
    file = tmp_path / "logging.ini"
    file.write_text(
        f"""
[loggers]
keys=root
[handlers]
keys=snowplow
[formatters]
keys=
[logger_root]
level=INFO
handlers=snowplow
[handler_snowplow]
class=snowplow_logging.SnowplowHandler
args=()
kwargs={{"endpoint": {collector.url!r}, "app_id": "shop", "batch_size": 1}}
""",
        "utf-8",
    )
    logging.config.fileConfig(file, disable_existing_loggers=False)
    logging.getLogger("shop").info("hello")
    assert root_handler().flush(10)
    assert messages(collector) == ["hello"]


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"batch_sise": 3}, ["batch_sise", "did you mean 'batch_size'"]),
        ({"batch_size": 0}, ["batch_size takes a whole number from 1", "0"]),
        ({"flush_interval": "soon"}, ["flush_interval takes seconds", "soon"]),
        ({"overflow": "explode"}, ["overflow takes one of", "explode"]),
        ({"schema": "order"}, ["schema takes an Iglu URI", "order"]),
        ({"contexts": [{"schema": "x"}]}, ["contexts takes"]),
        ({"custom_retry_codes": {200: True}}, ["custom_retry_codes takes"]),
        ({"method": "put"}, ["method takes", "put"]),
        ({"on_success": "nowhere:nothing"}, ["on_success takes a callable"]),
        ({"endpoint": "https://"}, ["endpoint takes"]),
        ({"endpoint": None}, ["endpoint=", "SNOWPLOW_LOGGING_ENDPOINT"]),
        ({"level": "LOUD"}, ["LOUD"]),
    ],
    ids=str,
)
def test_wrong_option(options: dict[str, Any], told: list[str]) -> None:
    """What no option takes is told, through dictConfig too, with the option's name."""
    with pytest.raises(ValueError, match="snowplow") as caught:
        logging.config.dictConfig(dict_config(**{"endpoint": "https://c.acme.com", **options}))
    assert isinstance(caught.value.__cause__, (ValueError, TypeError))
    for part in told:
        assert part in str(caught.value.__cause__)


@pytest.mark.usefixtures("restored_logging")
def test_configuration_after_a_wrong_one(collector: FaultyCollector) -> None:
    """An application that falls back to another configuration finds logging unharmed."""
    try:
        logging.config.dictConfig(dict_config(endpoint=collector.url, batch_size=0))
    except ValueError:
        logging.config.dictConfig(dict_config(endpoint=collector.url))
    logging.getLogger("shop").info("hello")
    assert root_handler().flush(10)
    assert messages(collector) == ["hello"]


def test_environment(collector: FaultyCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not given comes from the environment, and what is given wins."""
    monkeypatch.setenv("SNOWPLOW_LOGGING_ENDPOINT", collector.url)
    monkeypatch.setenv("SNOWPLOW_LOGGING_APP_ID", "of the environment")
    monkeypatch.setenv("SNOWPLOW_LOGGING_NAMESPACE", "of the environment")
    monkeypatch.setenv("SNOWPLOW_LOGGING_ENCODE_BASE64", "false")
    monkeypatch.setenv("SNOWPLOW_LOGGING_BATCH_SIZE", "1")
    with logging_to(SnowplowHandler(namespace="given")) as logger:
        logger.info("hello")
        assert collector.wait_for(1)
    (event,) = collector.events()
    assert (event["aid"], event["tna"]) == ("of the environment", "given")
    assert "ue_pr" in event
    monkeypatch.setenv("SNOWPLOW_LOGGING_BATCH_SIZE", "many")
    with pytest.raises(ValueError, match="batch_size takes"):
        SnowplowHandler()


def test_nothing_starts_at_construction(collector: FaultyCollector) -> None:
    """The first record starts the workers; construction, flush and close start none."""
    before = len(delivery_threads())
    handler = SnowplowHandler(collector.url, thread_count=3)
    assert handler.flush(1)
    assert len(delivery_threads()) == before
    with logging_to(handler) as logger:
        logger.info("hello")
        assert len(delivery_threads()) == before + 3
    assert len(delivery_threads()) == before
    assert len(collector.requests) == 1


def test_close_twice_and_again(collector: FaultyCollector) -> None:
    """A handler can be closed twice, and opens again with the next record."""
    handler = SnowplowHandler(collector.url)
    others = delivery_threads()  # of emitters that other tests have left
    with logging_to(handler) as logger:
        for number in range(3):
            logger.info("record %d", number)
            handler.close()
            handler.close()
            assert len(collector.events()) == number + 1
            assert set(delivery_threads()) <= set(others)
    assert handler.stats().delivered == 3


def test_unmappable_record(collector: FaultyCollector, capsys: pytest.CaptureFixture[str]) -> None:
    """A record that is no event is shown on stderr and counted, and its neighbours arrive."""
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        logger.info("before")
        logger.info("no event", extra={"schema": ORDER, "data": "a text"})
        logger.info("no entity", extra={"schema": ORDER, "data": {}, "contexts": 5})
        logger.info("after")
        assert handler.flush(10)
    assert messages(collector) == ["before", "after"]
    stats = handler.stats()
    assert (stats.accepted, stats.delivered) == (4, 2)
    assert stats.dropped_by_reason == {"unmappable": 2}
    assert balanced(stats)
    assert "no event from" in capsys.readouterr().err


def test_handler_of_an_existing_tracker(collector: FaultyCollector) -> None:
    """A handler takes a tracker or an emitter that exists, and does not close it."""
    emitter = AsyncEmitter(collector.url)
    tracker = Tracker("mine", emitter, app_id="mine")
    with logging_to(SnowplowHandler(tracker=tracker)) as logger:
        logger.info("one")
    with logging_to(SnowplowHandler(emitter=emitter, app_id="theirs")) as logger:
        logger.info("two")
    assert [(event["aid"], data_of(event)["message"]) for event in collector.events()] == [
        ("mine", "one"),
        ("theirs", "two"),
    ]
    emitter.close()


@pytest.mark.parametrize("option", ["endpoint", "batch_size", "on_drop"])
@pytest.mark.parametrize("kind", ["tracker", "emitter"])
def test_existing_tracker_and_options_of_its_own(kind: str, option: str) -> None:
    """Options that an existing tracker or emitter would ignore are refused by name."""
    emitter = Emitter("https://c.acme.com")
    existing: dict[str, Any] = {"tracker": Tracker("mine", emitter), "emitter": emitter}
    values: dict[str, Any] = {"endpoint": "https://c.acme.com", "batch_size": 3, "on_drop": print}
    with pytest.raises(ValueError, match=f"{option}.*{kind}"):
        SnowplowHandler(**{kind: existing[kind], option: values[option]})


def test_tracker_and_emitter_at_once() -> None:
    """A tracker and an emitter at once are refused, for one would be ignored."""
    emitter = Emitter("https://c.acme.com")
    with pytest.raises(ValueError, match="emitter"):
        SnowplowHandler(tracker=Tracker("mine", emitter), emitter=Emitter("https://d.acme.com"))


@pytest.mark.parametrize("option", ["tracker", "emitter"])
def test_what_is_no_tracker(option: str) -> None:
    """Something else than a tracker or emitter is refused by name."""
    with pytest.raises(ValueError, match=f"{option}.* not str"):
        SnowplowHandler(**{option: "https://c.acme.com"})  # type: ignore[arg-type]


def test_block_waits_for_room_and_no_longer(make_collector: MakeCollector) -> None:
    """With ``overflow="block"`` a record waits for room, at most for ``block_timeout``."""
    collector = make_collector(HANG)
    handler = SnowplowHandler(
        collector.url, queue_size=1, batch_size=1, overflow="block", block_timeout=0.2
    )
    with logging_to(handler) as logger:
        logger.info("on its way")
        assert collector.wait_for_requests(1)
        logger.info("queued")
        within(5, lambda: logger.info("too many"))
        assert handler.stats().dropped_by_reason == {"queue_full": 1}
        collector.release()
        assert handler.flush(10)
    assert messages(collector) == ["on its way", "queued"]
