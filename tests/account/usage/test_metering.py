"""Credits of an account: by warehouse, task, hour, day and query, and that they never change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import embedded_account.loaded  # noqa: F401  registers what the account answers
from embedded_account.account import Account
from embedded_account.meters.settings import SETTINGS
from embedded_account.running import Running
from embedded_account.session import Session
from embedded_account.statements import execute
from embedded_account.usage import meter, queries, start

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
USAGE = "snowflake.account_usage"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def session(data: Path) -> Iterator[Session]:
    session = opened(data)
    execute(session, "create warehouse WH auto_suspend = 60")
    execute(session, "create warehouse SMALL_WH warehouse_size = small auto_suspend = 120")
    execute(session, "create warehouse READER")
    since_the_hour(session)
    yield session
    session.account.close()


def opened(data: Path) -> Session:
    account = Account(data)
    start(account)
    return Session(account)


def since_the_hour(session: Session) -> None:
    """What was set holds since before the hour."""
    session.account.execute(f"UPDATE {SETTINGS} SET since = ? WHERE since > ?", [HOUR, HOUR])


def note(session: Session, warehouse: str, at: float, seconds: float, query_id: str, **more: Any) -> None:
    session.warehouse = warehouse
    record = session.account.record_query
    assert record is not None
    record(
        session,
        Running(query_id, HOUR + timedelta(seconds=at), "select 1", "SELECT", **more),
        seconds,
        1,
        None,
    )
    session.warehouse = None


def rows(session: Session, view: str, columns: str = "*", where: str = "true") -> list[Any]:
    """Rows of a view but for what reading them costs."""
    before, session.warehouse = session.warehouse, "READER"
    others = {"metering_history": "name", "metering_daily_history": "usage_date"}.get(view, "warehouse_name")
    where += f" and {others} <> " + ("current_date()" if others == "usage_date" else "'READER'")
    found = execute(session, f"select {columns} from {USAGE}.{view} where {where} order by all").rows()
    session.warehouse = before
    return found


METERING = (
    "warehouse_metering_history",
    "start_time, warehouse_name, credits_used_compute, credits_attributed_compute_queries",
)
ATTRIBUTION = "query_attribution_history", "query_id, warehouse_name, credits_attributed_compute"


def test_what_an_hour_came_to(session: Session) -> None:
    note(session, "WH", 0, 100, "a")
    note(session, "WH", 50, 100, "b")
    note(session, "SMALL_WH", 3500, 200, "c")
    note(session, "WH", 1000, 0.1, "short")
    assert rows(session, *METERING) == [
        (HOUR, "SMALL_WH", pytest.approx(2 * 100 / 3600), pytest.approx(2 * 100 / 3600)),
        # 150 seconds and 60 idle ones; a start for a tenth of a second.
        (HOUR, "WH", pytest.approx((210 + 60.1) / 3600), pytest.approx(150 / 3600)),
        (HOUR + timedelta(hours=1), "SMALL_WH", pytest.approx(2 * 220 / 3600), pytest.approx(2 * 100 / 3600)),
    ]
    assert rows(session, *ATTRIBUTION) == [
        ("a", "WH", pytest.approx(75 / 3600)),
        ("b", "WH", pytest.approx(75 / 3600)),
        ("c", "SMALL_WH", pytest.approx(2 * 200 / 3600)),
    ]
    assert rows(session, "metering_daily_history", "usage_date, service_type, credits_billed") == [
        (
            day,
            "WAREHOUSE_METERING",
            pytest.approx(sum(r[2] for r in rows(session, *METERING) if r[0].date() == day)),
        )
        for day in sorted({HOUR.date(), (HOUR + timedelta(hours=1)).date()})
    ]


def change_size(session: Session) -> None:
    execute(session, "alter warehouse WH set warehouse_size = large auto_suspend = 3000")


def drop(session: Session) -> None:
    execute(session, "drop warehouse WH")


def replaced(session: Session) -> None:
    execute(session, "create or replace warehouse WH warehouse_size = medium")


@pytest.mark.parametrize("change", [change_size, drop, replaced])
@pytest.mark.parametrize("read_before", [True, False])
def test_an_hour_that_ended_stays_as_it_is(
    session: Session, data: Path, change: Callable[[Session], None], read_before: bool
) -> None:
    """Also one that nobody has read when the warehouse changes."""
    note(session, "WH", 0, 100, "a")
    expected = [(HOUR, "WH", pytest.approx(160 / 3600), pytest.approx(100 / 3600))]
    if read_before:
        assert rows(session, *METERING) == expected
    change(session)
    assert rows(session, *METERING) == expected
    session.account.close()
    again = opened(data)
    assert rows(again, *METERING) == expected
    assert rows(again, *ATTRIBUTION) == [("a", "WH", pytest.approx(100 / 3600))]
    again.account.close()


def test_an_hour_is_closed_while_a_query_runs_on(session: Session, data: Path) -> None:
    """The query's row comes with its end and has both hours' parts; each hour has its own."""
    running = Running("long", HOUR + timedelta(minutes=50), "select 1", "SELECT")
    session.warehouse = "WH"
    session.running.append(running)
    metering = meter.meter_of(session.account)
    metering.close_hours(HOUR + timedelta(hours=1, seconds=2))
    session.running.clear()
    record = session.account.record_query
    assert record is not None
    record(session, running, 1800, 1, None)
    session.warehouse = None
    metering.close_hours(HOUR + timedelta(hours=2, seconds=2))
    assert rows(session, *METERING) == [
        (HOUR, "WH", pytest.approx(600 / 3600), pytest.approx(600 / 3600)),
        (HOUR + timedelta(hours=1), "WH", pytest.approx(1260 / 3600), pytest.approx(1200 / 3600)),
    ]
    assert rows(session, *ATTRIBUTION) == [("long", "WH", pytest.approx(0.5))]


def test_closing_is_all_or_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    note(session, "WH", 0, 100, "a")

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("embedded_account.usage.meter.state.write", fail)
        with pytest.raises(RuntimeError):
            meter.meter_of(session.account).close_hours()
    assert session.account.execute(f"SELECT count(*) FROM {meter.HOURS}") == [(0,)]
    assert len(rows(session, *METERING)) == 1
    assert len(rows(session, *METERING)) == 1


def test_a_warehouse_that_never_suspends_runs_on(session: Session) -> None:
    execute(session, "create or replace warehouse ON_WH auto_suspend = 0")
    since_the_hour(session)
    note(session, "ON_WH", 600, 5, "q")
    until = HOUR + timedelta(hours=20)
    found = rows(session, METERING[0], "start_time, credits_used", f"start_time < '{until.isoformat()}'")
    assert found == [(HOUR + timedelta(hours=n), pytest.approx(1 if n else 50 / 60)) for n in range(20)]


def test_only_statements_that_compute_cost_credits(session: Session) -> None:
    execute(session, "show warehouses")
    execute(session, "alter warehouse WH set comment = 'x'")
    assert rows(session, *METERING) == []
    execute(session, "use warehouse WH")
    execute(session, "select system$wait(0.11)")
    assert rows(session, METERING[0], "warehouse_name, credits_used = credits_used_compute, "
        "credits_used >= credits_attributed_compute_queries, credits_attributed_compute_queries > 0",
    ) == [("WH", True, True, True)]  # fmt: skip
    assert rows(session, "metering_history", "service_type, entity_type, name") == [
        ("WAREHOUSE_METERING", "WAREHOUSE", "WH")
    ]


def test_the_refresh_of_a_dynamic_table_costs_its_own_warehouse(session: Session) -> None:
    for sql in ("use warehouse WH", "create database D", "create table T as select 1 as A"):
        execute(session, sql)
    execute(
        session,
        "create dynamic table DT target_lag = '1 day' warehouse = SMALL_WH initialize = on_schedule as select A from T",
    )
    assert rows(session, METERING[0], "warehouse_name") == [("WH",)]
    execute(session, "alter dynamic table DT refresh")
    assert rows(session, METERING[0], "warehouse_name") == [("SMALL_WH",), ("WH",)]


def test_statements_within_statements(session: Session) -> None:
    """What is called has its caller and the topmost; its time is its own, not its caller's."""
    execute(session, "alter session set query_tag = 'spoke=pudo'")
    session.warehouse = "WH"
    execute(session, "execute immediate $$ execute immediate 'select system$wait(0.11)' $$")
    found = rows(session, ATTRIBUTION[0], "query_id, parent_query_id, root_query_id, query_tag, user_name")
    queries.flush(session.account)
    kept = session.account.execute(
        f"SELECT query_id, query_text FROM {queries.QUERIES} WHERE query_text LIKE '%wait(0.11)%' "
        "ORDER BY len(query_text)"
    )
    inner, middle, outer = (query_id for query_id, _ in kept)
    assert found == [(inner, middle, outer, "spoke=pudo", "SPOKEHUB")]


