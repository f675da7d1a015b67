"""Tests of list, show and export, and of what all sub-commands share."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from snowplow_logging._options import LOG_RECORD
from tests.program import Program

from .support import COMMAND, ROOT, URI, environment, run, schema, write

if TYPE_CHECKING:
    from pathlib import Path

ACTIONS = ["list", "show", "export", "lint", "infer"]
OWN = ROOT / "snowplow_logging" / "schemas" / LOG_RECORD.removeprefix("iglu:")


def test_list(tmp_path: Path) -> None:
    """A line for each schema: the package's, a pipeline's, and those of folders."""
    _ = write(tmp_path, schema())
    lines = run("list", "--schemas", tmp_path).stdout.splitlines()

    first, *standard, last = [line.split()[0] for line in lines]
    assert (first, last) == (LOG_RECORD, URI)
    assert "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0" in standard
    assert "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2" in standard
    assert "  to publish  " in lines[0]
    assert all("  in any pipeline  " in line for line in lines[1:-1])
    assert lines[-1].endswith(f"  {tmp_path}  A customer has placed an order")


def test_show(tmp_path: Path) -> None:
    """By URI, or by name, which means the latest version; byte for byte."""
    for version in ("1-0-0", "1-0-10", "1-0-9"):
        _ = write(tmp_path, schema(version))
    latest = run("show", "order_placed", "--schemas", tmp_path)

    assert run("show", LOG_RECORD).stdout == OWN.read_text()
    assert run("show", "log_record").stdout == OWN.read_text()
    assert json.loads(latest.stdout)["self"]["version"] == "1-0-10"
    assert json.loads(run("show", URI, "--schemas", tmp_path).stdout) == schema()


def test_show_what_is_not_there() -> None:
    """It says where to look."""
    done = run("show", "log_rekord")

    assert done.stderr == (
        "snowplow-logging schema: there is no schema log_rekord; "
        "see: snowplow-logging schema list\n"
    )
    assert (done.returncode, done.stdout) == (1, "")


def test_export_then_lint(tmp_path: Path) -> None:
    """Under the vendor of one's own, in the layout of a static registry, without a finding."""
    uri = "iglu:com.acme/log_record/jsonschema/1-0-0"
    done = run("export", "--vendor", "com.acme", tmp_path)
    file = tmp_path / "schemas" / uri.removeprefix("iglu:")
    linted = run("lint", "--strict", tmp_path)

    assert done.stdout.splitlines() == [
        f"wrote  {file}",
        f'Once it is published, tell the handler: schema="{uri}"',
    ]
    assert file.read_text() == OWN.read_text().replace("io.github.snowplow_logging", "com.acme")
    assert (linted.stdout, linted.returncode) == ("1 schema: 0 errors, 0 warnings\n", 0)


def test_export_without_a_vendor_keeps_ours(tmp_path: Path) -> None:
    """Byte for byte."""
    assert run("export", tmp_path).returncode == 0
    assert (tmp_path / "schemas" / LOG_RECORD.removeprefix("iglu:")).read_bytes() == (
        OWN.read_bytes()
    )


def test_export_again(tmp_path: Path) -> None:
    """Files with the same contents stay as they are; others are never written over."""
    first = run("export", "--vendor", "com.acme", tmp_path)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    same = run("export", "--vendor", "com.acme", tmp_path)
    _ = file.write_text("mine")
    other = run("export", "--vendor", "com.acme", tmp_path)

    assert (first.returncode, same.returncode, other.returncode) == (0, 0, 1)
    assert same.stdout.splitlines()[0] == f"is there already  {file}"
    assert other.stderr == (
        "snowplow-logging schema: there already, with other contents, "
        f"so nothing was written: {file}\n"
    )
    assert file.read_text() == "mine"


@pytest.mark.parametrize("vendor", ["", "..", "com/acme", "com..acme", "com acme", "/com"])
def test_export_takes_no_other_vendor(tmp_path: Path, vendor: str) -> None:
    """Nothing leaves the folder."""
    done = run("export", "--vendor", vendor, tmp_path / "registry")

    assert f"takes a vendor such as com.acme, not {vendor!r}" in done.stderr
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """No traceback."""
    file = tmp_path / "file"
    file.touch()
    done = run("export", file)

    assert done.stderr.startswith(f"snowplow-logging schema: {file}")
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


@pytest.mark.parametrize("action", ACTIONS)
def test_help_has_examples(action: str) -> None:
    """Each sub-command's."""
    done = run(action, "--help")

    assert f"examples:\n  snowplow-logging schema {action}" in done.stdout
    assert done.returncode == 0


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path) -> None:
    """Lint says what to install; the others work without."""
    code = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'jsonschema', 'referencing', 'rich'):\n"
        "    sys.modules[name] = None\n"
        "from snowplow_logging.cli import main\n"
        "sys.exit(main())\n"
    )

    def without_extra(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, "schema", *words]
        return subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=60, check=False
        )

    for words in (["list"], ["show", "log_record"], ["export", str(tmp_path)]):
        assert without_extra(*words).returncode == 0
    (tmp_path / "lines").write_text('{"a": 1}\n')
    lines = ["infer", "--lines", str(tmp_path / "lines"), "--as", URI]
    assert without_extra(*lines).returncode == 0
    linted = without_extra("lint", str(tmp_path))
    assert linted.stderr == "schema needs jsonschema: pip install 'snowplow-logging[collector]'\n"
    assert linted.returncode == 2


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    """And what stands in a file cannot steer the terminal, nor begin a line."""
    name = "evil\x1b[2J\nerror"
    properties = {name: {"type": "boolean", "description": "x"}}
    _ = write(tmp_path, schema(properties=properties, required=[name]))
    plain = run("lint", tmp_path).stdout
    shown, terminal = pty.openpty()
    with Program[str](
        [*COMMAND, "lint", str(tmp_path)], stdout=terminal, env=environment(TERM="xterm-256color")
    ) as process:
        os.close(terminal)
        coloured = _read_all(shown)
    os.close(shown)

    assert process.returncode == 0
    assert "\x1b" not in plain
    assert len(plain.splitlines()) == 2
    assert "\x1b[33mwarning\x1b[0m" in coloured
    assert "\x1b[2J" not in coloured
    assert "evil\ufffd[2J\ufffderror" in coloured


def test_a_narrow_encoding_is_no_failure(tmp_path: Path) -> None:
    """What it cannot say is escaped."""
    properties = {"größe": {"type": "boolean", "description": "x"}}
    _ = write(tmp_path, schema(properties=properties, required=["größe"]))
    done = run("lint", tmp_path, PYTHONIOENCODING="ascii")

    assert "gr\\xf6\\xdfe: expected a name in snake_case" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_failure_to_speak_of() -> None:
    """As with head: nothing on stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "show", "log_record"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, "")


def _read_all(descriptor: int) -> str:
    """All that comes until the other end is closed, which Linux tells as an error."""
    content = b""
    try:
        while piece := os.read(descriptor, 4096):
            content += piece
    except OSError:
        pass
    return content.decode()
