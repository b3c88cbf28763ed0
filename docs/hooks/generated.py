"""Pages and files of the guide that are made of the code: the manifest's reference and the logo."""

from __future__ import annotations

from pathlib import Path

from manifest_reference import reference
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add them to the sources."""
    files.append(File.generated(config, "manifest.md", content=reference()))
    logo = str(ROOT / "app" / "static" / "favicon.svg")
    files.append(File.generated(config, "images/logo.svg", abs_src_path=logo))
    return files
