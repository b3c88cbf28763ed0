"""A synthetic history: millions of task runs as a year of a large network would leave them; the same for one seed.

All that looks like chance is a hash of the seed and of what it is drawn for, so it does not depend on the order in
which rows are made. It is made beside the history and takes its place at the end, whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from services.core.errors import Conflict, Invalid
from services.history import synthetic_costs
from services.history.network import Network, network
from services.history.rollups import sum_days
from services.history.store import History, naive

# So many rows are made, sorted and written at once.
_CHUNK = 100_000
_DATABASE = "SPOKEHUB"
_MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Wanted:
    """``runs`` is the number of task runs, about; the last day ends at ``until``."""

    runs: int
    spokes: int
    days: int
    until: datetime
    seed: int = 1

    def check(self) -> None:
        """Raises Invalid for what cannot be made."""
        for name, value, most in (
            ("--runs", self.runs, 100_000_000), ("--spokes", self.spokes, 1000), ("--days", self.days, _MOST_DAYS)
        ):  # fmt: skip
            if not 1 <= value <= most:
                raise Invalid(f"{name} is {value}", hint=f"Use a number from 1 to {most}.")


def generate(
    path: Path, wanted: Wanted, *, replace: bool = False, told: Callable[[str], None] = print
) -> Network:
    """Make the history at ``path``. Conflict when one with runs is there, unless ``replace``."""
    wanted.check()
    if not replace and _has_runs(path):
        raise Conflict(
            f"{path.name} has runs already", hint="Synthetic ones are not mixed with them: use --replace."
        )
    made = network(wanted.runs, wanted.spokes, wanted.days, wanted.seed)
    beside = path.with_name(path.name + ".new")
    for leftover in (beside, beside.with_name(beside.name + ".wal")):
        leftover.unlink(missing_ok=True)
    history = History(beside, memory="144MB", indexed=False)
    history.open()
    try:
        _fill(history, made, wanted, told)
        history.compact()
    finally:
        history.close()
    # A log belongs to the file that it lies beside: without the old one's the new file is whole.
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    os.replace(beside, path)
    # With its row index, so that the first start need not make it.
    history = History(path)
    history.open()
    history.wait_for_index()
    history.close()
    return made


def summary(path: Path) -> list[str]:
    """What a history holds, a line each."""
    if not path.exists():
        return ["There is no history yet."]
    history = History(path, indexed=False)
    history.open()
    try:
        (found,) = history.rows(
            "SELECT count(*) AS tasks, min(scheduled_at) AS first, max(scheduled_at) AS last FROM task_runs"
        )
        (graphs,) = history.rows(
            "SELECT count(*) AS runs, count(DISTINCT (spoke, environment)) AS places FROM graph_runs"
        )
    finally:
        history.close()
    lines = [
        f"{found['tasks']:,} task runs of {graphs['runs']:,} graph runs, {path.stat().st_size / 1e6:,.0f} MB"
    ]
    if found["tasks"]:
        lines.append(
            f"{graphs['places']} environments of spokes, {found['first']:%Y-%m-%d} to {found['last']:%Y-%m-%d} (UTC)"
        )
    return lines


def _has_runs(path: Path) -> bool:
    if not path.exists():
        return False
    history = History(path, indexed=False)
    history.open()
    try:
        return bool(
            history.rows("SELECT 1 FROM task_runs LIMIT 1")
            or history.rows("SELECT 1 FROM graph_runs LIMIT 1")
        )
    finally:
        history.close()


def _fill(history: History, made: Network, wanted: Wanted, told: Callable[[str], None]) -> None:
    end = naive(wanted.until)
    assert end is not None
    begin = (end - timedelta(days=wanted.days)).replace(hour=0, minute=0, second=0, microsecond=0)
    step = max(1, round(_CHUNK / max(1.0, wanted.runs / wanted.days)))
    summed = begin.date()
    count = 0
    at = begin
    while at < end:
        until = min(at + timedelta(days=step), end)
        with history.write() as db:
            _prepare(db, made, wanted)
            _chunk(db, at, until, begin, end)
            ((rows,),) = db.execute("SELECT count(*) FROM fresh").fetchall()
            synthetic_costs.attribute(
                db, recent=until > end - timedelta(days=synthetic_costs.ATTRIBUTED_DAYS)
            )
            # What is due before midnight may run after it.
            last = until.date() - timedelta(days=1) if until < end else end.date() + timedelta(days=1)
            sum_days(db, _days(summed, last))
            summed = max(summed, last)
            db.execute("DROP TABLE fresh")
        count += int(rows)
        if (until - begin).days * 10 // wanted.days > (at - begin).days * 10 // wanted.days:
            told(f"{until:%Y-%m-%d}: {count:,} task runs")
        at = until
    with history.write() as db:
        synthetic_costs.meter(db)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days)]


def _prepare(db: duckdb.DuckDBPyConnection, made: Network, wanted: Wanted) -> None:
    db.execute(
        f"CREATE OR REPLACE TEMP MACRO u(salt, a, b) AS (hash({wanted.seed:d}, salt, a, b) >> 11) / 9007199254740992.0"
    )
    db.execute(
        "CREATE OR REPLACE TEMP MACRO normal(salt, a, b) AS sqrt(-2 * ln(1 - u(salt, a, b)))"
        " * cos(2 * pi() * u(salt + 1000, a, b))"
    )
    db.register("made_graphs", made.graphs)
    db.register("made_tasks", made.tasks)


def _chunk(
    db: duckdb.DuckDBPyConnection, at: datetime, until: datetime, begin: datetime, end: datetime
) -> None:
    """``fresh``: the task runs of the runs that are due within; into task_runs and graph_runs."""
    moments = {"at": at, "until": until, "begin": begin, "end": end}
    db.execute(_ATTEMPTS, moments)
    db.execute(_TASKS, {"end": end})
    db.execute(f"INSERT INTO task_runs BY NAME SELECT {_KEPT} FROM fresh ORDER BY scheduled_at")
    db.execute(_GRAPHS)
    db.execute("DROP TABLE attempts")


_MINUTES = "CAST(epoch({moment}) / 60 AS BIGINT)"
_ATTEMPTS = f"""
CREATE TEMP TABLE attempts AS
WITH due AS (
    SELECT g.*, unnest(range(
        CAST(ceil(({_MINUTES.format(moment="CAST($at AS TIMESTAMP)")} - g.phase) / g.period) AS BIGINT),
        CAST(ceil(({_MINUTES.format(moment="CAST($until AS TIMESTAMP)")} - g.phase) / g.period) AS BIGINT)
    )) AS k FROM made_graphs AS g
), drawn AS (
    SELECT *, number * 100000000 + k AS run, make_timestamp((k * period + phase) * 60000000) AS due_at,
        u(1, number, k) < 0.004 AS skipped, u(2, number, k) < failure_rate AS fails,
        1 + CAST(floor(u(3, number, k) * (size - 1)) AS BIGINT) AS fail_task,
        u(4, number, k) < 0.003 AS cancelled, u(5, number, k) < 0.05 AS manual, u(6, number, k) < 0.75 AS recovers
    FROM due
), counted AS (
    SELECT *, exp(0.15 * normal(7, number, k)) * CASE WHEN u(8, number, k) < 0.003 THEN 6 ELSE 1 END
            * greatest(0.4, 1 + drift * (epoch(due_at - $begin) / epoch(CAST($end AS TIMESTAMP) - $begin))) AS slow,
        CASE WHEN fails AND NOT skipped THEN 1 + CAST(u(9, number, k) < 0.6 AS INTEGER)
            + CAST(u(9, number, k) < 0.1 AS INTEGER) ELSE 1 END AS attempts
    FROM drawn
)
SELECT *, fails AND NOT skipped AND NOT (attempts > 1 AND attempt = attempts AND recovers) AS failed,
    1 + (fail_task - 1) // width AS fail_level, attempt = attempts AND u(10, number, k) < 0.1 AS suspended,
    due_at + to_microseconds(CAST((attempt - 1) * (slow * length + 300) * 1000000 AS BIGINT)) AS begins
