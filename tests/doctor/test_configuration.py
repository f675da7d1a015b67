"""What is said of a configuration: whose handlers, on which loggers, with which options."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.doctor.findings import plain
from snowplow_logging.testing import closed_port
from tests.doctor.servers import ERROR, RECORD
from tests.doctor.test_scenarios import missing

if TYPE_CHECKING:
    from tests.doctor.running import Place

ENDPOINT = "https://collector.acme.invalid"
OWN: dict[str, Any] = {"class": "snowplow_logging.SnowplowHandler", "endpoint": ENDPOINT}


def test_handlers_levels_and_entities(place: Place) -> None:
    """Levels are those from which records really arrive, also through a buffer."""
    entity = {"schema": "iglu:com.acme/service/jsonschema/1-0-0", "data": {"name": "shop"}}
    config = place.write({
        "disable_existing_loggers": True,
        "formatters": {"json": {"class": "pythonjsonlogger.json.JsonFormatter"}},
        "filters": {"flood": {"()": "snowplow_logging.flood.FloodFilter", "rate": 5}},
        "handlers": {
            "all": {
                **OWN, "app_id": "shop", "namespace": "py", "platform": "app", "contexts": [entity],
                "filters": ["flood"], "formatter": "json", "exceptions": "log_record",
                "schema": f"iglu:com.acme/{RECORD}",
            },
            "errors": {**OWN, "level": "ERROR", "schema": None, "record_entity": True},
            "buffer": {
                "class": "logging.handlers.MemoryHandler", "capacity": 9, "target": "errors",
            },
            "file": {"class": "logging.FileHandler", "filename": "made.log"},
        },
        "loggers": {
            "shop": {"level": "DEBUG"},
            "shop.orders": {"handlers": ["all"], "propagate": False},
            "audit": {"handlers": ["file"], "propagate": False},
        },
        "root": {"handlers": ["buffer", "file"]},
    })  # fmt: skip
    ended = place.run(*config)
    assert missing((
        r"✓ handler   all on shop.orders from DEBUG$",
        r"! loggers   audit does not propagate, and does not name all",
        r"✓ records   are sent as com.acme/log_record 1-0-0 with com.acme/service 1-0-0$",
        r"✓ errors    are sent as com.acme/log_record 1-0-0 with com.acme/service 1-0-0$",
        r"✓ as        app_id shop, namespace py, platform app$",
        r"✓ to        https://collector.acme.invalid$",
        r"✓ handler   errors on root from ERROR$",
        r"! level     root has no level, which means WARNING",
        r"! loggers   shop.orders does not propagate, and does not name errors",
        r"✓ records   are not sent, unless they name a schema$",
        r"✓ errors    are sent as .*/application_error 1-0-2 with io.github.snowplow_logging/log_",
        r"✓ as        platform srv$",
        r"! as        no app_id",
        r"! loggers   disable_existing_loggers is true",
        r'→ set "disable_existing_loggers": false$',
    ), ended.output) == [], ended.output  # fmt: skip
    assert ended.output.count("\nCollector ") == 1
    assert not (place.folder / "made.log").exists(), "other handlers are not made"


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ({"overflow": "never"}, r"overflow takes one of drop_newest.*; not 'never'$"),
        ({"app_name": "shop"}, r"unknown option 'app_name': "),
        ({"path": "com.acme/track/"}, r"path takes two segments and no slash at its end"),
        ({"endpoint": None}, r"no endpoint: give the handler endpoint="),
        ({"endpoint": "ftp://bob:pw@acme.com"}, r"endpoint takes a host, or a URL that begins"),
        ({"formatter": "gone"}, r"there is no 'gone' under 'formatters'$"),
        ({"formatter": "json"}, r"formatter JsonFormatter makes the whole data"),
    ],
)
def test_a_handler_that_cannot_be_made(place: Place, handler: dict[str, Any], said: str) -> None:
    given = {key: value for key, value in {**OWN, **handler}.items() if value is not None}
    formatters = {"json": {"class": "pythonjsonlogger.json.JsonFormatter"}}
    config = place.write({"handlers": {"snowplow": given}, "formatters": formatters})
    ended = place.run(*config)
    assert missing((rf"✗ handler   snowplow: {said}", "→ mend this handler"), ended.output) == []
    assert (ended.status, ended.errors) == (1, "")
    assert "pw" not in ended.output


def test_loggers_that_cannot_be_made(place: Place) -> None:
    """The application would not start; what can be said of the handlers is said all the same."""
    config = place.write({
        "handlers": {"snowplow": OWN},
        "loggers": {"a": {"level": "LOUD"}, "b": {"handlers": 7}, "c": {"handlers": ["gone"]}},
    })  # fmt: skip
    ended = place.run(*config)
    assert missing((
        r"✗ loggers   a: Unknown level: 'LOUD'$",
        r"→ mend this logger \(a\): the application would not start$",
        r"✗ loggers   b: handlers takes a list of names, not 7$",
        r"✗ loggers   c names the handler gone, which there is not$",
        r"✓ handler   snowplow on root from INFO$",
    ), ended.output) == [], ended.output  # fmt: skip
    assert (ended.status, ended.errors) == (1, "")


def test_a_module_that_ends_the_program(place: Place) -> None:
    """Its exit status is not the doctor's."""
    _ = (place.folder / "acme.py").write_text("raise SystemExit(0)\n")
    ended = place.run("--config", "acme:LOGGING")
    assert missing((r"✗ read      acme:LOGGING: SystemExit: 0$",), ended.output) == []
    assert ended.status == 1


