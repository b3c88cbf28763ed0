"""After an evening: writes what really came beside what was predicted."""

from __future__ import annotations

from spoke_kit.tasks import Json, TaskContext, task

_ACTUALS = """UPDATE {own:PREDICTIONS}
SET ACTUAL_MISS = A.MISS
FROM (
    SELECT TRACKING_NUMBER, CASE WHEN DELIVERY_STATUS = 'DELIVERED_TO_CUSTOMER' THEN 0 ELSE 1 END AS MISS
    FROM {shared:DELIVERY_ATTEMPTS}
    WHERE ATTEMPT_NUMBER = 1 AND ATTEMPT_DATE >= (SELECT MIN(PREDICTION_DATE) FROM {own:PREDICTIONS})
) AS A
WHERE A.TRACKING_NUMBER = PREDICTIONS.TRACKING_NUMBER
    AND (PREDICTIONS.ACTUAL_MISS IS NULL OR PREDICTIONS.ACTUAL_MISS <> A.MISS)"""


@task
def evaluate_predictions(context: TaskContext) -> Json:
    """Returns how many predictions have their actual. How good they were the service computes."""
    context.sql(_ACTUALS)
    rows = context.sql("SELECT COUNT(ACTUAL_MISS) FROM {own:PREDICTIONS}")
    return {"scored": rows[0][0]}
