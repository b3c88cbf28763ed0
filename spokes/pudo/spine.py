"""The rows that features are asked for: a point and the morning of the day to forecast.

``DAY`` and ``CELL`` are the keys of the hub's shared features: the day, and the cell that the point stands in.
"""

from __future__ import annotations

from datetime import date

from spoke_kit.days import morning_of
from spoke_kit.geo import cell
from spoke_kit.tasks import days_in

TIMESTAMP = "AS_OF"
LABEL = "FILL_RATE"
KEYS = ("PUDO_ID", "PREDICTION_DATE")
#: Columns that are no features.
OTHER = (*KEYS, "DAY", "CELL", TIMESTAMP, LABEL)

_CELL = cell("POINTS.LATITUDE", "POINTS.LONGITUDE")


def labelled(first: date, last: date) -> str:
    """SQL: each recorded fill rate from ``first`` to ``last``, as of the morning of its day."""
    return f"""SELECT
    RATES.PUDO_ID,
    TO_CHAR(RATES.DATE, 'YYYY-MM-DD') AS PREDICTION_DATE,
    RATES.DATE AS DAY,
    {_CELL} AS CELL,
    {morning_of("RATES.DATE")} AS {TIMESTAMP},
    RATES.FILL_RATE::FLOAT AS {LABEL}
FROM {{shared:PUDO_OCCUPANCY}} AS RATES
JOIN {{shared:PUDO_REFERENCE}} AS POINTS ON POINTS.PUDO_ID = RATES.PUDO_ID
WHERE RATES.FILL_RATE IS NOT NULL AND RATES.DATE BETWEEN '{first.isoformat()}'::DATE AND '{last.isoformat()}'::DATE"""


def unlabelled(days: list[str]) -> str:
    """SQL: each active point on each of ``days`` (ISO), as of that morning."""
    rows = ", ".join(f"({day})" for day in days_in(days).split(", "))
    return f"""SELECT
    POINTS.PUDO_ID,
    TO_CHAR(DAYS.DAY, 'YYYY-MM-DD') AS PREDICTION_DATE,
    DAYS.DAY,
    {_CELL} AS CELL,
    {morning_of("DAYS.DAY")} AS {TIMESTAMP}
FROM {{shared:PUDO_REFERENCE}} AS POINTS
CROSS JOIN (SELECT COLUMN1 AS DAY FROM VALUES {rows}) AS DAYS
WHERE POINTS.IS_ACTIVE"""
