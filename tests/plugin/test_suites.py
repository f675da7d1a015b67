"""The plugin in the suites of users: what it gives, what it says, what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from snowplow_logging.testing import Answer, AnswerLike, FaultyCollector, Request
from tests.collector.support import write_schema

from .conftest import STRICT
from .support import ERROR, PLUGIN, outcome, outcome_of_workers

IMPORT = """
from time import perf_counter
began = perf_counter()
import pytest
between = perf_counter()
import snowplow_logging.pytest_plugin
print((perf_counter() - between) / (between - began))
"""
WITHOUT_EXTRA = """
import sys
sys.modules["uvicorn"] = sys.modules["starlette"] = sys.modules["jsonschema"] = None
import pytest
sys.exit(pytest.main())
"""


def test_handler_is_there_for_the_test_alone(pytester: pytest.Pytester) -> None:
    """It is on root, which lets pass what it takes; after the test all is as it was."""
    source = """
    root = logging.getLogger()
    before = root.level, [*root.handlers]

    @pytest.fixture(autouse=True)
    def as_before():
        assert (root.level, [h for h in root.handlers if "Capture" not in repr(h)]) == (
            before[0], [h for h in before[1] if "Capture" not in repr(h)])
        yield

    def test_default(snowplow_handler, snowplow_collector):
        assert snowplow_handler in root.handlers
        logging.getLogger("shop").debug("not taken")
        logging.getLogger("shop").info("taken")
        assert snowplow_collector.one().data["message"] == "taken"

    @pytest.mark.snowplow_handler(level="DEBUG", app_id="shop")
    class TestOptions:
        @pytest.mark.snowplow_handler(namespace="web")
        def test_of_function_and_class(self, snowplow_handler, snowplow_collector):
            logging.getLogger("shop").debug("taken")
            assert snowplow_collector.one(app_id="shop", name_tracker="web")

        @pytest.mark.snowplow_handler(app_id="till", level=logging.NOTSET)
        def test_the_closest_wins(self, snowplow_handler, snowplow_collector):
            logging.getLogger("shop").log(1, "taken")
            assert snowplow_collector.one(app_id="till")

    def test_level_of_root_stays_where_it_suffices(snowplow_handler):
        assert root.isEnabledFor(logging.INFO)

    def test_detached(snowplow_collector):
        logging.getLogger("shop").error("to nobody")
        assert snowplow_collector.all()["total"] == 0
    """
    outcome(pytester, source).assert_outcomes(passed=5)


def test_handlers_of_other_loggers(pytester: pytest.Pytester) -> None:
    """The factory makes any number of them; a fixture of the user's says the options."""
    source = """
    @pytest.fixture
    def snowplow_handler_options():
        return {"logger": "shop", "app_id": "shop"}

    def test_two(make_snowplow_handler, snowplow_handler, snowplow_collector):
        audit = make_snowplow_handler(logger="audit", app_id="audit", level="ERROR")
        logging.getLogger("audit").warning("not taken")
        logging.getLogger("audit").error("taken")
        logging.getLogger("shop.orders").info("taken, too")
        logging.getLogger("elsewhere").error("not taken")
        assert [e.fields["app_id"] for e in snowplow_collector.good()] in (
            ["audit", "shop"], ["shop", "audit"])
        assert audit.stats().delivered == 1
        assert logging.getLogger("shop").isEnabledFor(logging.INFO)

    def test_levels_are_as_before(snowplow_collector):
        assert logging.getLogger("shop").level == logging.getLogger("audit").level == 0
    """
    outcome(pytester, source).assert_outcomes(passed=2)


