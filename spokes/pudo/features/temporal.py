"""How full a point was on weekdays like that of the day to come."""

from __future__ import annotations

from spoke_kit import days
from spoke_kit.features import Definition

from .days import DAYS, back

_SAME_WEEKDAY = "PUDO_ID, DAYOFWEEKISO(DATE)"

# The row of DATE speaks of the day after it. WEEKDAY_* run over the weekdays like DATE up to it; the newest weekday
# like the day after is six rows before DATE.
_QUERY = f"""WITH {DAYS},
WEEKDAYS AS (
    SELECT
        PUDO_ID, DATE,
        {days.over_days("AVG(FILL_RATE)", None, partition=_SAME_WEEKDAY)} AS WEEKDAY_AVG,
        {days.over_days("STDDEV(FILL_RATE)", None, partition=_SAME_WEEKDAY)} AS WEEKDAY_STD,
        {days.over_days("AVG(FILL_RATE)", 3, partition=_SAME_WEEKDAY)} AS WEEKDAY_AVG_4
    FROM DAYS
)
SELECT
    PUDO_ID,
    {days.morning_after("DATE")} AS UPDATED_AT,
    {back("WEEKDAY_AVG", 6)}::FLOAT AS AVG_FILL_RATE_BY_DOW,
    {back("WEEKDAY_STD", 6)}::FLOAT AS STDDEV_FILL_RATE_BY_DOW,
    {back("WEEKDAY_AVG_4", 6)}::FLOAT AS AVG_FILL_RATE_BY_DOW_4W
FROM WEEKDAYS"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description="The point's past on the weekday of the day to come",
        columns={
            "AVG_FILL_RATE_BY_DOW": "Mean fill rate on all such weekdays before",
            "STDDEV_FILL_RATE_BY_DOW": "Standard deviation of the fill rate on all such weekdays before",
            "AVG_FILL_RATE_BY_DOW_4W": "Mean fill rate on the last four such weekdays",
        },
    )
}
