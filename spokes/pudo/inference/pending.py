"""First task: which days to predict."""

from __future__ import annotations

from spoke_kit.pipeline import runs
from spoke_kit.tasks import Json, TaskContext, task

from . import PREDICTION

_ANNOUNCED = "SELECT DISTINCT CREATED_DATE FROM {shared:PARCELS} WHERE CREATED_DATE IN ({days})"


@task
def get_pending_predictions(context: TaskContext) -> Json:
    """Returns ``{"days": [...]}``: the earliest pending day, or the ``days`` of the run's configuration."""
    return runs.pending(context, PREDICTION, _ANNOUNCED)
