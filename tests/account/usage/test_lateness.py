"""ACCOUNT_USAGE that is late: each view at the moment at which its rows become old enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import embedded_account.loaded  # noqa: F401  registers what the account answers
from embedded_account.account import Account
from embedded_account.meters.settings import SETTINGS
from embedded_account.objects.dynamic_table_history import TABLE, history_table
from embedded_account.running import Running
from embedded_account.session import Session
from embedded_account.statements import execute
from embedded_account.tasks.runs import GRAPH_RUNS, TASK_RUNS, VERSIONS
from embedded_account.usage import lateness, start
from tests.account.conftest import AccountServer

DELAY = timedelta(hours=3)
# The last hour that is over, with its end at 0 minutes.
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
ENDED = HOUR + timedelta(minutes=40)
CONTENT = '{"root": {"name": ["DB", "S", "A"], "id": "i", "body": "select 1", "owner": "R"}, "children": []}'


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    account = Account(tmp_path_factory.mktemp("account"))
    account.usage_delay = DELAY
    start(account)
    session = Session(account)
    for sql in ("create warehouse WH auto_suspend = 60", "create database DB", "create schema S"):
        execute(session, sql)
    # The warehouse was there before.
    account.execute(f"UPDATE {SETTINGS} SET since = ?", [HOUR])
    ran(session)
    yield session
    account.close()


def ran(session: Session) -> None:
    """One of everything, that ended at `ENDED`."""
    account, begun = session.account, ENDED - timedelta(minutes=5)
    account.execute(
        f"INSERT INTO {GRAPH_RUNS} BY NAME SELECT 7 AS \"group\", 1 AS attempt, 'i' AS root_id, 'DB' AS \"database\", "
        "'S' AS \"schema\", 'A' AS root, 1 AS version, 5 AS run_id, 'SUCCEEDED' AS state, 'SCHEDULE' AS "
        "scheduled_from, ?::TIMESTAMPTZ AS scheduled, scheduled AS original_scheduled, ?::TIMESTAMPTZ AS completed",
        [begun, ENDED],
    )
    account.execute(
        f"INSERT INTO {TASK_RUNS} BY NAME SELECT 7 AS \"group\", 1 AS attempt, 'A' AS \"name\", 'i' AS task_id, "
        "'SUCCEEDED' AS state, 'select 1' AS query_text, ?::TIMESTAMPTZ AS scheduled, ?::TIMESTAMPTZ AS completed",
        [begun, ENDED],
    )
    history_table(session.duck, "DB")
    session.duck.execute(
        f"INSERT INTO DB.__catalog.{TABLE} BY NAME SELECT 'D' AS \"name\", 'S' AS schema_name, 'SUCCEEDED' AS state, "
        "?::TIMESTAMPTZ AS refresh_start_time, ?::TIMESTAMPTZ AS refresh_end_time",
        [begun, ENDED],
    )
    session.warehouse = "WH"
    record = account.record_query
    assert record is not None
    record(session, Running("q", begun, "select 1", "SELECT"), 300.0, 1, None)


VIEWS = {
    "task_history": ENDED,
    "complete_task_graphs": ENDED,
    "query_history": ENDED,
    "dynamic_table_refresh_history": ENDED,
    "warehouse_metering_history": HOUR + timedelta(hours=1),
    "metering_history": HOUR + timedelta(hours=1),
    "metering_daily_history": HOUR + timedelta(hours=1),
    "query_attribution_history": ENDED,
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_row_appears_when_it_is_old_enough(
    session: Session, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    where = "end_time < dateadd('day', -1, current_timestamp())" if "query" in view else "true"

    def seen(at: datetime) -> int:
        monkeypatch.setattr(lateness, "now", lambda: at)
        sql = f"select count(*) from snowflake.account_usage.{view} where {where}"
        return int(execute(session, sql).rows()[0][0])

    appears = VIEWS[view] + DELAY
    assert [seen(appears - timedelta(seconds=1)), seen(appears)] == [0, 1]


def test_an_hour_of_metering_is_whole_from_the_beginning(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = "select start_time, credits_used from snowflake.account_usage.warehouse_metering_history"
    monkeypatch.setattr(lateness, "now", lambda: HOUR + timedelta(hours=1) + DELAY)
    assert execute(session, sql).rows() == [(HOUR, pytest.approx(360 / 3600))]


def test_versions_of_graphs_are_late_too(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    found: Callable[[], list[Any]] = lambda: execute(  # noqa: E731
        session, "select 1 from snowflake.account_usage.task_versions"
    ).rows()
    session.account.execute(f"INSERT INTO {VERSIONS} VALUES ('i', 1, ?, ?)", [ENDED, "not looked at yet"])
    monkeypatch.setattr(lateness, "now", lambda: ENDED + DELAY - timedelta(seconds=1))
    assert found() == []
    session.account.execute(f"DELETE FROM {VERSIONS}")


def test_the_functions_are_live_while_the_views_are_late(tmp_path: Path) -> None:
    server = AccountServer(tmp_path / "data", ("--usage-delay", "3600")).start()
    try:
        with server.connect() as connection, connection.cursor() as cursor:

            def rows(sql: str) -> list[Any]:
                return list(cursor.execute(sql).fetchall())

            for sql in (
                "create warehouse WH",
                "create database DB",
                "create task A warehouse = WH as select 1",
            ):
                cursor.execute(sql)
            cursor.execute("execute task A")
            ended = (
                "select state from table(information_schema.task_history()) where completed_time is not null"
            )
            while not rows(ended):
                pass
            assert rows(ended) == [("SUCCEEDED",)]
            assert len(rows("select 1 from table(information_schema.query_history())")) > 4
            assert len(rows("select 1 from table(information_schema.warehouse_metering_history())")) == 1
            for view in VIEWS:
                assert rows(f"select * from snowflake.account_usage.{view}") == [], view
    finally:
        server.stop()
