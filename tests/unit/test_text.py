"""Tests of texts of bounded length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging._text import CUT_MARK, clean, cut, cut_head, legible, text, unprintable
from tests.unit import hostile

every_text = st.text(st.characters(exclude_categories=()), max_size=40)
"""Texts of every code point, lone surrogates included."""


def units(value: str) -> int:
    """Returns the length of ``value`` as the pipeline counts it."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.parametrize("name", hostile.NAMES)
def test_text_of_a_hostile_value(name: str) -> None:
    """Whatever a value's own methods do, its text is an exact str."""
    assert type(text(hostile.values()[name])) is str


def test_text_names_what_could_not_be_printed() -> None:
    """The marker for an unprintable value names its class and what its method raised."""
    value = hostile.made(__str__=hostile.raising)()

    assert text(value) == "<unprintable Hostile: ZeroDivisionError>"
    assert text(value) == unprintable(value, ZeroDivisionError())


def test_the_colours_of_a_terminal_go() -> None:
    """What colours a text for a terminal leaves no trace; other control characters do."""
    coloured = "\x1b[1;36mtoken\x1b[0m=\x1b[38:5:35mabc\x1b[m\x1b[2K\n"

    assert legible(coloured) == "token=abc\ufffd[2K\n"


def test_text_of_a_class_without_a_name() -> None:
    """A class whose very name raises still has a marker."""
    nameless = type("Meta", (type,), {"__name__": property(hostile.raising)})
    value = nameless("Nameless", (), {"__str__": hostile.raising})()

    assert text(value).startswith("<unprintable")


def test_text_of_a_str_subclass() -> None:
    """A str subclass is read as the text that it holds, not by its methods."""
    shouting = hostile.made(str, __str__=hostile.returning("SHOUT"), upper=hostile.raising)

    assert text(shouting("quiet")) == "quiet"


@given(every_text)
def test_clean_text_is_utf8(value: str) -> None:
    """Cleaned text can be written as UTF-8 and has no NUL; what could be is left as it is."""
    assert clean(value).encode("utf-8").decode("utf-8") == clean(value)
    if not any("\ud800" <= character <= "\udfff" for character in value):
        assert clean(value) == value.replace("\0", "\ufffd")
    assert "\0" not in clean(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\ud83d\ude00", "😀"),
        ("a\ud83db", "a\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd😀"),
        ("a\0b", "a\ufffdb"),
        ("é\0😀", "é\ufffd😀"),
        ("\ud83d\0\ude00", "\ufffd\ufffd\ufffd"),
    ],
)
def test_what_clean_replaces(value: str, expected: str) -> None:
    """Surrogate pairs are joined; lone surrogates and NUL become replacement characters."""
    assert clean(value) == expected


@given(every_text, st.integers(0, 60))
def test_cut_keeps_the_limit(value: str, limit: int) -> None:
    """A cut text never exceeds the limit in UTF-16 units, and what fits is not cut."""
    shortened = cut(value, limit)

    assert units(shortened) <= limit
    assert (shortened == value) == (units(value) <= limit)


@given(st.text(min_size=1, max_size=40), st.integers(6, 60))
def test_cut_keeps_the_beginning(value: str, limit: int) -> None:
    """A cut text is a beginning of whole characters, and the mark."""
    shortened = cut(value, limit)

    if shortened != value:
        assert shortened.endswith(CUT_MARK)
        assert value.startswith(shortened.removesuffix(CUT_MARK))
    assert shortened.encode("utf-8")


@given(every_text, st.integers(0, 60))
def test_cut_head_keeps_the_limit(value: str, limit: int) -> None:
    """A text cut at its head never exceeds the limit in UTF-16 units, and what fits is not cut."""
    shortened = cut_head(value, limit)

    assert units(shortened) <= limit
    assert (shortened == value) == (units(value) <= limit)


@given(st.text(min_size=1, max_size=40), st.integers(8, 60))
def test_cut_head_keeps_the_end(value: str, limit: int) -> None:
    """A text cut at its head is the mark, and an end of whole characters."""
    shortened = cut_head(value, limit)

    if shortened != value:
        assert shortened.startswith(CUT_MARK + "\n")
        assert value.endswith(shortened.removeprefix(CUT_MARK + "\n"))
    assert shortened.encode("utf-8")


@pytest.mark.parametrize("limit", [9, 10, 11, 12, 13])
def test_no_surrogate_pair_is_split(limit: int) -> None:
    """A character of two units is kept whole or left out, at either end."""
    faces = "😀" * 20

    assert cut(faces, limit) == "😀" * ((limit - 6) // 2) + CUT_MARK
    assert cut_head(faces, limit) == CUT_MARK + "\n" + "😀" * ((limit - 7) // 2)
