"""SQL that every feature view starts from: a row for each point and calendar day, closed days included.

Windows over these rows count days, not rows that happen to exist: seven rows back is seven days back.
"""

from __future__ import annotations

#: Hour of the day, UTC, at which a forecast for that day is made.
MORNING_HOUR = 6


def calendar(table: str, column: str) -> str:
    """CTE ``CALENDAR`` (DATE): every day from the first to the last in ``column``, at most 10,000."""
    return f"""DIGITS AS (SELECT COLUMN1 AS D FROM VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
NUMBERS AS (
    SELECT A.D + 10 * B.D + 100 * C.D + 1000 * E.D AS N
    FROM DIGITS AS A CROSS JOIN DIGITS AS B CROSS JOIN DIGITS AS C CROSS JOIN DIGITS AS E
),
SPAN AS (
    SELECT MIN({column}) AS FIRST_DATE, DATEDIFF(day, MIN({column}), MAX({column})) AS LAST_NUMBER
    FROM {table}
),
CALENDAR AS (
    SELECT DATEADD(day, NUMBERS.N, SPAN.FIRST_DATE)::DATE AS DATE
    FROM NUMBERS CROSS JOIN SPAN
    WHERE NUMBERS.N <= SPAN.LAST_NUMBER
)"""


#: CTE ``DAYS`` (PUDO_ID, DATE, FILL_RATE): from each point's first day on; FILL_RATE is null where none was
#: recorded.
DAYS = f"""{calendar("{shared:PUDO_OCCUPANCY}", "DATE")},
POINTS AS (SELECT PUDO_ID, MIN(DATE) AS FIRST_DATE FROM {{shared:PUDO_OCCUPANCY}} GROUP BY PUDO_ID),
DAYS AS (
    SELECT POINTS.PUDO_ID, CALENDAR.DATE, OCCUPANCY.FILL_RATE
    FROM POINTS
    JOIN CALENDAR ON CALENDAR.DATE >= POINTS.FIRST_DATE
    LEFT JOIN {{shared:PUDO_OCCUPANCY}} AS OCCUPANCY
        ON OCCUPANCY.PUDO_ID = POINTS.PUDO_ID AND OCCUPANCY.DATE = CALENDAR.DATE
)"""


def over_days(aggregate: str, first: int | None, last: int = 0, *, partition: str = "PUDO_ID") -> str:
    """SQL: ``aggregate`` over the rows from ``first`` (None: all) to ``last`` back of the same ``partition``."""
    start = "UNBOUNDED" if first is None else str(first)
    end = f"{last} PRECEDING" if last else "CURRENT ROW"
    return (
        f"{aggregate} OVER (PARTITION BY {partition} ORDER BY DATE ROWS BETWEEN {start} PRECEDING AND {end})"
    )


def back(column: str, days: int) -> str:
    """SQL: ``column`` of the row ``days`` before."""
    return f"LAG({column}, {days}) OVER (PARTITION BY PUDO_ID ORDER BY DATE)"


def morning_of(day: str) -> str:
    """SQL for the morning of the day expression ``day``."""
    return f"DATEADD(hour, {MORNING_HOUR}, {day}::TIMESTAMP_NTZ)"


def morning_after(day: str) -> str:
    """SQL for the morning after the day expression ``day``."""
    return f"DATEADD(hour, {24 + MORNING_HOUR}, {day}::TIMESTAMP_NTZ)"
