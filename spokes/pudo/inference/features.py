"""Third task, beside the second: the features of each active point as of the morning."""

from __future__ import annotations

from spoke_kit import features
from spoke_kit.errors import DataMissing
from spoke_kit.names import quote
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine
from . import FEATURES_TABLE
from .pending import days_of_run


@task
def generate_features(context: TaskContext) -> Json:
    """Returns the number of rows; they are in INFERENCE_FEATURES, which each run replaces.

    DataMissing when a feature view knows nothing of a morning, as when the evening before is not in.
    """
    days = days_of_run(context, "GET_PENDING_PREDICTIONS")
    if not days:
        return {"rows": 0}
    store = features.open_store(context.session, context.names, context.manifest.compute.warehouse)
    views = features.consumed(store, context.manifest, context.names)
    refreshed = features.refresh(store, views)
    frame = store.generate_training_set(
        context.frame(spine.unlabelled(days)),
        views,
        spine_timestamp_col=spine.TIMESTAMP,
        include_feature_view_timestamp_col=True,
    )
    frame.write.mode("overwrite").save_as_table(context.names.own(FEATURES_TABLE))
    return {"rows": check_fresh(context), "refreshed": refreshed}


def check_fresh(context: TaskContext) -> int:
    """The number of rows, when on each day some row of each feature view is of that very morning.

    The calendar is known long before; of it there must be the day.
    """
    calendar = context.names.shared_feature("CALENDAR")
    known = {
        f"{view}_{version}_UPDATED_AT": view
        for view, version in features.consumed_versions(context.manifest, context.names).items()
    }
    fresh = ", ".join(
        f"COUNT({quote(column)})" if view == calendar else f"COUNT_IF({quote(column)} = {spine.TIMESTAMP})"
        for column, view in known.items()
    )
    rows = context.sql(
        f"SELECT PREDICTION_DATE, COUNT(*), {fresh} FROM {{own:{FEATURES_TABLE}}} "
        "GROUP BY PREDICTION_DATE ORDER BY PREDICTION_DATE"
    )
    for row in rows:
        for place, view in enumerate(known.values()):
            if not row[2 + place]:
                raise DataMissing(
                    f"{view} knows nothing of the morning of {row[0]}",
                    "Load the evening before and the announcements of the day, then run again.",
                )
    return sum(row[1] for row in rows)
