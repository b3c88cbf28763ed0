"""REST: how far the account was read, and reading it now."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.api.parameters import Body
from app.dependencies import SyncDep, UserDep, accepted
from app.limits import SentName
from app.schemas.sync import SyncStatus

router = APIRouter(prefix="/sync", tags=["sync"])


class ReadNow(Body):
    """What to read: all, or what belongs to one spoke in one environment."""

    spoke: SentName | None = None
    environment: SentName | None = None


@router.get("")
def get_sync(sync: SyncDep) -> SyncStatus:
    """Each source: as of when, what its last reading brought and cost. Asks the account nothing."""
    return SyncStatus.model_validate(sync.status())


@router.post("", status_code=202, response_model=None)
def read_now(sync: SyncDep, user: UserDep, body: ReadNow | None = None) -> JSONResponse:
    """Read the account now. What is queued or under way already is not started twice."""
    wanted = body or ReadNow()
    return accepted(sync.start(user.name, wanted.spoke, wanted.environment))
