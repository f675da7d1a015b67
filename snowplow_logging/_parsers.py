"""Parsers of options: each returns the value for what was given, or raises ValueError or TypeError.

Texts are taken for every option, as a file or the environment says them.
"""

from __future__ import annotations

import json
import os
import pkgutil
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar, cast

from snowplow_logging._claims import IS_POSSIBLE
from snowplow_logging._clock import Clock
from snowplow_logging._json import elements
from snowplow_logging._sessions import shared
from snowplow_logging._text import cut, is_a, shown
from snowplow_logging.self_describing_json import SelfDescribingJson, entity, is_schema_uri
from snowplow_logging.subject import Subject

if TYPE_CHECKING:
    import requests

    from snowplow_logging.redaction import Redactor

APPLICATION = "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0"
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_T = TypeVar("_T")


def whole(minimum: int, maximum: int = 2**53) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if type(value) not in (int, float, str) or (
            type(value) is float and not value.is_integer()
        ):
            raise TypeError
        number = int(value)
        if not minimum <= number <= maximum:
            raise ValueError
        return number

    return parse


def seconds(minimum: float, maximum: float, *, above: bool = False) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        if type(value) not in (int, float, str):
            raise TypeError
        number = float(value)
        if not minimum <= number <= maximum or (above and number == minimum):
            raise ValueError
        return number

    return parse


def one_of(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if type(value) is not str or value not in choices:
            raise ValueError
        return value

    return parse


def truth(value: Any) -> bool:
    if type(value) is str:
        value = _TRUTH.get(value.lower())
    if type(value) is not bool:
        raise TypeError
    return value


def text_up_to(limit: int) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if len(value.encode("utf-16-le", "surrogatepass")) > 2 * limit:
            raise ValueError
        return value

    return parse


def function(value: Any) -> Any:
    """A callable, or the name of one as ``package.module:function``."""
    found: Any = pkgutil.resolve_name(value) if isinstance(value, str) else value
    if not callable(found):
        raise TypeError
    return found


def session(value: Any) -> Callable[[], requests.Session]:
    """A session that all threads share, or a function that makes one for each."""
    from requests import Session  # noqa: PLC0415 - see emitter.py

    if isinstance(value, Session):
        return shared(value)
    make: Callable[[], requests.Session] = function(value)
    return make


def schema(value: Any) -> str | None:
    if isinstance(value, str) and value.lower() == "none":
        return None
    if not is_schema_uri(value):
        raise ValueError
    return cast("str", value)


def clock(value: Any) -> Any:
    if value is not None and not isinstance(value, Clock):
        raise TypeError
    return value


def from_json(value: Any) -> Any:
    try:
        return json.loads(value) if is_a(value, str) else value
    except RecursionError:
        raise ValueError("it nests too deep") from None


def subject(value: Any) -> Subject:
    value = from_json(value)
    return value if isinstance(value, Subject) else Subject.from_mapping(dict(value))


def entities(value: Any) -> list[SelfDescribingJson]:
    """Returns a list of entities, each as ``entity`` takes it; also from JSON text."""
    value = from_json(value)
    if not is_a(value, (list, tuple)):
        msg = f"contexts takes a list of entities; not {shown(value)}"
        raise TypeError(msg)
    return [entity(item) for item in elements(value)]


def retry_codes(value: Any) -> dict[int, bool]:
    """``{403: true}``, or a list of codes to retry, or either as JSON text."""
    if isinstance(value, str):
        value = json.loads(value)
    if not is_a(value, (Mapping, list, tuple, set)):
        raise TypeError
    codes: Mapping[Any, Any] = value if is_a(value, Mapping) else dict.fromkeys(value, True)
    return {whole(400, 599)(code): truth(codes[code]) for code in codes}


def application(value: Any) -> SelfDescribingJson:
    """Returns the entity with the version of an installed distribution."""
    from importlib.metadata import version  # noqa: PLC0415 - takes long, and few need it

    if not is_a(value, str) or not value:
        raise TypeError
    return SelfDescribingJson(APPLICATION, {"version": cut(version(value), 255)})


def redaction(value: Any) -> Redactor | None:
    """Returns what finds secrets, or None where none are to be found."""
    from snowplow_logging.redaction import Redactor  # noqa: PLC0415 - its patterns take long

    said: Any = _TRUTH.get(value.strip().lower(), value) if is_a(value, str) else value
    if is_a(said, str):
        said = from_json(said) if said.lstrip()[:1] == "[" else said.split(",")
    if type(said) is bool:
        return Redactor() if said else None
    items: list[Any] = elements(said) if is_a(said, (list, tuple)) else [function(said)]
    names = [item.strip() for item in items if is_a(item, str) and ":" not in item]
    return Redactor(
        keys=[name for name in names if name[:1] != "-"],
        without=[name[1:] for name in names if name[:1] == "-"],
        functions=[function(item) for item in items if not is_a(item, str) or ":" in item],
    )


def spool_path(value: Any) -> str:
    """Returns the absolute path of a file; ``~`` is the user's home."""
    if not is_a(value, (str, os.PathLike)):
        raise TypeError
    path = os.path.expanduser(os.fsdecode(value))  # noqa: PTH111 - PathLike of any kind
    if not path or path.startswith("~") or "\0" in path:
        raise ValueError
    if not IS_POSSIBLE:
        msg = "this system has no locks that end with their process"
        raise ValueError(msg)
    if find_spec("_sqlite3") is None:
        msg = "this Python was built without sqlite3"
        raise ValueError(msg)
    return os.path.abspath(path)  # noqa: PTH100 - a path that ends in / is a folder's


def or_none(parse: Callable[[Any], _T]) -> Callable[[Any], _T | None]:
    """Returns a parser that also takes None."""
    return lambda value: None if value is None else parse(value)
