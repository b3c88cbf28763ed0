"""From labelled rows to a model version: splits with their features, and the version with what it came of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from spoke_kit import datasets, features, registry
from spoke_kit.datasets import TEST
from spoke_kit.tasks import Json, TaskContext


def prepare(
    context: TaskContext,
    dataset: str,
    span: tuple[date, date],
    labelled: Callable[[date, date], str],
    *,
    timestamp: str,
    warm_up_days: int,
) -> Json:
    """Write the splits of ``dataset`` over the days of ``span``, without the first ones, whose windows are not full.

    ``labelled`` gives the spine's query for the days from one to another. Returns the dataset, its versions, the
    days of each split, and which feature views were refreshed.
    """
    declared = context.manifest.datasets[dataset]
    first_day, last_day = span
    splits = datasets.time_splits(declared, first_day + timedelta(days=warm_up_days), last_day)
    store = features.open_store(context.session, context.names, context.manifest.compute.warehouse)
    views = features.consumed(store, context.manifest, context.names)
    refreshed = features.refresh(store, views)
    name = datasets.qualified(context.names, dataset)
    versions = datasets.write_splits(
        store,
        context.session,
        name,
        f"D{last_day:%Y%m%d}_{context.run_key}",
        {split.name: context.frame(labelled(split.first, split.last)) for split in splits},
        views,
        label=declared.label,
        timestamp=timestamp,
    )
    return {
        "dataset": name,
        "versions": versions,
        "days": {split.name: [split.first.isoformat(), split.last.isoformat()] for split in splits},
        "refreshed": refreshed,
    }


def read_splits(context: TaskContext, prepared: Json, keys: Sequence[str]) -> dict[str, Any]:
    """A pandas frame for each split that ``prepare`` told of, in the order of ``keys``: a retried run fits the same."""
    return {
        split: datasets.read_version(context.session, prepared["dataset"], version).sort_values(
            list(keys), ignore_index=True
        )
        for split, version in prepared["versions"].items()
    }


def log(
    context: TaskContext,
    model: str,
    estimator: Any,
    prepared: Json,
    *,
    rows: Mapping[str, int],
    columns: Sequence[str],
    signature: Any,
    metrics: Mapping[str, float],
    method: str = "predict",
) -> Json:
    """Log the run's version of ``model`` with its metrics and lineage. Returns the version, whether it is new, and
    the metrics.
    """
    days = prepared["days"][TEST]
    version = f"V{days[1].replace('-', '')}_{context.run_key}"
    compute = context.manifest.compute
    logged = registry.log_version(
        context.session,
        context.names,
        model,
        version,
        estimator,
        signature=signature,
        method=method,
        packages=[package for package in compute.packages if package.startswith("xgboost")],
        artifact_repository=compute.artifact_repository,
        metrics=metrics,
        lineage={
            "run_id": context.run_id,
            "graph": context.graph,
            "feature_views": features.consumed_versions(context.manifest, context.names),
            "dataset": prepared["dataset"],
            "dataset_versions": prepared["versions"],
            "days": prepared["days"],
            "rows": dict(rows),
            "features": list(columns),
            "bundle": context.parameters.get("bundle"),
        },
        comment=f"Test days {' to '.join(days)}",
    )
    return {"version": version, "logged": logged, "metrics": dict(metrics)}
