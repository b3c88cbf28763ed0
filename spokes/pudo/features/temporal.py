"""The calendar of the day to come, and how full a point was on such weekdays before."""

from __future__ import annotations

from spoke_kit.features import Definition

from .days import DAYS, back, morning_of, over_days
from .holidays import berlin_holidays

_HOLIDAYS = ", ".join(f"('{day.isoformat()}'::DATE)" for day in berlin_holidays())

_SAME_WEEKDAY = "PUDO_ID, DAYOFWEEKISO(DATE)"

# D is the day to come: the row of DATE speaks of the next one. WEEKDAY_* run over such weekdays up to DATE;
# the newest same weekday of D is six rows before DATE.
_QUERY = f"""WITH {DAYS},
HOLIDAYS AS (SELECT COLUMN1 AS DAY FROM VALUES {_HOLIDAYS}),
WEEKDAYS AS (
    SELECT
        PUDO_ID, DATE, DATEADD(day, 1, DATE)::DATE AS D,
        {over_days("AVG(FILL_RATE)", None, partition=_SAME_WEEKDAY)} AS WEEKDAY_AVG,
        {over_days("STDDEV(FILL_RATE)", None, partition=_SAME_WEEKDAY)} AS WEEKDAY_STD,
        {over_days("AVG(FILL_RATE)", 3, partition=_SAME_WEEKDAY)} AS WEEKDAY_AVG_4
    FROM DAYS
),
KNOWN AS (
    SELECT
        PUDO_ID, DATE, D,
        {back("WEEKDAY_AVG", 6)} AS DOW_AVG,
        {back("WEEKDAY_STD", 6)} AS DOW_STD,
        {back("WEEKDAY_AVG_4", 6)} AS DOW_AVG_4
    FROM WEEKDAYS
)
SELECT
    KNOWN.PUDO_ID,
    {morning_of("KNOWN.D")} AS UPDATED_AT,
    DAYOFWEEKISO(KNOWN.D)::FLOAT AS DAY_OF_WEEK,
    DAYOFMONTH(KNOWN.D)::FLOAT AS DAY_OF_MONTH,
    MONTH(KNOWN.D)::FLOAT AS MONTH,
    QUARTER(KNOWN.D)::FLOAT AS QUARTER,
    DAYOFYEAR(KNOWN.D)::FLOAT AS DAY_OF_YEAR,
    CASE WHEN DAYOFWEEKISO(KNOWN.D) >= 6 THEN 1 ELSE 0 END::FLOAT AS IS_WEEKEND,
    CASE WHEN DATEDIFF(day, KNOWN.D, LAST_DAY(KNOWN.D)) <= 2 THEN 1 ELSE 0 END::FLOAT AS IS_MONTH_END,
    CASE WHEN TODAY.DAY IS NULL THEN 0 ELSE 1 END::FLOAT AS IS_HOLIDAY,
    CASE WHEN DAY_BEFORE.DAY IS NULL THEN 0 ELSE 1 END::FLOAT AS IS_DAY_AFTER_HOLIDAY,
    CASE WHEN DAY_AFTER.DAY IS NULL THEN 0 ELSE 1 END::FLOAT AS IS_DAY_BEFORE_HOLIDAY,
    CASE WHEN LAST_WEEK.DAY IS NULL THEN 0 ELSE 1 END::FLOAT AS WAS_HOLIDAY_LAST_WEEK,
    KNOWN.DOW_AVG::FLOAT AS AVG_FILL_RATE_BY_DOW,
    KNOWN.DOW_STD::FLOAT AS STDDEV_FILL_RATE_BY_DOW,
    KNOWN.DOW_AVG_4::FLOAT AS AVG_FILL_RATE_BY_DOW_4W
FROM KNOWN
LEFT JOIN HOLIDAYS AS TODAY ON TODAY.DAY = KNOWN.D
LEFT JOIN HOLIDAYS AS DAY_BEFORE ON DAY_BEFORE.DAY = DATEADD(day, -1, KNOWN.D)::DATE
LEFT JOIN HOLIDAYS AS DAY_AFTER ON DAY_AFTER.DAY = DATEADD(day, 1, KNOWN.D)::DATE
LEFT JOIN HOLIDAYS AS LAST_WEEK ON LAST_WEEK.DAY = DATEADD(day, -7, KNOWN.D)::DATE"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description="Calendar of the day to come, and the point's past on that weekday",
        columns={
            "DAY_OF_WEEK": "1 Monday to 7 Sunday",
            "DAY_OF_MONTH": "1 to 31",
            "MONTH": "1 to 12",
            "QUARTER": "1 to 4",
            "DAY_OF_YEAR": "1 to 366",
            "IS_WEEKEND": "1 on Saturday and Sunday",
            "IS_MONTH_END": "1 on the last three days of a month",
            "IS_HOLIDAY": "1 on a public holiday in Berlin",
            "IS_DAY_AFTER_HOLIDAY": "1 when the day before is a public holiday",
            "IS_DAY_BEFORE_HOLIDAY": "1 when the day after is a public holiday",
            "WAS_HOLIDAY_LAST_WEEK": "1 when the same weekday last week was a public holiday",
            "AVG_FILL_RATE_BY_DOW": "Mean fill rate on all such weekdays before",
            "STDDEV_FILL_RATE_BY_DOW": "Standard deviation of the fill rate on all such weekdays before",
            "AVG_FILL_RATE_BY_DOW_4W": "Mean fill rate on the last four such weekdays",
        },
    )
}
