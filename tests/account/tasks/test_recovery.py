"""The account is killed while graphs run and starts again: no row is lost or doubled, and the graphs end."""

from __future__ import annotations

import time
from typing import Any

FINISHED = ("SUCCEEDED", "FAILED")


def test_killed_during_a_run(own_server: Any) -> None:
    with own_server.connect() as connection, connection.cursor() as cursor:
        for statement in (
            "create database D",
            "create table D.PUBLIC.DONE (name varchar)",
            "create task ROOT task_auto_retry_attempts = 1 as insert into DONE values ('root')",
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
    with own_server.connect(database="D", schema="PUBLIC") as connection, connection.cursor() as cursor:
        _until(cursor, "select count(*) = 3 from snowflake.account_usage.complete_task_graphs")
        runs = cursor.execute(
            "select parse_json(config):n::int, attempt_number, state, first_error_task_name, scheduled_from "
            "from snowflake.account_usage.complete_task_graphs order by 1, 2"
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
            "create database D",
            "create table TICKS (a int)",
            "create task TICK schedule = '1 SECOND' as insert into TICKS values (1)",
            "create task IDLE schedule = '1 SECOND' as insert into TICKS values (2)",
            "alter task TICK resume",
        ):
            cursor.execute(statement)
        own_server.kill()
    own_server.start()
    with own_server.connect(database="D", schema="PUBLIC") as connection, connection.cursor() as cursor:
        (before,) = cursor.execute("select count(*) from TICKS").fetchone()
        _until(cursor, f"select count(*) > {before} from TICKS")
        assert cursor.execute("select distinct a from TICKS").fetchall() == [(1,)]
        own_server.stop()
    own_server.start()
    with own_server.connect(database="D", schema="PUBLIC") as connection, connection.cursor() as cursor:
        states = cursor.execute("select distinct state from snowflake.account_usage.task_history").fetchall()
        assert {state for (state,) in states} <= set(FINISHED)


def _until(cursor: Any, question: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not cursor.execute(question).fetchone()[0]:
        assert time.monotonic() < deadline, f"waited too long: {question}"
        time.sleep(0.05)