def test_what_a_failure_shows(pytester: pytest.Pytester) -> None:
    """What was expected, the nearest event and where it differs, and all that arrived."""
    source = """
    def test_bare_assert(snowplow_collector, snowplow_handler):
        log_error("placed", lineNumber=17)
        log_error("wrong", lineNumber="17")
        assert snowplow_collector.events_with({"message": "placed", "lineNumber": 18})
    """
    outcome(pytester, source).stdout.fnmatch_lines(
        [
            'E *assert <no event with data {"message": "placed", "lineNumber": 18}>',
            "*- Snowplow events -*",
            "good 1, bad 1, requests 1",
            'no event with data {"message": "placed", "lineNumber": 18}',
            "the nearest is",
            f"good {ERROR}  *-*-*-*-*",
            '     {"programmingLanguage": "PYTHON", "message": "placed", "lineNumber": 17}',
            "     - data.lineNumber: expected 18, got 17",
            "",
            f"good {ERROR}  *",
            f"bad  {ERROR}  *",
            '     {"programmingLanguage": "PYTHON", "message": "wrong", "lineNumber": "17"}',
            f'     ! {ERROR}: $.lineNumber: expected integer or null, got "17"',
        ],
        consecutive=False,
    )


def test_what_comparisons_with_nothing_show(pytester: pytest.Pytester) -> None:
    """The events and their reasons; other comparisons are pytest's own."""
    source = """
    def test_bad(snowplow_collector, snowplow_handler):
        log_error("wrong", lineNumber="17")
        assert snowplow_collector.bad() == []

    def test_another(snowplow_collector, snowplow_handler):
        log_error("one")
        assert snowplow_collector.one().data == {"message": "one"}
    """
    outcome(pytester, source).stdout.fnmatch_lines(
        [
            "E *assert <1 event: application_error> == ?]",
            f"E         bad  {ERROR}  *",
            "E              {*17*}",
            f'E              ! {ERROR}: $.lineNumber: expected integer or null, got "17"',
            "E *assert {*} == {*}",
            "E *Left contains 1 more item:",
        ]
    )


def test_a_failure_that_has_nothing_to_do_with_events(pytester: pytest.Pytester) -> None:
    """Tests that do not use the collector show nothing of it, nor do those that pass."""
    source = """
    def test_fails():
        assert not "plain"

    def test_passes(snowplow_collector):
        assert not snowplow_collector.events_with(app_id="x")
    """
    result = outcome(pytester, source, "-rA")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*Snowplow events*")


def test_schemas_of_the_project(pytester: pytest.Pytester) -> None:
    """Folders, from where the settings are; the addresses of registries; an Iglu resolver."""
    body: dict[str, object] = {"type": "object", "properties": {"id": {"type": "string"}}}
    uris = [
        write_schema(pytester.path / folder, body, name)
        for folder, name in (("iglu", "of_folder"), ("static", "of_registry"), ("other", "of_file"))
    ]

    def rule(request: Request) -> AnswerLike:
        file = pytester.path / "static" / request.path.removeprefix("/schemas/")
        return Answer(body=file.read_bytes()) if file.is_file() else 404

    with FaultyCollector(otherwise=rule) as registry:
        repository: dict[str, Any] = {
            "name": "other",
            "vendorPrefixes": [],
            "priority": 0,
            "connection": {"embedded": {"path": str(pytester.path / "other")}},
        }
        resolver: dict[str, Any] = {
            "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
            "data": {"cacheSize": 10, "repositories": [repository]},
        }
        _ = (pytester.path / "resolver.json").write_text(json.dumps(resolver))
        places = f"snowplow_schemas =\n  iglu\n  {registry.url}\n"
        _ = pytester.makeini(f"{STRICT}{places}snowplow_resolver = resolver.json\n")
        source = f"""
        @pytest.mark.parametrize("uri", {uris})
        def test_own_schema(snowplow_collector, snowplow_handler, uri):
            logging.info("x", extra={{"schema": uri, "id": "o-17"}})
            assert snowplow_collector.one({{"id": "o-17"}}, schema=uri)
        """
        outcome(pytester, source).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("snowplow_schemas = nowhere", "snowplow_collector: schemas: there is no folder */nowhere"),
        ("snowplow_resolver = none", "snowplow_collector: resolver: */none*"),
        ("snowplow_timeout = soon", "snowplow_timeout takes seconds, not 'soon'"),
    ],
)
def test_wrong_settings(pytester: pytest.Pytester, setting: str, message: str) -> None:
    """They are named, and only where they are needed."""
    _ = pytester.makeini(f"{STRICT}{setting}\n")
    source = """
    def test_uses_it(snowplow_collector): pass
    def test_does_not(): pass
    """
    result = outcome(pytester, source)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines([f"*{message}"])


