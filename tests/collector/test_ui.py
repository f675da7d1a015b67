"""How the page and its parts are served."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from snowplow_logging.collector import LocalCollector

FOLDER = resources.files("snowplow_logging") / "collector" / "page"
PARTS = sorted(file.name for file in FOLDER.iterdir() if file.name != "page.html")


def get(collector: LocalCollector, path: str = "", **headers: str) -> requests.Response:
    """The answer to GET for the page, or for a part of it."""
    return requests.get(f"{collector.ui_url}{path}", headers=headers, timeout=10)


def test_the_page_allows_no_script_but_its_own(collector: LocalCollector) -> None:
    """Its policy names a nonce that is new each time, and no text can become markup."""
    first, second = get(collector), get(collector)
    policy = first.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert policy != second.headers["Content-Security-Policy"]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert len(re.findall(f'<(?:script|link)[^>]* nonce="{nonce}"', first.text)) == 3
    assert "http://" not in first.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in first.text
    assert not re.search(r"\son\w+=|\sstyle=|<style", first.text)
    assert first.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_asked_for_once(collector: LocalCollector, name: str) -> None:
    """A browser that has it is told that it is still good."""
    answer = get(collector, f"/{name}")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.content == (FOLDER / name).read_bytes()
    again = get(collector, f"/{name}", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_there_are_no_other_parts(collector: LocalCollector) -> None:
    """Whatever the path."""
    assert get(collector, "/page.html").status_code == 404
    assert get(collector, "/..%2F..%2Fmicro.py").status_code == 404


@pytest.mark.parametrize("name", [name for name in PARTS if name.endswith(".js")])
def test_a_script_makes_no_markup_of_texts(name: str) -> None:
    """And it has but its neighbours, which exist."""
    script = (FOLDER / name).read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)
    imported = set(re.findall(r'from "(.+)"', script))
    assert imported <= {f"./{part}" for part in PARTS}
    assert not re.search(r"https?://(?!www\.w3\.org)", script)
