"""REST: the spokes at a glance."""

from __future__ import annotations

from fastapi import APIRouter

from app.dependencies import OverviewDep
from app.limits import Text
from app.schemas.base import Listing
from app.schemas.overview import SpokeGlance

router = APIRouter(prefix="/overview", tags=["overview"])


@router.get("")
def list_glance(overview: OverviewDep, spoke: Text = None) -> Listing[SpokeGlance]:
    """One row for each spoke and environment, worst first."""
    return Listing(items=[SpokeGlance.model_validate(row) for row in overview.glance(spoke)])
