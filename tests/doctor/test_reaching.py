"""What is said of a collector, a certificate, a registry and a test event; and how."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.testing import HANG, FaultyCollector
from tests.doctor.running import clean_environment
from tests.doctor.servers import (
    COLLECTOR,
    ERROR,
    RECORD,
    Page,
    certificate,
    log_record,
    needs_openssl,
    schemas,
)
from tests.doctor.test_scenarios import missing
from tests.program import Program

if TYPE_CHECKING:
    from tests.doctor.running import Ended, Place

TP2 = "/com.snowplowanalytics.snowplow/tp2"


def reached(place: Place, endpoint: str, *arguments: str) -> Ended:
    """Runs the doctor on a collector, with a registry in which all is well."""
    return place.run(*place.configure(endpoint), "--iglu", place.registry(), *arguments)


@needs_openssl
@pytest.mark.parametrize(
    ("name", "days", "trusted", "status", "said"),
    [
        (
            "localhost",
            30,
            True,
            0,
            r"✓ tls       TLSv1.\d, certificate by localhost until .* \(29 d",
        ),
        (
            "localhost",
            3,
            True,
            0,
            r"! tls       TLSv1.\d, certificate by localhost until .* \(2 days",
        ),
        ("localhost", -1, True, 1, r"✗ tls       certificate of localhost: it has expired "),
        (
            "acme.com",
            30,
            True,
            1,
            r"✗ tls       certificate of localhost: it is not for this name ",
        ),
    ],
)
def test_certificates(
    place: Place, name: str, days: int, *, trusted: bool, status: int, said: str
) -> None:
    own = certificate(place.folder, name, days=days)
    if trusted:
        place.environment["REQUESTS_CA_BUNDLE"] = str(own)
    server = place.server(COLLECTOR, certificate=own)
    ended = reached(place, server.url("localhost"))
    assert missing((said,), ended.output) == [], ended.output
    assert (ended.status, ended.errors) == (status, "")


def test_a_port_without_tls(place: Place) -> None:
    port = place.server(COLLECTOR).port
    ended = reached(place, f"https://127.0.0.1:{port}")
    assert missing((r"✗ tls       127.0.0.1:\d+ does not speak TLS",), ended.output) == []


def test_silence_ends_with_the_time_out(place: Place) -> None:
    with FaultyCollector(otherwise=HANG) as collector:
        ended = reached(place, collector.url, "--timeout", "0.5")
    assert missing((r"✗ health    no answer to GET http.*timed out",), ended.output) == []
    assert ended.status == 1


@pytest.mark.parametrize(
    ("health", "said"),
    [
        (Page(503, ""), r"✗ health    503 in \d+ ms: it is not well$"),
        (Page(401, ""), r"✗ health    401 in \d+ ms: access is refused$"),
        (Page(301, "", Location="/health"), r"✗ redirect  more than 5 from http"),
        (
            Page(301, "", Location="http://[::"),
            r"✗ health    no answer .*\(InvalidURL: Invalid IPv6",
        ),
        (Page(301, "", Location="http://x:99999"), r"✗ health    no answer .*\(InvalidURL: "),
        (Page(200, "x" * 10_000_001), r"✗ health    no answer .*over 10 MB"),
        (Page(301, "", Location="ftp://acme.com"), r"✗ redirect  301 from .*, which is not follo"),
    ],
)
def test_health(place: Place, health: Page, said: str) -> None:
    ended = reached(place, place.server({**COLLECTOR, "/health": health}).url())
    assert missing((said,), ended.output) == [], ended.output
    assert ended.status == 1


@pytest.mark.parametrize(
    ("ahead", "status", "said"),
    [
        (-90.0, 1, r"✗ clock     this machine's is 90 seconds ahead of the collector's$"),
        (259_200.0, 1, r"✗ clock     this machine's is 3 days behind the collector's$"),
        (None, 0, r"! clock     the answer has no Date to compare with$"),
    ],
)
def test_clocks(place: Place, ahead: float | None, status: int, said: str) -> None:
    ended = reached(place, place.server(COLLECTOR, date_ahead=ahead).url())
    # A slow machine may take a second or two for the answer, and count one more.
    assert missing((said.replace("90", "(89|9[0-3])"),), ended.output) == [], ended.output
    assert ended.status == status


def test_nothing_is_posted_unless_asked(place: Place) -> None:
    """Without --send the collector gets no event, good or bad."""
    server = place.server(COLLECTOR)
    _ = reached(place, server.url())
    assert [(method, path) for method, path, _ in server.requests] == [
        ("GET", "/health"), ("OPTIONS", TP2),
    ]  # fmt: skip
    ended = reached(place, server.url(), "--send")
    assert [method for method, path, _ in server.requests if path == TP2][-1] == "POST"
    said = (
        r"✓ send      200 for a com.acme/log_record",
        r"! look      in the warehouse, atomic.ev",
    )
    assert missing(said, ended.output) == []
    assert ended.status == 0


def test_the_test_event(place: Place) -> None:
    """It is the handler's own, and says what it is."""
    collector = place.collector()
    ended = reached(place, collector.url, "--send")
    assert ended.status == 0
    (event,) = collector.good()
    assert (event["event"]["app_id"], event["event"]["name_tracker"]) == ("checkout", "python")
    data = event["event"]["unstruct_event"]["data"]["data"]
    assert data["message"].startswith("test event of snowplow-logging doctor ")
    assert data["attributes"] == '{"test":true}'
    assert event["event"]["event_id"] in ended.output


