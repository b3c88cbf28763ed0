"""Second task: which model version predicts."""

from __future__ import annotations

from spoke_kit.pipeline.inference import default_version
from spoke_kit.tasks import Json, TaskContext, task

from ..training import MODEL


@task
def load_model(context: TaskContext) -> Json:
    """Returns the default version, or the newest when none is marked."""
    return default_version(context, MODEL)