def test_a_class_that_is_not_there(place: Place) -> None:
    ended = place.run(*place.write({"handlers": {"snowplow": {"class": "acme.Handler"}}}))
    assert missing((r"✗ handler   snowplow: .*No module named 'acme'$",), ended.output) == []
    assert ended.status == 1


def test_a_handler_on_no_logger(place: Place) -> None:
    ended = place.run(*place.write({"handlers": {"snowplow": OWN}, "root": {}}))
    expected = (
        r"✗ handler   snowplow is on no logger",
        r'→ add "snowplow" to "handlers" of "root"',
    )
    assert missing(expected, ended.output) == []


def test_no_snowplow_handler(place: Place) -> None:
    config = place.write({"handlers": {"snowplow": {"class": "logging.StreamHandler"}}})
    ended = place.run(*config)
    assert (
        missing((r"✗ handler   no handler is a SnowplowHandler$", "→ add one"), ended.output) == []
    )
    assert ended.status == 1


def test_a_handler_that_a_function_makes(place: Place) -> None:
    """It may do anything, so it is not called; nobody says that there is no handler."""
    ended = place.run(*place.write({"handlers": {"snowplow": {"()": "logging.getLogger"}}}))
    said = (r"! handler   snowplow is made by a function, which is not called here$",)
    assert missing(said, ended.output) == []
    assert ended.status == 0


def test_a_record_that_cannot_be_mapped(place: Place) -> None:
    """A formatter that makes no object is found before any record is lost."""
    _ = (place.folder / "acme.py").write_text(
        "from pythonjsonlogger.json import JsonFormatter\n"
        "class Listing(JsonFormatter):\n"
        "    def format(self, record): return '7'\n"
    )
    handler = {**OWN, "formatter": "json", "schema": f"iglu:com.acme/{RECORD}"}
    formatters = {"json": {"class": "acme.Listing"}}
    ended = place.run(*place.write({"handlers": {"snowplow": handler}, "formatters": formatters}))
    said = (r"✗ records   unmappable: data takes a JSON object or array, not int$",)
    assert missing(said, ended.output) == [], ended.output
    assert ended.errors == ""


def test_secrets_are_not_shown(place: Place) -> None:
    """Neither those of the endpoint, nor those of a proxy."""
    place.environment["HTTPS_PROXY"] = f"http://eve:pw2@127.0.0.1:{closed_port()}"
    ended = place.run(*place.configure("https://bob:pw1@collector.acme.com"))
    assert missing((
        r"✓ to        https://collector.acme.com$",
        r"✓ url       POST https://collector.acme.com/.* with user and password$",
        r"✓ proxy     http://…@127.0.0.1:\d+, from the environment",
        r"✗ connect   nobody listens on 127.0.0.1:\d+",
        r"→ start the collector, or mend the port in the proxy's address",
    ), ended.output) == [], ended.output  # fmt: skip
    assert not any(secret in ended.output for secret in ("bob", "pw1", "eve", "pw2"))


def test_sources(place: Place) -> None:
    """A Python name, Django's settings, YAML and the environment give what JSON gives."""
    config = json.loads((place.folder / place.configure(ENDPOINT)[1]).read_text(encoding="utf-8"))
    _ = (place.folder / "acme_log.py").write_text(f"LOGGING = {config!r}\n")
    wanted = (r"✓ handler   snowplow on root from INFO$", r"✓ as        app_id checkout, namespace")
    place.environment["DJANGO_SETTINGS_MODULE"] = "acme_log"
    for source in ("acme_log:LOGGING", "django:acme_log", "django:"):
        ended = place.run("--config", source)
        assert missing(wanted, ended.output) == [], ended.output + ended.errors
    place.environment["SNOWPLOW_LOGGING_ENDPOINT"] = ENDPOINT
    place.environment["SNOWPLOW_LOGGING_APP_ID"] = "checkout"
    ended = place.run()
    named = r"✓ handler   of SNOWPLOW_LOGGING_APP_ID, SNOWPLOW_LOGGING_ENDPOINT$"
    assert missing((named, r"✓ as        app_id checkout"), ended.output) == []


