"""The guide in a real browser, served by the service: nothing refused, nothing from elsewhere, search answers."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.guide import ADDRESS
from app.main import create_app
from services.core.settings import read_settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and "browser" not in os.environ.get("SPOKEHUB_TEST_REQUIRE", ""),
        reason="Chromium is not installed",
    ),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the service shows the guide; it is served without its account, which the guide asks nothing."""
    data = str(tmp_path_factory.mktemp("data"))
    app = create_app(read_settings({"SPOKEHUB_DATA": data, "SPOKEHUB_EXAMPLE": "none"}), site=built)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{ADDRESS}/"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


def watched(context: BrowserContext, site: str) -> tuple[Page, list[str]]:
    """A page and what it complains about: the console's errors and requests to anywhere else."""
    host = site.removesuffix(f"{ADDRESS}/")
    page, complaints = context.new_page(), []
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on(
        "request", lambda sent: None if sent.url.startswith((host, "data:")) else complaints.append(sent.url)
    )
    return page, complaints


@pytest.mark.parametrize(("scheme", "width", "shown"), [("light", 1280, "default"), ("dark", 390, "slate")])
def test_every_page_is_shown_whole(
    browser: Browser, site: str, built: Path, scheme: str, width: int, shown: str
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 850})
    page, complaints = watched(context, site)
    pages = sorted(found.parent.relative_to(built).as_posix() for found in built.rglob("index.html"))
    for path in pages:
        page.goto(site + path.removeprefix("."), wait_until="load")
        assert page.evaluate("document.body.dataset.mdColorScheme") == shown, path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        broken = "[...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src)"
        assert page.evaluate(broken) == [], path
    context.close()
    assert complaints == []


def test_search_finds_a_page_and_leads_to_it(browser: Browser, site: str) -> None:
    context = browser.new_context()
    page, complaints = watched(context, site)
    page.goto(site)
    page.click(".md-search__input")
    page.keyboard.type("dynamic table")
    page.locator(".md-search-result__item a", has_text="Glossary").first.click()
    page.wait_for_url("**/glossary/**")
    assert page.locator("h1").inner_text().startswith("Glossary")
    context.close()
    assert complaints == []


def test_the_scheme_that_was_chosen_is_kept(browser: Browser, site: str) -> None:
    context = browser.new_context(color_scheme="light")
    page, complaints = watched(context, site)
    page.goto(site)
    for _ in range(2):
        page.locator("label[for^=__palette]:visible").click()
    page.goto(site + "glossary/")
    assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
    context.close()
    assert complaints == []
