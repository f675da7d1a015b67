"""What the command writes: in colour on a terminal, plain text otherwise.

Law: nothing that was read from a file can steer the terminal, and no encoding makes it fail.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snowplow_logging.schema.findings import Finding
    from snowplow_logging.schema.folders import Shipped

_COLOURS = {"error": "bold red", "warning": "yellow"}


def say(text: str, style: str = "", stream: TextIO | None = None) -> None:
    """Writes a line.

    Args:
        text: The line.
        style: How rich shows it.
        stream: Where to; stdout by default.
    """
    _parts([(text, style)], stream or sys.stdout)


def complain(text: str) -> None:
    """Writes a line to stderr."""
    say(f"snowplow-logging schema: {text}", stream=sys.stderr)


def note(text: str) -> None:
    """Writes a remark to stderr, where it does not mix with what is asked for."""
    say(f"Note: {text}", "yellow", sys.stderr)


def finding(found: Finding) -> None:
    """Writes a finding in one line."""
    _parts(
        [
            (f"{found.file}:{found.line}: ", ""),
            (found.severity, _COLOURS[found.severity]),
            (f" {found.rule} ", "bold"),
            (found.message, ""),
        ],
        sys.stdout,
    )


def catalogue(schemas: Sequence[Shipped]) -> None:
    """Writes each schema's URI, where it comes from and what it says of itself."""
    width = max((len(schema.uri) for schema in schemas), default=0)
    source = max((len(schema.source) for schema in schemas), default=0)
    for schema in schemas:
        _parts(
            [
                (f"{schema.uri:<{width}}  ", "bold"),
                (f"{schema.source:<{source}}  ", "dim"),
                (schema.description, ""),
            ],
            sys.stdout,
        )


def document(text: str) -> None:
    """Writes a JSON text as it stands, with colours on a terminal."""
    if _is_rich(sys.stdout):
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.highlighter import JSONHighlighter  # noqa: PLC0415

        shown = JSONHighlighter()(_clean(text.rstrip(), sys.stdout, "\n\t"))
        Console().print(shown, soft_wrap=True)
    else:
        _ = sys.stdout.write(_encodable(text if text.endswith("\n") else f"{text}\n", sys.stdout))


def _parts(parts: Iterable[tuple[str, str]], stream: TextIO) -> None:
    clean = [(_clean(text, stream), style) for text, style in parts]
    if _is_rich(stream):
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.text import Text  # noqa: PLC0415

        console = Console(file=stream, highlight=False, markup=False)
        console.print(Text.assemble(*clean), soft_wrap=True)
    else:
        _ = stream.write("".join(text for text, _ in clean) + "\n")


def _is_rich(stream: TextIO) -> bool:
    return stream.isatty() and find_spec("rich") is not None


def _clean(text: str, stream: TextIO, allowed: str = "") -> str:
    kept = (
        character if character.isprintable() or character in allowed else "\ufffd"
        for character in text
    )
    return _encodable("".join(kept), stream)


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)
