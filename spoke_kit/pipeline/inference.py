"""Which version predicts, and the features of what is to be predicted."""

from __future__ import annotations

from spoke_kit import features, registry
from spoke_kit.errors import DataMissing
from spoke_kit.names import quote
from spoke_kit.tasks import Json, TaskContext

#: Table with the features of the last run, from which it predicts.
FEATURES_TABLE = "INFERENCE_FEATURES"


def default_version(context: TaskContext, model: str) -> Json:
    """The default version of ``model``, or the newest when none is marked. DataMissing when it has none."""
    found = registry.versions(context.session, context.names, model)
    if not found:
        name = context.names.prefixed(model)
        raise DataMissing(f"{name} has no version", "Train a model in this environment first.")
    version = next((one for one in found if one.is_default), found[-1])
    return {"version": version.name, "is_default": version.is_default}


def write_features(
    context: TaskContext, spine: str, *, timestamp: str, day: str, timeless: frozenset[str] = frozenset()
) -> Json:
    """Replace INFERENCE_FEATURES by the features of the rows of the query ``spine``; returns how many there are.

    DataMissing when on a ``day`` of the spine no row of a feature view is of that very morning, as when the evening
    before is not in. Of the shared views ``timeless``, which are known long before, there must be a row.
    """
    store = features.open_store(context.session, context.names, context.manifest.compute.warehouse)
    views = features.consumed(store, context.manifest, context.names)
    refreshed = features.refresh(store, views)
    frame = store.generate_training_set(
        context.frame(spine),
        views,
        spine_timestamp_col=timestamp,
        include_feature_view_timestamp_col=True,
    )
    frame.write.mode("overwrite").save_as_table(context.names.own(FEATURES_TABLE))
    return {"rows": _fresh_rows(context, timestamp, day, timeless), "refreshed": refreshed}


def _fresh_rows(context: TaskContext, timestamp: str, day: str, timeless: frozenset[str]) -> int:
    long_known = {context.names.shared_feature(name) for name in timeless}
    known = {
        f"{view}_{version}_UPDATED_AT": view
        for view, version in features.consumed_versions(context.manifest, context.names).items()
    }
    fresh = ", ".join(
        f"COUNT({quote(column)})" if view in long_known else f"COUNT_IF({quote(column)} = {timestamp})"
        for column, view in known.items()
    )
    rows = context.sql(
        f"SELECT {day}, COUNT(*), {fresh} FROM {{own:{FEATURES_TABLE}}} GROUP BY {day} ORDER BY {day}"
    )
    for row in rows:
        for place, view in enumerate(known.values()):
            if not row[2 + place]:
                raise DataMissing(
                    f"{view} knows nothing of the morning of {row[0]}",
                    "Load the evening before and the announcements of the day, then run again.",
                )
    return sum(row[1] for row in rows)
