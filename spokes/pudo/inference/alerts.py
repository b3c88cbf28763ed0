"""Last task: an alert for each point that is forecast to run out of room."""

from __future__ import annotations

from datetime import UTC, datetime

from spoke_kit.names import literal
from spoke_kit.tasks import Json, TaskContext, days_in, task

from .pending import days_of_run

_FORGET = """DELETE FROM {own:ALERTS}
WHERE KIND = 'HIGH_CAPACITY' AND ALERT_DATE IN ({days}) AND ALERT_ID NOT IN (
    SELECT 'HIGH_CAPACITY:' || PREDICTION_ID FROM {own:PUDO_ALERTS} WHERE PREDICTION_DATE IN ({days})
)"""

_RAISE = """INSERT INTO {own:ALERTS} (
    ALERT_ID, KIND, SUBJECT, ALERT_DATE, MESSAGE, DETAIL, RUN_ID, CREATED_AT
)
SELECT
    'HIGH_CAPACITY:' || PREDICTION_ID, 'HIGH_CAPACITY', TO_CHAR(PUDO_ID), PREDICTION_DATE,
    PUDO_NAME || ' is forecast at ' || TO_CHAR(ROUND(PREDICTED_FILL_RATE * 100)) || ' % of its capacity',
    ALERT_LEVEL, {run_id}, {now}::TIMESTAMP_NTZ
FROM {own:PUDO_ALERTS}
WHERE PREDICTION_DATE IN ({days})
    AND 'HIGH_CAPACITY:' || PREDICTION_ID NOT IN (SELECT ALERT_ID FROM {own:ALERTS})"""


@task
def send_high_capacity_alerts(context: TaskContext) -> Json:
    """Returns how many alerts stand for the days of this run; those that no longer hold are dropped."""
    days = days_of_run(context, "MAKE_PREDICTIONS")
    if not days:
        return {"alerts": 0}
    values = {
        "days": days_in(days),
        "run_id": literal(context.run_id),
        "now": literal(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")),
    }
    context.sql(_FORGET, days=values["days"])
    context.sql(_RAISE, **values)
    rows = context.sql(
        "SELECT COUNT(*) FROM {own:ALERTS} WHERE KIND = 'HIGH_CAPACITY' AND ALERT_DATE IN ({days})",
        days=values["days"],
    )
    return {"alerts": rows[0][0], "days": days}