def test_a_test_event_that_is_refused(place: Place) -> None:
    server = place.server({**COLLECTOR, TP2: Page(404, "")})
    ended = reached(place, server.url(), "--send")
    said = (r"✗ send      the test event was not taken: 404", "→ a collector takes two segments")
    assert missing(said, ended.output) == []
    assert ended.status == 1


def test_a_test_event_that_becomes_a_bad_row(place: Place) -> None:
    """The collector says 200 all the same; Micro says why."""
    config = place.configure(place.collector().url, schema="iglu:com.acme/gone/jsonschema/1-0-0")
    ended = place.run(*config, "--send")
    assert missing((r"✓ send      200 for", r"✗ look      bad row: "), ended.output) == []
    assert ended.status == 1


def test_a_server_of_schemas_with_a_key(place: Place) -> None:
    """Layout and header of an Iglu server; without the key, what to set is said."""
    registry = place.server(schemas(own=log_record(), base="/api/schemas/"), key="k-1")
    config = place.configure(place.server(COLLECTOR).url())
    ended = place.run(*config, "--iglu", registry.url())
    assert missing((
        r"✗ schema    com.acme/log_record 1-0-0: not to be had from http.* \(403 Forbidden\)$",
        r"→ set SNOWPLOW_LOGGING_IGLU_API_KEY in the environment",
    ), ended.output) == [], ended.output  # fmt: skip
    place.environment["SNOWPLOW_LOGGING_IGLU_API_KEY"] = "k-1"
    ended = place.run(*config, "--iglu", registry.url())
    assert ended.status == 0, ended.output
    assert "k-1" not in ended.output


def test_iglu_central_has_the_standard_schemas(place: Place) -> None:
    """It is asked where the user's registry has none; if it is silent, nobody can tell."""
    own = {f"/schemas/com.acme/{RECORD}": Page(200, log_record())}
    config = place.configure(place.server(COLLECTOR).url())
    arguments = [*config, "--iglu", place.server(own).url(), "--iglu-central"]
    central = place.server(schemas())
    ended = place.run(*arguments, central.url())
    said = rf"✓ schema    .*application_error 1-0-2 is in {central.url()}$"
    assert missing((said,), ended.output) == []
    assert [path for _, path, _ in central.requests] == [f"/schemas/{ERROR}"]
    ended = place.run(*arguments, "http://iglu.acme.invalid")
    assert missing((r"! schema    .*application_error 1-0-2: not to be had",), ended.output) == []
    assert ended.status == 0


