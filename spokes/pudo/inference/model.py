"""Second task: which model version predicts."""

from __future__ import annotations

from spoke_kit import registry
from spoke_kit.errors import DataMissing
from spoke_kit.tasks import Json, TaskContext, task

from ..training import MODEL


@task
def load_model(context: TaskContext) -> Json:
    """Returns the default version, or the newest when none is marked."""
    found = registry.versions(context.session, context.names, MODEL)
    if not found:
        name = context.names.prefixed(MODEL)
        raise DataMissing(f"{name} has no version", "Train a model in this environment first.")
    version = next((one for one in found if one.is_default), found[-1])
    return {"version": version.name, "is_default": version.is_default}