def test_wrong_options(pytester: pytest.Pytester) -> None:
    """They are refused as the handler refuses them."""
    source = """
    @pytest.mark.snowplow_handler(batch_size=0)
    def test_value(snowplow_handler): pass
    """
    outcome(pytester, source).stdout.fnmatch_lines(["E *ValueError: batch_size takes *"])


def test_workers_of_xdist(pytester: pytest.Pytester) -> None:
    """Each has a collector of its own; failures are shown as without it."""
    source = """
    @pytest.mark.parametrize("number", range(8))
    def test_own(snowplow_collector, snowplow_handler, number):
        log_error(f"of {number}")
        assert snowplow_collector.one().data["message"] == f"of {number}"

    def test_fails(snowplow_collector, snowplow_handler):
        log_error("shown")
        assert snowplow_collector.bad()
    """
    result = outcome_of_workers(pytester, source)
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(["*- Snowplow events -*", "good 1, *", '*"message": "shown"*'])


def test_without_the_extra(pytester: pytest.Pytester) -> None:
    """Pytest starts, and who uses a fixture is told what to install."""
    _ = pytester.makepyfile(
        """
        def test_uses_it(snowplow_handler): pass
        def test_does_not(): pass
        """
    )
    result = pytester.run(sys.executable, "-c", WITHOUT_EXTRA, "-p", PLUGIN)
    result.assert_outcomes(errors=1, passed=1)
    needs = "snowplow_collector needs *: pip install 'snowplow-logging?collector?', or set "
    result.stdout.fnmatch_lines([f"{needs}SNOWPLOW_MICRO_URL to the address of a Snowplow Micro"])


def test_who_does_not_use_it_pays_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the package, the plugin alone is imported; no thread, handler, or level is changed."""
    _ = pytester.makepyfile(
        """
        import logging, sys, threading

        def test_nothing_is_there():
            ours = {name for name in sys.modules if name.startswith("snowplow_logging")}
            expected = ("", "._version", ".pytest_plugin")
            assert ours == {f"snowplow_logging{rest}" for rest in expected}
            assert not {"requests", "uvicorn", "starlette", "jsonschema"} & sys.modules.keys()
            assert threading.enumerate() == [threading.main_thread()]
            assert logging.getLogger().level == logging.WARNING
        """
    )
    result = pytester.runpytest_subprocess("-p", PLUGIN)
    result.assert_outcomes(passed=1)
    # The entry point, which installing the package has made.
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = pytester.runpytest_subprocess("--fixtures", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.snowplow_handler(?*options): options of *"])


def test_who_has_imported_us_before_is_not_warned(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pytest would, as it cannot rewrite the assertions of what is imported already."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    _ = pytester.makepyfile("def test_nothing(): pass")
    program = "import sys, snowplow_logging.handler, pytest; sys.exit(pytest.main())"
    result = pytester.run(sys.executable, "-W", "error", "-c", program)
    result.assert_outcomes(passed=1)


def test_import_of_the_plugin_is_cheap() -> None:
    """It takes less than a tenth of the time that pytest itself takes."""
    ratios = [
        float(subprocess.check_output([sys.executable, "-c", IMPORT], timeout=60)) for _ in range(5)
    ]
    assert min(ratios) < 0.1, ratios