def test_a_registry_with_another_version_of_our_schema(place: Place) -> None:
    """What is published must take what is sent."""
    old: Any = log_record()
    del old["properties"]["logger"]
    config = place.configure(place.server(COLLECTOR).url())
    ended = place.run(*config, "--iglu", place.server(schemas(own=old)).url())
    said = (
        r"✗ schema    com.acme/log_record 1-0-0 in .*: what the handler sends does not fit: .*log",
    )
    assert missing(said, ended.output) == [], ended.output
    moved = place.server(schemas(own=log_record("com.other")))
    ended = place.run(*config, "--iglu", moved.url())
    said = (r"✗ schema    com.acme/log_record 1-0-0: http.* has com.other/log_record/jsons",)
    assert missing(said, ended.output) == [], ended.output


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (Page(200, "[" * 100_000), r"1-0-0 is not in http"),
        (Page(200, {**log_record(), "type": 5}), r"is no schema that can be used: "),
        (Page(200, {**log_record(), "$ref": "#/nowhere"}), r"is no schema that can be used: "),
        (Page(200, {**log_record(), "allOf": [{"$ref": "#"}]}), r"is no schema that can be used: "),
        (Page(301, "", Location="http://[::"), r"not to be had from .* \(Invalid IPv6 URL\)"),
    ],
)
def test_a_registry_with_a_broken_schema(place: Place, schema: Page, said: str) -> None:
    """It is a finding, whatever the registry has there."""
    registry = place.server({f"/schemas/com.acme/{RECORD}": schema})
    config = place.configure(place.server(COLLECTOR).url())
    ended = place.run(*config, "--iglu", registry.url())
    assert missing((rf"✗ schema    com.acme/log_record.* {said}",), ended.output) == []
    assert ended.errors == ""


def test_a_micro_with_odd_events(place: Place) -> None:
    """What is no event is passed over."""
    pages = {f"/micro/{kind}": Page(200, [1, None, {"event": {}}, []]) for kind in ("good", "bad")}
    server = place.server({**COLLECTOR, **pages})
    ended = reached(place, server.url(), "--send", "--timeout", "0.5")
    assert missing((r"✗ look      not at http.*/micro within 0.5 s",), ended.output) == []
    assert ended.errors == ""


def test_schemas_of_the_applications_own_calls(place: Place) -> None:
    uri = "iglu:com.acme/order_placed/jsonschema/1-0-0"
    ended = reached(place, place.server(COLLECTOR).url(), "--schema", uri)
    assert missing((r"✗ schema    com.acme/order_placed 1-0-0 is not in ",), ended.output) == []
    assert "are not known here" not in ended.output


def on_a_terminal(place: Place, **more: str) -> str:
    """Returns what the doctor shows on a terminal."""
    config = place.configure(place.server(COLLECTOR).url())
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "snowplow_logging", "doctor", *config]
    environment = clean_environment(TERM="xterm-256color", **more)
    with Program[bytes](command, cwd=place.folder, env=environment, stdout=follower) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # Linux says so that the other end is closed
                part = b""
            if not part:
                break
            shown += part
    os.close(leader)
    assert process.returncode == 0
    return shown.decode()


def test_whoever_reads_has_seen_enough(place: Place) -> None:
    """As with ``head -1``: that is no error to tell of."""
    command = [sys.executable, "-m", "snowplow_logging", "doctor", *place.configure("x.invalid")]
    with Program[bytes](
        command, cwd=place.folder, env=clean_environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_registry_whose_host_no_request_takes(place: Place) -> None:
    collector = place.server(COLLECTOR).url()
    ended = place.run(*place.configure(collector), "--iglu", "http://" + "a" * 64 + ".invalid")
    assert (
        missing((r"✗ schema    .*not to be had from http://aaa.*\(.*too long\)",), ended.output)
        == []
    )
    assert (ended.status, ended.errors) == (1, "")


def test_colours(place: Place) -> None:
    """On a terminal alone, and not where NO_COLOR is set."""
    assert re.search("\x1b\\[32m✓", on_a_terminal(place))
    assert not re.search("\x1b\\[[0-9;]*3[0-9]", on_a_terminal(place, NO_COLOR="1"))


def test_a_stream_of_ascii(place: Place) -> None:
    """No sign that it cannot say; nothing raises."""
    place.environment |= {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    ended = reached(place, "http://collector.acme.invalid")
    assert ended.output.isascii()
    assert missing((r"  x dns  ", r"-> check the spelling"), ended.output) == []
    assert ended.errors == ""
