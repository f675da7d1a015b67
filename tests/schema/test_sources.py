"""Tests of where infer takes data from: lines, a collector, and real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.collector import LocalCollector
from snowplow_logging.schema.sources import from_collector, from_lines
from tests.collector.support import ERROR, body, contexts, event, post
from tests.program import Program

from .support import COMMAND, ROOT, URI, environment, run

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMER = "iglu:com.acme/customer/jsonschema/1-0-0"
ORDER = f'extra={{"schema": "{URI}", "data": {{"order_id": "o-1"}}}}'


def script(folder: Path, text: str) -> Path:
    """Writes a Python program that has logging, and a logger, at hand."""
    file = folder / "program.py"
    head = 'import logging, logging.config, os, sys\nlog = logging.getLogger("shop")\n'
    _ = file.write_text(head + textwrap.dedent(text))
    return file


def infer(program: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs infer with this program as its command."""
    return run("infer", "--", sys.executable, program, *words, **more)


def proposed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one schema that was proposed."""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_lines_of_self_describing_json() -> None:
    """Events and entities; what has a schema already is left out."""
    lines = [
        b'{"schema": "%s", "data": {"a": 1}}\n' % URI.encode(),
        b"\n",
        b'{"schema": "%s", "data": {}}' % ERROR.encode(),
    ]

    assert list(from_lines(lines)) == [(URI, {"a": 1})]


def test_lines_of_bare_data() -> None:
    """They need the schema that they are for."""
    assert list(from_lines([b'{"schema": 1}'], URI)) == [(URI, {"schema": 1})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[]", 'line 2: expected {"schema": …, "data": …}, got []'),
        (b'{"schema": 1, "data": {}}', f"line 2: expected an Iglu URI such as {URI}, got 1"),
        (b"{", "line 2: not JSON: "),
        (b"\xff", "line 2: 'utf-8' codec can't decode"),
    ],
)
def test_other_lines_are_named_by_their_number(line: bytes, message: str) -> None:
    """So that they can be found."""
    with pytest.raises(ValueError, match="line 2: ") as caught:
        _ = list(from_lines([b"\n", line]))

    assert str(caught.value).startswith(message)


def test_lines_from_a_file_and_from_stdin(tmp_path: Path) -> None:
    """- is stdin."""
    lines = '{"a": 1}\n{"a": 2, "b": "x"}\n'
    file = tmp_path / "lines"
    _ = file.write_text(lines)
    from_file = run("infer", "--lines", file, "--as", URI)
    from_stdin = run("infer", "--lines", "-", "--as", URI, stdin=lines)

    assert proposed(from_file) == proposed(from_stdin)
    assert set(proposed(from_file)["properties"]) == {"a", "b"}
    assert proposed(from_file)["self"]["name"] == "order_placed"


def test_the_output_is_laid_out_and_passes_lint(tmp_path: Path) -> None:
    """With --output there is nothing left to do but to say what it means."""
    lines = "".join(
        json.dumps({"schema": uri, "data": {"a": number}}) + "\n"
        for uri in (URI, CUSTOMER)
        for number in range(3)
    )
    done = run("infer", "--lines", "-", "--output", tmp_path, stdin=lines)
    again = run("infer", "--lines", "-", "--output", tmp_path, stdin=lines + lines)
    linted = run("lint", "--strict", tmp_path)

    assert [line.split("/schemas/")[1] for line in done.stdout.splitlines()] == [
        CUSTOMER.removeprefix("iglu:"),
        URI.removeprefix("iglu:"),
    ]
    assert linted.stdout == "2 schemas: 0 errors, 0 warnings\n"
    assert "nothing was written" in again.stderr
    assert again.returncode == 1


def test_no_file_is_written_elsewhere(tmp_path: Path) -> None:
    """Iglu's own pattern of a vendor lets dots through."""
    line = '{"schema": "iglu:../escaped/jsonschema/1-0-0", "data": {"a": 1}}'
    done = run("infer", "--lines", "-", "--output", tmp_path / "registry", stdin=line)

    assert "no folder of a registry can have the name of this vendor: ../escaped" in done.stderr
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_running_collector() -> None:
    """Events of unknown schemas are bad, and are what schemas are wanted for; entities, too."""
    cx = contexts({"schema": CUSTOMER, "data": {"customer_id": "u-1"}})
    with LocalCollector(port=0) as collector:
        _ = post(collector.url, body(event(), event({"a": 1}, URI), event(cx=cx), event(e="zz")))
        _ = post(collector.url, b"no JSON")
        counts = collector.all()
        seen = from_collector(collector.url)
        done = run("infer", "--collector", collector.url)

    assert counts["bad"] == 4
    assert sorted(seen) == [(CUSTOMER, {"customer_id": "u-1"}), (URI, {"a": 1})]
    assert '"customer_id"' in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://bob:pw@127.0.0.1:1", "cannot read /micro/good of http://…@127.0.0.1:1: "),
        ("http://127.0.0.1:1/?k=pw", "cannot read /micro/good of http://127.0.0.1:1/: "),
        ("http://" + "a" * 64 + ".invalid", "too long"),
        ("http://bob:pw/x@127.0.0.1:1", "--collector takes a URL such as"),
        ("bob:pw@127.0.0.1", "--collector takes a URL such as"),
    ],
)
def test_no_secret_of_a_collectors_url_is_shown(url: str, said: str) -> None:
    """Nor does the reason, which others give, hold one."""
    with pytest.raises(ValueError, match=re.escape(said)) as raised:
        _ = from_collector(url)

    assert "bob" not in str(raised.value)
    assert "pw" not in str(raised.value)


