"""PENDING → CHOOSE_VERSION and FEATURES → PREDICT → ALERT."""

from __future__ import annotations

from datetime import UTC, datetime

from spoke_kit import registry
from spoke_kit.names import literal
from spoke_kit.pipeline import alerts, inference, runs
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine
from ..training import MODEL
from ..training.model import OUTPUT
from . import PREDICTION

_ANNOUNCED = "SELECT DISTINCT CREATED_DATE FROM {shared:PARCELS} WHERE CREATED_DATE IN ({days})"

_STAGED = "INFERENCE_RESULTS"

# One statement, so that a day is there whole or not at all; what the evening brought stays.
MERGE = """MERGE INTO {own:PREDICTIONS} AS T
USING {own:INFERENCE_RESULTS} AS S
    ON T.TRACKING_NUMBER = S.TRACKING_NUMBER AND T.PREDICTION_DATE = S.PREDICTION_DATE
WHEN MATCHED THEN UPDATE SET
    PREDICTED_MISS = S.PREDICTED_MISS,
    NAIVE_MISS = S.NAIVE_MISS,
    MODEL_VERSION = {version},
    PREDICTION_TIMESTAMP = {now}::TIMESTAMP_NTZ
WHEN NOT MATCHED THEN INSERT (
    TRACKING_NUMBER, PREDICTION_DATE, PREDICTED_MISS, NAIVE_MISS, MODEL_VERSION, PREDICTION_TIMESTAMP
) VALUES (
    S.TRACKING_NUMBER, S.PREDICTION_DATE, S.PREDICTED_MISS, S.NAIVE_MISS, {version}, {now}::TIMESTAMP_NTZ
)"""

_STANDING = """SELECT
    'LIKELY_MISS:' || TRACKING_NUMBER AS ALERT_ID,
    TRACKING_NUMBER AS SUBJECT,
    PREDICTION_DATE AS ALERT_DATE,
    ADDRESS || ' will be missed at ' || TO_CHAR(ROUND(PREDICTED_MISS * 100)) || ' %' AS MESSAGE,
    ALERT_LEVEL AS DETAIL
FROM {own:MISS_ALERTS}"""


@task
def pending(context: TaskContext) -> Json:
    """Returns the days to predict."""
    return runs.pending(context, PREDICTION, _ANNOUNCED)


@task
def choose_version(context: TaskContext) -> Json:
    """Returns the version that predicts."""
    return inference.default_version(context, MODEL)


@task
def features(context: TaskContext) -> Json:
    """Returns the number of parcels whose features are in INFERENCE_FEATURES, which each run replaces."""
    days = runs.days_of_run(context, "PENDING")
    if not days:
        return {"rows": 0}
    return inference.write_features(
        context,
        spine.unlabelled(days),
        timestamp=spine.TIMESTAMP,
        day=spine.DAY,
        timeless=frozenset({"CALENDAR"}),
    )


@task
def predict(context: TaskContext) -> Json:
    """Returns the version, the days and the number of predictions."""
    version = context.result_of("CHOOSE_VERSION")["version"]
    if not context.result_of("FEATURES")["rows"]:
        return {"version": version, "days": [], "predictions": 0}
    model = registry.open_model(context.session, context.names, MODEL)
    inputs = context.session.table(context.names.own(inference.FEATURES_TABLE))
    predicted = model.version(version).run(inputs, function_name="predict_proba")
    predicted.select_expr(
        "TRACKING_NUMBER",
        f"{spine.DAY}::DATE AS {spine.DAY}",
        f'"{OUTPUT}"::FLOAT AS PREDICTED_MISS',
        "NETWORK_MISS_RATE_28D AS NAIVE_MISS",
    ).write.mode("overwrite").save_as_table(context.names.own(_STAGED))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    context.sql(MERGE, version=literal(version), now=literal(now))
    rows = context.sql(
        "SELECT PREDICTION_DATE, COUNT(*) FROM {own:INFERENCE_RESULTS} GROUP BY PREDICTION_DATE ORDER BY 1"
    )
    return {
        "version": version,
        "days": [row[0].isoformat() for row in rows],
        "predictions": sum(row[1] for row in rows),
    }


@task
def alert(context: TaskContext) -> Json:
    """Returns how many alerts stand for the days of this run."""
    return alerts.settle(context, "LIKELY_MISS", runs.days_of_run(context, "PREDICT"), _STANDING)
