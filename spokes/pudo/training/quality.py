"""Third task, a branch: promote the version that passes the gates, or tell why it does not."""

from __future__ import annotations

from spoke_kit.pipeline import quality
from spoke_kit.tasks import Json, TaskContext, task

from . import MODEL


@task
def check_model_quality(context: TaskContext) -> str:
    """Returns the name of the task to go on with."""
    failed = quality.judge(context, MODEL, context.result_of("TRAIN_MODEL"))
    return "SEND_ALERT" if failed else "PROMOTE_MODEL"


@task
def promote_model(context: TaskContext) -> Json:
    """Make the version of this run the default. Returns it with the one that it replaces."""
    return quality.promote(context, MODEL)


@task
def send_alert(context: TaskContext) -> Json:
    """Leave an alert that says why the version of this run was not promoted."""
    return quality.warn(context, MODEL)
