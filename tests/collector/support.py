"""What the tests send, and small helpers to send it."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from pathlib import Path

TP2 = "com.snowplowanalytics.snowplow/tp2"
PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
ERROR = "iglu:com.snowplowanalytics.snowplow/application_error/jsonschema/1-0-2"
APPLICATION = "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0"
META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"

ERROR_DATA = {"programmingLanguage": "PYTHON", "message": "it broke"}


def to_base64(value: object) -> str:
    """JSON of ``value`` in base64, URL-safe and without padding."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def event(data: object = None, schema: str = ERROR, **fields: Any) -> dict[str, Any]:
    """A self-describing event as a tracker sends it; ``None`` takes a field away."""
    described = {"schema": schema, "data": ERROR_DATA if data is None else data}
    whole: dict[str, object] = {
        "e": "ue",
        "p": "srv",
        "tv": "test-1",
        "aid": "shop",
        "eid": str(uuid.uuid4()),
        "ue_px": to_base64({"schema": UNSTRUCT, "data": described}),
        **fields,
    }
    return {key: value for key, value in whole.items() if value is not None}


def contexts(*items: object, schema: str = CONTEXTS) -> str:
    """The value of ``cx`` for these entities."""
    return to_base64({"schema": schema, "data": items})


def body(*events: object, schema: str = PAYLOAD_DATA) -> bytes:
    """The body of a request with these events."""
    return json.dumps({"schema": schema, "data": events}).encode()


def post(
    url: str,
    content: bytes,
    content_type: str | None = "application/json; charset=utf-8",
    path: str = TP2,
) -> requests.Response:
    """Posts ``content``; the answer of every collector is 200, also where it disagrees."""
    headers = {"Content-Type": content_type} if content_type else {}
    return requests.post(f"{url}/{path}", data=content, headers=headers, timeout=10)


def write_schema(
    folder: Path, body: dict[str, object], name: str = "order_placed", version: str = "1-0-0"
) -> str:
    """Writes a self-describing schema of vendor com.acme into ``folder``; returns its URI."""
    file = folder / "com.acme" / name / "jsonschema" / version
    file.parent.mkdir(parents=True, exist_ok=True)
    identity = {"vendor": "com.acme", "name": name, "format": "jsonschema", "version": version}
    file.write_text(json.dumps({"$schema": META, "self": identity, **body}))
    return f"iglu:com.acme/{name}/jsonschema/{version}"
