"""Static files: kept by browsers for ever when their address holds a hash, asked for again otherwise."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_YEAR = 31_536_000


class Assets(StaticFiles):
    """The files under app/static."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = (
            f"public, max-age={_YEAR}, immutable" if versioned else "public, max-age=3600"
        )
        return response
