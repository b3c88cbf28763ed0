"""The tables of the history and their versions.

``spoke`` and ``environment`` are NULL for what belongs to none. ``source`` says which of two rows of one thing to
believe: what the account told late (``usage``) is final, what it told at once (``live``) may still change.
Columns are named as Snowflake names them where it does (``run_id`` is GRAPH_RUN_GROUP_ID).
"""

from __future__ import annotations

import re
import secrets

import duckdb

VERSION = 1
# A file of before a table was thought of has the others.
_CREATE = re.compile(r"(CREATE (?:TABLE|SEQUENCE|INDEX))")

_TABLES = (
    """
    CREATE TABLE task_runs (
        spoke VARCHAR, environment VARCHAR, database_name VARCHAR NOT NULL, schema_name VARCHAR NOT NULL,
        graph VARCHAR NOT NULL, name VARCHAR NOT NULL, root_id VARCHAR, graph_version BIGINT,
        run_id VARCHAR NOT NULL, attempt INTEGER NOT NULL, state VARCHAR NOT NULL, scheduled_from VARCHAR,
        scheduled_at TIMESTAMP NOT NULL, started_at TIMESTAMP, completed_at TIMESTAMP,
        query_id VARCHAR, query_text VARCHAR, condition_text VARCHAR, return_value VARCHAR,
        error_code VARCHAR, error_message VARCHAR, fingerprint VARCHAR, config VARCHAR,
        source VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL
    )
    """,
    # One row for each attempt at a run, derived from its tasks and from what the graph functions told.
    """
    CREATE TABLE graph_runs (
        spoke VARCHAR, environment VARCHAR, database_name VARCHAR NOT NULL, schema_name VARCHAR NOT NULL,
        graph VARCHAR NOT NULL, root_id VARCHAR, graph_version BIGINT,
        run_id VARCHAR NOT NULL, attempt INTEGER NOT NULL, attempts INTEGER NOT NULL,
        state VARCHAR NOT NULL, scheduled_from VARCHAR,
        scheduled_at TIMESTAMP NOT NULL, started_at TIMESTAMP, completed_at TIMESTAMP,
        queue_seconds DOUBLE, run_seconds DOUBLE, tasks INTEGER NOT NULL, tasks_failed INTEGER NOT NULL,
        first_error_task VARCHAR, first_error_code VARCHAR, first_error_message VARCHAR, fingerprint VARCHAR,
        config VARCHAR, request_id VARCHAR, source VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL
    )
    """,
    # What the graph functions told of attempts, from which and from the tasks graph_runs are derived.
    """
    CREATE TABLE told_runs (
        database_name VARCHAR NOT NULL, schema_name VARCHAR NOT NULL, graph VARCHAR NOT NULL, root_id VARCHAR,
        graph_version BIGINT, run_id VARCHAR NOT NULL, attempt INTEGER NOT NULL, state VARCHAR NOT NULL,
        scheduled_from VARCHAR, scheduled_at TIMESTAMP NOT NULL, started_at TIMESTAMP, completed_at TIMESTAMP,
        first_error_task VARCHAR, first_error_code VARCHAR, first_error_message VARCHAR, fingerprint VARCHAR,
        config VARCHAR, source VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL
    )
    """,
    # Since when task runs are kept; no row while all are.
    "CREATE TABLE kept (task_runs_from TIMESTAMP NOT NULL)",
    # Which commit of graph_runs this is: what repeats it says of which one.
    "CREATE TABLE runs_token (token VARCHAR NOT NULL)",
    # What SHOW TASKS told last, so that a graph has its shape and its next run while the account is away.
    """
    CREATE TABLE graph_schedules (
        database_name VARCHAR NOT NULL, schema_name VARCHAR NOT NULL, graph VARCHAR NOT NULL, root_id VARCHAR,
        state VARCHAR, schedule VARCHAR, next_run_at TIMESTAMP, seen_at TIMESTAMP NOT NULL
    )
    """,
    """
    CREATE TABLE runs_daily (
        day DATE NOT NULL, spoke VARCHAR, environment VARCHAR, database_name VARCHAR NOT NULL,
        schema_name VARCHAR NOT NULL, graph VARCHAR NOT NULL, runs INTEGER NOT NULL, succeeded INTEGER NOT NULL,
        failed INTEGER NOT NULL, cancelled INTEGER NOT NULL, skipped INTEGER NOT NULL,
        run_p50 DOUBLE, run_p95 DOUBLE, queue_p50 DOUBLE, queue_p95 DOUBLE, run_seconds DOUBLE NOT NULL
    )
    """,
    """
    CREATE TABLE tasks_daily (
        day DATE NOT NULL, spoke VARCHAR, environment VARCHAR, database_name VARCHAR NOT NULL,
        schema_name VARCHAR NOT NULL, graph VARCHAR NOT NULL, name VARCHAR NOT NULL, runs INTEGER NOT NULL,
        failed INTEGER NOT NULL, run_p50 DOUBLE, run_p95 DOUBLE, run_seconds DOUBLE NOT NULL
    )
    """,
    """
    CREATE TABLE refreshes (
        spoke VARCHAR, environment VARCHAR, database_name VARCHAR NOT NULL, schema_name VARCHAR NOT NULL,
        name VARCHAR NOT NULL, state VARCHAR NOT NULL, state_code VARCHAR, state_message VARCHAR,
        query_id VARCHAR, data_timestamp TIMESTAMP, started_at TIMESTAMP NOT NULL, ended_at TIMESTAMP,
        completion_target TIMESTAMP, refresh_action VARCHAR, refresh_trigger VARCHAR, target_lag_seconds BIGINT,
        rows_inserted BIGINT, rows_deleted BIGINT, warehouse_name VARCHAR,
        source VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL
    )
    """,
    """
    CREATE TABLE column_statistics (
        spoke VARCHAR, environment VARCHAR, database_name VARCHAR NOT NULL, schema_name VARCHAR NOT NULL,
        name VARCHAR NOT NULL, column_name VARCHAR NOT NULL, rows BIGINT NOT NULL, nulls BIGINT NOT NULL,
        distinct_values BIGINT, seen_at TIMESTAMP NOT NULL
    )
    """,
    # Statements that carry a QUERY_TAG of ours or belong to a task; tag is JSON as it was sent.
    """
    CREATE TABLE queries (
        query_id VARCHAR NOT NULL, root_query_id VARCHAR, parent_query_id VARCHAR,
        spoke VARCHAR, environment VARCHAR, graph VARCHAR, run_id VARCHAR, operation_id VARCHAR, purpose VARCHAR,
        query_tag VARCHAR, query_type VARCHAR, query_text VARCHAR, user_name VARCHAR, role_name VARCHAR,
        warehouse_name VARCHAR, state VARCHAR, error_code VARCHAR, error_message VARCHAR,
        started_at TIMESTAMP NOT NULL, ended_at TIMESTAMP, elapsed_ms BIGINT, rows BIGINT,
        source VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL
    )
    """,
    # QUERY_ATTRIBUTION_HISTORY.
    """
    CREATE TABLE query_credits (
        query_id VARCHAR NOT NULL, root_query_id VARCHAR, parent_query_id VARCHAR, warehouse_name VARCHAR NOT NULL,
        query_tag VARCHAR, user_name VARCHAR, started_at TIMESTAMP NOT NULL, ended_at TIMESTAMP NOT NULL,
        credits DOUBLE NOT NULL, acceleration_credits DOUBLE NOT NULL, seen_at TIMESTAMP NOT NULL
    )
    """,
    # WAREHOUSE_METERING_HISTORY, by hour.
    """
    CREATE TABLE warehouse_metering (
        warehouse_name VARCHAR NOT NULL, hour TIMESTAMP NOT NULL, credits DOUBLE NOT NULL,
        credits_compute DOUBLE NOT NULL, credits_cloud DOUBLE NOT NULL, credits_attributed DOUBLE,
        seen_at TIMESTAMP NOT NULL
    )
    """,
    # METERING_HISTORY, by hour: all that an account is charged for.
    """
    CREATE TABLE metering (
        service_type VARCHAR NOT NULL, entity_id VARCHAR, entity_type VARCHAR, name VARCHAR,
        database_name VARCHAR, schema_name VARCHAR, hour TIMESTAMP NOT NULL,
        credits_compute DOUBLE NOT NULL, credits_cloud DOUBLE NOT NULL, credits DOUBLE NOT NULL,
        seen_at TIMESTAMP NOT NULL
    )
    """,
    """
    CREATE TABLE serverless_tasks (
        spoke VARCHAR, environment VARCHAR, database_name VARCHAR NOT NULL, schema_name VARCHAR NOT NULL,
        name VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL, ended_at TIMESTAMP NOT NULL,
        credits DOUBLE NOT NULL, seen_at TIMESTAMP NOT NULL
    )
    """,
    # SNOWPARK_CONTAINER_SERVICES_HISTORY, by hour.
    """
    CREATE TABLE compute_pools (
        pool VARCHAR NOT NULL, application VARCHAR, hour TIMESTAMP NOT NULL, credits DOUBLE NOT NULL,
        seen_at TIMESTAMP NOT NULL
    )
    """,
    # The four above by what caused them, day by day, in billionths of a credit: kept by services/costs/rolling.py.
    """
    CREATE TABLE costs_daily (
        day DATE NOT NULL, spoke VARCHAR, environment VARCHAR, graph VARCHAR, resource VARCHAR,
        service VARCHAR NOT NULL, kind VARCHAR NOT NULL, nanos BIGINT NOT NULL
    )
    """,
    # The part of it that runs of graphs caused.
    """
    CREATE TABLE costs_runs (
        day DATE NOT NULL, spoke VARCHAR, environment VARCHAR, graph VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
        resource VARCHAR, kind VARCHAR NOT NULL, nanos BIGINT NOT NULL
    )
    """,
    # Days whose credits were written, or whose they are, since they were last reckoned.
    "CREATE TABLE costs_due (day DATE NOT NULL)",
    "CREATE SEQUENCE prediction_ids",
    # A prediction that was copied: its rows are in predicted_<id>, predicted_<id>_entities and predicted_<id>_actuals.
    # ``id`` is NULL where only the reason is known why there is no copy. ``contract`` is the one it was copied by.
    """
    CREATE TABLE prediction_copies (
        id INTEGER, spoke VARCHAR NOT NULL, environment VARCHAR NOT NULL, prediction VARCHAR NOT NULL,
        shape VARCHAR, contract VARCHAR, feature_types VARCHAR, as_of TIMESTAMP, changed_at TIMESTAMP,
        problem VARCHAR
    )
    """,
    # What each copied day was like in the account; ``part`` is rows or actuals.
    """
    CREATE TABLE prediction_days (
        copy_id INTEGER NOT NULL, part VARCHAR NOT NULL, day DATE NOT NULL, rows BIGINT NOT NULL, mark VARCHAR
    )
    """,
    # Counted at copying: by time; by day and model version; of the last days. ``body`` and ``cuts`` are JSON.
    """
    CREATE TABLE prediction_times (
        copy_id INTEGER NOT NULL, day DATE NOT NULL, t TIMESTAMP NOT NULL, n BIGINT NOT NULL,
        scored BIGINT NOT NULL, alerts BIGINT NOT NULL, open_alerts BIGINT NOT NULL, cuts VARCHAR,
        body VARCHAR NOT NULL
    )
    """,
    """
    CREATE TABLE prediction_evaluations (
        copy_id INTEGER NOT NULL, day DATE NOT NULL, version VARCHAR NOT NULL, body VARCHAR NOT NULL
    )
    """,
    """
    CREATE TABLE prediction_diagnostics (
        copy_id INTEGER NOT NULL, changed_at TIMESTAMP NOT NULL, days INTEGER NOT NULL, body VARCHAR NOT NULL
    )
    """,
    # How far each source was read; and what each reading cost the account.
    """
    CREATE TABLE sync_marks (
        source VARCHAR PRIMARY KEY, read_to TIMESTAMP NOT NULL, as_of TIMESTAMP NOT NULL, detail VARCHAR
    )
    """,
    """
    CREATE TABLE sync_log (
        read_at TIMESTAMP NOT NULL, source VARCHAR NOT NULL, rows_read BIGINT NOT NULL, rows_new BIGINT NOT NULL,
        statements INTEGER NOT NULL, seconds DOUBLE NOT NULL, warehouse BOOLEAN NOT NULL, error VARCHAR
    )
    """,
)


def upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Make what is missing, in one transaction."""
    connection.begin()
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        for table in _TABLES:
            connection.execute(_CREATE.sub(r"\1 IF NOT EXISTS", table, count=1))
        connection.execute(
            "INSERT INTO schema_version SELECT ? WHERE NOT EXISTS (FROM schema_version)", [VERSION]
        )
        connection.execute(
            "INSERT INTO runs_token SELECT ? WHERE NOT EXISTS (FROM runs_token)", [secrets.token_hex(12)]
        )
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