def test_a_procedure_and_its_queries(run: Any, database: str) -> None:
    run("alter session set query_tag = 'graph=training'")
    run(
        "create procedure P() returns varchar language python runtime_version = '3.11' handler = 'run' "
        "packages = ('snowflake-snowpark-python') as $$\n"
        "def run(session):\n    session.sql('select system$wait(0.15)').collect()\n    return 'done'\n$$"
    )
    assert run("call P()") == [("done",)]
    attributed = f"{USAGE}.query_attribution_history"
    (call,), (inner,) = (
        run(
            f"select query_id from {USAGE}.query_history where database_name = '{database}' and query_text = '{text}'"
        )
        for text in ("call P()", "select system$wait(0.15)")
    )
    found = run(
        f"select query_id, parent_query_id, root_query_id, query_tag from {attributed} where "
        f"query_tag = 'graph=training' and '{call[0]}' in (query_id, root_query_id) order by root_query_id nulls first"
    )
    assert found == [
        (call[0], None, None, "graph=training"),
        (inner[0], call[0], call[0], "graph=training"),
    ]


def test_tasks_without_a_warehouse(run: Any, settle: Any, database: str) -> None:
    run("create task SERVERLESS as select system$wait(0.2)")
    run("create task ORDINARY warehouse = WH after SERVERLESS as select system$wait(0.2)")
    run("select system$task_dependents_enable('SERVERLESS')")
    run("execute task SERVERLESS")
    settle()
    view = f"{USAGE}.serverless_task_history where database_name = '{database}'"
    ((name, schema, used),) = run(f"select task_name, schema_name, credits_used from {view}")
    assert (name, schema) == ("SERVERLESS", "S")
    took = f"select timestampdiff('ms', start_time, end_time) from {USAGE}.query_history where query_id = "
    ((query_id,),) = run(
        f"select query_id from {USAGE}.task_history where name = 'SERVERLESS' and database_name = '{database}'"
    )
    ((milliseconds,),) = run(f"{took}'{query_id}'")
    assert used == pytest.approx(0.9 * milliseconds / 3_600_000, abs=0.9 / 1_800_000)
    called = "information_schema.serverless_task_history(task_name => '{}')"
    function = f"select task_name, credits_used from table({called})"
    assert run(function.format(f"{database}.s.serverless")) == [("SERVERLESS", pytest.approx(used))]
    assert run(function.format(f"{database}.s.ordinary")) == []
    assert run(
        f"select name, credits_used from {USAGE}.metering_history where service_type = 'SERVERLESS_TASK' "
        f"and entity_type = 'TASK' and database_name = '{database}'"
    ) == [("SERVERLESS", pytest.approx(used))]


