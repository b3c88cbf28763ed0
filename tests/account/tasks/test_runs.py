"""Runs of graphs: what waits, what a run is configured with, what cancelling reaches, what is retried."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

import embedded_account.loaded  # noqa: F401  registers what the account answers
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.session import Session
from embedded_account.start import start
from embedded_account.statements import execute

Run = Callable[..., list[tuple[Any, ...]]]
Settle = Callable[[], None]
History = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def until(history: History) -> Callable[[tuple[str, str]], None]:
    """Waits until a task is in a state."""

    def wait(wanted: tuple[str, str]) -> None:
        deadline = time.monotonic() + 60
        while wanted not in history("name, state"):
            assert time.monotonic() < deadline, f"waited too long for {wanted}"
            time.sleep(0.02)

    return wait


def test_a_further_execution_replaces_the_one_that_waits(
    run: Run, settle: Settle, history: History, until: Any, database: str
) -> None:
    run("create task ROOT as call system$wait(60)")
    for request in range(4):
        run(f"execute task ROOT using config = '{{\"request\": {request}}}'")
    until(("ROOT", "EXECUTING"))
    waiting = (
        "select state, {} config from table(information_schema.{}) "
        f"where database_name = '{database}' and state = 'SCHEDULED'"
    )
    assert run(waiting.format("", "task_history(task_name => 'ROOT')")) == [("SCHEDULED", '{"request": 3}')]
    found = run(waiting.format("query_start_time,", "current_task_graphs(root_task_name => 'ROOT')"))
    assert found == [("SCHEDULED", None, None)]
    for _ in range(2):
        run("select system$user_task_cancel_ongoing_executions('ROOT')")
        until(("ROOT", "CANCELLED"))
        deadline = time.monotonic() + 60
        while len(history("name")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    settle()
    assert history("config, state") == [
        ('{"request": 0}', "CANCELLED"),
        ('{"request": 3}', "CANCELLED"),
    ]


@pytest.mark.parametrize(
    ("default", "given", "used"),
    [
        (None, None, None),
        ({"a": 1}, None, {"a": 1}),
        (None, {"b": 2}, {"b": 2}),
        ({"a": 1, "deep": {"x": 1, "y": [1]}}, {"deep": {"y": []}}, {"a": 1, "deep": {"x": 1, "y": []}}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
    ],
)
def test_the_configuration_that_each_source_tells(
    run: Run, settle: Settle, history: History, database: str, default: Any, given: Any, used: Any
) -> None:
    """A run's own in TASK_HISTORY, that of the root task in the graph functions."""
    clause = f"config = $${json.dumps(default)}$$" if default else ""
    run(f"create task ROOT {clause} as select 1")
    run("execute task ROOT" + (f" using config = $${json.dumps(given)}$$" if given else ""))
    settle()
    ((task,),) = history("config")
    graphs = [
        run(f"select config from {source} where database_name = '{database}'")
        for source in (
            "table(information_schema.complete_task_graphs())",
            "snowflake.account_usage.complete_task_graphs",
        )
    ]
    assert (task and json.loads(task)) == used
    assert [json.loads(config) if config else None for ((config,),) in graphs] == [default, default]


@pytest.fixture
def wide(run: Run) -> None:
    """Two tasks that take long, one after each, and a finalizer that takes long as well."""
    run("create task ROOT as select 1")
    for name in ("LEFT", "RIGHT"):
        run(f'create task "{name}" after ROOT as call system$wait(60)')
        run(f'create task AFTER_{name} after "{name}" as select 1')
    run("create task FIN finalize = ROOT as call system$wait(60)")
    run("select system$task_dependents_enable('ROOT')")


def test_cancelling_reaches_the_named_task_alone(
    run: Run, wide: None, settle: Settle, history: History, until: Any
) -> None:
    def cancel(name: str) -> str:
        (answer,) = run(f"select system$user_task_cancel_ongoing_executions('{name}')")
        return str(answer[0])

    run("execute task ROOT")
    until(("RIGHT", "EXECUTING"))
    until(("LEFT", "EXECUTING"))
    assert cancel("ROOT").startswith("0 ")
    assert cancel('"LEFT"').startswith("1 ")
    until(("LEFT", "CANCELLED"))
    assert ("RIGHT", "EXECUTING") in history("name, state")
    assert cancel('"RIGHT"').startswith("1 ")
    until(("FIN", "EXECUTING"))
    assert cancel("FIN").startswith("1 ")
    settle()
    assert sorted(history("name, state")) == [
        ("FIN", "CANCELLED"),
        ("LEFT", "CANCELLED"),
        ("RIGHT", "CANCELLED"),
        ("ROOT", "SUCCEEDED"),
    ]


