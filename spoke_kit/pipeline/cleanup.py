"""Drops what runs left behind and nobody uses any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from snowflake.ml import dataset as snowflake_dataset

from spoke_kit import datasets, registry
from spoke_kit.tasks import Json, TaskContext


def drop_unused(context: TaskContext, model: str, dataset: str) -> Json:
    """Returns the model and dataset versions that were dropped.

    A model version stays while it is young, the default, aliased, or made a prediction that is kept in the spoke's
    table PREDICTIONS; a dataset version while it is young or a model version that stays learned from it.
    """
    now = datetime.now(UTC)
    session, names, days = context.session, context.names, context.manifest.retention_days
    used = {row[0] for row in context.sql("SELECT DISTINCT MODEL_VERSION FROM {own:PREDICTIONS}")}
    found = registry.versions(session, names, model)
    dropped = registry.outdated(found, now, days, used)
    for version in dropped:
        registry.delete_version(session, names, model, version)

    needed = {
        version
        for one in found
        if one.name not in dropped
        for version in one.lineage.get("dataset_versions", {}).values()
    }
    name = datasets.qualified(names, dataset)
    old = [
        version
        for version, created in _dataset_versions(session, name)
        if version not in needed and created < now - timedelta(days=days)
    ]
    for version in old:
        datasets.drop_version(session, name, version)
    return {"model_versions": dropped, "dataset_versions": old}


def _dataset_versions(session: Any, name: str) -> list[tuple[str, datetime]]:
    """The versions of a Dataset with when they were made; none when there is no such Dataset."""
    if not datasets.versions(session, name):
        return []
    rows = snowflake_dataset.Dataset.load(session, name).list_versions(detailed=True)
    return [(row["version"], _aware(row["created_on"])) for row in rows]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
