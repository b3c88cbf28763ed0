"""The guide at /docs/guide: the site that `make guide` builds of docs/, from the files beside this module."""

import base64
import hashlib
import os
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.assets import CompressedFiles
from app.policy import HEADER, policy
from services.core.errors import NotFound

ADDRESS = "/docs/guide"
SITE = Path(__file__).parent / "site"


class Guide(CompressedFiles):
    """The built pages, each with a policy that lets its own inline scripts run and no others."""

    def __init__(self, site: Path = SITE) -> None:
        super().__init__(directory=site, html=True, check_dir=False)
        self._index = site / "index.html"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file; NotFound 404 with what to do while nothing is built."""
        if not self._index.exists():
            raise NotFound(
                "The guide is not built",
                hint="Run make guide in the folder of Spokehub, and load this page again.",
                code="guide_not_built",
            )
        await super().__call__(scope, receive, send)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, or 304. Both name the policy: a browser takes over the headers of a 304."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        path = Path(full_path)
        if path.suffix == ".html":
            response.headers[HEADER] = policy(_hashes(path, stat_result.st_mtime_ns))
        # The names of assets hold a hash of their content; all else changes under the same name.
        lasting = path.parent.name in ("javascripts", "stylesheets", "workers")
        response.headers["Cache-Control"] = "public, max-age=3600" if lasting else "no-cache"
        return response


@lru_cache(maxsize=1024)
def _hashes(page: Path, _changed: int) -> tuple[str, ...]:
    return inline_scripts(page.read_text(encoding="utf-8"))


def inline_scripts(html: str) -> tuple[str, ...]:
    """The hash sources of a page's inline scripts, each once, in order.

    https://www.w3.org/TR/CSP3/#grammardef-hash-source
    """
    reader = _Scripts()
    reader.feed(html)
    reader.close()
    digests = (hashlib.sha256(text.encode()).digest() for text in reader.found)
    return tuple(dict.fromkeys(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests))


class _Scripts(HTMLParser):
    """Collects the text of scripts that run and are not loaded: data blocks (JSON) do not run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        runs = (given.get("type") or "text/javascript") in ("text/javascript", "module")
        self._inside = tag == "script" and "src" not in given and runs
        if self._inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data
