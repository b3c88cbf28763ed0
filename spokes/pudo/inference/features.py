"""Third task, beside the second: the features of each active point as of the morning."""

from __future__ import annotations

from spoke_kit.pipeline import runs
from spoke_kit.pipeline.inference import write_features
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine


@task
def generate_features(context: TaskContext) -> Json:
    """Returns the number of rows; they are in INFERENCE_FEATURES, which each run replaces."""
    days = runs.days_of_run(context, "GET_PENDING_PREDICTIONS")
    if not days:
        return {"rows": 0}
    return write_features(
        context,
        spine.unlabelled(days),
        timestamp=spine.TIMESTAMP,
        day="PREDICTION_DATE",
        timeless=frozenset({"CALENDAR"}),
    )
