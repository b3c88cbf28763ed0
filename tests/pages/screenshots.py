"""Photographs every page: ``python -m tests.pages.screenshots FOLDER [SCENE …] [--page TEXT] [--at ADDRESS]``.

Three services, each over data of its own: an empty account, the example with trouble in it, and fifty spokes with a
year of runs, long names and a graph of a thousand tasks among them. Each page is taken light and dark, 1440 and 390
points wide, and is held to this: no error in the console, nothing from another host, nothing wider than the screen.
``--page`` takes only addresses with this text in them; ``--at`` photographs a service that runs already, as a scene.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
import snowflake.connector
from playwright.sync_api import Browser, Page, sync_playwright

from services.core.hub import load_declaration
from services.spokes.synthetic import enter

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SPOKEHUB = str(Path(sys.executable).parent / "spokehub")
WIDTHS = {1440: 900, 390: 844}
# A picture of a longer page ends here.
TALLEST = 6000
EVERYWHERE = (
    "/",
    "/runs",
    "/failures",
    "/failures?state=all",
    "/costs",
    "/health/features",
    "/operations",
    "/hub",
    "/sync",
    "/simulation",
    "/nowhere",
    f"/spokes/{'nowhere_' * 8}",
)
# What is found by following the first such link of a page.
FOLLOWED = (
    ("/runs", r"/spokes/[^/]+/graphs/[^/]+/runs/[^/]+$"),
    ("/runs?state=FAILED", r"/spokes/[^/]+/graphs/[^/]+/runs/[^/]+$"),
    ("/runs", r"/spokes/[^/]+/graphs/[^/]+$"),
    ("/failures?state=all", r"/failures/[0-9a-f]+$"),
    ("/operations", r"/operations/[0-9a-f-]+$"),
    ("/costs", r"/costs\?.*graph="),
)
TABS = ("", "/features", "/graphs", "/models", "/predictions", "/alerts")
# The synthetic network's: its one graph of a thousand tasks, and the names that this spoke gets instead.
WIDE_SPOKE, WIDE_GRAPH, WIDE_CHAINS = "retail_demand", "MODEL_DAG", 40
LONG_FROM = "credit_demand"
LONG_SPOKE = "credit_demand_of_small_and_medium_enterprises_in_all_regions"
LONG_GRAPH = "FORECAST_OF_EVERY_NEIGHBOURHOOD_WITH_HOLIDAYS_CLOSURES_AND_GROWTH_OVER_FOURTEEN_DAYS_DAG"


@dataclass(frozen=True)
class Scene:
    """A service to photograph. ``history`` are arguments of ``spokehub history generate``."""

    name: str
    example: str
    history: tuple[str, ...] = ()
    spokes: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


SCENES = (
    Scene("empty", "none"),
    Scene("example", "", spokes=("pudo", "delivery")),
    Scene(
        "fifty",
        "none",
        ("--runs", "400000", "--spokes", "50"),
        (WIDE_SPOKE, LONG_SPOKE),
        (
            f"/spokes/{WIDE_SPOKE}/graphs?environment=PROD",
            f"/spokes/{WIDE_SPOKE}/graphs/{WIDE_GRAPH}?environment=PROD",
            f"/spokes/{LONG_SPOKE}/graphs/{LONG_GRAPH}?environment=PROD",
            f"/runs?spoke={LONG_SPOKE}",
            f"/failures?state=all&spoke={LONG_SPOKE}",
            f"/costs?spoke={LONG_SPOKE}",
        ),
    ),
)


@contextmanager
def serving(scene: Scene, folder: Path) -> Iterator[str]:
    """The service of a scene, set up; its address."""
    environment = {**os.environ, "SPOKEHUB_EXAMPLE": scene.example, "SPOKEHUB_DATA": str(folder)}
    if scene.history:
        subprocess.run([SPOKEHUB, "history", "generate", *scene.history], check=True, env=environment)
        tasks = lengthen(folder)
        # What the service connects to has its warehouse from then on.
        with running(folder, environment):
            deploy_wide(folder, tasks)
    with running(folder, environment) as address:
        if scene.history:
            read_now(address)
        elif not scene.example:
            until(lambda: _set_up(address), 600)
            trouble = ["--days", "3", "--trouble", "failing-task", "--url", address]
            subprocess.run([SPOKEHUB, "simulate", *trouble], check=False, env=environment)
        yield address


@contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """A service over this folder that is ready; its address."""
    command = [SPOKEHUB, "serve", "--port", "0", "--data", str(folder)]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        until(lambda: httpx.get(f"{address}/readyz").status_code == 200, 60)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def lengthen(folder: Path) -> list[str]:
    """Give one spoke of a generated history and one of its graphs long names; the tasks of the wide graph's chains."""
    with closing(duckdb.connect(str(folder / "history.duckdb"))) as db:
        columns = db.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE column_name IN ('spoke', 'graph', 'name') AND data_type = 'VARCHAR'"
        ).fetchall()
        tasks = db.execute(
            "SELECT DISTINCT name FROM task_runs WHERE spoke = ? AND environment = 'PROD' AND graph = ?"
            " AND name <> graph",
            [WIDE_SPOKE, WIDE_GRAPH],
        ).fetchall()
        having = {table for table, column in columns if column == "spoke"}
        for table, column in sorted(columns):
            if column != "spoke" and table in having:
                db.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE spoke = ?',
                    [WIDE_GRAPH, LONG_GRAPH, LONG_FROM],
                )
        for table in sorted(having):
            db.execute(f'UPDATE "{table}" SET spoke = ? WHERE spoke = ?', [LONG_SPOKE, LONG_FROM])
    # It was written without the service, which makes what repeats it anew.
    for file in folder.glob("history.runs.sqlite*"):
        file.unlink()
    enter(f"sqlite:///{folder / 'spokehub.sqlite'}", load_declaration(), [LONG_SPOKE])
    # By the number at the end, which has two digits or three.
    return sorted((name for (name,) in tasks), key=lambda name: int(name.rpartition("_")[2]))


