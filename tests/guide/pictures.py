"""Take the guide's pictures: ``python -m tests.guide.pictures`` runs the tutorials and photographs what they promise.

The network comes from one seed and the browser has one size, zone and language, so that a picture changes only when
a page does (or shows a time of the clock).
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.guide.tutorials import ROOT, TUTORIALS, Shell, blocks, service

IMAGES = ROOT / "docs" / "images"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
]
GRAPH = "/spokes/pudo/graphs/TRAINING_DAG"


@dataclass(frozen=True)
class Picture:
    """A page as a file; ``link`` is one to follow first, ``at`` what is scrolled to the top."""

    name: str
    address: str
    link: str | None = None
    at: str | None = None
    scheme: str = "light"


#: After which tutorial each is taken.
PICTURES = {
    "1_bootstrap": (Picture("tutorial_1", "/"),),
    "2_mental_model": (Picture("tutorial_2", "/hub"),),
    "3_seed": (Picture("tutorial_3", "/simulation"),),
    "4_feature_store": (Picture("tutorial_4", "/spokes/pudo/features"),),
    "5_training": (Picture("tutorial_5", "/spokes/pudo/graphs", link=f"a[href*='{GRAPH}/runs/']"),),
    "6_inference": (
        Picture("tutorial_6", "/spokes/pudo/predictions"),
        Picture("tutorial_6_delivery", "/spokes/delivery/predictions"),
    ),
    "7_simulate_and_evaluate": (
        Picture(
            "tutorial_7",
            "/spokes/pudo/predictions?day=2025-07-02",
            at="section:has(#predicted-by-actual-title)",
        ),
        Picture("predictions", "/spokes/pudo/predictions?day=2025-07-02"),
        Picture("predictions_dark", "/spokes/pudo/predictions?day=2025-07-02", scheme="dark"),
        Picture("delivery", "/spokes/delivery/predictions?day=2025-07-02"),
        Picture("overview", "/"),
    ),
    "8_health": (
        Picture("tutorial_8", "/failures?state=all"),
        Picture("runs", "/runs"),
        Picture("costs", "/costs"),
    ),
}


def take(browser: Browser, service_address: str, picture: Picture) -> None:
    """One picture of 1280 by 800 points."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=picture.scheme,  # type: ignore[arg-type]
        timezone_id="UTC", locale="en-GB", reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    page.goto(service_address + picture.address, wait_until="networkidle")
    if picture.link is not None:
        page.locator(picture.link).first.click()
        page.wait_for_load_state("networkidle")
    if picture.at is not None:
        page.locator(picture.at).first.evaluate("one => { one.scrollIntoView(); scrollBy(0, -70) }")
    page.wait_for_function(
        "[...document.querySelectorAll('.chart')].every(one => one.querySelector('.main-svg'))"
    )
    page.wait_for_timeout(300)
    page.screenshot(path=IMAGES / f"{picture.name}.png", animations="disabled")
    context.close()


def main() -> None:
    """All of them, each when its tutorial is done."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        tempfile.TemporaryDirectory() as folder,
        service(Path(folder) / "data") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        shell = Shell(address)
        for tutorial in TUTORIALS:
            for block in blocks(tutorial):
                shell.run(block)
            for picture in PICTURES[tutorial.stem]:
                take(browser, address, picture)
        shell.close()
        browser.close()


if __name__ == "__main__":
    main()