def test_a_task_that_was_replaced_is_not_cancelled(run: Run, settle: Settle, until: Any) -> None:
    run("create task ONE as call system$wait(2)")
    run("execute task ONE")
    until(("ONE", "EXECUTING"))
    run("create or replace task ONE as select 1")
    assert run("select system$user_task_cancel_ongoing_executions('ONE')") == [("0 executions cancelled.",)]
    settle()
    until(("ONE", "SUCCEEDED"))


def test_a_group_is_retried_though_it_is_not_the_last(
    run: Run, settle: Settle, history: History, database: str
) -> None:
    run("create task ROOT as select 1")
    run("create task CHILD after ROOT as insert into MISSING values (1)")
    run("alter task CHILD resume")
    for request in (1, 2):
        run(f"execute task ROOT using config = '{{\"request\": {request}}}'")
        settle()
    groups = [
        group
        for (group,) in run(
            "select graph_run_group_id from table(information_schema.task_history(task_name => 'ROOT')) "
            f"where database_name = '{database}' order by scheduled_time"
        )
    ]
    assert all(isinstance(group, str) for group in groups)
    run("create table MISSING (a int)")
    run(f"execute task ROOT retry graph run group '{groups[0]}'")
    settle()
    assert history("name, state, attempt_number, config")[-1] == ("CHILD", "SUCCEEDED", 2, '{"request": 1}')
    run("execute task ROOT retry last")
    settle()
    assert history("name, state, attempt_number, config")[-1] == ("CHILD", "SUCCEEDED", 2, '{"request": 2}')
    assert run("select count(*) from MISSING") == [(2,)]
    for group, message in (
        (groups[0], "SUCCEEDED, not FAILED or CANCELLED"),
        ("no-such-group", "no graph run group 'no-such-group'"),
        ("1" * 40, "no graph run group"),
    ):
        with pytest.raises(ProgrammingError, match=message):
            run(f"execute task ROOT retry graph run group '{group}'")
    run("create task OTHER as select 1")
    with pytest.raises(ProgrammingError, match="no graph run group"):
        run(f"execute task OTHER retry graph run group '{groups[0]}'")
    with pytest.raises(ProgrammingError, match="it has not run"):
        run("execute task OTHER retry last")


def test_what_cannot_be_retried(tmp_path: Path) -> None:
    account = Account(tmp_path)
    start(account)
    assert account.tasks is not None
    session = Session(account)

    def run(text: str) -> None:
        execute(session, text)
        assert account.tasks is not None
        assert account.tasks.wait_idle(60)

    def group(root: str) -> str:
        sql = f'SELECT max("group") FROM "__account".history.graph_runs WHERE "root" = \'{root}\''
        return str(account.execute(sql)[0][0])

    run("create database D")
    for name in ("OLD", "CHANGED", "REPLACED"):
        run(f"create task {name} as select * from MISSING")
        run(f"execute task {name}")
    age = '"scheduled" - INTERVAL 15 DAY WHERE "root" = \'OLD\''
    account.execute(f'UPDATE "__account".history.graph_runs SET "scheduled" = {age}')
    run("alter task CHANGED set comment = 'another'")
    run("create or replace task REPLACED as select * from MISSING")
    execute(session, "create task BUSY as call system$wait(30)")
    execute(session, "execute task BUSY")
    for name, reason in (
        ("OLD", "more than 14 days ago"),
        ("CHANGED", "was modified"),
        ("REPLACED", "was modified"),
        ("BUSY", "EXECUTING, not FAILED"),
    ):
        for way in ("retry last", f"retry graph run group '{group(name)}'"):
            with pytest.raises(SnowflakeError, match=reason):
                execute(session, f"execute task {name} {way}")
    account.close()
