"""What the routes of the spokes have in common: the environment, by query parameter or in the body."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from app.dependencies import HubDep
from app.limits import SentName
from services.hub.service import Hub

EnvironmentText = Annotated[
    str | None,
    Query(alias="environment", max_length=40, description="DEV by default, the first declared one."),
]


class Body(BaseModel):
    """Base of what is sent: an unknown field is refused, as it may be a known one misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(Body):
    """The body of a request that starts work; the environment may be given here or in the address."""

    environment: SentName | None = None


def get_environment(hub: HubDep, environment: EnvironmentText = None) -> str:
    """The environment of the address; Invalid 422 for an unknown one."""
    return pick(hub, environment)


def pick(hub: Hub, *names: str | None) -> str:
    """The first environment that is named, else the first declared; Invalid 422 for an unknown one."""
    named = next((name for name in names if name), None)
    return hub.declared.environment(named).name if named else hub.environments()[0].name


EnvironmentDep = Annotated[str, Depends(get_environment)]
