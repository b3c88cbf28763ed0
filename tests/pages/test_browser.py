"""The pages in a real browser: nothing is refused by the policy, charts are drawn, live parts end, narrow fits."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sample import Sample, sample
from sample_account import RUN_ID
from sample_application import application
from sample_operations import Example, Operations

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and "browser" not in os.environ.get("SPOKEHUB_TEST_REQUIRE", ""),
        reason="Chromium is not installed",
    ),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADDRESSES = (
    "/",
    "/spokes/pudo",
    "/spokes/pudo/features",
    "/spokes/pudo/graphs",
    f"/spokes/pudo/graphs/TRAINING_DAG/runs/{RUN_ID}",
    "/spokes/pudo/models",
    "/spokes/pudo/predictions",
    "/spokes/pudo/predictions?prediction=FAILURE",
    "/spokes/pudo/alerts",
    "/spokes/pudo/graphs/TRAINING_DAG",
    "/runs",
    "/failures?state=all",
    "/failures/f3",
    "/costs",
    "/health/features",
    "/sync",
    "/operations",
    "/operations/op-setup",
    "/simulation",
    "/hub",
    "/nowhere",
    f"/spokes/{'nowhere_' * 10}",
)


@dataclass
class Site:
    """The pages being served, and the sample behind them that a test may change."""

    address: str
    services: Sample


@dataclass
class Tab:
    """One page of the browser and what it complained about."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(self.site.address + address, wait_until="load")


@pytest.fixture
def site() -> Iterator[Site]:
    services = sample()
    config = uvicorn.Config(application(services), host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Site(f"http://127.0.0.1:{port}", services)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def tab(browser: Browser, site: Site) -> Iterator[Callable[..., Tab]]:
    """Opens tabs, which are closed with the test: pages that are open go on asking and drawing."""
    contexts: list[BrowserContext] = []

    def opened(**options: Any) -> Tab:
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        return watched(contexts[-1].new_page(), site)

    yield opened
    for context in contexts:
        context.close()


def watched(page: Page, site: Site) -> Tab:
    """A tab; its complaints are errors of the console but those about a page that is not there."""
    made = Tab(page, site)
    made.page.set_default_timeout(20_000)
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.on(
        "console",
        lambda message: (
            made.complaints.append(message.text)
            if message.type == "error" and "status of 404" not in message.text
            else None
        ),
    )
    made.page.on(
        "request",
        lambda request: (
            made.complaints.append(request.url) if not request.url.startswith(site.address) else None
        ),
    )
    return made


# A theme changes colours alone: each is looked at in one of the widths.
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (375, "dark")])
def test_every_page_fits_and_nothing_is_refused(tab, width, theme):
    made = tab(viewport={"width": width, "height": 800}, color_scheme=theme)
    for address in ADDRESSES:
        made.open(address)
        if "/predictions" in address:
            made.page.wait_for_selector(".js-plotly-plot .main-svg")
        assert made.page.evaluate("document.documentElement.scrollWidth") <= width, address
        # On a telephone a table becomes a list; the numbers behind a chart may be scrolled.
        wide = made.page.evaluate(
            "[...document.querySelectorAll('.table-responsive:not(details *)')]"
            ".filter(table => table.scrollWidth > table.clientWidth).length"
        )
        assert width > 640 or wide == 0, address
        assert made.page.locator("html").get_attribute("data-bs-theme") == theme
    assert made.complaints == []


def test_a_narrow_screen_shows_values_beside_their_labels_and_the_open_tab(tab):
    made = tab(viewport={"width": 390, "height": 844})
    made.open("/runs")
    left = made.page.evaluate(
        "[...document.querySelectorAll('.stacked td')].filter(cell => cell.offsetParent).flatMap(cell => {"
        " const range = document.createRange(); range.selectNodeContents(cell);"
        " return [...range.getClientRects()].filter(box => box.width > 1)"
        ".map(box => box.left - cell.getBoundingClientRect().left); })"
    )
    assert len(left) > 100
    assert min(left) >= 130
    made.open("/spokes/pudo/alerts")
    shown = made.page.evaluate(
        "(box => [box.left >= 0, box.right <= innerWidth])"
        "(document.querySelector('.tabs .active').getBoundingClientRect())"
    )
    assert shown == [True, True]