FROM (SELECT *, unnest(range(1, attempts + 1)) AS attempt FROM counted)
"""

_TASKS = f"""
CREATE TEMP TABLE fresh AS
WITH one AS (
    SELECT a.*, t.task, t.name, t.level, t.base, t.offset,
        CASE WHEN u(11, run, attempt) < 0.8 THEN t.code ELSE t.other_code END AS code,
        CASE WHEN u(11, run, attempt) < 0.8 THEN t.message ELSE t.other_message END AS message,
        CASE WHEN u(11, run, attempt) < 0.8 THEN t.mark ELSE t.other_mark END AS mark,
        run * 4000 + attempt * 1000 + t.task AS id,
        CASE
            WHEN a.skipped THEN 'SKIPPED'
            WHEN a.failed AND t.task = a.fail_task THEN
                CASE WHEN a.suspended THEN 'FAILED_AND_AUTO_SUSPENDED' ELSE 'FAILED' END
            WHEN a.failed AND t.level > a.fail_level THEN 'SKIPPED'
            WHEN a.cancelled AND NOT a.fails AND t.level >= a.fail_level THEN 'CANCELLED'
            ELSE 'SUCCEEDED'
        END AS state
    FROM attempts AS a JOIN made_tasks AS t ON t.number = a.number
    WHERE CASE WHEN a.skipped THEN t.task = 0 WHEN a.attempt = 1 THEN true
        ELSE t.task = a.fail_task OR t.level > a.fail_level END
), timed AS (
    SELECT *, begins + to_microseconds(CAST(slow * "offset" * 1000000 AS BIGINT)) AS scheduled_at,
        state <> 'SKIPPED' AS ran,
        least(0.2 + 0.6 * exp(0.9 * normal(12, id, 0)), 1.9 * greatest(slow, 0.3)) AS queued,
        slow * base * least(exp(0.14 * normal(13, id, 0)), 1.35)
            * CASE WHEN state = 'SUCCEEDED' THEN 1 ELSE 0.7 END AS took
    FROM one
)
SELECT spoke, environment, '{_DATABASE}' AS database_name, schema_name, graph, name,
    printf('01b0%04x-0000-0000-0000-%012x', number, number) AS root_id,
    CAST(1 + number % 7 AS BIGINT) AS graph_version, CAST(run AS VARCHAR) AS run_id,
    CAST(attempt AS INTEGER) AS attempt,
    state,
    CASE WHEN attempt > 1 THEN CASE WHEN manual THEN 'MANUAL RETRY' ELSE 'AUTOMATIC RETRY' END
        WHEN manual THEN 'EXECUTE TASK' ELSE 'SCHEDULE' END AS scheduled_from,
    scheduled_at, CASE WHEN ran THEN scheduled_at + to_microseconds(CAST(queued * 1000000 AS BIGINT)) END AS started_at,
    scheduled_at + to_microseconds(CAST(CASE WHEN ran THEN queued + took ELSE 0 END * 1000000 AS BIGINT))
        AS completed_at,
    CASE WHEN ran THEN printf('01b0%04x-%04x-%04x-0000-%012x', number, task, attempt, k) END AS query_id,
    'CALL ' || schema_name || '.' || replace(name, '$', '_') || '()' AS query_text,
    CASE WHEN starts_with(state, 'FAILED') THEN code END AS error_code,
    CASE WHEN starts_with(state, 'FAILED')
        THEN replace(message, '#', CAST(CAST(u(14, id, 0) * 100000 AS BIGINT) AS VARCHAR)) END AS error_message,
    CASE WHEN starts_with(state, 'FAILED') THEN mark END AS fingerprint,
    CASE WHEN task = 0 THEN '{{"horizon_days": ' || (7 + number % 3 * 7) ||
        CASE WHEN manual THEN ', "request_id": "op-' || run || '"' ELSE '' END || '}}' END AS config,
    'usage' AS source, CAST($end AS TIMESTAMP) AS seen_at,
    number, task, size, warehouse, skipped, CAST(attempts AS INTEGER) AS attempts, took, ran
