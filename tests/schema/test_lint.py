"""Tests of lint: from files to lines of output."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from snowplow_logging.collector.schema import META_SCHEMA
from snowplow_logging.schema import infer, meta
from snowplow_logging.schema.lint import files_of, lint
from tests.iglu_central import META_SCHEMA as META_SCHEMA_URI
from tests.iglu_central import needs_iglu_central
from tests.iglu_central import schema as central

from .support import ROOT, run, schema, write

if TYPE_CHECKING:
    from pathlib import Path

TEN_FLAWS = """\
{
  "$schema": "http://json-schema.org/draft-04/schema#",
  "description": "Ten flaws, each in a line of its own",
  "self": {
    "vendor": "com.acme",
    "name": "refund_payed",
    "format": "jsonschema",
    "version": "1-0-0"
  },
  "type": "object",
  "properties": {
    "refund_id": {
      "type": "strnig",
      "maxLength": 36,
      "description": "The refund's number"
    },
    "reason": {
      "type": "string",
      "description": "Why it was paid"
    },
    "cents": {
      "type": "integer",
      "minimum": 100,
      "maximum": 10,
      "description": "How much was paid"
    },
    "paidAt": {
      "type": "string",
      "format": "date-time",
      "description": "When it was paid"
    },
    "channel": {
      "type": "string",
      "maxLength": 16,
      "enum": [
        "card",
        7
      ],
      "description": "How it was paid"
    },
    "clerk": {
      "type": "string",
      "maxLength": 36,
      "description": "Who paid it"
    },
    "details": {
      "type": ["object", "null"],
      "description": "Whatever else there is"
    }
  },
  "required": [
    "refund_id",
    "reason",
    "cents",
    "paidAt",
    "channel",
    "customer"
  ],
  "additionalProperties": false
}
"""
EXPECTED = [
    (2, "error", "schema-uri"),
    (6, "error", "path"),
    (13, "error", "meta-schema"),
    (17, "warning", "string-length"),
    (23, "error", "bounds"),
    (27, "warning", "name"),
    (37, "error", "enum"),
    (42, "warning", "optional-null"),
    (46, "warning", "free-form"),
    (57, "error", "required"),
]


def test_a_schema_with_ten_known_flaws(tmp_path: Path) -> None:
    """Each is named once, with the line of the offending value, and no other is."""
    file = tmp_path / "com.acme" / "refund_paid" / "jsonschema" / "1-0-0"
    file.parent.mkdir(parents=True)
    _ = file.write_text(TEN_FLAWS)
    found = [(finding.line, finding.severity, finding.rule) for finding in lint(file)]
    done = run("lint", tmp_path)

    assert found == EXPECTED
    assert len({line for line, _, _ in found}) == 10
    *lines, counts = done.stdout.splitlines()
    starts = [f"{file}:{line}: {severity} {rule} " for line, severity, rule in EXPECTED]
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == starts
    assert len(lines) == 10
    assert counts == "1 schema: 6 errors, 4 warnings"
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("folder", ["schemas", "demo/schemas"])
def test_the_schemas_of_the_package(folder: str) -> None:
    """They have neither error nor warning."""
    done = run("lint", "--strict", ROOT / "snowplow_logging" / folder)

    assert done.stdout.endswith("0 errors, 0 warnings\n")
    assert done.returncode == 0


@needs_iglu_central
def test_the_schemas_of_a_pipeline_have_no_error() -> None:
    """Their names are as they are, but they work."""
    for uri in (
        "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2",
        "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0",
    ):
        (file,) = ROOT.parent.glob(f"shared/iglu-central/schemas/{uri.removeprefix('iglu:')}")
        assert [found for found in lint(file) if found.severity == "error"] == []


@needs_iglu_central
def test_the_meta_schema_is_the_reference() -> None:
    """To the letter; and all of the package names it by the same URI."""
    shipped = ROOT / "snowplow_logging" / "schema" / meta.PATH

    assert json.loads(shipped.read_text()) == central(META_SCHEMA_URI)
    assert infer.META_SCHEMA == META_SCHEMA == central(META_SCHEMA_URI)["$schema"]


@pytest.mark.parametrize(
    ("content", "line", "rule", "message"),
    [
        (b"", 1, "syntax", "expected a value, got the end of the file"),
        (b'{\n"a": 1,\n"a": 2}', 3, "syntax", 'the key "a" stands more than once in one object'),
        (b'{"a":\n"\xff"}', 2, "syntax", "expected UTF-8: invalid start byte"),
        (b"\xef\xbb\xbf{}", 1, "syntax", 'expected a value, got "\\ufeff"'),
        (b"[]", 1, "meta-schema", "the schema: expected object, got []"),
    ],
)
def test_files_that_are_no_schema(
    tmp_path: Path, content: bytes, line: int, rule: str, message: str
) -> None:
    """A finding, not a traceback."""
    file = tmp_path / "schema.json"
    _ = file.write_bytes(content)
    found = lint(file)

    assert (found[0].line, found[0].rule, found[0].message) == (line, rule, message)


@pytest.mark.parametrize("path", ["com.acme/order_placed/jsonschema/1-0-1", "order_placed/1-0-0"])
def test_the_path_must_agree(tmp_path: Path, path: str) -> None:
    """Each part of it that does not is named."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    _ = file.write_text(json.dumps(schema(), indent=2))

    assert "path" in [found.rule for found in lint(file)]


