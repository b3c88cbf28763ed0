"""How often a street was missed lately. A row says what is known on a morning from the days before it."""

from __future__ import annotations

from functools import partial

from spoke_kit.days import calendar, morning_after, over_days
from spoke_kit.features import Definition

from ..places import street

_over = partial(over_days, partition="STREET")
_network = partial(over_days, partition="TRUE")


def _rate(days: int) -> str:
    return f"{_over('SUM(MISSES)', days - 1)} / NULLIF({_over('SUM(TRIES)', days - 1)}, 0)"


# The row of DATE is known on the next morning. Only first attempts count: those after a miss are another thing.
_QUERY = f"""WITH {calendar("{shared:DELIVERY_ATTEMPTS}", "ATTEMPT_DATE")},
FIRSTS AS (
    SELECT
        {street("PARCELS.DESTINATION_ADDRESS")} AS STREET,
        ATTEMPTS.ATTEMPT_DATE AS DATE,
        COUNT(*) AS TRIES,
        COUNT_IF(ATTEMPTS.DELIVERY_STATUS <> 'DELIVERED_TO_CUSTOMER') AS MISSES
    FROM {{shared:DELIVERY_ATTEMPTS}} AS ATTEMPTS
    JOIN {{shared:PARCELS}} AS PARCELS ON PARCELS.TRACKING_NUMBER = ATTEMPTS.TRACKING_NUMBER
    WHERE ATTEMPTS.ATTEMPT_NUMBER = 1
    GROUP BY 1, 2
),
STREETS AS (SELECT STREET, MIN(DATE) AS FIRST_DATE FROM FIRSTS GROUP BY STREET),
TOTALS AS (
    SELECT CALENDAR.DATE, COALESCE(SUM(TRIES), 0)::FLOAT AS TRIES, COALESCE(SUM(MISSES), 0)::FLOAT AS MISSES
    FROM CALENDAR LEFT JOIN FIRSTS ON FIRSTS.DATE = CALENDAR.DATE
    GROUP BY CALENDAR.DATE
),
NETWORK AS (
    SELECT DATE, {_network("SUM(MISSES)", 27)} / NULLIF({_network("SUM(TRIES)", 27)}, 0) AS RATE_28 FROM TOTALS
),
STREET_DAYS AS (
    SELECT
        STREETS.STREET,
        CALENDAR.DATE,
        COALESCE(FIRSTS.TRIES, 0)::FLOAT AS TRIES,
        COALESCE(FIRSTS.MISSES, 0)::FLOAT AS MISSES
    FROM STREETS
    JOIN CALENDAR ON CALENDAR.DATE >= STREETS.FIRST_DATE
    LEFT JOIN FIRSTS ON FIRSTS.STREET = STREETS.STREET AND FIRSTS.DATE = CALENDAR.DATE
),
LATELY AS (
    SELECT
        STREET, DATE,
        {_over("SUM(TRIES)", 27)} AS TRIES_28,
        {_over("SUM(MISSES)", 27)} AS MISSES_28,
        {_rate(7)} AS RATE_7,
        {_rate(28)} AS RATE_28,
        {_rate(90)} AS RATE_90,
        {_over("MAX(CASE WHEN MISSES > 0 THEN DATE END)", None)} AS LAST_MISS
    FROM STREET_DAYS
)
SELECT
    LATELY.STREET,
    {morning_after("LATELY.DATE")} AS UPDATED_AT,
    LATELY.TRIES_28::FLOAT AS STREET_TRIES_28D,
    LATELY.MISSES_28::FLOAT AS STREET_MISSES_28D,
    LATELY.RATE_7::FLOAT AS STREET_MISS_RATE_7D,
    LATELY.RATE_28::FLOAT AS STREET_MISS_RATE_28D,
    LATELY.RATE_90::FLOAT AS STREET_MISS_RATE_90D,
    DATEDIFF(day, LATELY.LAST_MISS, LATELY.DATE)::FLOAT AS DAYS_SINCE_STREET_MISS,
    NETWORK.RATE_28::FLOAT AS NETWORK_MISS_RATE_28D
FROM LATELY JOIN NETWORK ON NETWORK.DATE = LATELY.DATE"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description="First attempts in a street that failed lately",
        columns={
            "STREET_TRIES_28D": "First attempts in the street in the last 28 days",
            "STREET_MISSES_28D": "Those of them that failed",
            "STREET_MISS_RATE_7D": "Share of the first attempts in the street that failed in the last 7 days",
            "STREET_MISS_RATE_28D": "The same of the last 28 days",
            "STREET_MISS_RATE_90D": "The same of the last 90 days",
            "DAYS_SINCE_STREET_MISS": "Days without a miss up to the day before",
            "NETWORK_MISS_RATE_28D": "Share of all first attempts that failed in the last 28 days",
        },
    )
}