FROM timed
"""
_KEPT = (
    "spoke, environment, database_name, schema_name, graph, name, root_id, graph_version, run_id, attempt, state,"
    " scheduled_from, scheduled_at, started_at, completed_at, query_id, query_text, error_code, error_message,"
    " fingerprint, config, source, seen_at"
)
# What RunWriter would derive of the same task runs; a test holds the two together.
_GRAPHS = """
INSERT INTO graph_runs BY NAME
WITH configured AS (SELECT run_id, max(config) AS config FROM fresh WHERE task = 0 GROUP BY run_id), grouped AS (
    SELECT spoke, environment, database_name, schema_name, graph, root_id, graph_version, run_id, attempt, attempts,
        CASE
            WHEN bool_or(skipped) THEN 'SKIPPED'
            WHEN bool_or(state = 'FAILED_AND_AUTO_SUSPENDED') THEN 'FAILED_AND_AUTO_SUSPENDED'
            WHEN bool_or(state = 'FAILED') THEN 'FAILED'
            WHEN bool_or(state = 'CANCELLED') THEN 'CANCELLED'
            ELSE 'SUCCEEDED'
        END AS state,
        any_value(scheduled_from) AS scheduled_from, min(scheduled_at) AS scheduled_at,
        min(started_at) AS started_at, max(completed_at) AS completed_at,
        CAST(CASE WHEN bool_or(skipped) THEN 1 ELSE any_value(size) END AS INTEGER) AS tasks,
        CAST(count(*) FILTER (starts_with(state, 'FAILED')) AS INTEGER) AS tasks_failed,
        max(name) FILTER (starts_with(state, 'FAILED')) AS first_error_task, max(error_code) AS first_error_code,
        max(error_message) AS first_error_message, max(fingerprint) AS fingerprint,
        any_value(source) AS source, any_value(seen_at) AS seen_at
    FROM fresh GROUP BY ALL
)
SELECT g.*, c.config, config ->> '$.request_id' AS request_id,
    CASE WHEN started_at IS NOT NULL THEN greatest(epoch(started_at - scheduled_at), 0) END AS queue_seconds,
    greatest(epoch(completed_at - coalesce(started_at, scheduled_at)), 0) AS run_seconds
FROM grouped AS g LEFT JOIN configured AS c USING (run_id) ORDER BY scheduled_at
"""