def deploy_wide(folder: Path, names: Sequence[str]) -> None:
    """The tasks of the graph of a thousand, as the account would have them: forty chains under the root."""
    known = json.loads((folder / "account.ready.json").read_text())
    parameters = {name: known[name] for name in ("account", "user", "password", "host", "port")}
    with (
        closing(snowflake.connector.connect(**parameters, protocol="http")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE WAREHOUSE IF NOT EXISTS SPOKEHUB_WH")
        cursor.execute("CREATE DATABASE IF NOT EXISTS SPOKEHUB")
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS SPOKEHUB.{WIDE_SPOKE}_PROD")
        cursor.execute(f"USE SCHEMA SPOKEHUB.{WIDE_SPOKE}_PROD")
        cursor.execute(f"CREATE TASK {WIDE_GRAPH} SCHEDULE = 'USING CRON 0 2 * * * UTC' AS SELECT 1")
        for place, name in enumerate(names):
            before = names[place - WIDE_CHAINS] if place >= WIDE_CHAINS else WIDE_GRAPH
            cursor.execute(f'CREATE TASK "{name}" AFTER "{before}" AS SELECT 1')


def read_now(address: str) -> None:
    """Let the service read the account, and wait for it."""
    started = httpx.post(f"{address}/api/v1/sync", timeout=60).raise_for_status().json()
    until(lambda: _state(address, started["id"]) in ("succeeded", "failed"), 300)


def _state(address: str, operation: str) -> str:
    return str(httpx.get(f"{address}/api/v1/operations/{operation}", timeout=60).json()["state"])


def _set_up(address: str) -> bool:
    found = httpx.get(f"{address}/api/v1/operations", params={"kind": "example.setup"}).json()["items"]
    if found and found[0]["state"] in ("failed", "cancelled"):
        raise RuntimeError(f"The example was not set up: {found[0]['error']}")
    return bool(found and found[0]["state"] == "succeeded")


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Return once it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise TimeoutError(f"not within {seconds} s")


def addresses(service: str, scene: Scene) -> list[str]:
    """The pages of a scene: those of every service, of its spokes, and what they lead to."""
    found = [*EVERYWHERE, *scene.more]
    tabs = [f"/spokes/{spoke}{tab}" for spoke in scene.spokes for tab in TABS]
    # A spoke without predictions has no such tabs.
    found += [tab for tab in tabs if httpx.get(service + tab, timeout=60).status_code != 404]
    for page, link in FOLLOWED:
        text = httpx.get(service + page, timeout=60, follow_redirects=True).text
        hrefs = [html.unescape(href) for href in re.findall(r'href="([^"]+)"', text)]
        found += [next((href for href in hrefs if re.search(link, href.partition("?environment")[0])), "")]
    return [one for one in dict.fromkeys(found) if one]


def open_pages(browser: Browser) -> Iterator[tuple[str, Page]]:
    """A browser's page for each width and scheme, with its name."""
    for width, height in WIDTHS.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                timezone_id="UTC",
                reduced_motion="reduce",
            )
            yield f"{width}.{scheme}", context.new_page()


def watch(page: Page, service: str, wrong: list[str]) -> None:
    """Note what must not happen on a page."""
    own = (urlsplit(service).netloc, "")
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on(
        "request",
        lambda request: (
            wrong.append(f"another host: {request.url}") if urlsplit(request.url).netloc not in own else None
        ),
    )


def photograph(page: Page, address: str, target: Path, wrong: list[str]) -> float:
    """One picture; how many seconds the page took to load."""
    begun = time.monotonic()
    answer = page.goto(address, wait_until="load", timeout=60_000)
    took = time.monotonic() - begun
    page.wait_for_timeout(400)
    if answer is None or answer.status >= 500:
        wrong.append(f"status {answer.status if answer else None}")
    width, height, wider = page.evaluate(
        "(root => [root.clientWidth, root.scrollHeight, root.scrollWidth - root.clientWidth])(document.documentElement)"
    )
    if wider > 0:
        wrong.append(f"{wider} points wider than {width}")
    # As high as the page, so that a picture of the whole is taken of what is drawn anyway.
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height, TALLEST))})
    page.screenshot(path=str(target))
    page.set_viewport_size(size)
    return took


