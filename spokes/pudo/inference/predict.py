"""Fourth task: predict, and write one row for each point and day."""

from __future__ import annotations

from datetime import UTC, datetime

from spoke_kit import registry
from spoke_kit.names import literal
from spoke_kit.pipeline.inference import FEATURES_TABLE
from spoke_kit.tasks import Json, TaskContext, task

from ..training import MODEL
from ..training.train_model import OUTPUT

_STAGED = "INFERENCE_RESULTS"

# One statement, so that a day is there whole or not at all; what the evening brought stays.
MERGE = """MERGE INTO {own:PREDICTIONS} AS T
USING {own:INFERENCE_RESULTS} AS S
    ON T.PREDICTION_ID = S.PREDICTION_ID
WHEN MATCHED THEN UPDATE SET
    PREDICTED_FILL_RATE = S.PREDICTED_FILL_RATE,
    MODEL_VERSION = {version},
    PREDICTION_TIMESTAMP = {now}::TIMESTAMP_NTZ,
    PREDICTION_ERROR = S.PREDICTED_FILL_RATE - T.ACTUAL_FILL_RATE
WHEN NOT MATCHED THEN INSERT (
    PREDICTION_ID, PUDO_ID, PREDICTION_DATE, PREDICTED_FILL_RATE, MODEL_VERSION, PREDICTION_TIMESTAMP
) VALUES (
    S.PREDICTION_ID, S.PUDO_ID, S.PREDICTION_DATE::DATE, S.PREDICTED_FILL_RATE, {version},
    {now}::TIMESTAMP_NTZ
)"""


@task
def make_predictions(context: TaskContext) -> Json:
    """Returns the version, the days and the number of predictions."""
    version = context.result_of("LOAD_MODEL")["version"]
    if not context.result_of("GENERATE_FEATURES")["rows"]:
        return {"version": version, "days": [], "predictions": 0}
    model = registry.open_model(context.session, context.names, MODEL)
    inputs = context.session.table(context.names.own(FEATURES_TABLE))
    predicted = model.version(version).run(inputs, function_name="predict")
    predicted.select_expr(
        "TO_CHAR(PUDO_ID) || ':' || PREDICTION_DATE AS PREDICTION_ID",
        "PUDO_ID",
        "PREDICTION_DATE",
        f'GREATEST("{OUTPUT}", 0)::FLOAT AS PREDICTED_FILL_RATE',
    ).write.mode("overwrite").save_as_table(context.names.own(_STAGED))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    context.sql(MERGE, version=literal(version), now=literal(now))
    rows = context.sql(
        "SELECT PREDICTION_DATE, COUNT(*) FROM {own:INFERENCE_RESULTS} GROUP BY PREDICTION_DATE ORDER BY 1"
    )
    return {"version": version, "days": [row[0] for row in rows], "predictions": sum(row[1] for row in rows)}
