"""The account is killed while graphs run and starts again: no row is lost or doubled, and the graphs end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from embedded_account.account import Account

FINISHED = ("SUCCEEDED", "FAILED")


def test_killed_during_a_run(own_server: Any) -> None:
    with own_server.connect() as connection, connection.cursor() as cursor:
        for statement in (
            "create warehouse WH",
            "create database D",
            "create table D.PUBLIC.DONE (name varchar)",
            "create task ROOT as insert into DONE values ('root')",
            "create task QUICK after ROOT as insert into DONE values ('quick')",
            "create task SLOW after ROOT as call system$wait(3)",
            "create task LAST after QUICK, SLOW as insert into DONE values ('last')",
            "create task FIN finalize = ROOT as insert into DONE values ('fin')",
            "select system$task_dependents_enable('ROOT')",
            "execute task ROOT using config = '{\"n\": 1}'",
            "execute task ROOT using config = '{\"n\": 2}'",
        ):
            cursor.execute(statement)
        _until(cursor, "select count(*) = 1 from DONE where name = 'quick'")
        _until(
            cursor, "select count(*) = 1 from table(D.information_schema.task_history(task_name => 'SLOW'))"
        )
        own_server.kill()
    own_server.start()
    with (
        own_server.connect(database="D", schema="PUBLIC", warehouse="WH") as connection,
        connection.cursor() as cursor,
    ):
        _until(cursor, "select count(*) = 3 from snowflake.account_usage.complete_task_graphs")
        runs = cursor.execute(
            "select dense_rank() over (order by graph_run_group_id), attempt_number, state, first_error_task_name, "
            "scheduled_from from snowflake.account_usage.complete_task_graphs order by 1, 2"
        ).fetchall()
        assert runs == [
            (1, 1, "FAILED", "SLOW", "EXECUTE TASK"),
            (1, 2, "SUCCEEDED", None, "AUTOMATIC RETRY"),
            (2, 1, "SUCCEEDED", None, "EXECUTE TASK"),
        ]
        tasks = cursor.execute(
            "select parse_json(config):n::int, attempt_number, name, state, error_message "
            "from table(information_schema.task_history()) order by 1, 2, 3"
        ).fetchall()
        message = "Task run was interrupted by a restart of the account."
        assert tasks == [
            (1, 1, "QUICK", "SUCCEEDED", None),
            (1, 1, "ROOT", "SUCCEEDED", None),
            (1, 1, "SLOW", "FAILED", message),
            (1, 2, "FIN", "SUCCEEDED", None),
            (1, 2, "LAST", "SUCCEEDED", None),
            (1, 2, "SLOW", "SUCCEEDED", None),
            *((2, 1, name, "SUCCEEDED", None) for name in ("FIN", "LAST", "QUICK", "ROOT", "SLOW")),
        ]
        done = cursor.execute("select name, count(*) from DONE group by 1 order by 1").fetchall()
        assert done == [("fin", 2), ("last", 2), ("quick", 2), ("root", 2)]


def test_a_schedule_goes_on_after_a_restart(own_server: Any) -> None:
    with own_server.connect() as connection, connection.cursor() as cursor:
        for statement in (
            "create warehouse WH",
            "create database D",
            "create table TICKS (a int)",
            "create task TICK schedule = '1 SECOND' as insert into TICKS values (1)",
            "create task IDLE schedule = '1 SECOND' as insert into TICKS values (2)",
            "alter task TICK resume",
        ):
            cursor.execute(statement)
        own_server.kill()
    own_server.start()
    with (
        own_server.connect(database="D", schema="PUBLIC", warehouse="WH") as connection,
        connection.cursor() as cursor,
    ):
        (before,) = cursor.execute("select count(*) from TICKS").fetchone()
        _until(cursor, f"select count(*) > {before} from TICKS")
        assert cursor.execute("select distinct a from TICKS").fetchall() == [(1,)]
        own_server.stop()
    own_server.start()
    with (
        own_server.connect(database="D", schema="PUBLIC", warehouse="WH") as connection,
        connection.cursor() as cursor,
    ):
        states = cursor.execute("select distinct state from snowflake.account_usage.task_history").fetchall()
        assert {state for (state,) in states} <= set(FINISHED)


def _until(cursor: Any, question: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not cursor.execute(question).fetchone()[0]:
        assert time.monotonic() < deadline, f"waited too long: {question}"
        time.sleep(0.05)


def test_killed_again_and_again(tmp_path: Path) -> None:
    """Whatever the moment, every run that was accepted ends, with each of its tasks there exactly once."""
    script = Path(__file__).with_name("running.py")
    accepted = -1
    for kill in range(6):
        process = subprocess.Popen(
            [sys.executable, script, tmp_path, "more"], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(1 + kill):
            accepted = int(process.stdout.readline())
        time.sleep(0.037 * kill)
        process.kill()
        lines = process.stdout.read().split()
        accepted = int(lines[-1]) if lines and lines[-1].isdigit() else accepted
        process.wait()
    subprocess.run([sys.executable, script, tmp_path, "end"], check=True, stdout=subprocess.DEVNULL)
    account = Account(tmp_path)
    graphs = account.execute(
        'SELECT "group", max("attempt"), max_by("state", "attempt"), '
        'count(*), count(DISTINCT "attempt") FROM "__account".history.graph_runs GROUP BY 1'
    )
    assert len(graphs) >= accepted + 1
    assert all(state == "SUCCEEDED" and last == rows == attempts for _, last, state, rows, attempts in graphs)
    tasks = account.execute(
        'SELECT "group", count(*) FILTER ("state" = \'SUCCEEDED\'), count(*) - count(DISTINCT ("attempt", "name")), '
        "count(*) FILTER (\"state\" NOT IN ('SUCCEEDED', 'FAILED')) FROM \"__account\".history.task_runs GROUP BY 1"
    )
    assert sorted(tasks) == sorted((group, 9, 0, 0) for group, *_ in graphs)
    done = account.execute(
        'SELECT "REQUEST", count(DISTINCT "NAME") FROM "D"."PUBLIC"."DONE" GROUP BY 1 ORDER BY 1'
    )
    assert done == [(n, 6) for n in range(len(graphs))]
    account.close()
