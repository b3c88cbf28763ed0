"""The rows that features are asked for: a point and the morning of the day to forecast."""

from __future__ import annotations

from datetime import date

from spoke_kit.tasks import days_in

from .features.days import morning_of

TIMESTAMP = "AS_OF"
LABEL = "FILL_RATE"
KEYS = ("PUDO_ID", "PREDICTION_DATE")


def labelled(first: date, last: date) -> str:
    """SQL: each recorded fill rate from ``first`` to ``last``, as of the morning of its day."""
    return f"""SELECT
    PUDO_ID,
    TO_CHAR(DATE, 'YYYY-MM-DD') AS PREDICTION_DATE,
    {morning_of("DATE")} AS {TIMESTAMP},
    FILL_RATE::FLOAT AS {LABEL}
FROM {{shared:PUDO_OCCUPANCY}}
WHERE FILL_RATE IS NOT NULL AND DATE BETWEEN '{first.isoformat()}'::DATE AND '{last.isoformat()}'::DATE"""


def unlabelled(days: list[str]) -> str:
    """SQL: each active point on each of ``days`` (ISO), as of that morning."""
    rows = ", ".join(f"({day})" for day in days_in(days).split(", "))
    return f"""SELECT
    POINTS.PUDO_ID,
    TO_CHAR(DAYS.DAY, 'YYYY-MM-DD') AS PREDICTION_DATE,
    {morning_of("DAYS.DAY")} AS {TIMESTAMP}
FROM {{shared:PUDO_REFERENCE}} AS POINTS
CROSS JOIN (SELECT COLUMN1 AS DAY FROM VALUES {rows}) AS DAYS
WHERE POINTS.IS_ACTIVE"""