def test_no_collector_is_one_clear_line() -> None:
    """Neither is what has no such path."""
    done = run("infer", "--collector", "http://127.0.0.1:1")

    assert done.stderr.startswith(
        "snowplow-logging schema: cannot read /micro/good of http://127.0.0.1:1: "
    )
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


@pytest.mark.parametrize(
    "set_up",
    [
        'logging.basicConfig(level="INFO")',
        "log.setLevel(logging.INFO); log.propagate = False",
        """
        logging.config.dictConfig({
            "version": 1, "disable_existing_loggers": False,
            "handlers": {"null": {"class": "logging.NullHandler"}},
            "root": {"level": "INFO", "handlers": ["null"]},
        })
        """,
    ],
    ids=["basicConfig", "propagate", "dictConfig"],
)
def test_a_program_is_recorded_however_it_configures_logging(tmp_path: Path, set_up: str) -> None:
    """What it logs with a schema is seen, and what its levels hold back is not."""
    program = script(
        tmp_path,
        f"""
{textwrap.dedent(set_up)}
log.info("placed", {ORDER})
log.debug("held back", extra={{"schema": "{CUSTOMER}", "data": {{}}}})
log.warning("plain")
log.info("entity", extra={{"schema": "{URI}", "data": {{"order_id": "o-2", "gift": True}}}})
""",
    )
    document = proposed(infer(program))

    assert document["description"].startswith("Proposed from 2 records")
    assert document["required"] == ["order_id"]
    assert set(document["properties"]) == {"order_id", "gift"}


def test_the_program_runs_as_ever(tmp_path: Path) -> None:
    """It has its arguments, its own sitecustomize, its handlers; stdout is for the schemas."""
    _ = (tmp_path / "sitecustomize.py").write_text("import sys; sys.its_own = 'its own'\n")
    program = script(
        tmp_path,
        f"""
        print("output", sys.argv[1:], sys.its_own, sys.modules["sitecustomize"].__file__)
        logging.basicConfig(level="INFO", format="handled %(message)s")
        log.info("placed", {ORDER})
        sys.exit(3)
        """,
    )
    done = infer(program, "-x", "--", "y", PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")

    assert proposed(done)["self"]["name"] == "order_placed"
    assert done.stderr.splitlines() == [
        f"output ['-x', '--', 'y'] its own {tmp_path}/sitecustomize.py",
        "handled placed",
        "Note: the command ended with status 3",
    ]


def test_children_are_recorded(tmp_path: Path) -> None:
    """Those that it forks, and those that it starts; no line gets lost or mixed."""
    program = script(
        tmp_path,
        f"""
        import subprocess
        logging.basicConfig(level="INFO", stream=open(os.devnull, "w"))
        if len(sys.argv) == 1:
            children = [subprocess.Popen([sys.executable, __file__, "child"]) for _ in range(2)]
            pids = [os.fork() for _ in range(2)]
        for number in range(200):
            log.info("placed", extra={{"schema": "{URI}", "data": {{"text": "x" * 5000}}}})
        if len(sys.argv) == 1 and 0 not in pids:
            assert all(child.wait() == 0 for child in children)
            assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)
        """,
    )
    forks = 1 + 1 + 2  # a parent, a child, and the second fork in both
    done = infer(program)

    assert proposed(done)["description"].startswith(f"Proposed from {(forks + 2) * 200} records")


def test_what_cannot_be_mapped_does_not_reach_the_program(tmp_path: Path) -> None:
    """A logging call never raises."""
    program = script(
        tmp_path,
        f"""
        log.error("wrong", extra={{"schema": "{URI}", "data": 1}})
        log.error("right", {ORDER})
        """,
    )
    done = infer(program)

    assert done.stderr == "wrong\nright\n"
    assert proposed(done)["description"].startswith("Proposed from 1 records")


def test_a_server_is_ended_with_ctrl_c(tmp_path: Path) -> None:
    """Then its events are proposed for: the terminal interrupts both."""
    program = script(
        tmp_path,
        f"""
        import time
        log.error("placed", {ORDER})
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
        """,
    )
    with Program[str](
        [*COMMAND, "infer", "--", sys.executable, str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
        start_new_session=True,
    ) as process:
        assert process.stderr
        assert process.stdout
        assert process.stderr.readline() == "placed\n"
        os.killpg(process.pid, signal.SIGINT)
        document = json.load(process.stdout)

    assert document["self"]["name"] == "order_placed"
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--", "no-such-command"], "no-such-command: No such file or directory"),
        (["--", sys.executable, "-c", ""], "no event with a schema of yours was seen"),
        (["--lines", "nowhere"], "nowhere: No such file or directory"),
        (["--lines", "-", "--as", "x"], "--as takes an Iglu URI such as"),
        (["--as", URI, "--", "true"], "--as says what --lines are"),
    ],
)
def test_what_gives_no_schema_is_one_clear_line(words: list[str], message: str) -> None:
    """Status 1."""
    done = run("infer", *words)

    assert done.stderr.startswith(f"snowplow-logging schema: {message}")
    assert (done.stderr.count("\n"), done.stdout, done.returncode) == (1, "", 1)


@pytest.mark.parametrize("words", [[], ["--collector", "x", "--lines", "y"]])
def test_infer_takes_one_source(words: list[str]) -> None:
    """Neither none nor two; the usage says so."""
    done = run("infer", *words)

    assert "(-- COMMAND … | --collector URL | --lines FILE [--as URI])" in done.stderr
    assert done.returncode == 2
