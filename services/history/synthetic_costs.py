"""What a synthetic history's task runs cost: attributed to their queries, metered by the hour.

An attribution has the credits of the time that its query ran; an hour of a warehouse has those of all its queries
and of the time that it idled before it was suspended. Queries are attributed for the newest days only, as one row a
task run would make the history half as large again; hours are metered for all.
"""

from __future__ import annotations

import duckdb

from services.history.network import WAREHOUSES

ATTRIBUTED_DAYS = 60
# https://docs.snowflake.com/en/user-guide/cost-understanding-compute: credits an hour, by size.
_RATES = dict(zip(WAREHOUSES, (1.0, 4.0, 8.0), strict=True))
_RATE = (
    "CASE warehouse "
    + " ".join(f"WHEN '{name}' THEN {rate}" for name, rate in _RATES.items())
    + " ELSE 1.0 END"
)
# So many run on a warehouse at once, and share what it costs.
_SHARED = 4.0


def attribute(db: duckdb.DuckDBPyConnection, *, recent: bool) -> None:
    """From ``fresh``: query_credits if these are recent, serverless_tasks, and the hours to meter."""
    credits = f"took * {_RATE} / 3600 / {_SHARED}"
    if recent:
        db.execute(f"""
            INSERT INTO query_credits BY NAME
            SELECT query_id, query_id AS root_query_id, warehouse AS warehouse_name, 'SPOKEHUB' AS user_name,
                '{{"app": "spokehub", "environment": "' || environment || '", "graph": "' || graph || '", "run_id": "'
                    || run_id || '", "spoke": "' || spoke || '"}}' AS query_tag,
                started_at, completed_at AS ended_at, {credits} AS credits, 0.0 AS acceleration_credits, seen_at
            FROM fresh WHERE ran AND warehouse IS NOT NULL ORDER BY started_at
        """)
    db.execute(f"""
        INSERT INTO serverless_tasks BY NAME
        SELECT spoke, environment, database_name, schema_name, name, date_trunc('hour', started_at) AS started_at,
            date_trunc('hour', started_at) + INTERVAL 1 HOUR AS ended_at, sum({credits}) AS credits,
            any_value(seen_at) AS seen_at
        FROM fresh WHERE ran AND warehouse IS NULL GROUP BY ALL ORDER BY started_at
    """)
    db.execute(f"""
        INSERT INTO warehouse_metering BY NAME
        SELECT warehouse AS warehouse_name, date_trunc('hour', started_at) AS hour,
            sum({credits}) AS credits_attributed,
            0.0 AS credits, 0.0 AS credits_compute, 0.0 AS credits_cloud, any_value(seen_at) AS seen_at
        FROM fresh WHERE ran AND warehouse IS NOT NULL GROUP BY ALL
    """)


def meter(db: duckdb.DuckDBPyConnection) -> None:
    """Each hour once, with what it idled and with cloud services; METERING_HISTORY tells the same sums."""
    db.execute("""
        CREATE TEMP TABLE hours AS
        SELECT warehouse_name, hour, sum(credits_attributed) AS attributed, max(seen_at) AS seen_at
        FROM warehouse_metering GROUP BY ALL
    """)
    db.execute("DELETE FROM warehouse_metering")
    db.execute("""
        INSERT INTO warehouse_metering BY NAME
        SELECT warehouse_name, hour, attributed AS credits_attributed, attributed * 1.25 AS credits_compute,
            attributed * 0.05 AS credits_cloud, attributed * 1.25 + attributed * 0.05 AS credits, seen_at
        FROM hours ORDER BY hour, warehouse_name
    """)
    db.execute("DROP TABLE hours")
    db.execute("""
        INSERT INTO metering BY NAME
        SELECT 'WAREHOUSE_METERING' AS service_type, warehouse_name AS entity_id, 'WAREHOUSE' AS entity_type,
            warehouse_name AS name, hour, credits_compute, credits_cloud, credits, seen_at FROM warehouse_metering
        ORDER BY hour
    """)
    db.execute("""
        INSERT INTO metering BY NAME
        SELECT 'SERVERLESS_TASK' AS service_type, database_name || '.' || schema_name || '.' || name AS entity_id,
            'TASK' AS entity_type, name, database_name, schema_name, started_at AS hour, credits AS credits_compute,
            0.0 AS credits_cloud, credits, seen_at FROM serverless_tasks ORDER BY hour
    """)
