"""What of the guide is not written by hand: the list of reference pages, the manifest's reference, the logo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manifest_reference import reference
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Complete the reference by the pages of docs/ itself that the navigation does not name."""
    named = set(pages(config.nav))
    (reference_pages,) = [part["Reference"] for part in config.nav or [] if "Reference" in part]
    found = sorted(path.name for path in Path(config.docs_dir).glob("*.md"))
    reference_pages += [name for name in found if name not in named]
    return config


def pages(nav: Any) -> Iterator[str]:
    """The pages that a part of the navigation names."""
    if isinstance(nav, str):
        yield nav
    for part in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from pages(part)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add to the sources what is made of the code."""
    files.append(File.generated(config, "manifest.md", content=reference()))
    logo = str(ROOT / "app" / "static" / "favicon.svg")
    files.append(File.generated(config, "images/logo.svg", abs_src_path=logo))
    return files
