"""Who asks: a REST request acts with the role of the session whose token it carries.

It gets a session of its own, so that it neither waits for nor disturbs the statements of that session.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from starlette.requests import Request

from embedded_account.errors import SnowflakeError
from embedded_account.session import Session


@contextlib.contextmanager
def session_for(request: Request) -> Iterator[Session]:
    """Raises SnowflakeError 390111 without a valid token."""
    token = request.headers.get("Authorization", "").partition('Token="')[2].rstrip('"')
    caller = request.app.state.account.sessions.get(token)
    if caller is None or caller.closed:
        raise SnowflakeError(
            "Session no longer exists. New login required to access the service.", 390111, "08001"
        )
    own = Session(caller.account, caller.role)
    own.user = caller.user
    own.use(caller.database, caller.schema)
    try:
        yield own
    finally:
        own.close()