def take(browser: Browser, service: str, scene: Scene, folder: Path, part: str) -> int:
    """Every picture of a scene; how many pages have something wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = dict(open_pages(browser))
    wrong: list[str] = []
    for page in pages.values():
        watch(page, service, wrong)
    faults = 0
    for address in addresses(service, scene):
        if part not in address:
            continue
        wrong.clear()
        name = re.sub(r"[^A-Za-z0-9]+", "_", address).strip("_")[:80] or "overview"
        took = [
            photograph(page, service + address, folder / f"{name}.{shown}.png", wrong)
            for shown, page in pages.items()
        ]
        # A page that is not there says so, and the browser with it.
        said = [one for one in dict.fromkeys(wrong) if not ("/nowhere" in address and "404" in one)]
        faults += bool(said)
        print(
            f"{scene.name:<8} {address[:90]:<90} {max(took):5.2f} s  {'; '.join(said) or 'well'}", flush=True
        )
    for page in pages.values():
        page.context.close()
    return faults


def main(arguments: Sequence[str]) -> int:
    """Take them; how many pages have something wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.pages.screenshots", description="Photographs every page."
    )
    parser.add_argument("folder", type=Path, help="Where the pictures go, a folder for each scene.")
    parser.add_argument("scenes", nargs="*", help="empty, example, fifty; all when none is named.")
    parser.add_argument("--page", default="", help="Only addresses with this text in them.")
    parser.add_argument(
        "--at", help="A service that runs already, photographed as the one scene that is named."
    )
    asked = parser.parse_args(arguments)
    if unknown := set(asked.scenes) - {scene.name for scene in SCENES}:
        parser.error(f"there is no scene {', '.join(sorted(unknown))}")
    if asked.at and len(asked.scenes) != 1:
        parser.error("--at needs one scene")
    faults = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for scene in SCENES:
            if asked.scenes and scene.name not in asked.scenes:
                continue
            if asked.at:
                faults += take(browser, asked.at, scene, asked.folder / scene.name, asked.page)
                continue
            with tempfile.TemporaryDirectory() as data, serving(scene, Path(data)) as service:
                faults += take(browser, service, scene, asked.folder / scene.name, asked.page)
        browser.close()
    return faults


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
