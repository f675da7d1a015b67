"""A request as it was received, and the forms in which Micro's API and bad rows show it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from snowplow_logging._version import __version__
from snowplow_logging.collector.strict_json import cut
from snowplow_logging.collector.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowplow_logging.collector.strict_json import Json

COLLECTOR = f"snowplow-logging-{__version__}"

# Lengths that the schemas of bad rows allow.
_VENDOR, _VERSION, _PARAMETER, _CONTENT_TYPE = 64, 16, 512, 256
_DEFAULTS = (None, "", ())
_HOSTNAME, _ADDRESS, _USER_AGENT, _HEADER = 8192, 128, 4096, 8192


@dataclass(frozen=True)
class Received:
    """One request, in the words of a collector.

    Attributes:
        vendor: First segment of the path, or what a path without segments stands for.
        version: Second segment.
        query: The text behind the question mark, as it came.
        content_type: The header's value, if there is one.
        body: The body's bytes; None for a GET.
        headers: ``Name: value``, in their order.
        hostname: The host that the client asked for.
        address: The client's IP address.
        user_agent: The header's value.
        referer: The header's value.
        milliseconds: When it came, since the epoch.
        network_user_id: What the collector's cookie says, or a new one.
    """

    vendor: str
    version: str
    milliseconds: int
    query: str = ""
    content_type: str | None = None
    body: bytes | None = None
    headers: tuple[str, ...] = ()
    hostname: str | None = None
    address: str | None = None
    user_agent: str | None = None
    referer: str | None = None
    network_user_id: str | None = None

    def to_json(self) -> dict[str, Json]:
        """All of it but the body."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if name != "body" and value not in _DEFAULTS}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], body: str | None) -> Received:
        """What ``to_json`` gave, with this body."""
        rest: dict[str, Any] = {
            "headers": tuple(value.get("headers", ())),
            "body": None if body is None else body.encode(),
        }
        return cls(**{**value, **rest})

    @cached_property
    def body_text(self) -> str | None:
        """The body to show: bytes that are no UTF-8 show as U+FFFD."""
        return None if self.body is None else self.body.decode("utf-8", "replace")

    @cached_property
    def time(self) -> str:
        """When it came, ISO 8601."""
        return iso(self.milliseconds)

    def raw_event(self, parameters: Mapping[str, str]) -> dict[str, Json]:
        """Micro's ``rawEvent``: one event of the request, before it is enriched."""
        return {
            "api": self._api(),
            "parameters": {**parameters},
            "contentType": self.content_type,
            "source": self._source(),
            "context": self._context(),
        }

    def collector_payload(self) -> dict[str, Json]:
        """Micro's ``collectorPayload``: the whole request."""
        return {
            "api": self._api(),
            "querystring": [*filter(None, self.query.split("&"))],
            "contentType": self.content_type,
            "body": self.body_text,
            "source": self._source(),
            "context": self._context(),
        }

    def bad_row_payload(self) -> dict[str, Json]:
        """The whole request as a bad row shows it, cut to the lengths that its schema allows."""
        pairs = (pair.partition("=") for pair in self.query.split("&") if pair)
        return {
            **self._bad_row_common(),
            "querystring": [
                {"name": cut(name, _PARAMETER), "value": cut(value, _PARAMETER)}
                for name, _, value in pairs
            ],
            "body": self.body_text,
            "collector": cut(COLLECTOR, 32),
            "networkUserId": self.network_user_id,
        }

    def bad_row_event(self, parameters: Mapping[str, str]) -> dict[str, Json]:
        """One event of the request as a bad row shows it, cut likewise."""
        return {
            **self._bad_row_common(),
            "parameters": [
                {"name": cut(name, _PARAMETER), "value": cut(value, _PARAMETER)}
                for name, value in parameters.items()
            ],
            "loaderName": cut(COLLECTOR, 32),
            "userId": self.network_user_id,
        }

    def _bad_row_common(self) -> dict[str, Json]:
        return {
            "vendor": cut(self.vendor, _VENDOR),
            "version": cut(self.version, _VERSION),
            "contentType": _cut(self.content_type, _CONTENT_TYPE),
            "encoding": "UTF-8",
            "hostname": _cut(self.hostname, _HOSTNAME),
            "timestamp": self.time,
            "ipAddress": _cut(self.address, _ADDRESS),
            "useragent": _cut(self.user_agent, _USER_AGENT),
            "refererUri": _cut(self.referer, _HOSTNAME),
            "headers": [cut(header, _HEADER) for header in self.headers],
        }

    def _api(self) -> dict[str, Json]:
        return {"vendor": self.vendor, "version": self.version}

    def _source(self) -> dict[str, Json]:
        return {"name": COLLECTOR, "encoding": "UTF-8", "hostname": self.hostname}

    def _context(self) -> dict[str, Json]:
        return {
            "timestamp": self.time,
            "ipAddress": self.address,
            "useragent": self.user_agent,
            "refererUri": self.referer,
            "headers": [*self.headers],
            "userId": self.network_user_id,
        }


def _cut(text: str | None, limit: int) -> str | None:
    return None if text is None else cut(text, limit)
