"""The calendar: one row a day, and nothing in it that data could change. A row is known a year ahead."""

from __future__ import annotations

from datetime import date

from spoke_kit import days
from spoke_kit.features import Definition

from .holidays import FIRST_YEAR, LAST_YEAR, berlin_holidays

_FIRST = date(FIRST_YEAR, 1, 1)
_LENGTH = (date(LAST_YEAR + 1, 1, 1) - _FIRST).days
_HOLIDAYS = ", ".join(f"('{day.isoformat()}'::DATE)" for day in berlin_holidays())


def _flag(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END::FLOAT"


def _holiday(alias: str, offset: int) -> str:
    return f"LEFT JOIN HOLIDAYS AS {alias} ON {alias}.DAY = DATEADD(day, {offset}, DAYS.DAY)::DATE"


_QUERY = f"""WITH {days.numbers()},
DAYS AS (
    SELECT DATEADD(day, N, '{_FIRST.isoformat()}'::DATE)::DATE AS DAY FROM NUMBERS WHERE N < {_LENGTH}
),
HOLIDAYS AS (SELECT COLUMN1 AS DAY FROM VALUES {_HOLIDAYS})
SELECT
    DAYS.DAY,
    DATEADD(year, -1, DAYS.DAY::TIMESTAMP_NTZ) AS UPDATED_AT,
    DAYOFWEEKISO(DAYS.DAY)::FLOAT AS DAY_OF_WEEK,
    DAYOFMONTH(DAYS.DAY)::FLOAT AS DAY_OF_MONTH,
    DAYOFYEAR(DAYS.DAY)::FLOAT AS DAY_OF_YEAR,
    WEEKISO(DAYS.DAY)::FLOAT AS WEEK_OF_YEAR,
    MONTH(DAYS.DAY)::FLOAT AS MONTH,
    QUARTER(DAYS.DAY)::FLOAT AS QUARTER,
    {_flag("DAYOFWEEKISO(DAYS.DAY) >= 6")} AS IS_WEEKEND,
    {_flag("DATEDIFF(day, DAYS.DAY, LAST_DAY(DAYS.DAY)) <= 2")} AS IS_MONTH_END,
    {_flag("TODAY.DAY IS NOT NULL")} AS IS_HOLIDAY,
    {_flag("TODAY.DAY IS NOT NULL OR DAYOFWEEKISO(DAYS.DAY) = 7")} AS IS_REST_DAY,
    {_flag("BEFORE.DAY IS NOT NULL")} AS IS_DAY_AFTER_HOLIDAY,
    {_flag("AFTER.DAY IS NOT NULL")} AS IS_DAY_BEFORE_HOLIDAY,
    {_flag("LAST_WEEK.DAY IS NOT NULL")} AS WAS_HOLIDAY_LAST_WEEK
FROM DAYS
{_holiday("TODAY", 0)}
{_holiday("BEFORE", -1)}
{_holiday("AFTER", 1)}
{_holiday("LAST_WEEK", -7)}"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description=f"Calendar with Berlin's public holidays, {FIRST_YEAR} to {LAST_YEAR}",
        columns={
            "DAY_OF_WEEK": "1 Monday to 7 Sunday",
            "DAY_OF_MONTH": "1 to 31",
            "DAY_OF_YEAR": "1 to 366",
            "WEEK_OF_YEAR": "ISO week, 1 to 53",
            "MONTH": "1 to 12",
            "QUARTER": "1 to 4",
            "IS_WEEKEND": "1 on Saturday and Sunday",
            "IS_MONTH_END": "1 on the last three days of a month",
            "IS_HOLIDAY": "1 on a public holiday in Berlin",
            "IS_REST_DAY": "1 on a Sunday or a public holiday",
            "IS_DAY_AFTER_HOLIDAY": "1 when the day before is a public holiday",
            "IS_DAY_BEFORE_HOLIDAY": "1 when the day after is a public holiday",
            "WAS_HOLIDAY_LAST_WEEK": "1 when the same weekday last week was a public holiday",
        },
    )
}
