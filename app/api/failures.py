"""REST: what failed, in groups, and who handles it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.addresses import Name
from app.api.parameters import Body
from app.dependencies import FailuresDep, UserDep
from app.limits import Cursor, Limit, Text
from app.schemas.base import Listing
from app.schemas.failures import Failure, FailurePage
from services.failures.asked import Change, FailureFilter
from services.failures.types import MOST_NOTE, MOST_OWNER, FailureKind, FailureState

router = APIRouter(prefix="/failures", tags=["failures"])
Sort = Annotated[str, Query(description="last, first or count; the greatest first.")]


class FailureChange(Body):
    """What is to become of a group; what is left out stays, an empty text takes away."""

    state: FailureState | None = None
    owner: Annotated[str | None, Field(max_length=MOST_OWNER)] = None
    note: Annotated[str | None, Field(max_length=MOST_NOTE)] = None

    def as_change(self) -> Change:
        return Change(self.state, self.owner, self.note)


class FailuresChange(FailureChange):
    """The same of several groups: all of them or none."""

    ids: Annotated[list[str], Field(min_length=1, max_length=500)]


@router.get("")
def list_failures(
    failures: FailuresDep,
    state: FailureState | None = None,
    spoke: Text = None,
    environment: Text = None,
    subject: Text = None,
    kind: FailureKind | None = None,
    owner: Text = None,
    text: Text = None,
    sort: Sort = "last",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FailurePage:
    """Groups of failures. `owner=` (empty) asks for those without one."""
    wanted = FailureFilter(state, spoke, environment, subject, kind, owner, text)
    page = failures.search(wanted, sort, limit, cursor)
    return FailurePage.model_validate(page)


@router.get("/{failure_id}")
def get_failure(failures: FailuresDep, failure_id: Name) -> Failure:
    """One group with its newest occurrences; 404."""
    return Failure.model_validate(failures.get(failure_id))


@router.patch("/{failure_id}")
def change_failure(failures: FailuresDep, user: UserDep, failure_id: Name, body: FailureChange) -> Failure:
    """Acknowledge, assign, note, resolve or open again."""
    (changed,) = failures.change([failure_id], body.as_change(), user.name)
    return Failure.model_validate(changed)


@router.patch("")
def change_failures(failures: FailuresDep, user: UserDep, body: FailuresChange) -> Listing[Failure]:
    """The same of several groups at once."""
    changed = failures.change(body.ids, body.as_change(), user.name)
    return Listing(items=[Failure.model_validate(one) for one in changed])
