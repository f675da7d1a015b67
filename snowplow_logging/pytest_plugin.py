"""The pytest plugin: fixtures that give a test a collector, and handlers that send to it.

The law: a pytest that does not use the fixtures pays nothing for them. Nothing but pytest is
imported before the first use, and nothing of the user's is changed: no option, no logging.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from contextlib import AbstractContextManager

    from snowplow_logging import SnowplowHandler
    from snowplow_logging.collector import LocalCollector
    from snowplow_logging.testing.collector import SnowplowCollector
    from snowplow_logging.testing.micro import Micro

MICRO_URL = "SNOWPLOW_MICRO_URL"
MARKER = (
    "snowplow_handler(**options): options of the fixture snowplow_handler, "
    'such as level="WARNING", app_id="shop"'
)
SCHEMAS = (
    "where snowplow_collector finds schemas: folders laid out as VENDOR/NAME/jsonschema/VERSION, "
    "or addresses of Iglu registries"
)
RESOLVER = "an Iglu resolver's file that snowplow_collector finds schemas by"
TIMEOUT = "the longest that snowplow_collector waits for events, in seconds (default: 10)"
DEFAULTS: dict[str, Any] = {"level": "INFO", "flush_interval": 0.05}

_collector_of = pytest.StashKey["SnowplowCollector"]()


class MakeSnowplowHandler(Protocol):
    """What ``make_snowplow_handler`` is."""

    def __call__(self, *, logger: str | None = None, **options: Any) -> SnowplowHandler:
        """Makes a handler that sends to ``snowplow_collector``, and attaches it.

        Args:
            logger: The name of the logger that gets it; None: the root logger.
            options: Those of ``SnowplowHandler``. The logger, too, lets pass what ``level``
                lets pass, which is INFO by default.
        """
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the settings."""
    parser.addini("snowplow_schemas", SCHEMAS, type="linelist", default=[])
    parser.addini("snowplow_resolver", RESOLVER, default="")
    parser.addini("snowplow_timeout", TIMEOUT, default="10")


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def _snowplow_micro(pytestconfig: pytest.Config) -> Iterator[Micro]:
    """What judges the events of all tests, one after the other."""
    from snowplow_logging.testing.micro import Micro  # noqa: PLC0415 - see the law

    url = os.environ.get(MICRO_URL)
    if not url:
        with _local_collector(pytestconfig) as local:
            yield Micro(local.url, synchronous=True)
        return
    try:
        micro = Micro(url, synchronous=False)
    except ValueError as error:
        pytest.fail(f"{MICRO_URL}: {error}", pytrace=False)
    yield micro


@pytest.fixture
def snowplow_collector(
    request: pytest.FixtureRequest, _snowplow_micro: Micro
) -> Iterator[SnowplowCollector]:
    """A collector on a free port that holds no event yet, and says what arrives.

    It judges each event as a pipeline would, before it answers. With SNOWPLOW_MICRO_URL in the
    environment, the Snowplow Micro there judges them instead.
    """
    from snowplow_logging.testing.collector import SnowplowCollector  # noqa: PLC0415 - see the law
    from snowplow_logging.testing.faulty_collector import FaultyCollector  # noqa: PLC0415

    micro = _snowplow_micro
    with _alone(request) if not micro.synchronous else nullcontext():
        try:
            micro.reset()
        except OSError as error:
            pytest.fail(f"{MICRO_URL}: no Micro answers at {micro.url}: {error}", pytrace=False)
        timeout = _seconds(request.config, "snowplow_timeout")
        front = FaultyCollector(upstream=micro.url)
        collector = SnowplowCollector(front, micro, _flush, timeout)
        request.node.stash[_collector_of] = collector
        try:
            yield collector
        finally:
            collector.close()


@pytest.fixture
def make_snowplow_handler(snowplow_collector: SnowplowCollector) -> Iterator[MakeSnowplowHandler]:
    """Makes handlers that send to ``snowplow_collector``; they are detached and closed at the end.

    Called with a logger's name as ``logger`` (by default it is the root logger that gets the
    handler), and options of SnowplowHandler.
    """
    from snowplow_logging import SnowplowHandler  # noqa: PLC0415 - see the law

    with ExitStack() as stack:

        def make(*, logger: str | None = None, **options: Any) -> SnowplowHandler:
            handler = SnowplowHandler(snowplow_collector.url, **{**DEFAULTS, **options})
            _ = stack.callback(handler.close)
            stack.enter_context(_attached(handler, logging.getLogger(logger)))
            return handler

        yield make


