"""Static files: compressed once, kept by browsers for ever when their address holds a hash."""

import os
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from app.compression import ONCE, SMALLEST, accepts_gzip, compressible, gzipped, varied

_YEAR = 31_536_000
_OF_PLAIN = frozenset({"content-length", "accept-ranges", "etag"})


class CompressedFiles(StaticFiles):
    """Files, gzipped for who takes them so. A part of one (Range) is a part of the plain file."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, plain or gzipped, or 304."""
        plain = await super().get_response(path, scope)
        # Of what the client has already, the type is not told.
        known = isinstance(plain, NotModifiedResponse)
        if not known and not compressible(plain.headers.get("content-type", "")):
            return plain
        plain.headers["Vary"] = varied(plain.headers.get("vary", ""))
        asked = Headers(scope=scope)
        if not isinstance(plain, FileResponse) or plain.stat_result is None or "range" in asked:
            return plain
        if plain.stat_result.st_size < SMALLEST or not accepts_gzip(asked.get("accept-encoding", "")):
            return plain
        body = await run_in_threadpool(_gzipped, os.fspath(plain.path), plain.stat_result.st_mtime_ns)
        headers = {name: value for name, value in plain.headers.items() if name not in _OF_PLAIN}
        # Weak, because the plain file has the same one.
        coded = {"content-encoding": "gzip", "etag": f"W/{plain.headers['etag']}"}
        return Response(body, plain.status_code, headers | coded)


class Assets(CompressedFiles):
    """The files under app/static."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = (
            f"public, max-age={_YEAR}, immutable" if versioned else "public, max-age=3600"
        )
        return response


@lru_cache(maxsize=256)
def _gzipped(path: str, _changed: int) -> bytes:
    with open(path, "rb") as file:
        return gzipped(file.read(), ONCE)
