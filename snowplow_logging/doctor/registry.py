"""Whether the pipeline will find the schemas in use, and whether what is sent fits them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import requests

from snowplow_logging._http import _described, _new_session
from snowplow_logging._options import LOG_RECORD
from snowplow_logging.doctor.findings import Finding, Findings, note, ok, one_line, problem
from snowplow_logging.doctor.network import ask
from snowplow_logging.doctor.probe import short
from snowplow_logging.doctor.source import API_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowplow_logging.doctor.probe import Described

LAYOUTS = ("schemas", "api/schemas", "")  # a static registry and a resolver's URI, a server, Micro
OK, NOT_FOUND = 200, 404


class Registry(NamedTuple):
    """An Iglu registry.

    Args:
        url: Its address, as in a resolver's configuration or without its path.
        api_key: The key for an Iglu server's private schemas.
    """

    url: str
    api_key: str | None
    timeout: float

    def find(self, uri: str) -> dict[str, Any] | None:
        """Returns a schema; None, if the registry says that it has none.

        Raises:
            requests.RequestException: The registry does not answer, or with something else.
        """
        base = self.url.rstrip("/")
        layouts = LAYOUTS if not base.endswith("/schemas") else ("",)
        with _new_session() as session:
            for layout in layouts:
                parts = [base, layout, uri.removeprefix("iglu:")]
                document = self._get(session, "/".join(part for part in parts if part))
                if document is not None:
                    return document
        return None

    def _get(self, session: requests.Session, url: str) -> dict[str, Any] | None:
        key = {"apikey": self.api_key} if self.api_key else {}
        # A key must not follow a redirect to somebody else.
        response = ask(
            session, "GET", url, headers=key, timeout=self.timeout, allow_redirects=not key
        )
        if response.status == NOT_FOUND:
            return None
        if response.status != OK:
            msg = f"{response.status} {response.reason}"
            raise requests.HTTPError(msg)
        try:
            document: Any = response.json()
        except ValueError:
            return None  # a page of its own for what is not there
        if not isinstance(document, dict):
            return None
        schema = cast("dict[str, Any]", document)
        return schema if isinstance(schema.get("self"), dict) else None


def registries(own: Sequence[str], central: str, timeout: float) -> list[Registry]:
    """Returns the user's own registries, and Iglu Central as the last."""
    key = os.environ.get(API_KEY) or None
    return [*(Registry(url, key, timeout) for url in own), Registry(central, None, timeout)]


def examine(used: Sequence[Described], known: Sequence[Registry]) -> Findings[None]:
    """Looks up each schema in use, and holds what the handler sends against it."""
    checked: set[str] = set()
    for described in used:
        if described.schema not in checked:
            checked.add(described.schema)
            yield _looked_up(described, known)


def _looked_up(described: Described, known: Sequence[Registry]) -> Finding:
    uri, silent = described.schema, dict[str, str]()
    is_standard = uri.startswith("iglu:com.snowplowanalytics.")
    own = known[:-1]
    if not own and not is_standard:
        text = f"{short(uri)}: not looked up"
        return note("schema", text, "name your registry: --iglu https://iglu.acme.com")
    for registry in known if is_standard else own:
        try:
            document = registry.find(uri)
        except requests.RequestException as error:
            refused = isinstance(error, requests.HTTPError)
            why = str(error) if refused else _described(error).rpartition(": ")[2].rstrip(")")
            silent[registry.url] = why
            continue
        if document is not None:
            return _held_against(described, document, registry.url)
    if silent:
        make = problem if any(registry.url in silent for registry in own) else note
        said = "; ".join(f"{url} ({reason})" for url, reason in silent.items())
        return make("schema", f"{short(uri)}: not to be had from {said}", _how_to_reach(silent))
    where = ", ".join(registry.url for registry in (known if is_standard else own))
    return problem("schema", f"{short(uri)} is not in {where}", _how_to_publish(uri))


def _held_against(described: Described, document: dict[str, Any], where: str) -> Finding:
    uri = described.schema
    parts = ("vendor", "name", "format", "version")
    name = "/".join(str(document["self"].get(part)) for part in parts)
    if f"iglu:{name}" != uri:
        text = f"{short(uri)}: {where} has {name} in its place"
        return problem("schema", text, "publish the right file there")
    try:
        reports = _reports(described, document)
    except Exception as error:  # noqa: BLE001 - a broken schema may raise anything
        text = f"{short(uri)} in {where} is no schema that can be used: {one_line(error)[:200]}"
        return problem("schema", text, "mend it, and find its flaws: snowplow-logging schema lint")
    if reports:
        text = f"{short(uri)} in {where}: what the handler sends does not fit: {reports[0]}"
        return problem("schema", text, _how_to_publish(uri))
    return ok("schema", f"{short(uri)} is in {where}")


def _reports(described: Described, document: dict[str, Any]) -> list[str]:
    """Returns what the schema has against the data; nothing, without the collector's extra."""
    try:
        from snowplow_logging.collector.schema import Schema  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        return []
    if described.data is None:
        return []
    return [report.text for report in Schema(described.schema, document).explain(described.data)]


def _how_to_publish(uri: str) -> str:
    vendor, name, _, _ = uri.removeprefix("iglu:").split("/")
    if uri == LOG_RECORD:
        return (
            'publish it under a vendor of your own, and name it in the handler\'s "schema":\n'
            "snowplow-logging schema export --vendor com.acme schemas\n"
            "igluctl static push --public schemas REGISTRY API_KEY"
        )
    if name == "log_record":
        return (
            "publish it:\n"
            f"snowplow-logging schema export --vendor {vendor} schemas\n"
            "igluctl static push --public schemas REGISTRY API_KEY"
        )
    return "publish it:\nigluctl static push --public schemas REGISTRY API_KEY"


def _how_to_reach(silent: Mapping[str, str]) -> str:
    if any(reason.startswith(("401", "403")) for reason in silent.values()):
        return f"set {API_KEY} in the environment to a key that may read"
    return f"check the address, and that this machine may reach {', '.join(silent)}"
