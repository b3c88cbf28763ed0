"""REST: the spokes, how each is, what was deployed where, and what onboards and deploys them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.addresses import Name
from app.api.parameters import Body, EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import ServicesDep, SubmitDep
from app.limits import Limit, SentName, Text
from app.schemas.base import Listing, Schema
from app.schemas.spokes import Spoke, SpokeGlance

router = APIRouter(prefix="/spokes", tags=["spokes"])

_DEPLOYS = {"features": "features.deploy", "graphs": "graphs.deploy"}


class Onboarding(Body):
    """The spoke (its directory's name) and the environment that it enters."""

    spoke: SentName
    environment: SentName | None = None


class DeploymentRequest(Target):
    """The part of the spoke to deploy."""

    part: Literal["features", "graphs"]


class Deployment(Schema):
    """One part of a bundle, put into one environment by one operation."""

    id: str
    part: str
    bundle: str
    actor: str
    operation_id: str | None
    objects: Any
    created_at: datetime


@router.get("")
def list_spokes(services: ServicesDep) -> Listing[Spoke]:
    """The onboarded spokes, by name."""
    return Listing(items=[Spoke.model_validate(item) for item in services.spokes.all()])


@router.post("", status_code=202, response_model=None)
def onboard(request: Request, submit: SubmitDep, body: Onboarding) -> JSONResponse:
    """Onboard a spoke: its row in the catalogue, schema, roles, grants and tables."""
    params = {"spoke": body.spoke, "environment": pick(request, body.environment)}
    return submit("spoke.onboard", params)


@router.get("/glance")
def glance(services: ServicesDep, spoke: Text = None) -> Listing[SpokeGlance]:
    """One row for each spoke and environment, worst first."""
    rows = services.spokes.glance(spoke)
    return Listing(items=[SpokeGlance.model_validate(row) for row in rows])


@router.get("/{spoke}")
def get_spoke(services: ServicesDep, spoke: Name) -> Spoke:
    """One spoke and its environments."""
    return Spoke.model_validate(services.spokes.get(spoke))


@router.get("/{spoke}/deployments")
def list_deployments(
    services: ServicesDep, spoke: Name, environment: EnvironmentDep, limit: Limit = 50
) -> Listing[Deployment]:
    """What was deployed, newest first."""
    services.spokes.get(spoke)
    found = services.spokes.catalogue.deployments(spoke, environment, limit)
    return Listing(items=[Deployment.model_validate(item) for item in found])


@router.post("/{spoke}/deployments", status_code=202, response_model=None)
def deploy(
    request: Request,
    submit: SubmitDep,
    spoke: Name,
    body: DeploymentRequest,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Deploy the feature views or the task graphs."""
    params = {"spoke": spoke, "environment": pick(request, body.environment, environment)}
    return submit(_DEPLOYS[body.part], params)