def test_yaml(place: Place) -> None:
    """JSON is YAML, too; broken YAML is told in one line."""
    _ = pytest.importorskip("yaml", reason="PyYAML is not installed")
    written = place.folder / place.configure(ENDPOINT)[1]
    config = written.rename(place.folder / "logging.yml")
    ended = place.run("--config", "logging.yml")
    assert missing((r"✓ handler   snowplow on root from INFO$",), ended.output) == []
    _ = config.write_text("version: [1\n")
    ended = place.run("--config", "logging.yml")
    assert missing((r"✗ read      logging.yml is no YAML: while parsing",), ended.output) == []
    assert ended.status == 1


def test_the_command_line_replaces_the_endpoint(place: Place) -> None:
    ended = place.run(*place.configure(ENDPOINT), "--endpoint", "https://other.acme.invalid")
    assert missing((r"✓ to        https://other.acme.invalid$",), ended.output) == []
    assert ENDPOINT not in ended.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"version": 1', r"✗ read      logging.json is no JSON: Expecting"),
        ("[]", r"✗ read      logging.json is list, not a dictionary for dictConfig$"),
        ("{}", r"✗ read      logging.json has no 'version': 1"),
        ("null", r"✗ read      logging.json is empty, not a dictionary for dictConfig$"),
        ("[" * 100_000, r"✗ read      logging.json nests too deep$"),
        ("\udcff", r"✗ read      logging.json is no text in UTF-8: "),
    ],
    ids=lambda value: value[:12],
)
def test_a_configuration_that_is_none(place: Place, content: str, said: str) -> None:
    _ = (place.folder / "logging.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    ended = place.run_here("--config", "logging.json")
    assert missing((said,), ended.output) == []
    assert (ended.status, ended.errors) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --config or --endpoint, or set SNOWPLOW_LOGGING_ENDPOINT"),
        (["--config", "gone.json"], "gone.json: No such file or directory"),
        (["--config", "logging.ini"], "--config takes a .yaml"),
        (["--config", "gone:LOGGING"], "No module named 'gone'"),
        (["--config", "json:GONE"], "has no attribute 'GONE'"),
        (["--endpoint", "x", "--timeout", "0"], "argument --timeout: takes seconds over 0"),
        (["--endpoint", "x", "--timeout", "1e300"], "argument --timeout: takes seconds over 0"),
        (["--endpoint", "x", "--timeout", "soon"], "argument --timeout: takes seconds over 0"),
        (["--endpoint", "x", "--iglu", "a:b:c"], "argument --iglu: takes the address of"),
        (["--endpoint", "x", "--iglu", "http://bob:p/w@acme.com"], "argument --iglu: takes"),
        (["--endpoint", "x", "--iglu", "http://bob:p@w@acme.com/?k=p/w"], "environment's SNOW"),
        (["--endpoint", "x", "--iglu", "http://bob:w@acme.com/p/w@b"], "user and password with"),
        (["--config", "http://bob:p/w@acme.com"], "http://…@acme.com: "),
        (["--endpoint", "x", "--schema", ERROR], "is no Iglu URI"),
    ],
)
def test_wrong_usage(place: Place, arguments: list[str], said: str) -> None:
    """Status 2, and what to do on stderr."""
    ended = place.run_here(*arguments)
    assert (ended.status, ended.output) == (2, "")
    assert said in ended.errors
    assert "p/w" not in ended.errors


def test_wrong_settings(place: Place) -> None:
    ended = place.run("--config", "django:gone.settings")
    said = "snowplow-logging doctor: django: No module named 'gone'; run this where manage.py is\n"
    assert ended == (2, "", said)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to https://bob:p/w@x@acme.com/a, too", "to https://…@acme.com/a, too"),
        ("(http://acme.com/a?key=p/w&b)", "(http://acme.com/a?…)"),
        ("with url: /a?key=p/w&b=c (Caused", "with url: /a?key=…&b=… (Caused"),
        ("https://acme.com/a: is it?", "https://acme.com/a: is it?"),
        ("\x1b[31mred\n", " [31mred\n"),
    ],
)
def test_what_is_shown_of_urls(text: str, shown: str) -> None:
    """What errors and redirects quote may hold secrets, too."""
    assert plain(text) == shown
