"""REST: the feature views of a spoke, and how those of all spokes do."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.addresses import Name
from app.api.parameters import EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import FeatureHealthDep, FeaturesDep, HubDep, SubmitDep
from app.limits import SentName, Text
from app.schemas.base import Listing
from app.schemas.features import FeatureHealthPage, FeatureView

router = APIRouter(tags=["features"])


class ProfileRequest(Target):
    """One view by its name, or all that the spoke deploys or consumes."""

    view: SentName | None = None


@router.get("/feature-health")
def list_health(health: FeatureHealthDep, spoke: Text = None, environment: Text = None) -> FeatureHealthPage:
    """Refreshes, missed lags, rows, nulls and distinct values of the feature views; the worst first."""
    return FeatureHealthPage.model_validate(health.views(spoke or None, environment or None))


@router.post("/spokes/{spoke}/feature-views/profile", status_code=202, response_model=None)
def profile_views(
    hub: HubDep,
    submit: SubmitDep,
    spoke: Name,
    body: ProfileRequest | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Count nulls and distinct values of each column, in one statement for each view. It uses the warehouse."""
    name = pick(hub, body.environment if body else None, environment)
    view = body.view if body else None
    return submit("features.profile", {"spoke": spoke, "environment": name, "view": view})


@router.get("/spokes/{spoke}/feature-views")
def list_views(features: FeaturesDep, spoke: Name, environment: EnvironmentDep) -> Listing[FeatureView]:
    """The feature views with their columns and freshness; the newest version of each first."""
    views = features.views(spoke, environment)
    return Listing(items=[FeatureView.model_validate(view) for view in views])


@router.get("/spokes/{spoke}/feature-views/{name}")
def get_view(
    features: FeaturesDep,
    spoke: Name,
    name: Name,
    environment: EnvironmentDep,
    version: Text = None,
) -> FeatureView:
    """One version, the newest by default."""
    return FeatureView.model_validate(features.view(spoke, environment, name, version))
