"""Tests of JSON that keeps its positions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowplow_logging.collector.strict_json import JsonError, parse
from snowplow_logging.schema.positions import SourceError, read

if TYPE_CHECKING:
    from snowplow_logging.collector.strict_json import Json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from([None, 0, 2, "\t"])


def at(value: Json, pointer: tuple[str | int, ...]) -> Any:
    """The value that a pointer leads to."""
    found: Any = value
    for step in pointer:
        found = found[step]
    return found


def test_lines_of_values_and_of_keys() -> None:
    """A value has the line of its first character, and a key its own."""
    document = read('{\n  "a":\n    [1,\n     {"b": 2}],\n  "c": true\n}\n')

    assert document.line(()) == 1
    assert document.line(("a",)) == 3
    assert document.line(("a",), key=True) == 2
    assert document.line(("a", 1, "b")) == 4
    assert document.line(("c",)) == 5


def test_what_is_missing_has_the_line_of_what_would_hold_it() -> None:
    """So that a missing keyword is shown where it belongs."""
    document = read('{\n  "a": {\n    "b": 1\n  }\n}')

    assert document.line(("a", "maxLength")) == 2
    assert document.line(("x", "y", 3)) == 1


@settings(deadline=None)
@given(VALUES, INDENTS)
def test_it_reads_what_the_standard_library_reads(value: Any, indent: int | str | None) -> None:
    """The value is the same, and each span is the text of its value."""
    text = json.dumps(value, indent=indent)
    document = read(text)

    assert document.value == json.loads(text)
    for pointer, span in document.spans.items():
        assert json.loads(text[span.start : span.end]) == at(document.value, pointer)
        assert span.key <= span.start


@settings(deadline=None)
@given(VALUES, st.data())
def test_it_refuses_what_a_pipeline_refuses(value: Any, data: st.DataObject) -> None:
    """One character more, less or other: the outcome is that of the collector's reader."""
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.sampled_from([*'{}[],:"01-e. \n\\', "null", "NaN", "Infinity", ""]))
    text = text[:place] + piece + text[place + data.draw(st.integers(0, 1)) :]
    try:
        expected = parse(text)
    except JsonError:
        with pytest.raises(SourceError):
            _ = read(text)
    else:
        assert read(text).value == expected


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "expected a value, got the end of the file"),
        ('{\n"a": 1,\n}', 3, 'expected a key in quotes, got "}"'),
        ('{\n"a" 1}', 2, 'expected :, got "1"'),
        ('{"a": 1\n"b": 2}', 2, 'expected , or }, got "\\""'),
        ("[1\n2]", 2, 'expected , or ], got "2"'),
        ("[1,\n]", 2, 'expected a value, got "]"'),
        ('{"a": 1,\n\n"a": 2}', 3, 'the key "a" stands more than once in one object'),
        ("[\nNaN]", 2, "not JSON: NaN is no JSON value"),
        ("[1e999]", 1, 'not JSON: the number "1e999" does not fit a double'),
        ('{\n"a": "b\nc"}', 2, "not JSON: Invalid control character at"),
        ("{}\n\nx", 3, 'expected the end of the file, got "x"'),
        ("[" * 50, 1, "expected at most 40 levels of JSON"),
        ("{" + "[" * 100_000, 1, 'expected a key in quotes, got "["'),
        ("\n" + "9" * 5000, 2, "not JSON: Exceeds the limit"),
    ],
)
def test_what_is_no_json_is_named_with_its_line(text: str, line: int, message: str) -> None:
    """In words, without a traceback however odd the text."""
    with pytest.raises(SourceError) as caught:
        _ = read(text)

    assert caught.value.line == line
    assert str(caught.value).startswith(message)
