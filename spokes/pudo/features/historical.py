"""How full a point was lately. A row says what is known on a morning from the days before it."""

from __future__ import annotations

from spoke_kit.days import morning_after
from spoke_kit.features import Definition

from .days import DAYS, back, over_days

# The row of DATE is known on the next morning, so for the forecast made then DATE itself is one day back.
_QUERY = f"""WITH {DAYS},
LAGGED AS (
    SELECT
        PUDO_ID,
        DATE,
        FILL_RATE AS LAG_1,
        {back("FILL_RATE", 1)} AS LAG_2,
        {back("FILL_RATE", 6)} AS LAG_7,
        {back("FILL_RATE", 7)} AS LAG_8,
        {back("FILL_RATE", 13)} AS LAG_14,
        {over_days("AVG(FILL_RATE)", 6)} AS AVG_7,
        {over_days("AVG(FILL_RATE)", 27)} AS AVG_28,
        {over_days("AVG(FILL_RATE)", 29)} AS AVG_30,
        {over_days("STDDEV(FILL_RATE)", 6)} AS STD_7,
        {over_days("STDDEV(FILL_RATE)", 27)} AS STD_28,
        {over_days("MAX(FILL_RATE)", 6)} AS MAX_7,
        COALESCE({over_days("COUNT_IF(FILL_RATE > 0)", 27)}, 0) AS BUSY_28,
        {over_days("MAX(CASE WHEN FILL_RATE > 0 THEN DATE END)", None)} AS LAST_BUSY
    FROM DAYS
)
SELECT
    PUDO_ID,
    {morning_after("DATE")} AS UPDATED_AT,
    LAG_1::FLOAT AS FILL_RATE_LAG_1D,
    LAG_2::FLOAT AS FILL_RATE_LAG_2D,
    LAG_7::FLOAT AS FILL_RATE_LAG_7D,
    LAG_14::FLOAT AS FILL_RATE_LAG_14D,
    AVG_7::FLOAT AS FILL_RATE_7D_AVG,
    AVG_28::FLOAT AS FILL_RATE_28D_AVG,
    AVG_30::FLOAT AS FILL_RATE_30D_AVG,
    STD_7::FLOAT AS FILL_RATE_7D_STDDEV,
    STD_28::FLOAT AS FILL_RATE_28D_STDDEV,
    MAX_7::FLOAT AS FILL_RATE_7D_MAX,
    (LAG_1 - LAG_2)::FLOAT AS FILL_RATE_1D_CHANGE,
    (LAG_1 - LAG_8)::FLOAT AS FILL_RATE_7D_CHANGE,
    (AVG_7 - AVG_28)::FLOAT AS FILL_RATE_TREND,
    CASE WHEN LAG_1 >= 0.8 THEN 1 ELSE 0 END::FLOAT AS IS_HIGH_CAPACITY,
    CASE WHEN LAG_1 >= 1.0 THEN 1 ELSE 0 END::FLOAT AS IS_OVER_CAPACITY,
    BUSY_28::FLOAT AS BUSY_DAYS_28D,
    DATEDIFF(day, LAST_BUSY, DATE)::FLOAT AS DAYS_SINCE_BUSY
FROM LAGGED"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description="Fill rate of the days before: lags, means, deviation and trend",
        columns={
            "FILL_RATE_LAG_1D": "Fill rate the day before; null when closed",
            "FILL_RATE_LAG_2D": "Fill rate two days before",
            "FILL_RATE_LAG_7D": "Fill rate on the same weekday last week",
            "FILL_RATE_LAG_14D": "Fill rate on the same weekday two weeks before",
            "FILL_RATE_7D_AVG": "Mean fill rate of the last 7 days",
            "FILL_RATE_28D_AVG": "Mean fill rate of the last 28 days",
            "FILL_RATE_30D_AVG": "Mean fill rate of the last 30 days",
            "FILL_RATE_7D_STDDEV": "Standard deviation of the fill rate in the last 7 days",
            "FILL_RATE_28D_STDDEV": "Standard deviation of the fill rate in the last 28 days",
            "FILL_RATE_7D_MAX": "Highest fill rate of the last 7 days",
            "FILL_RATE_1D_CHANGE": "Change of the fill rate from two days before to the day before",
            "FILL_RATE_7D_CHANGE": "Change of the fill rate from eight days before to the day before",
            "FILL_RATE_TREND": "7-day mean less 28-day mean",
            "IS_HIGH_CAPACITY": "1 when the day before was at 0.8 or more",
            "IS_OVER_CAPACITY": "1 when the day before was at 1.0 or more",
            "BUSY_DAYS_28D": "Days with a delivery in the last 28",
            "DAYS_SINCE_BUSY": "Days without a delivery up to the day before: a closure goes on",
        },
    )
}
