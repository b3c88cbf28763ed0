"""Runs of graphs, their versions and their shape.

https://docs.snowflake.com/en/sql-reference/functions/complete_task_graphs, …/current_task_graphs,
…/task_dependents, …/account-usage/complete_task_graphs, …/account-usage/task_versions
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from embedded_account.errors import SnowflakeError
from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import literal
from embedded_account.result import SELECT, Result, rows_result
from embedded_account.session import Session
from embedded_account.tasks import service, show
from embedded_account.tasks.attempts import SCHEDULE
from embedded_account.tasks.definition import CHILD_OVERLAP, TaskDefinition, now
from embedded_account.tasks.graph import Graph, loads
from embedded_account.tasks.runs import (
    CANCELLED,
    FAILED,
    GRAPH_RUNS,
    LIVE,
    SCHEDULED,
    SUCCEEDED,
    TASK_RUNS,
    VERSIONS,
)
from embedded_account.tasks.schedule import Schedule
from embedded_account.usage import arguments, lateness
from embedded_account.usage.arguments import timestamp
from embedded_account.usage.stored_views import stored_view
from embedded_account.usage.task_history import FUTURE, YEAR, identifier

COMPLETED = timedelta(minutes=60)
_FINISHED = f"('{SUCCEEDED}', '{FAILED}', '{CANCELLED}')"
# CONFIG is that of the graph; what EXECUTE TASK added is told by TASK_HISTORY alone.
_RUNS = stored_view(
    "graph_history_rows",
    f"""
    SELECT g."root" AS "ROOT_TASK_NAME", g."database" AS "DATABASE_NAME", g."schema" AS "SCHEMA_NAME",
        g."state" AS "STATE", g."scheduled_from" AS "SCHEDULED_FROM", g."first_error_task" AS "FIRST_ERROR_TASK_NAME",
        TRY_CAST(g."first_error_code" AS BIGINT) AS "FIRST_ERROR_CODE",
        g."first_error_message" AS "FIRST_ERROR_MESSAGE", g."scheduled" AS "SCHEDULED_TIME",
        coalesce(t."started", g."started") AS "QUERY_START_TIME", g."next_scheduled" AS "NEXT_SCHEDULED_TIME",
        g."completed" AS "COMPLETED_TIME", g."root_id" AS "ROOT_TASK_ID", g."version" AS "GRAPH_VERSION",
        g."run_id" AS "RUN_ID", g."attempt" AS "ATTEMPT_NUMBER", g."default_config" AS "CONFIG",
        CAST(g."group" AS VARCHAR) AS "GRAPH_RUN_GROUP_ID", CAST(NULL AS VARCHAR) AS "BACKFILL_INFO"
    FROM {GRAPH_RUNS} AS g LEFT JOIN {TASK_RUNS} AS t
        ON t."group" = g."group" AND t."attempt" = g."attempt" AND t."name" = g."root"
    """,
)


def complete_graphs_sql(limit: int, root: str | None, error_only: bool, extra: str = "") -> str:
    where = [f'"STATE" IN {_FINISHED}', f'"COMPLETED_TIME" >= {timestamp(now() - COMPLETED)}']
    if root is not None:
        where.append(f'upper("ROOT_TASK_NAME") = {literal(root.upper())}')
    if error_only:
        where.append(f"\"STATE\" IN ('{FAILED}', '{CANCELLED}')")
    if extra:
        where.append(extra)
    return f'SELECT * FROM {_RUNS} WHERE {" AND ".join(where)} ORDER BY "COMPLETED_TIME" DESC LIMIT {limit}'


def current_graphs_sql(session: Session, limit: int, root: str | None, extra: str = "") -> str:
    engine = session.account.tasks
    upcoming = engine.scheduler.upcoming() if engine else []
    live = f'SELECT * EXCLUDE ("COMPLETED_TIME") FROM {_RUNS} WHERE "STATE" IN {LIVE}'
    parts = [live, *(_upcoming(task, at) for task, at in upcoming if at <= now() + FUTURE)]
    where = ["true"]
    if root is not None:
        where.append(f'upper("ROOT_TASK_NAME") = {literal(root.upper())}')
    if extra:
        where.append(extra)
    return (
        f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS found WHERE {' AND '.join(where)} "
        f'ORDER BY "SCHEDULED_TIME" DESC LIMIT {limit}'
    )


def _upcoming(task: TaskDefinition, at: datetime) -> str:
    following = Schedule.of(task.schedule or "").after(at)
    return (
        f"SELECT {literal(task.name.name)}, {literal(task.name.database)}, {literal(task.name.schema)}, '{SCHEDULED}', "
        f"'{SCHEDULE}', NULL, NULL, NULL, {timestamp(at)}, NULL, {timestamp(following)}, {literal(task.id)}, "
        f"{task.version}, {int(at.timestamp() * 1000)}, 1, {literal(task.config)}, NULL, NULL"
    )


@table_function("INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS")
def complete_task_graphs(session: Session, call: TableCall) -> str:
    """The last 60 minutes, the latest completed first."""
    call = arguments.bind(call, ("RESULT_LIMIT", "ROOT_TASK_NAME", "ERROR_ONLY"), "COMPLETE_TASK_GRAPHS")
    root, error_only = arguments.text(call, "ROOT_TASK_NAME"), arguments.flag(call, "ERROR_ONLY")
    return complete_graphs_sql(arguments.limit(call, 1000), root, error_only)


@table_function("INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS")
def current_task_graphs(session: Session, call: TableCall) -> str:
    """What executes, what waits, and the next scheduled run of each root within 8 days."""
    call = arguments.bind(call, ("RESULT_LIMIT", "ROOT_TASK_NAME"), "CURRENT_TASK_GRAPHS")
    return current_graphs_sql(session, arguments.limit(call, 1000), arguments.text(call, "ROOT_TASK_NAME"))


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.COMPLETE_TASK_GRAPHS")
def account_complete_task_graphs(session: Session, database: str) -> str:
    """The last year."""
    since, shown = timestamp(now() - YEAR), lateness.old_enough(session, '"COMPLETED_TIME"')
    return f'SELECT * FROM {_RUNS} WHERE "STATE" IN {_FINISHED} AND "COMPLETED_TIME" >= {since} AND {shown}'


@table_function("INFORMATION_SCHEMA.TASK_DEPENDENTS")
def task_dependents(session: Session, call: TableCall) -> Result:
    call = arguments.bind(call, ("TASK_NAME", "RECURSIVE"), "TASK_DEPENDENTS")
    wanted = arguments.text(call, "TASK_NAME")
    if wanted is None:
        raise SnowflakeError(
            "SQL compilation error:\nTASK_DEPENDENTS needs the argument TASK_NAME.", 1015, "22023"
        )
    found = service.dependents(session, session.resolve_text(wanted), arguments.flag(call, "RECURSIVE", True))
    siblings = service.siblings(session, found[0].name)
    columns = [(name.upper(), kind) for name, kind in show.COLUMNS]
    return rows_result(columns, [show.row(task, siblings) for task in found], SELECT)


_VERSION_COLUMNS = [
    ("ROOT_TASK_ID", "text"),
    ("GRAPH_VERSION", "fixed"),
    ("GRAPH_VERSION_CREATED_ON", "timestamp_ltz"),
    ("NAME", "text"),
    ("ID", "text"),
    ("DATABASE_ID", "fixed"),
    ("DATABASE_NAME", "text"),
    ("SCHEMA_ID", "fixed"),
    ("SCHEMA_NAME", "text"),
    ("OWNER", "text"),
    ("COMMENT", "text"),
    ("WAREHOUSE_NAME", "text"),
    ("SCHEDULE", "text"),
    ("PREDECESSORS", "array"),
    ("STATE", "text"),
    ("DEFINITION", "text"),
    ("CONDITION_TEXT", "text"),
    ("ALLOW_OVERLAPPING_EXECUTION", "boolean"),
    ("ERROR_INTEGRATION", "text"),
    ("CONFIG", "text"),
    ("TASK_RELATIONS", "object"),
]


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.TASK_VERSIONS")
def task_versions(session: Session, database: str) -> Result:
    """Each task of each graph version that was cut."""
    rows: list[tuple[object, ...]] = []
    found = session.account.execute(
        f"SELECT root_id, version, created, content FROM {VERSIONS} "
        f"WHERE {lateness.old_enough(session, 'created')} ORDER BY created"
    )
    for root_id, version, created, content in found:
        graph = loads(content)
        rows += [_version_row(session, graph, task, (root_id, version, created)) for task in graph.everything]
    return rows_result(_VERSION_COLUMNS, rows, SELECT)


def _version_row(
    session: Session, graph: Graph, task: TaskDefinition, version: tuple[object, ...]
) -> tuple[object, ...]:
    siblings = {t.name.name: t for t in graph.everything}
    database, schema, name = task.name
    ids = session.account.execute(
        f"SELECT {identifier(literal(database))}, {identifier(literal(database), literal(schema))}"
    )[0]
    state = None if task.is_root else ("started" if task.started else "suspended")
    return (
        *version,
        name,
        task.id,
        ids[0],
        database,
        ids[1],
        schema,
        task.owner,
        task.comment,
        task.warehouse,
        task.schedule,
        json.dumps(show.predecessors(task)),
        state,
        task.body,
        task.condition,
        task.effective_overlap == CHILD_OVERLAP if task.is_root else None,
        None,
        task.config,
        json.dumps(show.relations(task, siblings)),
    )
