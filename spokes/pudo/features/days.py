"""SQL that the feature views of points start from: a row for each point and calendar day, closed days included."""

from __future__ import annotations

from functools import partial

from spoke_kit import days

#: CTE ``DAYS`` (PUDO_ID, DATE, FILL_RATE): from each point's first day on; FILL_RATE is null where none was
#: recorded.
DAYS = f"""{days.calendar("{shared:PUDO_OCCUPANCY}", "DATE")},
POINTS AS (SELECT PUDO_ID, MIN(DATE) AS FIRST_DATE FROM {{shared:PUDO_OCCUPANCY}} GROUP BY PUDO_ID),
DAYS AS (
    SELECT POINTS.PUDO_ID, CALENDAR.DATE, OCCUPANCY.FILL_RATE
    FROM POINTS
    JOIN CALENDAR ON CALENDAR.DATE >= POINTS.FIRST_DATE
    LEFT JOIN {{shared:PUDO_OCCUPANCY}} AS OCCUPANCY
        ON OCCUPANCY.PUDO_ID = POINTS.PUDO_ID AND OCCUPANCY.DATE = CALENDAR.DATE
)"""

over_days = partial(days.over_days, partition="PUDO_ID")
back = partial(days.back, partition="PUDO_ID")
