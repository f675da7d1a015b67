"""What ``docs/doctor.md`` shows, and the tests expect: one thing wrong at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from snowplow_logging.testing import closed_port
from tests.doctor.servers import COLLECTOR, Page, certificate, schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doctor.running import Place


class Scenario(NamedTuple):
    """One state of the world.

    Args:
        title: The heading in the docs.
        arrange: Makes it so; returns the command's arguments.
        status: The exit status.
        expected: What must be said: regular expressions, in this order.
    """

    title: str
    arrange: Callable[[Place], list[str]]
    status: int
    expected: tuple[str, ...]

    @property
    def name(self) -> str:
        """Names it in the docs' comments and the tests."""
        return self.arrange.__name__


def all_is_well(place: Place) -> list[str]:
    config = place.configure(place.collector().url)
    return [*config, "--iglu", place.registry(), "--send"]


def unknown_host(place: Place) -> list[str]:
    return [*place.configure("https://collector.acme.invalid"), "--iglu", place.registry()]


def closed(place: Place) -> list[str]:
    config = place.configure(f"http://127.0.0.1:{closed_port()}")
    return [*config, "--iglu", place.registry()]


def bad_certificate(place: Place) -> list[str]:
    server = place.server(COLLECTOR, certificate=certificate(place.folder, "localhost"))
    return [*place.configure(server.url("localhost")), "--iglu", place.registry()]


def wrong_path(place: Place) -> list[str]:
    endpoint = f"{place.collector().url}/com.snowplowanalytics.snowplow/tp2/"
    return [*place.configure(endpoint), "--iglu", place.registry()]


def schema_missing(place: Place) -> list[str]:
    config = place.configure(place.server(COLLECTOR).url())
    return [*config, "--iglu", place.server(schemas()).url()]


def redirected(place: Place) -> list[str]:
    own = certificate(place.folder, "localhost")
    place.environment["REQUESTS_CA_BUNDLE"] = str(own)
    secure = place.server(COLLECTOR, certificate=own).url("localhost")
    moved = {path: Page(301, "", Location=secure + path) for path in COLLECTOR}
    config = place.configure(place.server(moved).url())
    return [*config, "--iglu", place.registry()]


def wrong_clock(place: Place) -> list[str]:
    config = place.configure(place.server(COLLECTOR, date_ahead=3_600).url())
    return [*config, "--iglu", place.registry()]


SCENARIOS = (
    Scenario("All is well", all_is_well, 0, (
        r"^logging.json$",
        r"✓ handler   snowplow on root from INFO$",
        r"✓ records   are sent as com.acme/log_record 1-0-0$",
        r"✓ errors    are sent as com.snowplowanalytics.snowplow/application_error 1-0-2$",
        r"✓ as        app_id checkout, namespace python, platform srv$",
        r"✓ to        http://127.0.0.1:\d+$",
        r"^Collector http://127.0.0.1:\d+$",
        r"✓ url       POST http://127.0.0.1:\d+/com.snowplowanalytics.snowplow/tp2$",
        r"✓ proxy     none$",
        r"✓ dns       127.0.0.1$",
        r"✓ connect   127.0.0.1:\d+ in \d+ ms$",
        r"✓ health    200 in \d+ ms$",
        r"✓ clock     within 5 s of the collector's$",
        r"✓ path      /com.snowplowanalytics.snowplow/tp2 answers 200$",
        r"✓ send      200 for a com.acme/log_record 1-0-0 with event_id [0-9a-f-]{36}$",
        r"✓ look      valid, says http://127.0.0.1:\d+/micro/good$",
        r"✓ schema    com.acme/log_record 1-0-0 is in http://127.0.0.1:\d+$",
        r"✓ schema    com.snowplowanalytics.snowplow/application_error 1-0-2 is in http",
        r"^Nothing to fix.$",
    )),
    Scenario("The host is unknown", unknown_host, 1, (
        r"✗ dns       there is no address for collector.acme.invalid \(.+\)$",
        r"→ check the spelling of endpoint",
        r"getent hosts collector.acme.invalid$",
        r"✓ schema    com.acme/log_record 1-0-0",
        r"^To fix: 1$",
        r"1\. there is no address for collector.acme.invalid", r"→ check the spelling",
    )),
    Scenario("The port is closed", closed, 1, (
        r"✗ connect   nobody listens on 127.0.0.1:\d+ \(connection refused\)$",
        r"→ start the collector, or mend the port in endpoint$",
        r"^To fix: 1$",
    )),
    Scenario("The certificate fails", bad_certificate, 1, (
        r"✓ connect ",
        r"✗ tls       certificate of localhost: it is self-signed \(self.signed certificate\)$",
        r"→ give the collector one of a public authority; to trust it, set$",
        r"REQUESTS_CA_BUNDLE=/path/to/ca.pem in the application's environment$",
        r"^To fix: 1$",
    )),
    Scenario("The path is wrong", wrong_path, 1, (
        r"✗ url       http://127.0.0.1:\d+/com.snowplowanalytics.snowplow/tp2 has the collector's",
        r"→ set endpoint to http://127.0.0.1:\d+: the handler adds$",
        r"! health    404 in \d+ ms: is this a collector\?$",
        r"✗ path      404 for /com.snowplowanalytics.snowplow/tp2/com.snowplowanalytics",
        r"→ a collector takes two segments and no slash at the end",
        r"^To fix: 2$",
    )),
    Scenario("The registry lacks a schema", schema_missing, 1, (
        r"✓ path ",
        r"✗ schema    com.acme/log_record 1-0-0 is not in http://127.0.0.1:\d+$",
        r"→ publish it:$",
        r"snowplow-logging schema export --vendor com.acme schemas$",
        r"igluctl static push",
        r"✓ schema    com.snowplowanalytics.snowplow/application_error 1-0-2",
        r"^To fix: 1$",
    )),
    Scenario("The collector redirects", redirected, 0, (
        r"! redirect  301 from http://127.0.0.1:\d+/health to https://localhost:\d+/health: each",
        r"→ set endpoint to https://localhost:\d+$",
        r"✓ health    200 in \d+ ms$",
        r"✓ path      /com.snowplowanalytics.snowplow/tp2 answers 200$",
        r"^Nothing to fix.$",
    )),
    Scenario("A clock is wrong", wrong_clock, 1, (
        r"✗ clock     this machine's is 60 minutes behind the collector's$",
        r"→ set the one that is wrong by NTP",
        r"^To fix: 1$",
    )),
)  # fmt: skip
