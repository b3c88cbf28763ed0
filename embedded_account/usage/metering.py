"""Credits of warehouses, from the statements that really ran.

A warehouse runs from its first statement until AUTO_SUSPEND seconds after its last, and each start costs at least 60
seconds: https://docs.snowflake.com/en/user-guide/cost-understanding-compute. Credits an hour follow from the size. The
part of the time in which statements ran is the attributed part; the rest was idle. Cloud services cost nothing here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import literal
from embedded_account.objects.warehouses import SIZES
from embedded_account.result import SELECT, Result, rows_result
from embedded_account.session import Session
from embedded_account.tasks.definition import now
from embedded_account.usage import arguments, lateness, queries
from embedded_account.usage.arguments import timestamp
from embedded_account.usage.queries import QUERIES
from embedded_account.usage.task_history import YEAR, identifier

SHORTEST_SECONDS = 60
DEFAULT_AUTO_SUSPEND = 600
MONTHS = timedelta(days=183)
# A warehouse that never suspends runs until now; a century is never.
_NEVER = 3_155_760_000


def _auto_suspend(session: Session) -> list[tuple[str, int]]:
    """(warehouse, seconds); 0 or NULL means that it never suspends."""
    found = []
    for record in session.account.list("WAREHOUSE"):
        value = record.body["options"].get("AUTO_SUSPEND", DEFAULT_AUTO_SUSPEND)
        seconds = int(str(value)) if str(value).isdigit() else 0
        found.append((record.name, seconds or _NEVER))
    return found


def _values(pairs: list[tuple[str, int]]) -> str:
    return ", ".join(f"({literal(name)}, {number})" for name, number in pairs) or "(NULL, 0)"


def metered(session: Session, since: datetime, until: datetime) -> list[tuple[Any, ...]]:
    """(hour, warehouse, credits, attributed credits, id) for each hour in which a warehouse ran."""
    queries.flush(session.account)
    suspend = _auto_suspend(session)
    # Earlier statements may keep a warehouse running into the range, one that never suspends from any time.
    longest = max(seconds for _, seconds in suspend) if suspend else 0
    earliest = since - max(timedelta(days=1), min(timedelta(seconds=longest), YEAR * 10))
    sql = f"""
        WITH suspend(warehouse, seconds) AS (VALUES {_values(suspend)}),
        rates(size, credits) AS (VALUES {_values(list(SIZES.items()))}),
        ran AS (
            SELECT q.warehouse_name AS w, q.start_time AS s, q.end_time AS e, r.credits AS rate,
                coalesce(a.seconds, {DEFAULT_AUTO_SUSPEND}) AS tail
            FROM {QUERIES} AS q JOIN rates AS r ON r.size = q.warehouse_size
            LEFT JOIN suspend AS a ON a.warehouse = q.warehouse_name
            WHERE q.end_time >= {timestamp(earliest)} AND q.start_time < {timestamp(until)}
        ), marked AS (
            SELECT *, coalesce(s > max(e) OVER before, true) AS wakes,
                coalesce(s > max(e + to_seconds(tail)) OVER before, true) AS starts
            FROM ran WINDOW before AS (PARTITION BY w ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ), numbered AS (
            SELECT *, sum(wakes::INT) OVER (PARTITION BY w ORDER BY s ROWS UNBOUNDED PRECEDING) AS wake,
                sum(starts::INT) OVER (PARTITION BY w ORDER BY s ROWS UNBOUNDED PRECEDING) AS start
            FROM marked
        ), spans AS (
            SELECT w, 'busy' AS what, min(s) AS s, least(max(e), {timestamp(until)}) AS e, max(rate) AS rate
            FROM numbered GROUP BY w, wake
            UNION ALL
            SELECT w, 'on', min(s),
                least(greatest(max(e) + to_seconds(max(tail)), min(s) + to_seconds({SHORTEST_SECONDS})),
                    {timestamp(until)}),
                max(rate)
            FROM numbered GROUP BY w, start
        ), hours AS (
            SELECT w, what, s, e, rate, unnest(generate_series(date_trunc('hour', s), e, INTERVAL 1 HOUR)) AS hour
            FROM spans WHERE e > s
        ), parts AS (
            SELECT hour, w, what,
                epoch(least(e, hour + INTERVAL 1 HOUR) - greatest(s, hour)) / 3600 * rate AS credits
            FROM hours
        )
        SELECT hour, w, coalesce(sum(credits) FILTER (what = 'on'), 0),
            coalesce(sum(credits) FILTER (what = 'busy'), 0), {identifier("w")}
        FROM parts WHERE hour >= date_trunc('hour', {timestamp(since)}) GROUP BY hour, w ORDER BY hour, w
    """
    return list(session.account.execute(sql))


def _year(session: Session) -> list[tuple[Any, ...]]:
    return metered(session, now() - YEAR, lateness.hours_until(session))


def _rows(found: list[tuple[Any, ...]]) -> list[tuple[object, ...]]:
    """CREDITS_USED_COMPUTE is never below the attributed part, which a change of size could make it."""
    hour = timedelta(hours=1)
    return [(at, at + hour, id_, name, max(a, b), max(a, b), 0.0, b) for at, name, a, b, id_ in found]


_COLUMNS = [
    ("START_TIME", "timestamp_ltz"),
    ("END_TIME", "timestamp_ltz"),
    ("WAREHOUSE_ID", "fixed"),
    ("WAREHOUSE_NAME", "text"),
    ("CREDITS_USED", "real"),
    ("CREDITS_USED_COMPUTE", "real"),
    ("CREDITS_USED_CLOUD_SERVICES", "real"),
    ("CREDITS_ATTRIBUTED_COMPUTE_QUERIES", "real"),
]


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY")
def warehouse_metering(session: Session, database: str) -> Result:
    """The last year by hour."""
    return rows_result(_COLUMNS, _rows(_year(session)), SELECT)


@table_function("INFORMATION_SCHEMA.WAREHOUSE_METERING_HISTORY")
def warehouse_metering_history(session: Session, call: TableCall) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/warehouse_metering_history"""
    call = arguments.bind(
        call, ("DATE_RANGE_START", "DATE_RANGE_END", "WAREHOUSE_NAME"), "WAREHOUSE_METERING_HISTORY"
    )
    moment = now()
    start = arguments.moment(call, "DATE_RANGE_START") or moment - MONTHS
    end = arguments.moment(call, "DATE_RANGE_END") or moment
    wanted = arguments.text(call, "WAREHOUSE_NAME")
    found = metered(session, max(start, moment - MONTHS), min(end, moment))
    columns = [_COLUMNS[i] for i in (0, 1, 3, 4, 5, 6, 7)]
    rows = [(r[0], r[1], *r[3:]) for r in _rows(found) if wanted in (None, r[3])]
    return rows_result(columns, rows, SELECT)


_METERING = [
    ("SERVICE_TYPE", "text"),
    ("START_TIME", "timestamp_ltz"),
    ("END_TIME", "timestamp_ltz"),
    ("ENTITY_ID", "fixed"),
    ("ENTITY_TYPE", "text"),
    ("NAME", "text"),
    ("DATABASE_ID", "fixed"),
    ("DATABASE_NAME", "text"),
    ("SCHEMA_ID", "fixed"),
    ("SCHEMA_NAME", "text"),
    ("CREDITS_USED_COMPUTE", "real"),
    ("CREDITS_USED_CLOUD_SERVICES", "real"),
    ("CREDITS_USED", "real"),
    ("BYTES", "fixed"),
    ("ROWS", "fixed"),
    ("FILES", "fixed"),
]


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.METERING_HISTORY")
def metering(session: Session, database: str) -> Result:
    """Warehouses only: nothing else costs credits here."""
    rows = [
        (
            "WAREHOUSE_METERING",
            start,
            end,
            id_,
            "WAREHOUSE",
            name,
            None,
            None,
            None,
            None,
            compute,
            services,
            used,
            None,
            None,
            None,
        )
        for start, end, id_, name, used, compute, services, _ in _rows(_year(session))
    ]
    return rows_result(_METERING, rows, SELECT)
