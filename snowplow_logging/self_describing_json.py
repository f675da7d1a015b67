"""SelfDescribingJson: data together with the URI of the schema that describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from snowplow_logging._json import encode
from snowplow_logging._text import class_name, is_a, shown, text

SCHEMA_URI = re.compile(r"iglu:[a-zA-Z0-9-_.]+/[a-zA-Z0-9-_]+/[a-zA-Z0-9-_]+/[0-9]+-[0-9]+-[0-9]+")
"""The pattern that Iglu's ``unstruct_event/1-0-0`` and ``contexts/1-0-1`` hold a URI against."""


_OPENINGS = b"{["
SCHEMAS = 1_000  # URIs that are remembered; an application has some dozen


def is_schema_uri(value: Any) -> bool:
    """Says whether ``value`` is the URI of an Iglu schema."""
    if type(value) is str:
        return _is_uri(value)
    return is_a(value, str) and _is_uri(str.__str__(value))


@lru_cache(SCHEMAS)
def _is_uri(value: str) -> bool:
    return SCHEMA_URI.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class SelfDescribingJson:
    """An event or an entity: data, and the URI of its schema. Its text is its JSON.

    Args:
        schema: An Iglu URI, such as ``iglu:com.acme/order_placed/jsonschema/1-0-0``.
        data: A JSON object or array: a mapping, a list, a tuple or a dataclass instance.

    Raises:
        ValueError: ``schema`` is no Iglu URI.
        TypeError: ``data`` is neither an object nor an array.
    """

    schema: str
    data: Any

    def __post_init__(self) -> None:
        if not is_schema_uri(self.schema):
            msg = (
                f"schema takes an Iglu URI, not {shown(self.schema)}: "
                "write it like iglu:com.acme/order_placed/jsonschema/1-0-0"
            )
            raise ValueError(msg)
        data: object = self.data
        is_dataclass = hasattr(type(data), "__dataclass_fields__")
        if not is_dataclass and not is_a(data, (Mapping, list, tuple)):
            msg = f"data takes a JSON object or array, not {class_name(self.data)}"
            raise TypeError(msg)

    def to_json(self) -> dict[str, Any]:
        """Returns ``{"schema": …, "data": …}``, what the pipeline calls a self-describing JSON."""
        return {"schema": self.schema, "data": self.data}

    def to_string(self) -> str:
        """Returns the JSON text of ``to_json()``; what JSON cannot say is in it as text."""
        return encode(self.to_json()).decode()

    __str__ = to_string


def encoded_data(data: object) -> bytes:
    """Returns the data of an event or an entity as JSON.

    Raises:
        TypeError: It becomes neither object nor array.
    """
    encoded = encode(data)
    if encoded[0] not in _OPENINGS:
        msg = f"data takes a JSON object or array, not {class_name(data)}"
        raise TypeError(msg)
    return encoded


def encoded_entity(schema: str, data: object) -> bytes:
    """Returns an entity as self-describing JSON.

    Raises:
        TypeError: Its data becomes neither object nor array.
    """
    return b'{"schema":"%s","data":%s}' % (str.__str__(schema).encode(), encoded_data(data))


def entity(value: Any) -> SelfDescribingJson:
    """Returns an entity given as such or as ``{"schema": …, "data": …}``."""
    if is_a(value, SelfDescribingJson):
        return cast("SelfDescribingJson", value)
    try:
        # Else dict() would read whatever can be read, perhaps without end.
        parts = dict(value) if is_a(value, Mapping) else {}
        return SelfDescribingJson(parts.pop("schema"), parts.pop("data"), **parts)
    except Exception as error:
        msg = (
            "an entity is a SelfDescribingJson, or has 'schema' and 'data' and no more; "
            f"not {shown(value)} ({text(error)})"
        )
        raise TypeError(msg) from error
