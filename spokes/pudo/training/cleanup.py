"""Finalizer: drops what runs left behind and nobody uses any more."""

from __future__ import annotations

from spoke_kit.pipeline.cleanup import drop_unused
from spoke_kit.tasks import Json, TaskContext, task

from . import DATASET, MODEL


@task
def cleanup(context: TaskContext) -> Json:
    """Returns the model and dataset versions that were dropped."""
    return drop_unused(context, MODEL, DATASET)
