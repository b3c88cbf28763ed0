"""Last task: an alert for each point that is forecast to run out of room."""

from __future__ import annotations

from spoke_kit.pipeline import alerts, runs
from spoke_kit.tasks import Json, TaskContext, task

_STANDING = """SELECT
    'HIGH_CAPACITY:' || PREDICTION_ID AS ALERT_ID,
    TO_CHAR(PUDO_ID) AS SUBJECT,
    PREDICTION_DATE AS ALERT_DATE,
    PUDO_NAME || ' is forecast at ' || TO_CHAR(ROUND(PREDICTED_FILL_RATE * 100)) || ' % of its capacity' AS MESSAGE,
    ALERT_LEVEL AS DETAIL
FROM {own:PUDO_ALERTS}"""


@task
def send_high_capacity_alerts(context: TaskContext) -> Json:
    """Returns how many alerts stand for the days of this run; those that no longer hold are dropped."""
    return alerts.settle(context, "HIGH_CAPACITY", runs.days_of_run(context, "MAKE_PREDICTIONS"), _STANDING)
