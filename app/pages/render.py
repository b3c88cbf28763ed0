"""Templates to responses: a whole page, or the one block that HTMX will swap."""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from app import htmx
from app.addresses import here
from app.pages import ages
from app.pages import format as formats
from app.pages import frame as frames
from app.pages.icons import icon
from app.pages.states import cell_mark, is_final, state_style
from services.hub.types import Environment as HubEnvironment

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
COMPILED = TEMPLATES / "__pycache__"
STATIC = Path(__file__).parent.parent / "static"


@cache
def static(name: str) -> str:
    """The address of a static file, with a part of its hash so that a browser may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def data(value: Any) -> Markup:
    """JSON that is safe inside a script element of type application/json."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # noqa: S704  escaped here


class Compiled(FileSystemBytecodeCache):
    """Compiled templates, kept beside their sources as Python keeps modules: compiling takes longest of a first page.

    Where that folder cannot be written, or bytecode shall not be, nothing is kept.
    """

    def __init__(self, directory: Path, *, write: bool) -> None:
        super().__init__(str(directory))
        self._write = write
        if write:
            with suppress(OSError):
                directory.mkdir(exist_ok=True)
        # Filters of constants are worked out when a template is compiled.
        filters = Path(__file__).read_text() + Path(formats.__file__).read_text()
        self._with = f"{version('jinja2')}\n{filters}\n"

    def get_source_checksum(self, source: str) -> str:
        """Of all that the bytecode is made from."""
        return hashlib.sha256((self._with + source).encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was kept; nothing where that is damaged, so it is compiled and kept anew."""
        # A pickle that is cut off fails with nearly anything.
        with suppress(Exception):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, where that can be done."""
        if self._write:
            with suppress(OSError):
                super().dump_bytecode(bucket)


def compile_all() -> int:
    """Compile every template ahead, whatever Python is told of bytecode; how many there are."""
    environment = templates()
    environment.bytecode_cache = Compiled(COMPILED, write=True)
    names = environment.list_templates(extensions=["html"])
    for name in names:
        environment.get_template(name)
    return len(names)


@cache
def templates() -> Environment:
    """The template environment; an undefined name is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=Compiled(COMPILED, write=not sys.dont_write_bytecode),
    )
    environment.filters.update(formats.FILTERS)
    environment.filters["data"] = data
    environment.globals.update(formats.GLOBALS)
    environment.globals.update(icon=icon, static=static, state_style=state_style, is_final=is_final)
    environment.globals["cell_mark"] = cell_mark
    return environment


@cache
def macros(may_change: bool) -> Any:
    """The macros, with or without the buttons. A block rendered alone runs none of its page's imports."""
    return templates().get_template("partials/_ui.html").make_module({"may_change": may_change})


def common(request: Request) -> dict[str, Any]:
    """What every template finds in its context."""
    may_change = frames.may_change(request)
    return {
        "request": request,
        "here": here(request),
        "ui": macros(may_change),
        "may_change": may_change,
        "as_of": ages.as_of(request),
    }


def render(
    request: Request,
    template: str,
    context: dict[str, Any],
    *,
    environment: HubEnvironment | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page, or the block named by the element that HTMX asks for when the page has such a block."""
    page = templates().get_template(template)
    block = htmx.wanted_block(request)
    if block in page.blocks:
        html = "".join(page.blocks[block](page.new_context({**common(request), **context})))
    else:
        frame = frames.build(request, environment)
        html = page.render({**common(request), **context, "frame": frame})
    response = HTMLResponse(html, status)
    response.headers["Cache-Control"] = "no-store"
    htmx.vary(response)
    return response


def see(address: str) -> RedirectResponse:
    """After a form: go and look at what it started."""
    return RedirectResponse(address, 303)
