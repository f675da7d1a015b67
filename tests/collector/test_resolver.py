"""Configuration files of Iglu resolvers, as Micro takes them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from snowplow_logging.collector.registry import Registry

from .iglu_server import IgluServer
from .support import ERROR, write_schema

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-"
PATH = "com.acme/order_placed/jsonschema/1-0-0"


def http(server: IgluServer, priority: int, *prefixes: str, **more: object) -> dict[str, Any]:
    """A repository by HTTP."""
    return {
        "name": f"Acme {priority}",
        "priority": priority,
        "vendorPrefixes": list(prefixes),
        "connection": {"http": {"uri": server.url, **more}},
    }


def embedded(path: str) -> dict[str, Any]:
    """A repository in a folder."""
    return {
        "name": "Embedded",
        "priority": 0,
        "vendorPrefixes": [],
        "connection": {"embedded": {"path": path}},
    }


def whole(*repositories: Any, addition: int = 1, **data: Any) -> dict[str, Any]:
    """The content of the file."""
    data = {"cacheSize": 500, "repositories": repositories, **data}
    return {"schema": f"{SCHEMA}{addition}", "data": data}


def write(folder: Path, *repositories: Any, addition: int = 1, **data: Any) -> Path:
    """Writes the file."""
    file = folder / "resolver.json"
    file.write_text(json.dumps(whole(*repositories, addition=addition, **data)))
    return file


@pytest.mark.parametrize("addition", [0, 1, 2, 3])
def test_a_repository_is_asked_with_its_key(tmp_path: Path, addition: int) -> None:
    """Each version of the file is taken."""
    with IgluServer() as server:
        uri = server.add(PATH)
        repository = http(server, 0, "com.acme", apikey="s3cret")
        registry = Registry(resolver=write(tmp_path, repository, addition=addition, cacheTtl=60))
        assert registry.find(uri)
        assert registry.find(uri)
        assert server.requests == [(f"/schemas/{PATH}", "s3cret")]
        assert "s3cret" not in repr(registry)


def test_those_that_name_the_vendor_are_asked_first_then_by_priority(tmp_path: Path) -> None:
    """As Iglu's clients do."""
    asked: list[str] = []
    with IgluServer() as first, IgluServer() as second, IgluServer() as third:
        file = write(tmp_path, http(first, 1), http(second, 0), http(third, 9, "com.ac"))
        found = Registry(resolver=file).look_up(f"iglu:{PATH}")
        asked = [place.name for place in found.places]
    assert asked[-3:] == ["Acme 9", "Acme 0", "Acme 1"]


def test_one_that_breaks_does_not_keep_the_next_from_being_asked(tmp_path: Path) -> None:
    """The schema is found."""
    with IgluServer() as first, IgluServer() as second:
        first.status = 500
        uri = second.add(PATH)
        assert Registry(resolver=write(tmp_path, http(first, 0), http(second, 1))).find(uri)
        assert len(first.requests) == 1


@pytest.mark.parametrize("below", ["", "schemas"])
def test_an_embedded_repository_is_a_folder_beside_the_file(tmp_path: Path, below: str) -> None:
    """In either layout."""
    uri = write_schema(tmp_path / "own" / below, {"type": "object"})
    registry = Registry(resolver=write(tmp_path, embedded("own")))
    assert registry.find(uri)
    assert not registry.is_remote


def test_the_embedded_repository_of_iglu_s_clients_is_there(tmp_path: Path) -> None:
    """It holds what every pipeline has."""
    assert Registry(resolver=write(tmp_path, embedded("/iglu-client-embedded"))).find(ERROR)


def test_so_many_schemas_are_remembered(tmp_path: Path) -> None:
    """Those that were not asked for longest go first."""
    with IgluServer() as server:
        first, second = server.add(PATH), server.add(PATH.replace("1-0-0", "1-0-1"))
        registry = Registry(resolver=write(tmp_path, http(server, 0), cacheSize=1))
        for uri in (first, first, second, first):
            assert registry.find(uri)
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "$: expected object, got []"),
        ({"schema": f"{SCHEMA}1"}, "$: expected the properties data, which are missing"),
        ({"schema": "iglu:x", "data": {}}, "$.schema: expected text with the pattern ^iglu:"),
        (whole(cacheSize="5"), '$.data.cacheSize: expected integer, got "5"'),
        (whole({}), "$.data.repositories[0]: expected the properties name, priority"),
        (
            whole({**embedded("x"), "connection": {"ftp": {}}}),
            "$.data.repositories[0].connection: expected no properties but http, embedded",
        ),
        (whole(embedded("nowhere")), "embedded: there is no folder "),
        (
            whole({**embedded("x"), "connection": {"http": {"uri": "x"}}}),
            "expected the address of a registry such as https://iglu.acme.com",
        ),
    ],
)
def test_a_wrong_file_is_told_of(tmp_path: Path, document: object, reason: str) -> None:
    """With the file, the place in it, and what is expected there."""
    file = tmp_path / "resolver.json"
    file.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        Registry(resolver=file)
    assert str(caught.value).startswith(f"resolver: {file}: {reason[:9]}")


def test_a_file_that_is_no_json_is_told_of(tmp_path: Path) -> None:
    """Likewise."""
    file = tmp_path / "resolver.json"
    file.write_text("{")
    with pytest.raises(ValueError, match=r"resolver.json: not JSON"):
        Registry(resolver=file)


def test_a_missing_file_is_told_of(tmp_path: Path) -> None:
    """At construction."""
    with pytest.raises(ValueError, match=r"resolver: .*nothing.json: No such file"):
        Registry(resolver=tmp_path / "nothing.json")
