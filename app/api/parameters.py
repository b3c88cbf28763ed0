"""What the routes of the spokes have in common: the environment, by query parameter or in the body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from app.dependencies import HubDep
from app.limits import SentName
from services.core.errors import Invalid
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


async def refuse_unknown(request: Request) -> None:
    """Invalid 422 for a parameter that the route does not have: left out, a misspelt filter would find everything."""
    if not request.query_params:
        return
    known = _names(request.scope["route"])
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise Invalid(
            f"There is no parameter {', '.join(map(repr, unknown))} here",
            hint=f"Use some of {', '.join(sorted(known))}." if known else "This address has none.",
            code="unknown_parameter",
        )


def _names(route: APIRoute) -> frozenset[str]:
    """Of the parameters that the route declares, and of those that it reads by itself."""
    told = (route.openapi_extra or {}).get("parameters", ())
    return frozenset(_declared(route.dependant)) | {one["name"] for one in told if one["in"] == "query"}


def _declared(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for one in dependant.dependencies:
        yield from _declared(one)


def get_environment(hub: HubDep, environment: EnvironmentText = None) -> str:
    """The environment of the address; Invalid 422 for an unknown one."""
    return pick(hub, environment)


def pick(hub: Hub, *names: str | None) -> str:
    """The first environment that is named, else the first declared; Invalid 422 for an unknown one."""
    named = next((name for name in names if name), None)
    return hub.declared.environment(named).name if named else hub.environments()[0].name


EnvironmentDep = Annotated[str, Depends(get_environment)]
