"""Icons, drawn inline from the vendored files so that they take the colour of their text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markupsafe import Markup

_FOLDER = Path(__file__).parent.parent / "static" / "vendor" / "tabler-icons" / "icons"


@cache
def _body(name: str) -> str:
    text = (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    found = re.search(r"<svg[^>]*>(.*)</svg>", text, re.DOTALL)
    if found is None:
        raise ValueError(f"{name}.svg is no SVG file")
    # The first path is an empty square that only marks the icon's bounds.
    return re.sub(
        r"\s+", " ", found[1].replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
    ).strip()


@cache
def icon(name: str, classes: str = "", label: str = "") -> Markup:
    """The icon as inline SVG; hidden from screen readers unless it has a label."""
    voice = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup(
        '<svg class="icon {}" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>'
    ).format(classes, voice, Markup(_body(name)))  # noqa: S704  our own files
