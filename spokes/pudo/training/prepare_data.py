"""First task: training, validation and test rows with their features, as versions of the Dataset."""

from __future__ import annotations

from spoke_kit.errors import DataMissing
from spoke_kit.pipeline import training
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine
from . import DATASET

#: Days at the start whose windows are not filled yet.
WARM_UP_DAYS = 28


@task
def prepare_data(context: TaskContext) -> Json:
    """Returns the dataset, its versions and the days of each split."""
    first_day, last_day = context.sql("SELECT MIN(DATE), MAX(DATE) FROM {shared:PUDO_OCCUPANCY}")[0]
    if last_day is None:
        raise DataMissing("there is no occupancy to learn from", "Seed or load the source tables first.")
    return training.prepare(
        context,
        DATASET,
        (first_day, last_day),
        spine.labelled,
        timestamp=spine.TIMESTAMP,
        warm_up_days=WARM_UP_DAYS,
    )
