"""Tests of how bytes become lines, and lines what they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowplow_logging.ship.lines import CHUNK_LINES, MalformedError, Position, Splitter, parsed

if TYPE_CHECKING:
    from snowplow_logging.ship.lines import Lines

LIMIT = 20
pieces = st.sampled_from([b"\n", b"a", b"\r\n", b"\0", b'{"a":1}', b"x" * 7, b"y" * 30, b"\xff"])


def split(blocks: list[bytes], position: Position = Position(), limit: int = LIMIT) -> list[Lines]:  # noqa: B008 - it does not change
    """Returns all lines of blocks that come one after another."""
    splitter = Splitter(position, limit)
    found: list[Lines] = []
    fed = position.offset
    for block in blocks:
        splitter.feed(block)
        fed += len(block)
        assert splitter.offset == fed
        while (lines := splitter.take()) is not None:
            found.append(lines)
    rest = splitter.take_rest()
    return [*found, *([rest] if rest else [])]


@settings(deadline=None)  # machines may be busy
@given(st.lists(st.lists(pieces, min_size=1).map(b"".join), max_size=12))
def test_every_byte_is_in_one_line(blocks: list[bytes]) -> None:
    """However bytes come, the lines are the same; a long one begins as it did, and is marked."""
    content = b"".join(blocks)
    found = split(blocks)
    lines = [line for each in found for line in each.lines]
    expected = content.split(b"\n")
    if expected[-1] == b"":
        _ = expected.pop()
    assert len(lines) == len(expected)
    for line, whole in zip(lines, expected, strict=True):
        kept = line.lstrip(b"\0")
        assert kept == whole.lstrip(b"\0") or (
            len(line) == LIMIT + 1 and whole.lstrip(b"\0").startswith(line)
        )
    ends = [Position(), *(each.end for each in found)]
    assert [each.begin for each in found] == ends[:-1]
    assert ends[-1][:3] == (len(content), len(expected), crc32(content))


@settings(deadline=None)  # machines may be busy
@given(st.lists(pieces).map(b"".join), st.integers(0, 200))
def test_going_on_is_the_same(content: bytes, cut: int) -> None:
    """From the end of any line on, the positions are as if it had been read at once."""
    whole = split([content])
    for each in whole[cut % (len(whole) or 1) :]:
        rest = split([content[each.begin.offset :]], each.begin)
        assert rest[-1].end[:3] == whole[-1].end[:3]
        return


def test_many_short_lines() -> None:
    """They come in portions, so that what is under way is bounded."""
    found = split([b"{}\n" * (CHUNK_LINES * 2 + 1)])
    assert [len(each.lines) for each in found] == [CHUNK_LINES, CHUNK_LINES, 1]
    assert found[1].begin.offset == CHUNK_LINES * 3


def test_a_hole_at_the_beginning() -> None:
    """Zeros that a truncation has left, however many, do not make the line after them long."""
    found = split([b"\0" * 50, b"\0" * 50, b'\0\0{"a":1}\n'])
    assert [parsed(line, LIMIT) for each in found for line in each.lines] == [{"a": 1}]
    assert found[-1].end.offset == 110


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'{"a":1}\r', {"a": 1}),
        (b'  {"a" : 1} \t', {"a": 1}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'\0\0\0{"a":1}', {"a": 1}),
        (b'{"a":"\xff\xc3"}', {"a": "\ufffd\ufffd"}),
        (b'{"a":"\xc3\xbc"}', {"a": "ü"}),
        (b'{"a":"\\ud800"}', {"a": "\ud800"}),
        (b'{"a":-Infinity}', {"a": float("-inf")}),
        (b'{"a":1e400}', {"a": float("inf")}),
        (b"{}", {}),
        (b"", None),
        (b" \r", None),
        (b"\xef\xbb\xbf", None),
        (b"\0\0", None),
    ],
)
def test_what_lines_say(line: bytes, said: object) -> None:
    """What is not quite JSON is read as far as it can be; an empty line says nothing."""
    assert parsed(line, 100) == said


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"Traceback (most recent call last):", "no JSON: Expecting value at column 1"),
        (b'{"a":1', "no JSON: Expecting ',' delimiter at column 7"),
        (b'{"a":1}{"b":2}', "no JSON: Extra data at column 8"),
        (b"{'a': 1}", "no JSON: Expecting property name enclosed in double quotes at column 2"),
        (b"[1]", "JSON, but no object: an array"),
        (b'"a"', "JSON, but no object: a text"),
        (b"3", "JSON, but no object: a single value"),
        (b"null", "JSON, but no object: a single value"),
        (b"x" * 101, "longer than 100 bytes"),
        (b'{"a":' + b"1" * 90, "no JSON"),
        (b"[" * 100, "no JSON"),
    ],
)
def test_malformed(line: bytes, reason: str) -> None:
    """What is no record is refused, for a reason without its contents."""
    with pytest.raises(MalformedError) as caught:
        _ = parsed(line, 100)
    assert str(caught.value).partition(" illegal")[0].startswith(reason)


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"1" * 10_000 + b"}"]
)
def test_hostile_lines(line: bytes) -> None:
    """What no parser takes is malformed, too."""
    with pytest.raises(MalformedError):
        _ = parsed(line, 10**6)


@settings(deadline=None)  # machines may be busy
@given(st.binary(max_size=60))
def test_any_bytes(line: bytes) -> None:
    """Whatever a line is, it says something, says nothing, or is refused."""
    try:
        said: Any = parsed(line, 50)
    except MalformedError:
        pass
    else:
        assert said is None or type(said) is dict


@settings(deadline=None)  # machines may be busy
@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_what_python_writes_is_read(said: dict[str, Any]) -> None:
    """What the standard library's encoder writes comes back, NaN and lone surrogates included."""
    line = json.dumps(said)
    assert repr(parsed(line.encode(), 10**6)) == repr(json.loads(line))
