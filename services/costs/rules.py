"""The statements that ``rolling.py`` executes, each of which makes a table that the next ones read.

``$since`` and ``$until`` enclose the days of ``rolled``; ``$early`` is from when something may run that costs then.
"""

from __future__ import annotations

WAREHOUSES, SERVERLESS = "WAREHOUSE_METERING", "SERVERLESS_TASK"
CONTAINERS, ACCELERATION = "SNOWPARK_CONTAINER_SERVICES", "QUERY_ACCELERATION"
# Parts of one thing. https://docs.snowflake.com/en/sql-reference/account-usage/metering_history
_FLEX = "SERVERLESS_TASK_FLEX"
_JOB = r"(?i)\bIN\s+COMPUTE\s+POOL\s+(\"(?:[^\"]|\"\")+\"|[A-Za-z_][A-Za-z0-9_$]*)"


def _nanos(column: str) -> str:
    """Billionths of a credit, which is how exact the metering is."""
    return f"CAST(round({column} * 1e9) AS BIGINT)"


def _days(column: str) -> str:
    return f"{column} >= $since AND {column} < $until AND {column}::DATE IN (SELECT day FROM rolled)"


def _shares(part_of: str, whole: str, weight: str, order: str) -> str:
    """``whole`` divided in whole numbers by ``weight`` among the rows of ``part_of``: the shares sum up to it."""
    over = f"OVER (PARTITION BY {part_of}"
    upto = f"sum({weight}::HUGEINT) {over} ORDER BY {order} ROWS UNBOUNDED PRECEDING)"
    all_ = f"sum({weight}::HUGEINT) {over})"
    return f"({whole}::HUGEINT * {upto} // {all_} - {whole}::HUGEINT * ({upto} - {weight}) // {all_})::BIGINT"


_OWNED = """
    SELECT name, (max({'long': length(prefix), 'spoke': spoke, 'environment': environment})) AS owner
    FROM (
        SELECT DISTINCT name FROM (
            SELECT name FROM metered UNION ALL SELECT name FROM idle
            UNION ALL SELECT warehouse_name FROM asked UNION ALL SELECT pool FROM pools
        ) AS names WHERE name IS NOT NULL
    ) AS resources
    JOIN cost_places ON upper(name) = prefix OR starts_with(upper(name), prefix || '_')
    GROUP BY name
"""

_ASKED = f"""
    SELECT coalesce(root_query_id, query_id) AS root, warehouse_name, query_tag, ended_at::DATE AS day,
        sum({_nanos("credits")})::BIGINT AS nanos, sum({_nanos("acceleration_credits")})::BIGINT AS acceleration
    FROM query_credits WHERE {_days("ended_at")} GROUP BY ALL
"""

# A JSON object of the service's own; whatever else somebody writes there says nothing.
_TAGS = """
    SELECT query_tag, tag ->> '$.spoke' AS spoke, tag ->> '$.environment' AS environment, tag ->> '$.graph' AS graph,
        tag ->> '$.run' AS run_id
    FROM (
        SELECT query_tag, TRY_CAST(query_tag AS JSON) AS tag
        FROM (SELECT DISTINCT query_tag FROM asked WHERE query_tag LIKE '{%')
    ) WHERE tag ->> '$.app' = 'spokehub' AND json_type(tag, '$.spoke') = 'VARCHAR'
        AND coalesce(json_type(tag, '$.environment'), 'NULL') IN ('VARCHAR', 'NULL')
"""

_TASKS = """
    SELECT query_id, max({'attempt': attempt, 'spoke': spoke, 'environment': environment, 'graph': graph,
        'run_id': run_id}) AS task
    FROM task_runs SEMI JOIN asked ON asked.root = task_runs.query_id
    WHERE scheduled_at >= $early AND scheduled_at < $until GROUP BY query_id
"""

_REFRESHED = """
    SELECT query_id, max({'spoke': spoke, 'environment': environment}) AS place
    FROM refreshes SEMI JOIN asked ON asked.root = refreshes.query_id
    WHERE started_at >= $early AND started_at < $until AND spoke IS NOT NULL GROUP BY query_id
"""

