"""REST: the hub, its account and environments, what it should consist of, and bringing it there."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.api.parameters import EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import HubDep, SharedFeaturesDep, SubmitDep
from app.schemas.base import Listing, Schema
from app.schemas.features import FeatureView
from app.schemas.hub import Account, Environment, HubPlan

router = APIRouter(prefix="/hub", tags=["hub"])


class Hub(Schema):
    """The hub at a glance."""

    account: Account
    databases: list[str]
    environments: list[Environment]


@router.get("")
def get_hub(hub: HubDep) -> Hub:
    """The account in use and the declared environments, in promotion order."""
    environments = [Environment.model_validate(item) for item in hub.environments()]
    account = Account.model_validate(hub.account())
    return Hub(account=account, databases=list(hub.declared.databases), environments=environments)


@router.get("/plan")
def get_plan(hub: HubDep) -> HubPlan:
    """The declared objects beside those in the account, with the SQL that would bring them about."""
    return HubPlan.model_validate(hub.plan())


@router.post("/apply", status_code=202, response_model=None)
def apply(submit: SubmitDep) -> JSONResponse | Any:
    """Create what is missing, change what differs."""
    return submit("hub.apply", {})


@router.get("/feature-views")
def list_views(features: SharedFeaturesDep, environment: EnvironmentDep) -> Listing[FeatureView]:
    """The hub's own feature views with their consumers; the newest version of each first."""
    views = features.views(environment)
    return Listing(items=[FeatureView.model_validate(view) for view in views])


@router.post("/feature-views", status_code=202, response_model=None)
def deploy_views(
    hub: HubDep, submit: SubmitDep, body: Target | None = None, environment: EnvironmentText = None
) -> JSONResponse:
    """Register what the hub offers to all spokes; versions that are there and unchanged are kept."""
    return submit("hub.features", {"environment": pick(hub, body.environment if body else None, environment)})
