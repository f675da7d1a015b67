"""The handler as applications configure it, and what it keeps in and out."""

from __future__ import annotations

import gc
import json
import logging
import logging.config
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests

from snowplow_logging import AsyncEmitter, Emitter, SelfDescribingJson, SnowplowHandler, Tracker
from tests.delivery.faulty_collector import HANG, FaultyCollector
from tests.delivery.support import balanced, data_of, logging_to, until, within
from tests.unit.wire import contexts, unstruct_event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.delivery.conftest import MakeCollector

LOG_RECORD = "iglu:io.github.snowplow_logging/log_record/jsonschema/1-0-0"
APPLICATION_ERROR = "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
ORDER = "iglu:com.acme/order_placed/jsonschema/1-0-0"


def config(**options: Any) -> dict[str, Any]:
    """Returns a dictConfig with our handler, with ``options``, on root."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"snowplow": {"class": "snowplow_logging.SnowplowHandler", **options}},
        "root": {"level": "DEBUG", "handlers": ["snowplow"]},
    }


def root_handler() -> SnowplowHandler:
    """Returns our handler on root."""
    (found,) = [each for each in logging.getLogger().handlers if isinstance(each, SnowplowHandler)]
    return found


def messages(collector: FaultyCollector) -> list[str]:
    """Returns the messages of all that arrived."""
    return [data_of(event)["message"] for event in collector.events()]


def delivery_threads() -> list[threading.Thread]:
    """Returns the workers that run."""
    return [
        each for each in threading.enumerate() if each.name.startswith("snowplow-logging-worker")
    ]


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
        config(endpoint=collector.url, app_id="shop", level="WARNING", encode_base64=False)
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
        logging.config.dictConfig(config(**{"endpoint": "https://c.acme.com", **options}))
    assert isinstance(caught.value.__cause__, (ValueError, TypeError))
    for part in told:
        assert part in str(caught.value.__cause__)


@pytest.mark.usefixtures("restored_logging")
def test_configuration_after_a_wrong_one(collector: FaultyCollector) -> None:
    """An application that falls back to another configuration finds logging unharmed."""
    try:
        logging.config.dictConfig(config(endpoint=collector.url, batch_size=0))
    except ValueError:
        logging.config.dictConfig(config(endpoint=collector.url))
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


@pytest.mark.usefixtures("restored_logging")
def test_guard(make_collector: MakeCollector) -> None:
    """With root at DEBUG, the delivery's own logs stay out, and the application's come in."""
    collector, elsewhere = make_collector(503), make_collector()
    handler = SnowplowHandler(collector.url, batch_size=1, flush_interval=0.01)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("shop").info("first")
    assert collector.wait_for(1)
    requests.get(f"{elsewhere.url}/stock", timeout=5)
    assert handler.flush(10)
    arrived = [data_of(event) for event in collector.events()]
    of_urllib3 = [data for data in arrived if data["logger"].startswith("urllib3")]
    assert any("/stock" in data["message"] for data in of_urllib3)
    assert not [data for data in of_urllib3 if str(collector.port) in data["message"]]
    assert not [data for data in of_urllib3 if "tp2" in data["message"]]
    assert handler.stats().accepted == len(arrived) == 1 + len(of_urllib3)
    assert len(collector.requests) <= 2 + len(arrived)


def test_close_twice_and_again(collector: FaultyCollector) -> None:
    """A handler can be closed twice, and opens again with the next record."""
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        for number in range(3):
            logger.info("record %d", number)
            handler.close()
            handler.close()
            assert len(collector.events()) == number + 1
            assert delivery_threads() == []
    assert handler.stats().delivered == 3


def test_flush_has_a_deadline(make_collector: MakeCollector) -> None:
    """``flush`` says True when all has arrived and False, in time, when it has not."""
    collector = make_collector(HANG)
    handler = SnowplowHandler(collector.url, shutdown_timeout=1, request_timeout=20)
    with logging_to(handler) as logger:
        logger.info("hello")
        assert within(5, lambda: handler.flush(0.1)) is False
        assert handler.stats().pending == 1
        collector.release()
        assert within(15, lambda: handler.flush(10)) is True
    assert messages(collector) == ["hello"]


def test_repr_tells_and_keeps_secrets(collector: FaultyCollector) -> None:
    """The repr of each part says its state, and neither user nor password."""
    url = collector.url.replace("//", "//anna:hunter2@")
    handler = SnowplowHandler(url, queue_size=50)
    with logging_to(handler) as logger:
        logger.info("hello")
        assert handler.flush(10)
        shown = repr(handler)
        assert shown == (f"<SnowplowHandler {collector.url} 0/50 queued, 1 delivered, 0 dropped>")
    emitter = Emitter(url)
    tracker = Tracker("namespace", emitter)
    for text in (shown, repr(emitter), repr(tracker), str(handler), str(emitter.stats())):
        assert "hunter2" not in text
        assert "anna" not in text


def test_errors_keep_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """What is told of an endpoint that is down or wrong has no password in it."""
    emitter = Emitter("http://anna:hunter2@127.0.0.1:9")
    Tracker("namespace", emitter).track_unstruct_event(SelfDescribingJson(ORDER, {}))
    emitter.close(timeout=0)
    assert emitter.stats().last_error
    assert "hunter2" not in str(emitter.stats()) + capsys.readouterr().err
    with pytest.raises(ValueError, match="endpoint takes") as caught:
        Emitter("https://anna:hunter2@c.acme.com:port")
    assert "hunter2" not in str(caught.value)


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
    assert "--- Logging error ---" in capsys.readouterr().err


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


@pytest.mark.usefixtures("restored_logging")
def test_dict_config_again_and_again(make_collector: MakeCollector) -> None:
    """Reconfiguring with events pending and root at DEBUG loses none and stops nobody."""
    collector = make_collector(503)

    def configure() -> None:
        for number in range(5):
            logging.config.dictConfig(config(endpoint=collector.url, flush_interval=0.01))
            for each in range(20):
                logging.getLogger("shop").debug("record %d", 20 * number + each)

    within(30, configure)
    assert within(15, lambda: root_handler().flush(10))
    expected = [f"record {number}" for number in range(100)]
    assert [text for text in messages(collector) if text.startswith("record")] == expected
    assert len(collector.events()) == 100


@pytest.mark.usefixtures("restored_logging")
def test_dict_config_while_the_collector_hangs(make_collector: MakeCollector) -> None:
    """Reconfiguring while a request hangs ends within the handler's deadline."""
    collector = make_collector(otherwise=HANG)
    logging.config.dictConfig(
        config(endpoint=collector.url, flush_interval=0.01, shutdown_timeout=1)
    )
    old = root_handler()
    logging.getLogger("shop").debug("hello")
    assert collector.wait_for_requests(1)
    within(
        10, lambda: logging.config.dictConfig(config(endpoint=collector.url, shutdown_timeout=0))
    )
    collector.release()
    until(lambda: old.stats().pending == 0, "the last attempt")
    assert balanced(old.stats())


