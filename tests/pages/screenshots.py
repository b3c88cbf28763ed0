"""Photographs every page: ``python -m tests.pages.screenshots FOLDER`` (``make screenshots``).

Three services, each over data of its own: an empty account, the example, and fifty spokes with a year of runs, long
names and a graph of a thousand tasks among them. Each page is taken light and dark, 1440 and 390 points wide, and is
held to this: no error in the console, nothing from another host, nothing wider than the screen.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SPOKEHUB = str(Path(sys.executable).parent / "spokehub")
WIDTHS = (1440, 390)
EVERYWHERE = (
    "/",
    "/runs",
    "/failures",
    "/failures?state=all",
    "/costs",
    "/health/features",
    "/operations",
    "/hub",
)
# What is found by following the first such link of a page.
FOLLOWED = (
    ("/runs", r"/spokes/[^/]+/graphs/[^/]+/runs/[^/]+$"),
    ("/runs", r"/spokes/[^/]+/graphs/[^/]+$"),
    ("/failures?state=all", r"/failures/[0-9a-f]+$"),
    ("/operations", r"/operations/[0-9a-f-]+$"),
)
TABS = ("", "/features", "/graphs", "/models", "/predictions", "/alerts")


@dataclass(frozen=True)
class Scene:
    """A service to photograph. ``history`` are arguments of ``spokehub history generate``."""

    name: str
    example: str
    history: tuple[str, ...] = ()
    spokes: tuple[str, ...] = ()
    seconds: int = 300


SCENES = (
    Scene("empty", "none"),
    Scene("example", "", spokes=("pudo", "delivery")),
    Scene("fifty", "none", ("--runs", "1000000", "--spokes", "50")),
)


@contextmanager
def serving(scene: Scene, folder: Path) -> Iterator[str]:
    """The service of a scene, set up; its address."""
    environment = {**os.environ, "SPOKEHUB_EXAMPLE": scene.example, "SPOKEHUB_DATA": str(folder)}
    if scene.history:
        subprocess.run([SPOKEHUB, "history", "generate", *scene.history], check=True, env=environment)
    command = [SPOKEHUB, "serve", "--port", "0", "--data", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        until(lambda: httpx.get(f"{address}/readyz").status_code == 200, 60)
        if not scene.example and not scene.history:
            until(lambda: _set_up(address), scene.seconds)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _set_up(address: str) -> bool:
    found = httpx.get(f"{address}/api/v1/operations", params={"kind": "example.setup"}).json()["items"]
    return bool(found and found[0]["state"] == "succeeded")


def until(condition: object, seconds: float) -> None:
    """Return once it holds."""
    assert callable(condition)
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
    found = [*EVERYWHERE, *([] if scene.history else ["/simulation"])]
    found += [f"/spokes/{spoke}{tab}" for spoke in scene.spokes for tab in TABS]
    for page, link in FOLLOWED:
        text = httpx.get(service + page, timeout=60).text
        hrefs = [href.replace("&amp;", "&") for href in re.findall(r'href="([^"]+)"', text)]
        found += [next((href for href in hrefs if re.search(link, href.partition("?")[0])), "")]
    return [one for one in dict.fromkeys(found) if one]


def photograph(browser: Browser, service: str, address: str, target: Path) -> list[str]:
    """Every picture of one page; what is wrong with it."""
    wrong: list[str] = []
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": 900 if width > 500 else 844},
                color_scheme=scheme,  # type: ignore[arg-type]
                timezone_id="UTC",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.on(
                "console",
                lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None,
            )
            page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
            page.on(
                "request",
                lambda request: (
                    wrong.append(f"another host: {request.url}")
                    if urlsplit(request.url).netloc not in (urlsplit(service).netloc, "")
                    else None
                ),
            )
            answer = page.goto(service + address, wait_until="load", timeout=60_000)
            page.wait_for_timeout(700)
            if answer is None or answer.status >= 500:
                wrong.append(f"status {answer.status if answer else None}")
            wider = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if wider > 0:
                wrong.append(f"{wider} points wider than {width}")
            name = re.sub(r"[^A-Za-z0-9]+", "_", address).strip("_")[:60] or "overview"
            page.screenshot(path=str(target / f"{name}.{width}.{scheme}.png"), full_page=width > 500)
            context.close()
    return wrong


def main(folder: str, *only: str) -> int:
    """Take them all; how many pages have something wrong."""
    faults = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for scene in SCENES:
            if only and scene.name not in only:
                continue
            target = Path(folder) / scene.name
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as data, serving(scene, Path(data)) as service:
                for address in addresses(service, scene):
                    wrong = photograph(browser, service, address, target)
                    faults += bool(wrong)
                    print(
                        f"{scene.name:<8} {address:<70} {'; '.join(dict.fromkeys(wrong)) or 'well'}",
                        flush=True,
                    )
        browser.close()
    return faults


if __name__ == "__main__":
    sys.exit(
        min(main(*sys.argv[1:]), 1)
        if len(sys.argv) > 1
        else "usage: python -m tests.pages.screenshots FOLDER"
    )
