"""Tasks in SQL through the connector: definitions, runs, retries, schedules, refusals."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def graph(run: Run) -> None:
    """A check that branches, a join, a finalizer; all resumed."""
    run("create table LOGT(t varchar, v varchar)")
    run(
        "create or replace task ROOT warehouse=WH schedule='USING CRON 0 5 * * * UTC' "
        'config=$${"mode": "drift", "deep": {"list": [1, 2]}}$$ suspend_task_after_num_failures=2 '
        "allow_overlapping_execution=false as select 1"
    )
    run(
        "create task CHK warehouse=WH after ROOT as "
        "call system$set_return_value(iff(system$get_task_graph_config('mode') = 'drift', 'retrain', 'noop'))"
    )
    value = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CHK')"
    run(
        f"create task RETRAIN after CHK when {value}='retrain' as insert into LOGT values ('retrain', {value})"
    )
    run(f"create task NOOP after CHK when {value}='noop' as insert into LOGT values ('noop', '')")
    run(
        "create task JOINT after RETRAIN, NOOP as insert into LOGT select 'joint', system$current_user_task_name()"
    )
    run(
        "create task FIN finalize=ROOT as insert into LOGT values ('fin', system$get_task_graph_config('deep.list[1]'))"
    )
    run("select SYSTEM$TASK_DEPENDENTS_ENABLE('ROOT')")


def test_a_graph_takes_the_branch_that_its_configuration_asks_for(
    run: Run, graph: None, settle: Callable[[], None], history: Callable[[str], Any], database: str
) -> None:
    run("execute task ROOT")
    settle()
    assert sorted(run("select * from LOGT")) == [
        ("fin", "2"),
        ("joint", f"{database}.S.JOINT"),
        ("retrain", "retrain"),
    ]
    assert set(history("name, state, return_value, error_code, attempt_number, scheduled_from")) == {
        ("ROOT", "SUCCEEDED", None, None, 1, "EXECUTE TASK"),
        ("CHK", "SUCCEEDED", "retrain", None, 1, "EXECUTE TASK"),
        ("RETRAIN", "SUCCEEDED", None, None, 1, "EXECUTE TASK"),
        ("NOOP", "SKIPPED", None, "0040003", 1, "EXECUTE TASK"),
        ("JOINT", "SUCCEEDED", None, None, 1, "EXECUTE TASK"),
        ("FIN", "SUCCEEDED", None, None, 1, "EXECUTE TASK"),
    }
    run("truncate table LOGT")
    run('execute task ROOT using config = $${"mode": "calm"}$$')
    settle()
    assert sorted(t for t, _ in run("select * from LOGT")) == ["fin", "joint", "noop"]
    configs = run(
        "select config from table(information_schema.task_history(task_name => 'root')) "
        f"where database_name = '{database}' and query_id is not null order by scheduled_time"
    )
    assert [json.loads(c) for (c,) in configs] == [
        {"mode": mode, "deep": {"list": [1, 2]}} for mode in ("drift", "calm")
    ]


def test_failures_are_retried_counted_and_suspend_the_graph(
    run: Run, graph: None, settle: Callable[[], None], history: Callable[[str], Any], database: str
) -> None:
    run("alter task ROOT suspend")
    run("alter task ROOT set TASK_AUTO_RETRY_ATTEMPTS = 1")
    run("alter task CHK modify as select 1/0 from does_not_exist")
    run("alter task ROOT resume")
    run("execute task ROOT")
    settle()
    assert history("name, state, attempt_number, scheduled_from") == [
        ("ROOT", "SUCCEEDED", 1, "EXECUTE TASK"),
        ("CHK", "FAILED", 1, "EXECUTE TASK"),
        ("CHK", "FAILED", 2, "AUTOMATIC RETRY"),
        ("FIN", "SUCCEEDED", 2, "AUTOMATIC RETRY"),
    ]
    run("execute task ROOT")
    settle()
    assert _state(run, "ROOT") == ("suspended", "SUSPENDED_DUE_TO_ERRORS")
    states = history("name, state, error_code")
    assert states.count(("CHK", "FAILED", "002003")) == 3
    assert states.count(("CHK", "FAILED_AND_AUTO_SUSPENDED", "002003")) == 1
    graphs = run(
        "select state, attempt_number, first_error_task_name, first_error_code from snowflake.account_usage."
        f"complete_task_graphs where database_name = '{database}' order by completed_time"
    )
    assert graphs == [("FAILED", 1, "CHK", 2003), ("FAILED", 2, "CHK", 2003)] * 2


def _state(run: Run, name: str) -> tuple[Any, ...]:
    return run(f'show tasks like \'{name}\' ->> select "state", "last_suspended_reason" from $1')[0]


def test_retry_last_runs_what_failed_and_what_follows(
    run: Run, graph: None, settle: Callable[[], None], history: Callable[[str], Any]
) -> None:
    run("alter task ROOT suspend")
    run("alter task RETRAIN modify as insert into LATER values ('retrain')")
    run("execute task ROOT")
    settle()
    assert ("RETRAIN", "FAILED", 1) in history("name, state, attempt_number")
    run("create table LATER (a varchar)")
    run("execute task ROOT retry last")
    settle()
    again = [row for row in history("name, state, attempt_number, scheduled_from") if row[2] == 2]
    assert again == [
        ("RETRAIN", "SUCCEEDED", 2, "MANUAL RETRY"),
        ("JOINT", "SUCCEEDED", 2, "MANUAL RETRY"),
        ("FIN", "SUCCEEDED", 2, "MANUAL RETRY"),
    ]
    assert len(set(history("graph_run_group_id"))) == len(set(history("run_id"))) == 1
    with pytest.raises(ProgrammingError, match="SUCCEEDED, not FAILED or CANCELLED"):
        run("execute task ROOT retry last")


def test_a_changed_graph_is_not_retried(run: Run, graph: None, settle: Callable[[], None]) -> None:
    run("alter task ROOT suspend")
    run("alter task CHK modify as select * from NOPE")
    run("execute task ROOT")
    settle()
    ((group,),) = run(
        "select distinct graph_run_group_id from table(information_schema.task_history()) where name = 'CHK'"
        " and state = 'FAILED' and query_text = 'select * from NOPE' and database_name = current_database()"
    )
    run("alter task CHK modify as select 2")
    with pytest.raises(ProgrammingError, match="modified"):
        run(f"execute task ROOT retry graph run group '{group}'")


def test_time_limits_and_cancelling(
    run: Run, settle: Callable[[], None], history: Callable[[str], Any], database: str
) -> None:
    run("create table N as select 1 as x")
    for _ in range(10):
        run("insert into N select x + 1 from N")
    forever = "select sum(a.x * sqrt(b.x + c.x * d.x)) from N a, N b, N c, N d"
    run(f"create task SLOW user_task_timeout_ms = 300 as {forever}")
    run("execute task SLOW")
    settle()
    ((state, code, message),) = history("state, error_code, error_message")
    assert (state, code) == ("FAILED", "000630")
    assert "timeout of 0.3 second(s)" in message
    run(f"create task LONG as {forever}")
    run("execute task LONG")
    deadline = time.monotonic() + 30
    while not history("name") or ("LONG", "EXECUTING") not in history("name, state"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run("select system$user_task_cancel_ongoing_executions('LONG')")
    settle()
    assert ("LONG", "CANCELLED", "000604") in history("name, state, error_code")


def test_schedules_start_runs_by_themselves(
    run: Run, history: Callable[[str], Any], settle: Callable[[], None]
) -> None:
    run("create table TICKS (a int)")
    run("create task TICK schedule = '1 SECONDS' as insert into TICKS values (1)")
    run("alter task TICK resume")
    ((state, start),) = run(
        "select state, scheduled_from from table(information_schema.current_task_graphs(root_task_name => 'TICK')) "
        "where state = 'SCHEDULED' and database_name = current_database()"
    )
    assert (state, start) == ("SCHEDULED", "SCHEDULE")
    deadline = time.monotonic() + 30
    while run("select count(*) from TICKS") < [(2,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    run("alter task TICK suspend")
    settle()
    before = run("select count(*) from TICKS")[0][0]
    assert set(history("name, state, scheduled_from")) == {("TICK", "SUCCEEDED", "SCHEDULE")}
    assert len(history("name")) == before
    scheduled = [at.timestamp() for (at,) in history("scheduled_time")]
    assert [round(b - a, 3) for a, b in itertools.pairwise(scheduled)] == [1.0] * (before - 1)


def test_a_root_whose_condition_is_false_skips_the_run(
    run: Run, settle: Callable[[], None], history: Callable[[str], Any], database: str
) -> None:
    run("create task ROOT when 1 = 2 as select 1")
    run("create task CHILD after ROOT as select 1")
    run("create task FIN finalize = ROOT as select 1")
    run("select system$task_dependents_enable('ROOT')")
    run("execute task ROOT")
    settle()
    assert history("name, state, query_id") == [("ROOT", "SKIPPED", None)]
    assert (
        run(f"select * from snowflake.account_usage.complete_task_graphs where database_name = '{database}'")
        == []
    )


@pytest.mark.parametrize(("policy", "together"), [("NO_OVERLAP", 1), ("ALLOW_CHILD_OVERLAP", 2)])
def test_overlap_of_children(
    run: Run, settle: Callable[[], None], history: Any, policy: str, together: int
) -> None:
    run(f"create task ROOT overlap_policy = {policy} as select 1")
    run("create task CHILD after ROOT as call system$wait(1)")
    run("select system$task_dependents_enable('ROOT')")
    run("execute task ROOT")
    run("execute task ROOT")
    settle()
    spans = [(a, b) for name, a, b in history("name, query_start_time, completed_time") if name == "CHILD"]
    assert max(sum(a <= moment < b for a, b in spans) for moment, _ in spans) == together


def test_a_suspended_child_counts_as_success(
    run: Run, graph: None, settle: Callable[[], None], history: Any
) -> None:
    run("alter task ROOT suspend")
    run("alter task CHK suspend")
    run("alter task RETRAIN modify when true")
    run("alter task RETRAIN modify as select 1")
    run("execute task ROOT")
    settle()
    assert sorted(history("name, state")) == [
        ("FIN", "SUCCEEDED"),
        ("JOINT", "SUCCEEDED"),
        ("NOOP", "SKIPPED"),
        ("RETRAIN", "SUCCEEDED"),
        ("ROOT", "SUCCEEDED"),
    ]


def test_definitions_are_shown_and_changed(run: Run, connection: Any, database: str) -> None:
    run(
        "create task A warehouse = WH schedule = '5 MINUTES', comment = 'it''s' timezone = 'UTC' as select 'as', 1;"
    )
    run("create task B after A when (1 = 1) and cast('1' as int) = 1 as begin")
    with connection.cursor() as cursor:
        cursor.execute("describe task B")
        shown = dict(zip([d[0] for d in cursor.description], cursor.fetchone(), strict=True))
    assert shown["condition"] == "(1 = 1) and cast('1' as int) = 1"
    assert json.loads(shown["predecessors"]) == [f"{database}.S.A"]
    assert (shown["state"], shown["allow_overlapping_execution"], shown["schedule"]) == (
        "suspended",
        "null",
        None,
    )
    run("alter task A set schedule = '10 MINUTES' comment = 'new' overlap_policy = ALLOW_CHILD_OVERLAP")
    run("alter task A unset comment")
    run("alter task B remove when")
    run("alter task B set query_tag = 'x'")
    assert run(
        'show tasks ->> select "name", "schedule", "comment", "definition", "condition", '
        '"allow_overlapping_execution" from $1'
    ) == [
        ("A", "10 MINUTES", "", "select 'as', 1", None, "true"),
        ("B", None, "", "begin", None, "null"),
    ]
    run("alter task B remove after A")
    assert _state(run, "B") == ("suspended", "CHILD_BECAME_ROOT")
    run("alter task B add after A")
    run("create or alter task A schedule = '1 HOUR' as select 3")
    assert run('show tasks root only ->> select "name", "definition" from $1') == [("A", "select 3")]
    assert [row[1] for row in run("show terse tasks")] == ["A", "B"]
    run("create task C clone A")
    run("drop task A")
    assert _state(run, "B") == ("suspended", "CHILD_BECAME_ROOT")
    run("drop task if exists A")


@pytest.mark.parametrize(
    ("statement", "number", "message"),
    [
        ("execute task CHK", 91110, "Execute task cannot be called on non-root task"),
        (
            "call system$set_return_value('x')",
            90083,
            "Function SYSTEM$SET_RETURN_VALUE must be called from within a task",
        ),
        ("select system$task_runtime_info('CURRENT_TASK_NAME')", 90083, "must be called from within a task"),
        ("create task X after ROOT as select 1", 91421, "since that root task is not suspended"),
        ("alter task CHK modify as select 1", 91421, "since that root task is not suspended"),
        ("drop task CHK", 91421, "since that root task is not suspended"),
        ("alter task NOPE resume", 2003, "does not exist or not authorized"),
        ("create task ROOT as select 1", 2002, "already exists"),
        ("create task X error_integration = Y as select 1", 2, "ERROR_INTEGRATION"),
        ("create task X execute as user Y as select 1", 2, "EXECUTE AS USER"),
        ("create task X warehouse = NOPE as select 1", 2003, "Warehouse 'NOPE' does not exist"),
        ("create task X config = 'x' as select 1", 1008, "CONFIG"),
        ("create task X nonsense = 1 as select 1", 1422, "NONSENSE"),
        ("create task X task_auto_retry_attempts = 31 as select 1", 1008, "TASK_AUTO_RETRY_ATTEMPTS"),
        ("create task X as", 1003, "syntax error"),
        ("create task X schedule = '5 MINUTES'", 1003, "syntax error"),
        ("execute task ROOT await", 2, "AWAIT"),
        ("alter task ROOT rename to Z", 2, "ALTER TASK"),
    ],
)
def test_refusals(run: Run, graph: None, statement: str, number: int, message: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        run(statement)
    assert caught.value.errno == number
    assert message in caught.value.msg


def test_a_return_value_beyond_10_kb_is_refused(
    run: Run, settle: Callable[[], None], history: Callable[[str], Any]
) -> None:
    for name, length in (("FITS", 10_240), ("BEYOND", 10_241)):
        run(f"create task {name} as call system$set_return_value(repeat('x', {length}))")
        run(f"execute task {name}")
        settle()
    told = {name: (state, message, size) for name, state, message, size in history(
        "name, state, error_message, length(return_value)")}  # fmt: skip
    assert told["FITS"] == ("SUCCEEDED", None, 10_240)
    assert (told["BEYOND"][0], told["BEYOND"][2]) == ("FAILED", None)
    assert "longer than 10 kB" in told["BEYOND"][1]
