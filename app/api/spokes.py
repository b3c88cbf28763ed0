"""REST: the spokes, what was deployed where, and what onboards and deploys them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.addresses import Name
from app.api.parameters import Body, EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import HubDep, SpokesDep, SubmitDep
from app.limits import Limit, SentName
from app.schemas.base import Listing, Schema
from app.schemas.spokes import Spoke

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
def list_spokes(spokes: SpokesDep) -> Listing[Spoke]:
    """The onboarded spokes, by name."""
    return Listing(items=[Spoke.model_validate(item) for item in spokes.all()])


@router.post("", status_code=202, response_model=None)
def onboard(hub: HubDep, submit: SubmitDep, body: Onboarding) -> JSONResponse:
    """Onboard a spoke: its row in the catalogue, schema, roles, grants and tables."""
    params = {"spoke": body.spoke, "environment": pick(hub, body.environment)}
    return submit("spoke.onboard", params)


@router.get("/{spoke}")
def get_spoke(spokes: SpokesDep, spoke: Name) -> Spoke:
    """One spoke and its environments."""
    return Spoke.model_validate(spokes.get(spoke))


@router.get("/{spoke}/deployments")
def list_deployments(
    spokes: SpokesDep, spoke: Name, environment: EnvironmentDep, limit: Limit = 50
) -> Listing[Deployment]:
    """What was deployed, newest first."""
    spokes.get(spoke)
    found = spokes.catalogue.deployments(spoke, environment, limit)
    return Listing(items=[Deployment.model_validate(item) for item in found])


@router.post("/{spoke}/deployments", status_code=202, response_model=None)
def deploy(
    hub: HubDep,
    submit: SubmitDep,
    spoke: Name,
    body: DeploymentRequest,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Deploy the feature views or the task graphs."""
    params = {"spoke": spoke, "environment": pick(hub, body.environment, environment)}
    return submit(_DEPLOYS[body.part], params)
