"""Alerts of predictions, kept in the spoke's table ALERTS: those that no longer hold are dropped."""

from __future__ import annotations

from datetime import UTC, datetime

from spoke_kit.names import literal
from spoke_kit.tasks import Json, TaskContext, days_in

_FORGET = """DELETE FROM {own:ALERTS}
WHERE KIND = {kind} AND ALERT_DATE IN ({days})
    AND ALERT_ID NOT IN (SELECT ALERT_ID FROM ({standing}) AS STANDING WHERE ALERT_DATE IN ({days}))"""

_RAISE = """INSERT INTO {own:ALERTS} (
    ALERT_ID, KIND, SUBJECT, ALERT_DATE, MESSAGE, DETAIL, RUN_ID, CREATED_AT
)
SELECT ALERT_ID, {kind}, SUBJECT, ALERT_DATE, MESSAGE, DETAIL, {run_id}, {now}::TIMESTAMP_NTZ
FROM ({standing}) AS STANDING
WHERE ALERT_DATE IN ({days}) AND ALERT_ID NOT IN (SELECT ALERT_ID FROM {own:ALERTS})"""


def settle(context: TaskContext, kind: str, days: list[str], standing: str) -> Json:
    """Keep for ``days`` the alerts that the query ``standing`` gives (ALERT_ID, SUBJECT, ALERT_DATE, MESSAGE, DETAIL).

    Returns how many there are.
    """
    if not days:
        return {"alerts": 0}
    values = {"kind": literal(kind), "days": days_in(days), "standing": context.names.render(standing)}
    now = literal(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"))
    context.sql(_FORGET, **values)
    context.sql(_RAISE, **values, run_id=literal(context.run_id), now=now)
    count = "SELECT COUNT(*) FROM {own:ALERTS} WHERE KIND = {kind} AND ALERT_DATE IN ({days})"
    rows = context.sql(count, kind=values["kind"], days=values["days"])
    return {"alerts": rows[0][0], "days": days}
