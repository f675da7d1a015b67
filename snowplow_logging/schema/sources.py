"""Where the data come from that schemas are inferred from.

Law: each source gives pairs of an Iglu URI and data, of events as of entities; what a stock
pipeline or this package has schemas for already is left out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import LocationParseError

from snowplow_logging._http import _described as _failure
from snowplow_logging.collector.protocol import IGLU_URI, IGLU_URI_EXAMPLE
from snowplow_logging.collector.strict_json import parse, shorten
from snowplow_logging.schema.folders import shipped
from snowplow_logging.schema.recorder import OUTPUT
from snowplow_logging.schema.screen import note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from snowplow_logging.collector.strict_json import Json

Seen = tuple[str, "Json"]

TIMEOUT = 30  # seconds for an answer of the collector
FOREIGN = "iglu:com.snowplowanalytics."
STDERR = 2
HOOK = Path(__file__).parent / "site"


def from_lines(lines: Iterable[bytes], uri: str | None = None) -> Iterator[Seen]:
    """Reads JSON lines.

    Args:
        lines: Each holds ``{"schema": …, "data": …}``, or with ``uri`` the data alone.
        uri: The schema of all of them.

    Raises:
        ValueError: A line is something else; the message has its number.
    """
    if uri is not None and not IGLU_URI.fullmatch(uri):
        message = f"--as takes an Iglu URI such as {IGLU_URI_EXAMPLE}, not {uri}"
        raise ValueError(message)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = parse(line.decode("utf-8"))
            yield from _own(_described(value) if uri is None else [(uri, value)])
        except ValueError as error:
            message = f"line {number}: {error}"
            raise ValueError(message) from None


def from_collector(url: str) -> list[Seen]:
    """Reads the events that a local collector, or Snowplow Micro, holds; good or bad.

    Raises:
        ValueError: It cannot be reached, or is something else.
    """
    if not _is_url(url):  # it is not quoted, as it may hold a secret in the wrong place
        message = "--collector takes a URL such as http://localhost:9090"
        raise ValueError(message)
    seen: list[Seen] = []
    for kind in ("good", "bad"):
        try:
            answer = requests.get(f"{url.rstrip('/')}/micro/{kind}", timeout=TIMEOUT)
            answer.raise_for_status()
            events = _array(json.loads(answer.content))
        except (requests.RequestException, LocationParseError, ValueError) as error:
            # Neither user and password nor a query is shown.
            where = re.sub(r"(?<=://)\S*@", "…@", url.partition("?")[0])
            message = (
                f"cannot read /micro/{kind} of {where}: {_failure(error)}; "
                "is it running? See: snowplow-logging collector --help"
            )
            raise ValueError(message) from None
        for event in events:
            seen += _own(_wrapped(event))
    return seen


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def from_command(words: Sequence[str]) -> list[Seen]:
    """Runs a command and gives what its Python processes log with a schema of theirs.

    Raises:
        OSError: It cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="snowplow-logging-") as folder:
        output = Path(folder, "events.jsonl")
        output.touch()
        paths = [str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {"PYTHONPATH": os.pathsep.join(paths), OUTPUT: str(output)}
        status = _run(words, {**os.environ, **environment})
        if status:
            note(f"the command ended with status {status}")
        with output.open("rb") as lines:
            return list(from_lines(lines))


def _run(words: Sequence[str], environment: dict[str, str]) -> int:
    # Its output goes to stderr: stdout is for the schemas.
    with subprocess.Popen(words, env=environment, stdout=STDERR) as process:  # noqa: S603 - the user's
        while process.poll() is None:
            with suppress(KeyboardInterrupt):  # the command has it, too: so one ends a server
                _ = process.wait()
        return process.returncode


def _own(seen: Iterable[Seen]) -> list[Seen]:
    known = {schema.uri for schema in shipped()}
    return [(uri, data) for uri, data in seen if uri not in known and not uri.startswith(FOREIGN)]


def _described(value: Json) -> list[Seen]:
    """The pair in a self-describing JSON."""
    if not isinstance(value, dict) or not {"schema", "data"} <= value.keys():
        message = f'expected {{"schema": …, "data": …}}, got {shorten(value)}'
        raise ValueError(message)
    uri = value["schema"]
    if not isinstance(uri, str) or not IGLU_URI.fullmatch(uri):
        message = f"expected an Iglu URI such as {IGLU_URI_EXAMPLE}, got {shorten(uri)}"
        raise ValueError(message)
    return [(uri, value["data"])]


def _wrapped(event: Json) -> Iterator[Seen]:
    """The pairs in the fields of an event, as Micro shows it; those that can be read."""
    from snowplow_logging.collector.selfdescribing import decode_base64  # noqa: PLC0415 - an extra

    raw = event.get("rawEvent") if isinstance(event, dict) else None
    fields = raw.get("parameters") if isinstance(raw, dict) else None
    for key in ("ue_pr", "ue_px", "co", "cx"):
        text = fields.get(key) if isinstance(fields, dict) else None
        if isinstance(text, str):
            with suppress(ValueError):
                wrapper = parse(decode_base64(text) if key.endswith("x") else text)
                inside = wrapper.get("data") if isinstance(wrapper, dict) else None
                for item in inside if isinstance(inside, list) else [inside]:
                    yield from _described(item)


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        message = f"expected a JSON array, got {shorten(value)}"
        raise ValueError(message)  # noqa: TRY004 - the answer is wrong, not the argument
    return value