_CHARGED = """
    SELECT day, warehouse_name, nanos, acceleration, coalesce(task.graph, tags.graph) AS graph,
        CASE WHEN task.graph IS NOT NULL THEN task.run_id ELSE tags.run_id END AS run_id,
        CASE WHEN task.spoke IS NOT NULL THEN {'spoke': task.spoke, 'environment': task.environment}
            WHEN place IS NOT NULL THEN place
            WHEN tags.spoke IS NOT NULL THEN {'spoke': tags.spoke, 'environment': tags.environment}
            ELSE {'spoke': owner.spoke, 'environment': owner.environment} END AS whose
    FROM asked
    LEFT JOIN tasks_of ON tasks_of.query_id = root
    LEFT JOIN refreshed ON refreshed.query_id = root
    LEFT JOIN tags ON tags.query_tag = asked.query_tag
    LEFT JOIN owned ON owned.name = warehouse_name
"""

_METERED = f"""
    SELECT hour::DATE AS day, CASE service_type WHEN '{_FLEX}' THEN '{SERVERLESS}' ELSE service_type END AS service,
        name, database_name, schema_name, sum({_nanos("credits")} - {_nanos("credits_cloud")})::BIGINT AS compute,
        sum({_nanos("credits_cloud")})::BIGINT AS cloud
    FROM metering WHERE {_days("hour")} GROUP BY ALL
"""

# On, and charged to no statement; what it was is not known before the metering tells what was attributed.
_IDLE = f"""
    SELECT hour::DATE AS day, warehouse_name AS name,
        sum(greatest({_nanos("credits_compute")} - {_nanos("credits_attributed")}, 0))::BIGINT AS nanos
    FROM warehouse_metering WHERE {_days("hour")} AND credits_attributed IS NOT NULL GROUP BY ALL
"""

_TASK_HOURS = f"""
    SELECT row_number() OVER () AS id, started_at::DATE AS day, spoke, environment, database_name, schema_name, name,
        started_at, ended_at, {_nanos("credits")} AS nanos
    FROM serverless_tasks WHERE {_days("started_at")}
"""

# To the runs that ran in that time, by how long they did.
_SERVERLESS_PARTS = f"""
    SELECT day, spoke, environment, split_part(name, '$', 1) AS graph, run_id,
        CASE WHEN run_id IS NULL THEN nanos
            ELSE {_shares("id", "nanos", "weight", "run_id, attempt")} END AS nanos
    FROM (
        SELECT h.*, t.run_id, t.attempt, greatest(1, epoch_ms(least(coalesce(t.completed_at, h.ended_at), h.ended_at))
            - epoch_ms(greatest(t.started_at, h.started_at))) AS weight
        FROM task_hours AS h LEFT JOIN (
            SELECT * FROM task_runs WHERE scheduled_at >= $early AND scheduled_at < $until AND started_at IS NOT NULL
        ) AS t ON t.database_name = h.database_name AND t.schema_name = h.schema_name AND t.name = h.name
            AND t.started_at < h.ended_at AND coalesce(t.completed_at, h.ended_at) >= h.started_at
    )
"""

_POOLS = f"""
    SELECT hour::DATE AS day, pool, sum({_nanos("credits")})::BIGINT AS nanos
    FROM compute_pools WHERE {_days("hour")} GROUP BY ALL
"""

# Statements that name a pool, and how long each took on each day: a job's statement ends with the job.
_JOBS = f"""
    WITH named AS (
        SELECT query_id, query_text AS text, spoke, environment, graph, run_id, started_at,
            coalesce(completed_at, started_at) AS ended_at
        FROM task_runs
        WHERE scheduled_at >= $early AND scheduled_at < $until AND started_at IS NOT NULL
            AND query_id IS NOT NULL AND query_text ILIKE '%compute%pool%'
        UNION ALL
        SELECT query_id, query_text, spoke, environment, graph, run_id, started_at, coalesce(ended_at, started_at)
        FROM queries WHERE started_at >= $early AND started_at < $until AND query_text ILIKE '%compute%pool%'
    ), told AS (
        SELECT *, regexp_extract(text, '{_JOB}', 1) AS written FROM named
        QUALIFY row_number() OVER (PARTITION BY query_id ORDER BY run_id NULLS LAST, spoke NULLS LAST) = 1
    )
    SELECT rolled.day, CASE WHEN starts_with(written, '"') THEN replace(written[2:-2], '""', '"')
            ELSE upper(written) END AS pool, query_id, spoke, environment, graph, run_id,
        greatest(1, epoch_ms(least(ended_at, (rolled.day + 1)::TIMESTAMP))
            - epoch_ms(greatest(started_at, rolled.day::TIMESTAMP))) AS weight
    FROM told JOIN rolled ON started_at < (rolled.day + 1)::TIMESTAMP AND ended_at >= rolled.day::TIMESTAMP
    WHERE written <> ''
"""

