"""Credits by what caused them, from the copies of Account Usage, by day in ``costs_daily`` and ``costs_runs``.

The sum of a day's rows is what METERING_HISTORY says of that day, to the billionth of a credit. What is metered and
what no other view explains is in rows of kind ``rest``, which is less than nothing where a view tells more than the
metering does, or of another day. Everything is reckoned in whole billionths, so no sum is rounded.

The rules are told in docs/concepts/costs.md. Of a statement the first that says whose it is holds:

1. the run of the task whose statement, or whose statement's descendant, it is;
2. the feature view whose refresh it is;
3. the spoke and the environment in its QUERY_TAG, when Spokehub wrote it;
4. the spoke and the environment that the warehouse is called after;
5. nobody.

https://docs.snowflake.com/en/sql-reference/account-usage/metering_history, …/query_attribution_history,
…/warehouse_metering_history, …/serverless_task_history, …/snowpark_container_services_history
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.costs import rules
from services.costs.types import Place
from services.history import History

if TYPE_CHECKING:
    import duckdb

_DAY = timedelta(days=1)
# Of more days the parts would take much memory at once.
_AT_ONCE = 14
# So many days are always reckoned anew.
_LATE_DAYS = 3
# A task may run for a week. https://docs.snowflake.com/en/sql-reference/parameters#user-task-timeout-ms
_LONGEST = timedelta(days=8)


def roll_up(
    db: duckdb.DuckDBPyConnection, days: Iterable[date], places: Mapping[Place, tuple[str, str]]
) -> None:
    """Reckon these days (UTC) anew; in the transaction of ``db``, so that it is there with what it was made of.

    To be called with the days of whatever was written to ``metering``, ``warehouse_metering`` and ``compute_pools``
    (by hour), ``query_credits`` (by end), ``serverless_tasks`` (by begin), or to the runs and refreshes that they are
    attributed to. ``places`` has (database, schema) of each onboarded (spoke, environment).
    """
    wanted = sorted(set(days))
    if not wanted:
        return
    _note_places(db, places)
    for first in range(0, len(wanted), _AT_ONCE):
        _roll(db, wanted[first : first + _AT_ONCE])


def note_due(db: duckdb.DuckDBPyConnection, days: Iterable[date]) -> None:
    """Say, in the transaction that writes what these days cost, that they are to be reckoned anew."""
    rows = [[day] for day in sorted(set(days))]
    if rows:
        db.executemany("INSERT INTO costs_due VALUES (?)", rows)


def catch_up(history: History, places: Mapping[Place, tuple[str, str]], today: date) -> int:
    """Reckon anew what is due, and the last days, whose runs may have been told later than what they cost.

    A part of the days is one transaction: after an interruption the next call does the rest. Gives their number.
    """
    with history.read() as db:
        due = {row[0] for row in db.execute("SELECT DISTINCT day FROM costs_due").fetchall()}
    days = sorted(due | {today - number * _DAY for number in range(_LATE_DAYS)})
    for first in range(0, len(days), _AT_ONCE):
        part = days[first : first + _AT_ONCE]
        with history.write(runs=False) as db:
            roll_up(db, part, places)
            db.execute("DELETE FROM costs_due WHERE list_contains(?, day)", [part])
    return len(days)


def reckon_all(path: Path, today: date) -> int:
    """Reckon every day of a history that no process has open; whose schemas are whose is told by its runs."""
    history = History(path, memory="144MB", indexed=False)
    history.open()
    try:
        with history.write(runs=False) as db:
            db.execute(
                """
                INSERT INTO costs_due SELECT DISTINCT hour::DATE FROM metering
                UNION SELECT DISTINCT ended_at::DATE FROM query_credits
                """
            )
        rows = history.rows(
            "SELECT DISTINCT spoke, environment, database_name, schema_name FROM graph_runs"
            " WHERE spoke IS NOT NULL AND environment IS NOT NULL"
        )
        places = {
            (row["spoke"], row["environment"]): (row["database_name"], row["schema_name"]) for row in rows
        }
        return catch_up(history, places, today)
    finally:
        history.close()


def _roll(db: duckdb.DuckDBPyConnection, days: list[date]) -> None:
    since = datetime.combine(days[0], time())
    until = datetime.combine(days[-1], time()) + _DAY
    db.execute("CREATE OR REPLACE TEMP TABLE rolled (day DATE)")
    db.executemany("INSERT INTO rolled VALUES (?)", [[day] for day in days])
    values: dict[str, Any] = {"since": since, "until": until, "early": since - _LONGEST}
    for name, query in rules.STEPS:
        asked = {key: value for key, value in values.items() if f"${key}" in query}
        db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", asked)
    for table, query in rules.RESULTS:
        db.execute(
            f"DELETE FROM {table} WHERE day >= ? AND day <= ? AND day IN (SELECT day FROM rolled)",
            [days[0], days[-1]],
        )
        db.execute(query)
    for name, _ in rules.STEPS:
        db.execute(f"DROP TABLE {name}")


def _note_places(db: duckdb.DuckDBPyConnection, places: Mapping[Place, tuple[str, str]]) -> None:
    """``places`` as a table; ``prefix`` is what a warehouse or pool of the place's own is called, or begins with.

    A schema's name that several places share (in databases of their own) says nothing of whose a warehouse is.
    """
    named = [schema.upper() for _, schema in places.values()]
    owners = {where: place for place, where in places.items()}
    rows = [
        [
            spoke,
            environment,
            database,
            schema,
            schema.upper() if schema and named.count(schema.upper()) == 1 else None,
        ]
        for (database, schema), (spoke, environment) in owners.items()
    ]
    db.execute(
        "CREATE OR REPLACE TEMP TABLE cost_places (spoke VARCHAR, environment VARCHAR, database_name VARCHAR,"
        " schema_name VARCHAR, prefix VARCHAR)"
    )
    if rows:
        db.executemany("INSERT INTO cost_places VALUES (?, ?, ?, ?, ?)", rows)
