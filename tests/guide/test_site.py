"""The guide is built without a warning, served with a policy that fits it, and says so while it is not built."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import tomllib
import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from app.guide import ADDRESS, SITE, Guide, inline_scripts
from app.main import create_app
from app.policy import policy
from services.core.settings import read_settings
from tests.guide.conftest import ROOT

with warnings.catch_warnings():
    # It would rather have another HTTP client, which nothing else here needs.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient


def pages(built: Path) -> list[Path]:
    return sorted(built.rglob("*.html"))


async def get(guide: Guide, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=[Mount(ADDRESS, guide)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://guide") as client:
        return await client.get(ADDRESS + path, headers=headers)


def ask(guide: Guide, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return asyncio.run(get(guide, path, headers))


class Loaded(HTMLParser):
    """What a page loads by itself: scripts, style sheets, pictures, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        loads = tag in ("script", "img", "iframe", "source", "video", "audio")
        if loads or (tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "preconnect")):
            self.addresses += [given[name] or "" for name in ("src", "href") if given.get(name)]
        self.handlers += [name for name in given if name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere_and_no_handler_is_inline(built: Path) -> None:
    for page in pages(built):
        found = Loaded()
        found.feed(page.read_text())
        assert found.addresses, page
        assert [one for one in found.addresses if urlsplit(one).netloc] == [], page
        assert found.handlers == [], page
    for sheet in built.rglob("*.css"):
        assert re.findall(r"url\([\"']?(?:https?:)?//", sheet.read_text()) == [], sheet


def test_every_page_names_its_own_scripts_and_no_others(built: Path) -> None:
    guide = Guide(built)
    for page in pages(built):
        address = "/" + page.relative_to(built).as_posix()
        answer = ask(guide, address.removesuffix("index.html"))
        assert answer.status_code == 200, address
        bodies = re.findall(r"<script(?:>| type=\"text/javascript\">)(.*?)</script>", answer.text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
        hashes = dict.fromkeys(f"'sha256-{digest}'" for digest in digests)
        assert hashes, address
        assert answer.headers["content-security-policy"] == policy(hashes)
        assert "unsafe-inline" not in policy(hashes).split("style-src")[0]


SCRIPTS = (
    '<script>let a = "</b> &amp;";\n</script>'
    '<script src="x.js"></script><script type="application/json">{"b": 1}</script>'
    "<script type='module'>c</script><script>c</script>"
)


def test_only_what_runs_inline_has_a_hash() -> None:
    bodies = ('let a = "</b> &amp;";\n', "c")
    digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    assert inline_scripts(SCRIPTS) == tuple(f"'sha256-{digest}'" for digest in digests)


def test_a_page_that_has_not_changed_keeps_its_policy(built: Path) -> None:
    guide = Guide(built)
    first = ask(guide, "/glossary/")
    again = ask(guide, "/glossary/", {"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    for name in ("content-security-policy", "cache-control"):
        assert again.headers[name] == first.headers[name]


def test_a_page_built_anew_has_a_policy_of_its_own(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    found = []
    for at, text in enumerate(("<script>1</script>", "<script>2</script>")):
        page.write_text(text)
        os.utime(page, ns=(at, at))
        found.append(ask(Guide(tmp_path), "/").headers["content-security-policy"])
    assert found == [
        policy(inline_scripts("<script>1</script>")),
        policy(inline_scripts("<script>2</script>")),
    ]


def test_an_unknown_page_is_the_guides_own_404(built: Path) -> None:
    answer = ask(Guide(built), "/nowhere/")
    assert answer.status_code == 404
    assert "Spokehub" in answer.text


@pytest.fixture
def served(tmp_path: Path) -> Callable[[Path], TestClient]:
    """The whole service over a site, not started: what it asks no account for is there."""

    def serving(site: Path) -> TestClient:
        settings = read_settings({"SPOKEHUB_DATA": str(tmp_path / "data"), "SPOKEHUB_EXAMPLE": "none"})
        return TestClient(create_app(settings, site=site), base_url="http://127.0.0.1")

    return serving


@pytest.mark.parametrize("path", ["", "/", "/glossary/", "/assets/x.js"])
def test_an_unbuilt_guide_says_what_to_do(
    served: Callable[[Path], TestClient], tmp_path: Path, path: str
) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        answer = served(tmp_path / folder).get(ADDRESS + path)
        assert (answer.status_code, answer.json()["code"]) == (404, "guide_not_built")
        assert "make guide" in answer.json()["hint"]


def test_the_service_serves_it_beside_the_documentation_of_its_interface(
    served: Callable[[Path], TestClient], built: Path
) -> None:
    client = served(built)
    page = client.get(ADDRESS)
    assert page.status_code == 200
    assert page.url.path == ADDRESS + "/"
    scripts = inline_scripts(page.text)
    assert page.headers["content-security-policy"] == policy(scripts)
    assert client.get(ADDRESS + "/search/search_index.json").json()["docs"]
    assert client.get("/docs").headers["content-security-policy"] == policy()


def test_it_is_built_where_the_service_looks_for_it() -> None:
    configured = re.search(r"^site_dir: (\S+)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert configured is not None
    assert ROOT / configured[1] == SITE
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert f"{SITE.name}/**" in project["tool"]["setuptools"]["package-data"][SITE.parent.name]


def test_what_pages_say_of_the_guide_is_there(built: Path) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html")]
    named = {
        path.removeprefix("/docs/guide/").strip("/") or "."
        for text in sources
        for path in re.findall(r"/docs/guide/[\w/]*", text)
        + re.findall(r"ui\.empty\([^\n]*?, '[\w-]+', '([\w/]+)'\)", text)
    }
    pages = {page.parent.relative_to(built).as_posix() for page in built.rglob("index.html")}
    assert "tutorials" in named
    assert named - pages == set()