@pytest.fixture
def snowplow_handler_options() -> dict[str, Any]:
    """The options of ``snowplow_handler``; to be overridden by a fixture of the project's own."""
    return {}


@pytest.fixture
def snowplow_handler(
    request: pytest.FixtureRequest,
    make_snowplow_handler: MakeSnowplowHandler,
    snowplow_handler_options: dict[str, Any],
) -> SnowplowHandler:
    """A SnowplowHandler on the root logger that sends to ``snowplow_collector``.

    It takes the records from INFO on, and is detached and closed at the end of the test. The
    marker ``snowplow_handler`` gives it other options, and so does the fixture
    ``snowplow_handler_options``.
    """
    options = {**snowplow_handler_options}
    for marker in reversed([*request.node.iter_markers("snowplow_handler")]):
        options.update(marker.kwargs)
    return make_snowplow_handler(**options)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Adds what arrived to the report of a test that failed."""
    outcome = yield
    collector = item.stash.get(_collector_of, None)
    test_report: pytest.TestReport = outcome.get_result()
    if collector is not None and test_report.failed and test_report.when == "call":
        try:
            lines = collector.summary()
        except OSError as error:
            lines = [str(error)]
        test_report.sections.append(("Snowplow events", "\n".join(lines)))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Shows the events that were compared with none, instead of the documents they are."""
    if "snowplow_logging.testing.events" not in sys.modules:
        return None
    from snowplow_logging.testing.events import Events  # noqa: PLC0415 - see the law
    from snowplow_logging.testing.report import listing  # noqa: PLC0415

    if op == "==" and isinstance(left, Events) and isinstance(right, list) and not right:
        return [f"{left!r} == []", *listing(left)]
    return None


def _local_collector(config: pytest.Config) -> LocalCollector:
    try:
        from snowplow_logging.collector.server import LocalCollector  # noqa: PLC0415 - see the law

        places: list[str] = config.getini("snowplow_schemas")
        resolver: str = config.getini("snowplow_resolver")
        beside = (config.inipath or config.rootpath / "pyproject.toml").parent
        return LocalCollector(
            port=0,
            schemas=[place if "://" in place else beside / place for place in places],
            resolver=beside / resolver if resolver else None,
        )
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("snowplow_logging"):
            raise
        pytest.fail(
            f"snowplow_collector needs {error.name}: pip install 'snowplow-logging[collector]', "
            f"or set {MICRO_URL} to the address of a Snowplow Micro",
            pytrace=False,
        )
    except ValueError as error:
        pytest.fail(f"snowplow_collector: {error}", pytrace=False)


def _seconds(config: pytest.Config, name: str) -> float:
    given = config.getini(name)
    try:
        return float(given)
    except ValueError:
        pytest.fail(f"{name} takes seconds, not {given!r}", pytrace=False)


def _flush(url: str) -> bool:
    """Sends what the emitters of this process have queued for ``url``."""
    from snowplow_logging import Emitter, _lifecycle  # noqa: PLC0415 - see the law

    emitters = [each for each in _lifecycle.emitters() if isinstance(each, Emitter)]
    return _lifecycle.flush([each for each in emitters if each.endpoint == url], None)


def _alone(request: pytest.FixtureRequest) -> AbstractContextManager[None]:
    """Keeps the other workers of pytest-xdist from the Micro that they share, for a test."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return nullcontext()
    from snowplow_logging.testing._lock import alone  # noqa: PLC0415 - see the law

    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    return alone(factory.getbasetemp().parent / "snowplow-micro.lock")


@contextmanager
def _attached(handler: SnowplowHandler, logger: logging.Logger) -> Generator[None]:
    """Attaches ``handler``, and has ``logger`` let pass what it takes."""
    level = logger.level
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > handler.level:
        logger.setLevel(handler.level or 1)  # 0 would have it ask its parent
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
