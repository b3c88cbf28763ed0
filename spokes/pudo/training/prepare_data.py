"""First task: training, validation and test rows with their features, as versions of the Dataset."""

from __future__ import annotations

from datetime import timedelta

from spoke_kit import datasets, features
from spoke_kit.errors import DataMissing
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine
from . import DATASET

#: Days at the start whose windows are not filled yet.
WARM_UP_DAYS = 28


@task
def prepare_data(context: TaskContext) -> Json:
    """Returns the dataset, its versions and the days of each split."""
    dataset = context.manifest.datasets[DATASET]
    first_day, last_day = context.sql("SELECT MIN(DATE), MAX(DATE) FROM {shared:PUDO_OCCUPANCY}")[0]
    if last_day is None:
        raise DataMissing("there is no occupancy to learn from", "Seed or load the source tables first.")
    splits = datasets.time_splits(dataset, first_day + timedelta(days=WARM_UP_DAYS), last_day)

    store = features.open_store(context.session, context.names, context.manifest.compute.warehouse)
    views = features.consumed(store, context.manifest, context.names)
    refreshed = features.refresh(store, views)
    name = datasets.qualified(context.names, DATASET)
    versions = datasets.write_splits(
        store,
        context.session,
        name,
        f"D{last_day:%Y%m%d}_{context.run_key}",
        {split.name: context.frame(spine.labelled(split.first, split.last)) for split in splits},
        views,
        label=dataset.label,
        timestamp=spine.TIMESTAMP,
    )
    return {
        "dataset": name,
        "versions": versions,
        "days": {split.name: [split.first.isoformat(), split.last.isoformat()] for split in splits},
        "refreshed": refreshed,
    }
