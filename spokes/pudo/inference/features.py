"""Third task, beside the second: the features of each active point as of the morning."""

from __future__ import annotations

from spoke_kit import features
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine
from . import FEATURES_TABLE


@task
def generate_features(context: TaskContext) -> Json:
    """Returns the number of rows; they are in INFERENCE_FEATURES, which each run replaces."""
    days = context.result_of("GET_PENDING_PREDICTIONS")["days"]
    if not days:
        return {"rows": 0}
    store = features.open_store(context.session, context.names, context.config.compute.warehouse)
    views = features.consumed(store, context.config, context.names)
    refreshed = features.refresh(store, views)
    frame = store.generate_training_set(
        context.frame(spine.unlabelled(days)), views, spine_timestamp_col=spine.TIMESTAMP
    )
    table = context.names.own(FEATURES_TABLE)
    frame.write.mode("overwrite").save_as_table(table)
    rows = context.session.table(table).count()
    return {"rows": rows, "refreshed": refreshed}