@pytest.mark.usefixtures("restored_logging")
def test_handler_that_a_later_configuration_closes(collector: FaultyCollector) -> None:
    """A handler that somebody else's dictConfig closes, but leaves attached, opens again."""
    handler = SnowplowHandler(collector.url)
    with logging_to(handler) as logger:
        logger.info("before")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        assert messages(collector) == ["before"]
        logger.info("after")
        assert handler.flush(10)
        assert messages(collector) == ["before", "after"]


def test_finaliser_that_logs(collector: FaultyCollector) -> None:
    """Objects that log when the garbage collector finds them stop nobody and lose nothing."""
    handler = SnowplowHandler(collector.url, batch_size=7, flush_interval=0.01)
    with logging_to(handler) as logger:

        class Logging:
            def __init__(self) -> None:
                self.itself = self

            def __del__(self) -> None:
                logger.info("found")

        def produce() -> None:
            for _ in range(500):
                Logging()
                logger.info("made")

        thresholds = gc.get_threshold()
        gc.set_threshold(5)
        try:
            threads = [threading.Thread(target=produce, daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()
        finally:
            gc.set_threshold(*thresholds)
        gc.collect()
        assert within(15, lambda: handler.flush(10))
        assert Counter(messages(collector)) == {"made": 2_000, "found": 2_000}


@pytest.mark.parametrize("overflow", ["drop_newest", "drop_oldest", "drop_lowest_severity"])
def test_outage_is_bounded(
    make_collector: MakeCollector, overflow: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an outage the queue stays within its size, and the losses are told in one line."""
    collector = make_collector(otherwise=503)
    handler = SnowplowHandler(
        collector.url,
        queue_size=50,
        overflow=overflow,
        batch_size=10,
        shutdown_timeout=0,
        max_retry_delay=0.05,
    )
    with logging_to(handler) as logger:
        for number in range(500):
            logger.log(logging.ERROR if number % 10 == 0 else logging.INFO, "record %d", number)
            stats = handler.stats()
            assert balanced(stats)
            assert stats.pending <= 50 + 10
        until(lambda: handler.stats().requests > 2, "some attempts")
        assert "503" in (handler.stats().last_error or "")
    until(lambda: handler.stats().pending == 0, "the last attempt")
    assert handler.stats().dropped == 500
    lines = [line for line in capsys.readouterr().err.splitlines() if "events lost" in line]
    assert 1 <= len(lines) <= 2


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


def test_records_are_captured_when_they_are_logged(collector: FaultyCollector) -> None:
    """What the application changes after the call does not show."""
    handler = SnowplowHandler(collector.url, flush_interval=30)
    order: dict[str, Any] = {"id": 1, "lines": ["a"]}
    with logging_to(handler) as logger:
        logger.info("placed", extra={"schema": ORDER, "data": order})
        order["id"] = 2
        order["lines"].append("b")
        assert handler.flush(10)
    assert data_of(collector.events()[0]) == {"id": 1, "lines": ["a"]}
    assert json.loads(json.dumps(order)) == {"id": 2, "lines": ["a", "b"]}