_POOL_PARTS = f"""
    SELECT day, coalesce(owner.spoke, jobs.spoke) AS spoke,
        CASE WHEN owner.spoke IS NOT NULL THEN owner.environment ELSE jobs.environment END AS environment,
        jobs.graph, jobs.run_id, pool,
        CASE WHEN query_id IS NULL THEN nanos
            ELSE {_shares("day, pool", "nanos", "weight", "query_id")} END AS nanos
    FROM pools LEFT JOIN jobs USING (day, pool) LEFT JOIN owned ON owned.name = pool
"""

# Everything that is explained, by what caused it.
_PARTS = f"""
    SELECT day, whose.spoke AS spoke, whose.environment AS environment, graph, run_id, warehouse_name AS resource,
        '{WAREHOUSES}' AS service, 'compute' AS kind, nanos FROM charged
    UNION ALL SELECT day, whose.spoke, whose.environment, graph, run_id, warehouse_name, '{ACCELERATION}',
        'acceleration', acceleration FROM charged
    UNION ALL SELECT day, owner.spoke, owner.environment, NULL, NULL, name, '{WAREHOUSES}', 'idle', nanos
        FROM idle LEFT JOIN owned USING (name)
    UNION ALL SELECT day, spoke, environment, graph, run_id, NULL, '{SERVERLESS}', 'serverless', nanos
        FROM serverless_parts
    UNION ALL SELECT day, spoke, environment, graph, run_id, pool, '{CONTAINERS}', 'container', nanos FROM pool_parts
    UNION ALL SELECT day, owner.spoke, owner.environment, NULL, NULL, name, service, 'cloud', cloud
        FROM metered LEFT JOIN owned USING (name)
    UNION ALL SELECT day, coalesce(place.spoke, owner.spoke),
        CASE WHEN place.spoke IS NOT NULL THEN place.environment ELSE owner.environment END, NULL, NULL, name, service,
        'other', compute
        FROM metered LEFT JOIN cost_places AS place
            ON place.database_name = metered.database_name AND place.schema_name = metered.schema_name
        LEFT JOIN owned USING (name)
        WHERE service NOT IN ('{WAREHOUSES}', '{SERVERLESS}', '{CONTAINERS}', '{ACCELERATION}')
"""

# What is metered and not explained: by warehouse, and by day of the other services.
_REST = f"""
    SELECT day, service, resource, sum(metered)::BIGINT AS nanos FROM (
        SELECT day, service, CASE service WHEN '{WAREHOUSES}' THEN name END AS resource, compute + cloud AS metered
        FROM metered
        UNION ALL
        SELECT day, service, CASE service WHEN '{WAREHOUSES}' THEN resource END, -nanos FROM parts
    ) GROUP BY ALL
"""

STEPS = (
    ("asked", _ASKED),
    ("metered", _METERED),
    ("pools", _POOLS),
    ("idle", _IDLE),
    ("owned", _OWNED),
    ("tags", _TAGS),
    ("tasks_of", _TASKS),
    ("refreshed", _REFRESHED),
    ("charged", _CHARGED),
    ("task_hours", _TASK_HOURS),
    ("serverless_parts", _SERVERLESS_PARTS),
    ("jobs", _JOBS),
    ("pool_parts", _POOL_PARTS),
    ("parts", _PARTS),
    ("rest", _REST),
)

RESULTS = (
    (
        "costs_daily",
        """
        INSERT INTO costs_daily (day, spoke, environment, graph, resource, service, kind, nanos)
        SELECT day, spoke, environment, graph, resource, service, kind, sum(nanos)::BIGINT AS nanos FROM (
            SELECT day, spoke, environment, graph, resource, service, kind, nanos FROM parts
            UNION ALL
            SELECT day, owner.spoke, owner.environment, NULL, resource, service, 'rest', nanos
            FROM rest LEFT JOIN owned ON owned.name = resource
        ) GROUP BY ALL HAVING sum(nanos) <> 0 ORDER BY day, spoke, environment
        """,
    ),
    (
        "costs_runs",
        """
        INSERT INTO costs_runs (day, spoke, environment, graph, run_id, resource, kind, nanos)
        SELECT day, spoke, environment, graph, run_id, resource, kind, sum(nanos)::BIGINT FROM parts
        WHERE run_id IS NOT NULL AND graph IS NOT NULL
        GROUP BY ALL HAVING sum(nanos) <> 0 ORDER BY day, spoke, environment
        """,
    ),
)
