"""After an evening: writes what really came beside what was predicted, and says how good it was."""

from __future__ import annotations

from spoke_kit.tasks import Json, TaskContext, task

_ACTUALS = """UPDATE {own:PREDICTIONS}
SET ACTUAL_FILL_RATE = O.FILL_RATE, PREDICTION_ERROR = PREDICTIONS.PREDICTED_FILL_RATE - O.FILL_RATE
FROM {shared:PUDO_OCCUPANCY} AS O
WHERE O.PUDO_ID = PREDICTIONS.PUDO_ID AND O.DATE = PREDICTIONS.PREDICTION_DATE
    AND O.FILL_RATE IS NOT NULL
    AND (PREDICTIONS.ACTUAL_FILL_RATE IS NULL OR PREDICTIONS.ACTUAL_FILL_RATE <> O.FILL_RATE)"""

_COLUMNS = ("n", "mae", "rmse", "bias", "naive_mae", "alert_precision", "alert_recall")


@task
def evaluate_predictions(context: TaskContext) -> Json:
    """Returns the metrics of each day whose actuals are known, newest first, at most ``limit`` (30) days."""
    context.sql(_ACTUALS)
    limit = int(context.parameters.get("limit", 30))
    columns = ", ".join(_COLUMNS).upper()
    rows = context.sql(
        f"SELECT PREDICTION_DATE, MODEL_VERSION, {columns} FROM {{own:INFERENCE_METRICS}} "
        f"ORDER BY PREDICTION_DATE DESC, MODEL_VERSION LIMIT {limit}"
    )
    days = [
        {
            "day": row[0].isoformat(),
            "model_version": row[1],
            **{name: _number(row[2 + place]) for place, name in enumerate(_COLUMNS)},
        }
        for row in rows
    ]
    return {"days": days}


def _number(value: object) -> float | None:
    return value if value is None or isinstance(value, int) else round(float(str(value)), 6)
