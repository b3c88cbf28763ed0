"""After an evening: writes what really came beside what was predicted."""

from __future__ import annotations

from spoke_kit.tasks import Json, TaskContext, task

_ACTUALS = """UPDATE {own:PREDICTIONS}
SET ACTUAL_FILL_RATE = O.FILL_RATE, PREDICTION_ERROR = PREDICTIONS.PREDICTED_FILL_RATE - O.FILL_RATE
FROM {shared:PUDO_OCCUPANCY} AS O
WHERE O.PUDO_ID = PREDICTIONS.PUDO_ID AND O.DATE = PREDICTIONS.PREDICTION_DATE
    AND O.FILL_RATE IS NOT NULL
    AND (PREDICTIONS.ACTUAL_FILL_RATE IS NULL OR PREDICTIONS.ACTUAL_FILL_RATE <> O.FILL_RATE)"""


@task
def evaluate_predictions(context: TaskContext) -> Json:
    """Returns how many forecasts have their actual. How good they were the service computes."""
    context.sql(_ACTUALS)
    rows = context.sql("SELECT COUNT(ACTUAL_FILL_RATE) FROM {own:PREDICTIONS}")
    return {"scored": rows[0][0]}
