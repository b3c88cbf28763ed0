"""SQL over calendar days: every day has its row, and a row says from which morning it is known.

Windows over such rows count days, not rows that happen to exist: seven rows back is seven days back.
"""

from __future__ import annotations

#: Hour of the day, UTC, at which a forecast for that day is made.
MORNING_HOUR = 6


def numbers(name: str = "NUMBERS") -> str:
    """CTEs that end in ``name`` (N): 0 to 9,999."""
    digits = ", ".join(f"({digit})" for digit in range(10))
    return f"""DIGITS AS (SELECT COLUMN1 AS D FROM VALUES {digits}),
{name} AS (
    SELECT A.D + 10 * B.D + 100 * C.D + 1000 * E.D AS N
    FROM DIGITS AS A CROSS JOIN DIGITS AS B CROSS JOIN DIGITS AS C CROSS JOIN DIGITS AS E
)"""


def calendar(table: str, column: str) -> str:
    """CTEs that end in ``CALENDAR`` (DATE): every day from the first to the last in ``column``, at most 10,000.

    ``SPAN`` (FIRST_DATE, LAST_NUMBER) before it is one row.
    """
    return f"""{numbers()},
SPAN AS (
    SELECT MIN({column}) AS FIRST_DATE, DATEDIFF(day, MIN({column}), MAX({column})) AS LAST_NUMBER
    FROM {table}
),
CALENDAR AS (
    SELECT DATEADD(day, NUMBERS.N, SPAN.FIRST_DATE)::DATE AS DATE
    FROM NUMBERS CROSS JOIN SPAN
    WHERE NUMBERS.N <= SPAN.LAST_NUMBER
)"""


def over_days(aggregate: str, first: int | None, last: int = 0, *, partition: str) -> str:
    """SQL: ``aggregate`` over the rows from ``first`` (None: all) to ``last`` back of the same ``partition``."""
    start = "UNBOUNDED" if first is None else str(first)
    end = f"{last} PRECEDING" if last else "CURRENT ROW"
    return (
        f"{aggregate} OVER (PARTITION BY {partition} ORDER BY DATE ROWS BETWEEN {start} PRECEDING AND {end})"
    )


def back(column: str, days: int, *, partition: str) -> str:
    """SQL: ``column`` of the row ``days`` before."""
    return f"LAG({column}, {days}) OVER (PARTITION BY {partition} ORDER BY DATE)"


def morning_of(day: str) -> str:
    """SQL for the morning of the day expression ``day``."""
    return f"DATEADD(hour, {MORNING_HOUR}, {day}::TIMESTAMP_NTZ)"


def morning_after(day: str) -> str:
    """SQL for the morning after the day expression ``day``."""
    return f"DATEADD(hour, {24 + MORNING_HOUR}, {day}::TIMESTAMP_NTZ)"
