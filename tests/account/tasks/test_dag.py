"""Graphs deployed and driven by snowflake.core's DAG API, unmodified."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import cloudpickle
import pytest
from snowflake.core import CreateMode, Root
from snowflake.core.exceptions import APIError, ConflictError, NotFoundError
from snowflake.core.task import Cron, Task
from snowflake.core.task.context import TaskContext
from snowflake.core.task.dagv1 import DAG, DAGOperation, DAGTask, DAGTaskBranch
from snowflake.snowpark import Session

# The account's workers do not have this module: its functions travel by value, as from a notebook.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def extract(session: Session) -> str:
    context = TaskContext(session)
    parts = [
        context.get_current_task_short_name(),
        context.get_task_graph_config_property("env"),
        context.get_current_task_graph_run_group_id(),
        context.get_last_successful_task_graph_run_group_id(),
    ]
    session.sql(f"insert into OUT values ('extract', '{json.dumps(parts)}')").collect()
    return "42"


def choose(session: Session) -> str:
    # No assert statement here: pytest rewrites those to call itself, which a worker does not have.
    return "good" if TaskContext(session).get_predecessor_return_value("extract") == "42" else "bad"


def good(session: Session) -> None:
    session.create_dataframe([("good", "1")], schema=["TASK", "V"]).write.save_as_table("OUT", mode="append")


def bad(session: Session) -> None:
    session.sql("insert into OUT values ('bad', '1')").collect()


def final(session: Session) -> None:
    session.sql("insert into OUT values ('final', '1')").collect()


def graph() -> DAG:
    with DAG(
        "MYDAG",
        schedule=Cron("0 3 * * *", "America/Los_Angeles"),
        stage_location="@ST",
        packages=["snowflake-snowpark-python", "snowflake.core"],
        use_func_return_value=True,
        warehouse="WH",
        config={"env": "dev"},
        task_auto_retry_attempts=1,
    ) as dag:
        first = DAGTask("extract", extract)
        branch = DAGTaskBranch("choose", choose)
        first >> branch
        branch >> [DAGTask("good", good), DAGTask("bad", bad)]
        first >> DAGTask("sqltask", "insert into OUT values ('sql', 'x')")
        DAGTask("fin", final, is_finalizer=True)
    return dag


@pytest.fixture
def session(account_server: Any, database: str) -> Iterator[Session]:
    more = {"database": database, "schema": "S", "warehouse": "WH"}
    with Session.builder.configs({**account_server.parameters, **more}).create() as session:
        session.sql("create stage ST").collect()
        session.sql("create table OUT(task varchar, v varchar)").collect()
        yield session


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    return found


def test_a_graph_lives_from_deployment_to_drop(session: Session, database: str) -> None:
    schema = Root(session).databases[database].schemas["S"]
    operation, dag = DAGOperation(schema), graph()
    operation.deploy(dag, mode=CreateMode.or_replace)
    with pytest.warns(DeprecationWarning, match="drop_finalizer"):
        operation.deploy(dag, mode=CreateMode.or_replace)
    with pytest.raises(ConflictError):
        operation.deploy(dag)

    assert operation.iter_dags(like="my%") == ["MYDAG"]
    task = schema.tasks["MYDAG"].fetch()
    assert (task.state, task.warehouse, task.config) == ("started", "WH", {"env": "dev"})
    assert task.schedule == Cron("0 3 * * *", "America/Los_Angeles")
    assert json.loads(task.task_relations)["FinalizerTask"] == f"{database}.S.MYDAG$FIN"
    names = [t.name for t in schema.tasks["MYDAG"].fetch_task_dependents()]
    assert (names[0], names[-1], len(names)) == ("MYDAG", "MYDAG$FIN", 7)

    operation.run(dag)
    runs = until(lambda: operation.get_complete_dag_runs(dag, error_only=False))
    assert [r.first_error_message for r in runs] == [None]
    (run,) = runs
    assert (run.dag_name, run.state, run.first_error_message) == ("MYDAG", "SUCCEEDED", None)
    assert [(r.dag_name, r.state) for r in operation.get_current_dag_runs(dag)] == [("MYDAG", "SCHEDULED")]
    rows = {row["TASK"]: row["V"] for row in session.table("OUT").collect()}
    assert set(rows) == {"extract", "sql", "good", "final"}
    history = session.sql(
        "select name, state, return_value, graph_run_group_id from table(information_schema.task_history())"
        f" where database_name = '{database}' and state <> 'SCHEDULED'"
    ).collect()
    assert {(r["NAME"], r["STATE"], r["RETURN_VALUE"]) for r in history} == {
        ("MYDAG", "SUCCEEDED", None),
        ("MYDAG$EXTRACT", "SUCCEEDED", "42"),
        ("MYDAG$CHOOSE", "SUCCEEDED", "good"),
        ("MYDAG$GOOD", "SUCCEEDED", None),
        ("MYDAG$BAD", "SKIPPED", None),
        ("MYDAG$SQLTASK", "SUCCEEDED", None),
        ("MYDAG$FIN", "SUCCEEDED", None),
    }
    (group,) = {r["GRAPH_RUN_GROUP_ID"] for r in history}
    assert json.loads(rows["extract"]) == ["EXTRACT", "dev", str(group), None]

    operation.drop(dag, drop_finalizer=True)
    assert list(schema.tasks.iter()) == []
    with pytest.raises(NotFoundError):
        schema.tasks["MYDAG"].fetch()


def test_rest_answers_errors_that_clients_tell_apart(session: Session, database: str) -> None:
    root = Root(session)
    tasks = root.databases[database].schemas["S"].tasks
    tasks.create(Task("A", "select 1", warehouse="WH"))
    with pytest.raises(ConflictError, match="already exists"):
        tasks.create(Task("A", "select 1"))
    with pytest.raises(NotFoundError, match="NOPE"):
        tasks.create(Task("B", "select 1", predecessors=["NOPE"]))
    with pytest.raises(APIError, match="SCHEDULE") as caught:
        tasks.create(Task("B", "select 1", schedule=Cron("1 2", "UTC")))
    assert caught.value.status == 400
    with pytest.raises(APIError, match="ERROR_INTEGRATION"):
        tasks.create(Task("B", "select 1", error_integration="X"))
    with pytest.raises(NotFoundError):
        root.databases[database].schemas["MISSING"].tasks["A"].fetch()
    with pytest.raises(APIError, match="GET /api/v2/network-policies") as caught:
        list(root.network_policies.iter())
    assert caught.value.status == 501
    tasks.create(Task("A", "select 2"), mode=CreateMode.if_not_exists)
    assert tasks["A"].fetch().definition == "select 1"
    tasks["B"].drop(if_exists=True)


def test_create_or_alter_keeps_the_task(session: Session, database: str) -> None:
    tasks = Root(session).databases[database].schemas["S"].tasks
    reference = tasks.create(Task("A", "select 1", comment="one", user_task_timeout_ms=5000))
    before = reference.fetch()
    changed = reference.fetch()
    changed.definition, changed.comment = "select 2", "two"
    reference.create_or_alter(changed)
    after = reference.fetch()
    assert (after.id, after.definition, after.comment) == (before.id, "select 2", "two")
    assert (after.user_task_timeout_ms, after.warehouse) == (5000, None)


def test_tags_of_a_task(session: Session, database: str) -> None:
    schema = Root(session).databases[database].schemas["S"]
    session.sql("create tag COST").collect()
    session.sql("create task A as select 1").collect()
    from snowflake.core.tag import TagValue

    tag = schema.tags["COST"]
    schema.tasks["A"].set_tags({tag: TagValue("pudo")})
    found = {t.name: v.value for t, v in schema.tasks["A"].get_tags().items()}
    assert found == {"COST": "pudo"}
    schema.tasks["A"].unset_tags({tag})
    assert schema.tasks["A"].get_tags() == {}
