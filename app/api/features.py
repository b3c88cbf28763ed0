"""REST: the feature views of a spoke."""

from __future__ import annotations

from fastapi import APIRouter

from app.addresses import Name
from app.api.parameters import EnvironmentDep
from app.dependencies import FeaturesDep
from app.limits import Text
from app.schemas.base import Listing
from app.schemas.features import FeatureView

router = APIRouter(prefix="/spokes/{spoke}/feature-views", tags=["features"])


@router.get("")
def list_views(features: FeaturesDep, spoke: Name, environment: EnvironmentDep) -> Listing[FeatureView]:
    """The feature views with their columns and freshness; the newest version of each first."""
    views = features.views(spoke, environment)
    return Listing(items=[FeatureView.model_validate(view) for view in views])


@router.get("/{name}")
def get_view(
    features: FeaturesDep,
    spoke: Name,
    name: Name,
    environment: EnvironmentDep,
    version: Text = None,
) -> FeatureView:
    """One version, the newest by default."""
    return FeatureView.model_validate(features.view(spoke, environment, name, version))