def test_charts_are_drawn_in_the_space_kept_for_them(tab):
    made = tab()
    made.open("/spokes/pudo/predictions")
    made.page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length >= 8")
    boxes = made.page.locator(".chart-box").all()
    assert len(boxes) == 8
    for box in boxes:
        kept = box.locator(".chart-holder").bounding_box()
        drawn = box.locator(".js-plotly-plot").bounding_box()
        assert abs(kept["height"] - drawn["height"]) <= 1
    assert made.complaints == []


def test_a_point_of_the_map_opens_its_history(tab):
    made = tab()
    made.open("/spokes/pudo/predictions")
    made.page.wait_for_selector("#entity .js-plotly-plot .main-svg")
    second = made.page.locator("a[data-entity]").nth(1)
    name = second.get_attribute("title").split(",")[0]
    second.click()
    made.page.wait_for_function("name => document.querySelector('#entity h2').textContent === name", arg=name)
    made.page.wait_for_selector("#entity .js-plotly-plot .main-svg")
    assert made.complaints == []


def test_the_theme_is_kept_and_charts_follow(tab):
    made = tab(color_scheme="light")
    made.open("/spokes/pudo")
    colour = "getComputedStyle(document.querySelector('.js-plotly-plot .xtitle')).fill"
    made.page.wait_for_selector(".js-plotly-plot .xtitle")
    before = made.page.evaluate(colour)
    made.page.click("[data-set-theme=dark]")
    made.page.wait_for_function(f"before => {colour} !== before", arg=before)
    made.page.reload()
    assert made.page.locator("html").get_attribute("data-bs-theme") == "dark"
    made.page.click("[data-set-theme=auto]")
    assert made.page.locator("html").get_attribute("data-bs-theme") == "light"


def test_the_set_up_ends_live_and_stops_asking(tab, site):
    site.services.example = Example("running")
    site.services.operations = Operations("running", True)
    everyone = site.services.spokes.all
    site.services.spokes.all = lambda: ()
    made = tab()
    made.open("/")
    made.page.wait_for_selector(".step-executing")
    made.page.wait_for_selector("#running a.running")
    assert made.page.locator("#nav .nav-sub").count() == 0
    site.services.spokes.all = everyone
    site.services.example = Example("succeeded")
    site.services.operations = Operations("succeeded")
    made.page.wait_for_selector(".glance")
    assert made.page.locator(".setup").count() == 0
    # What surrounds the page follows at once.
    made.page.wait_for_selector("#nav .nav-sub")
    made.page.wait_for_selector("#running a.running", state="detached")
    asked = []
    made.page.on("request", lambda request: asked.append(request.headers.get("hx-target")))
    made.page.wait_for_timeout(2500)
    assert "div#live" not in asked
    assert made.complaints == []


def test_what_is_open_stays_open_while_a_run_goes_on(tab, site):
    site.services.operations = Operations("running", True)
    made = tab()
    made.open("/operations/op-setup")
    made.page.click(".params summary")
    with made.page.expect_response(lambda response: response.request.headers.get("hx-target") == "div#live"):
        pass
    made.page.wait_for_timeout(200)
    assert made.page.locator(".params").get_attribute("open") is not None


def test_times_are_in_the_readers_zone(tab):
    made = tab(timezone_id="America/New_York", locale="en-GB")
    made.open("/spokes/pudo/predictions?day=2025-06-28")
    time_element = made.page.locator(".day-picker time")
    assert time_element.text_content() == "28 Jun 2025, 02:03"
    assert time_element.get_attribute("title") == "2025-06-28 06:03:00 UTC"