def test_a_file_outside_the_layout_has_no_path_to_agree_with(tmp_path: Path) -> None:
    """A draft may have any name."""
    file = tmp_path / "draft.json"
    _ = file.write_text(json.dumps(schema()))

    assert lint(file) == []


def test_what_is_in_a_folder(tmp_path: Path) -> None:
    """Files that are named like a version or lie in a jsonschema; nothing that is hidden."""
    file = write(tmp_path, schema())
    odd = file.with_name("1.0.1")
    for other in (odd, tmp_path / "README.md", tmp_path / ".git" / "jsonschema" / "1-0-0"):
        other.parent.mkdir(parents=True, exist_ok=True)
        _ = shutil.copy(file, other)

    assert files_of([tmp_path, file]) == [file, odd]
    assert "path" in [found.rule for found in lint(odd)]


def test_strict_fails_on_warnings(tmp_path: Path) -> None:
    """Without it they are said, and the status is 0."""
    file = write(tmp_path, schema(description=None))
    gentle, strict = run("lint", file), run("lint", "--strict", file)

    assert gentle.stdout == strict.stdout
    assert gentle.stdout.splitlines() == [
        f"{file}:1: warning description the schema: expected a description",
        "1 schema: 0 errors, 1 warning",
    ]
    assert (gentle.returncode, strict.returncode) == (0, 1)


def test_published_versions(tmp_path: Path) -> None:
    """--published is a copy of the registry."""
    _ = write(tmp_path / "registry", schema())
    _ = write(tmp_path / "mine", schema(description="Other words"))
    done = run("lint", "--published", tmp_path / "registry", tmp_path / "mine")

    assert "1-0-0 is published, and published versions do not change" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lint", "nowhere"], "there is no file or folder nowhere"),
        (["lint", "."], ". holds no schema; expected files such as VENDOR/NAME/jsonschema/VERSION"),
        (["lint", "--published", "nowhere", "x"], "there is no file or folder x"),
        (["list", "--schemas", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_folders_of_no_use_are_one_clear_line(
    tmp_path: Path, words: list[str], message: str
) -> None:
    """Nothing to lint is no success."""
    paths = [str(tmp_path) if word == "." else word for word in words]
    done = run(*paths)

    assert done.stderr.replace(str(tmp_path), ".") == f"snowplow-logging schema: {message}\n"
    assert done.returncode == 1
