"""What snowflake-sqlalchemy sends to read the history: views as tables, table-valued functions, bound times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from snowflake.sqlalchemy import TIMESTAMP_LTZ, URL
from sqlalchemy import bindparam, column, func, select, table, text

from tests.account.conftest import AccountServer

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def ran(account_server: AccountServer) -> Iterator[sa.Connection]:
    """A connection to an account in which one task ran once."""
    known = account_server.connection
    url = URL(
        account="embedded",
        user=known["user"],
        password=known["password"],
        host=known["host"],
        port=known["port"],
    )
    engine = sa.create_engine(url, connect_args={"protocol": "http"})
    with engine.connect() as connection:
        for sql in (
            "CREATE WAREHOUSE IF NOT EXISTS WH",
            "USE WAREHOUSE WH",
            "CREATE DATABASE ALCHEMY",
            "CREATE TASK A WAREHOUSE = WH AS SELECT SYSTEM$WAIT(0.11)",
            "EXECUTE TASK A",
        ):
            connection.execute(text(sql))
        ended = "SELECT 1 FROM SNOWFLAKE.ACCOUNT_USAGE.TASK_HISTORY WHERE DATABASE_NAME = 'ALCHEMY'"
        while not connection.execute(text(ended)).fetchall():
            pass
        yield connection
        connection.execute(text("DROP DATABASE ALCHEMY"))
    engine.dispose()


def view(name: str, *columns: str) -> Any:
    return table(name, *map(column, columns), schema="snowflake.account_usage")


RUNS = view("task_history", "name", "state", "database_name", "completed_time", "query_id")
MINE = RUNS.c.database_name == "ALCHEMY"
QUERIES = view("query_attribution_history", "query_id", "credits_attributed_compute")


def function(name: str, *columns: str, **arguments: Any) -> Any:
    named = [column(key).op("=>")(value) for key, value in arguments.items()]
    return func.table(getattr(func.alchemy.information_schema, name)(*named)).table_valued(*columns)


def now() -> datetime:
    return datetime.now(UTC)


TIMES: dict[str, Callable[[datetime], Any]] = {
    "utc": lambda at: at,
    "another zone": lambda at: at.astimezone(ZoneInfo("America/New_York")),
    "naive": lambda at: at.replace(tzinfo=None),
    "typed": lambda at: bindparam("at", at, type_=sa.DateTime(timezone=True)),
    "ltz": lambda at: bindparam("at", at, type_=TIMESTAMP_LTZ()),
}


@pytest.mark.parametrize("way", TIMES)
def test_a_bound_time_is_the_moment_that_it_means(ran: sa.Connection, way: str) -> None:
    bound = TIMES[way]
    statement = select(RUNS.c.name, RUNS.c.state).where(MINE)
    assert ran.execute(statement.where(RUNS.c.completed_time > bound(now() - HOUR))).all() == [
        ("A", "SUCCEEDED")
    ]
    assert ran.execute(statement.where(RUNS.c.completed_time > bound(now()))).all() == []
    at = column("scheduled_time_range_start").op("=>")
    history = func.table(
        func.alchemy.information_schema.task_history(
            at(bound(now() - HOUR)), column("task_name").op("=>")("A")
        )
    ).table_valued("name", "state", "database_name")
    assert ran.execute(
        select(history.c.name, history.c.state).where(history.c.database_name == "ALCHEMY")
    ).all() == [("A", "SUCCEEDED")]


def test_pages(ran: sa.Connection) -> None:
    ordered = select(RUNS.c.name).where(MINE).order_by(RUNS.c.completed_time.desc(), RUNS.c.query_id)
    assert [ran.execute(ordered.limit(1).offset(at)).all() for at in (0, 1)] == [[("A",)], []]


def test_joined_summed_and_named(ran: sa.Connection) -> None:
    """Columns by their whole path, two views in one statement, and the types of the answers."""
    statement = (
        select(
            RUNS.c.name,
            RUNS.c.completed_time,
            func.sum(QUERIES.c.credits_attributed_compute).label("credits"),
        )
        .select_from(RUNS.join(QUERIES, QUERIES.c.query_id == RUNS.c.query_id))
        .where(MINE, RUNS.c.state.in_(["SUCCEEDED", "FAILED"]))
        .group_by(RUNS.c.name, RUNS.c.completed_time)
    )
    (row,) = ran.execute(statement).mappings().all()
    assert (row["name"], row["completed_time"].utcoffset(), row["credits"] > 0) == ("A", timedelta(), True)
    recent = select(RUNS.c.name).where(MINE).cte("recent")
    assert ran.execute(select(func.count()).select_from(recent)).scalar_one() == 1


FUNCTIONS = {
    "task_history": {"result_limit": 10_000, "error_only": False},
    "complete_task_graphs": {"result_limit": 10},
    "current_task_graphs": {},
    "query_history": {"end_time_range_start": now() - HOUR, "result_limit": 10},
    "warehouse_metering_history": {"date_range_start": now() - HOUR, "date_range_end": now() + HOUR},
    "serverless_task_history": {"date_range_start": now() - HOUR},
    "dynamic_table_refresh_history": {"data_timestamp_start": now() - HOUR},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_with_named_arguments(ran: sa.Connection, name: str) -> None:
    found = function(name, "x", **FUNCTIONS[name]).alias("h")
    rows = ran.execute(select(text("h.*")).select_from(found)).all()
    assert rows or name in ("current_task_graphs", "serverless_task_history", "dynamic_table_refresh_history")