def test_the_list_is_sorted_by_the_service(tab):
    made = tab()
    made.open("/spokes/pudo/predictions")
    made.page.locator(".ranking th a", has_text="Point").click()
    made.page.wait_for_url("**sort=label**")
    names = [
        link.get_attribute("title").split(",")[0]
        for link in made.page.locator(".ranking a[data-entity]").all()
    ]
    assert names == sorted(names)
    header = made.page.locator(".ranking th", has_text="Point")
    assert header.get_attribute("aria-sort") == "ascending"


def test_reset_wants_the_word(tab):
    made = tab()
    made.open("/simulation")
    made.page.fill("#confirm", "rese")
    assert made.page.locator("[data-confirm-button]").is_disabled()
    made.page.fill("#confirm", "reset")
    assert made.page.locator("[data-confirm-button]").is_enabled()


def test_a_lost_service_is_said(tab, site):
    site.services.operations = Operations("running", True)
    made = tab()
    made.open("/operations/op-setup")
    made.page.route("**/operations/**", lambda route: route.abort())
    made.page.wait_for_selector("[data-connection-lost]:not([hidden])")
    made.page.unroute("**/operations/**")
    made.page.wait_for_selector("[data-connection-lost]", state="hidden")


def shown_day(made):
    """The day that the address names, that the picker shows, and that the page is about."""
    picker = made.page.locator("#day")
    link = made.page.locator("a[data-entity]").first.get_attribute("href")
    return [parse_qs(urlsplit(address).query).get("day", [None])[0] for address in (made.page.url, link)] + [
        picker.input_value()
    ]


def test_the_picker_shows_the_day_of_the_address(tab):
    made = tab()
    made.open("/spokes/pudo/predictions?environment=DEV&day=2025-06-28")
    for day in ("2025-06-20", "2025-06-10"):
        with made.page.expect_navigation():
            made.page.select_option("#day", day)
        assert shown_day(made) == [day] * 3
    for back in ("2025-06-20", "2025-06-28"):
        made.page.go_back(wait_until="load")
        assert shown_day(made) == [back] * 3
    made.page.go_forward(wait_until="load")
    assert shown_day(made) == ["2025-06-20"] * 3
    # What is chosen and not sent is forgotten as well.
    made.page.evaluate("document.getElementById('day').value = '2025-06-01'")
    made.page.reload()
    assert shown_day(made) == ["2025-06-20"] * 3
    assert made.complaints == []


def test_the_chosen_point_is_in_the_address(tab):
    made = tab()
    made.open("/spokes/pudo/predictions")
    heading = "#entity h2"
    names = [made.page.locator("a[data-entity]").nth(at).get_attribute("title") for at in range(2)]
    first, second = (name.split(",")[0] for name in names)
    assert made.page.locator(heading).text_content() == first
    shows = f"name => document.querySelector('{heading}')?.textContent === name"
    made.page.locator("a[data-entity]").nth(1).click()
    made.page.wait_for_function(shows, arg=second)
    assert "key=" in made.page.url
    made.page.reload()
    assert made.page.locator(heading).text_content() == second
    made.page.go_back()
    made.page.wait_for_function(shows, arg=first)
    assert "key=" not in made.page.url
    assert made.page.locator("tr.chosen a").get_attribute("title") == names[0]
    assert made.complaints == []


def test_a_half_typed_word_does_not_come_back(tab):
    made = tab()
    made.open("/simulation")
    made.page.fill("#confirm", "reset")
    made.page.reload()
    assert made.page.input_value("#confirm") == ""
    assert made.page.locator("[data-confirm-button]").is_disabled()
    made.page.fill("#confirm", "reset")
    made.open("/hub")
    made.page.go_back()
    assert made.page.input_value("#confirm") == ""
    assert made.page.locator("[data-confirm-button]").is_disabled()