def test_reading_often_adds_up_to_the_same(session: Session) -> None:
    """The hour that goes on is kept in parts; each read and the closed hour tell the whole."""
    metering = meter.meter_of(session.account)
    now = datetime.now(UTC)
    begun = now.replace(minute=0, second=0, microsecond=0)
    session.account.execute(f"UPDATE {SETTINGS} SET since = ?", [begun - timedelta(hours=3)])
    for n in range(4):
        metering.bring_up_to_date()
        session.warehouse = "WH"
        record = session.account.record_query
        assert record is not None
        record(
            session,
            Running(f"q{n}", datetime.now(UTC) - timedelta(seconds=0.5), "select 1", "SELECT"),
            0.5,
            1,
            None,
        )
        session.warehouse = None
    live = rows(session, *ATTRIBUTION)
    assert [query_id for query_id, _, _ in live] == ["q0", "q1", "q2", "q3"]
    metering.close_hours(now + timedelta(hours=2))
    closed = rows(session, *ATTRIBUTION)
    assert closed == [(query_id, name, pytest.approx(cost)) for query_id, name, cost in live]
    whole = [cost for _, name, _, cost in rows(session, *METERING) if name == "WH"]
    # An hour's credits have nine decimals.
    assert sum(whole) == pytest.approx(sum(cost for _, _, cost in closed), abs=2e-9)
