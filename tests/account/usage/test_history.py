"""The history of statements and tasks through the connector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

import embedded_account.loaded
from embedded_account.account import Account
from embedded_account.session import Session
from embedded_account.statements import execute
from tests.account.conftest import AccountServer

assert embedded_account.loaded


def test_statements_are_in_the_history_at_once(run: Any, connection: Any, database: str) -> None:
    run("alter session set query_tag = 'spoke=pudo'")
    run("create table T (a int)")
    run("insert into T values (1), (2)")
    with pytest.raises(ProgrammingError):
        run("select * from MISSING")
    rows = run(
        "select query_text, query_type, execution_status, error_code, rows_produced, warehouse_name, warehouse_size, "
        "query_tag, database_name, schema_name, role_name from table(information_schema.query_history_by_session()) "
        "order by start_time limit 4"
    )
    place = ("spoke=pudo", database, "S", "ACCOUNTADMIN")
    assert rows[1:] == [
        ("create table T (a int)", "CREATE_TABLE", "SUCCESS", None, 1, "WH", None, *place),
        ("insert into T values (1), (2)", "INSERT", "SUCCESS", None, 2, "WH", "X-Small", *place),
        ("select * from MISSING", "SELECT", "FAILED_WITH_ERROR", "002003", 0, "WH", "X-Small", *place),
    ]
    account = run(
        "select execution_status, rows_inserted, total_elapsed_time >= 0, start_time <= end_time from "
        f"snowflake.account_usage.query_history where database_name = '{database}' and query_type = 'INSERT'"
    )
    assert account == [("SUCCESS", 2, True, True)]


def test_a_statement_is_found_by_its_query_id(run: Any, connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select 41 + 1")
        query_id = cursor.sfqid
    assert run(
        f"select query_text from table(information_schema.query_history()) where query_id = '{query_id}'"
    ) == [("select 41 + 1",)]


COLUMNS = {
    "table(information_schema.task_history())": (
        "QUERY_ID,NAME,DATABASE_NAME,SCHEMA_NAME,QUERY_TEXT,CONDITION_TEXT,STATE,ERROR_CODE,ERROR_MESSAGE,"
        "SCHEDULED_TIME,QUERY_START_TIME,NEXT_SCHEDULED_TIME,COMPLETED_TIME,ROOT_TASK_ID,GRAPH_VERSION,RUN_ID,"
        "RETURN_VALUE,SCHEDULED_FROM,ATTEMPT_NUMBER,CONFIG,QUERY_HASH,QUERY_HASH_VERSION,QUERY_PARAMETERIZED_HASH,"
        "QUERY_PARAMETERIZED_HASH_VERSION,GRAPH_RUN_GROUP_ID,BACKFILL_INFO,SPCS_JOB_ID"
    ),
    "table(information_schema.current_task_graphs())": (
        "ROOT_TASK_NAME,DATABASE_NAME,SCHEMA_NAME,STATE,SCHEDULED_FROM,FIRST_ERROR_TASK_NAME,FIRST_ERROR_CODE,"
        "FIRST_ERROR_MESSAGE,SCHEDULED_TIME,QUERY_START_TIME,NEXT_SCHEDULED_TIME,ROOT_TASK_ID,GRAPH_VERSION,"
        "RUN_ID,ATTEMPT_NUMBER,CONFIG,GRAPH_RUN_GROUP_ID,BACKFILL_INFO"
    ),
    "table(information_schema.complete_task_graphs())": (
        "ROOT_TASK_NAME,DATABASE_NAME,SCHEMA_NAME,STATE,SCHEDULED_FROM,FIRST_ERROR_TASK_NAME,FIRST_ERROR_CODE,"
        "FIRST_ERROR_MESSAGE,SCHEDULED_TIME,QUERY_START_TIME,NEXT_SCHEDULED_TIME,COMPLETED_TIME,ROOT_TASK_ID,"
        "GRAPH_VERSION,RUN_ID,ATTEMPT_NUMBER,CONFIG,GRAPH_RUN_GROUP_ID,BACKFILL_INFO"
    ),
    "snowflake.account_usage.warehouse_metering_history": (
        "START_TIME,END_TIME,WAREHOUSE_ID,WAREHOUSE_NAME,CREDITS_USED,CREDITS_USED_COMPUTE,"
        "CREDITS_USED_CLOUD_SERVICES,CREDITS_ATTRIBUTED_COMPUTE_QUERIES"
    ),
    "table(information_schema.warehouse_metering_history())": (
        "START_TIME,END_TIME,WAREHOUSE_NAME,CREDITS_USED,CREDITS_USED_COMPUTE,CREDITS_USED_CLOUD_SERVICES,"
        "CREDITS_ATTRIBUTED_COMPUTE_QUERIES"
    ),
    "snowflake.account_usage.metering_history": (
        "SERVICE_TYPE,START_TIME,END_TIME,ENTITY_ID,ENTITY_TYPE,NAME,DATABASE_ID,DATABASE_NAME,SCHEMA_ID,SCHEMA_NAME,"
        "CREDITS_USED_COMPUTE,CREDITS_USED_CLOUD_SERVICES,CREDITS_USED,BYTES,ROWS,FILES"
    ),
    "snowflake.account_usage.metering_daily_history": (
        "SERVICE_TYPE,USAGE_DATE,CREDITS_USED_COMPUTE,CREDITS_USED_CLOUD_SERVICES,CREDITS_USED,"
        "CREDITS_ADJUSTMENT_CLOUD_SERVICES,CREDITS_BILLED"
    ),
    "snowflake.account_usage.query_attribution_history": (
        "QUERY_ID,PARENT_QUERY_ID,ROOT_QUERY_ID,WAREHOUSE_ID,WAREHOUSE_NAME,QUERY_HASH,QUERY_PARAMETERIZED_HASH,"
        "QUERY_TAG,USER_NAME,START_TIME,END_TIME,CREDITS_ATTRIBUTED_COMPUTE,CREDITS_USED_QUERY_ACCELERATION"
    ),
    "snowflake.account_usage.serverless_task_history": (
        "START_TIME,END_TIME,CREDITS_USED,TASK_ID,TASK_NAME,SCHEMA_ID,SCHEMA_NAME,DATABASE_ID,DATABASE_NAME,"
        "INSTANCE_ID"
    ),
    "table(information_schema.serverless_task_history())": "START_TIME,END_TIME,TASK_NAME,CREDITS_USED",
    "snowflake.account_usage.snowpark_container_services_history": (
        "START_TIME,END_TIME,COMPUTE_POOL_NAME,COMPUTE_POOL_ID,IS_EXCLUSIVE,APPLICATION_NAME,APPLICATION_ID,"
        "CREDITS_USED"
    ),
    "snowflake.account_usage.dynamic_table_refresh_history": (
        "NAME,SCHEMA_NAME,DATABASE_NAME,ID,SCHEMA_ID,DATABASE_ID,STATE,STATE_CODE,STATE_MESSAGE,QUERY_ID,"
        "DATA_TIMESTAMP,REFRESH_START_TIME,REFRESH_END_TIME,COMPLETION_TARGET,QUALIFIED_NAME,"
        "LAST_COMPLETED_DEPENDENCY,STATISTICS,REFRESH_ACTION,REFRESH_TRIGGER,TARGET_LAG_SEC,"
        "GRAPH_HISTORY_VALID_FROM,WAREHOUSE,EXECUTE_AS_USER,SECONDARY_ROLE_NAMES"
    ),
}


@pytest.mark.parametrize("source", COLUMNS)
def test_columns_and_their_order(connection: Any, source: str) -> None:
    with connection.cursor() as cursor:
        described = cursor.describe(f"select * from {source}")
        cursor.execute(f"select * from {source}")
        assert (
            [c.name for c in cursor.description] == [c.name for c in described] == COLUMNS[source].split(",")
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("task_history(result_limit => 0)", "RESULT_LIMIT"),
        ("task_history(result_limit => 10001)", "RESULT_LIMIT"),
        ("task_history(nonsense => 1)", "NONSENSE"),
        ("task_history(schema_name => 'S')", "needs DATABASE_NAME"),
        (
            "task_history(scheduled_time_range_start => dateadd('day', -8, current_timestamp()))",
            "within the last 7 days",
        ),
        (
            "task_history(scheduled_time_range_end => dateadd('day', -8, current_timestamp()))",
            "within the last 7 days",
        ),
        ("current_task_graphs(result_limit => 10001)", "RESULT_LIMIT"),
        ("current_task_graphs(error_only => true)", "ERROR_ONLY"),
        ("complete_task_graphs(database_name => 'X')", "DATABASE_NAME"),
        ("complete_task_graphs(error_only => true, task_name => 'X')", "TASK_NAME"),
        ("task_dependents()", "TASK_NAME"),
        ("task_dependents(task_name => 'NOPE')", "does not exist"),
        ("query_history(end_time_range_start => 'yesterday')", "END_TIME_RANGE_START"),
    ],
)
def test_bad_arguments_are_named(run: Any, call: str, message: str) -> None:
    with pytest.raises(ProgrammingError, match=message):
        run(f"select * from table(information_schema.{call})")


def test_the_range_of_task_history(run: Any, database: str) -> None:
    run("create task A schedule = '60 MINUTES' as select 1")
    run("alter task A resume")
    function = (
        "table(information_schema.task_history(task_name => 'a', {})) where database_name = '"
        + database
        + "'"
    )
    ahead = "scheduled_time_range_end => dateadd('hour', {}, current_timestamp())"
    assert run("select state, graph_version from " + function.format(ahead.format(2))) == [("SCHEDULED", 1)]
    assert run("select state from " + function.format(ahead.format(0))) == []
    assert run("select state from " + function.format("error_only => true")) == []


def test_arguments_come_before_the_where_clause(run: Any, settle: Any, database: str) -> None:
    """A limit keeps the newest rows of the account; what a condition then looks for may not be among them."""
    run('create schema "later"')
    run("create task S.A as select 1")
    run('create task "later".B as select 1')
    for task in ("S.A", '"later".B'):
        run(f"execute task {task}")
        settle()
    history = "select name from table(information_schema.task_history({})) where database_name = '" + database
    assert run(history.format("result_limit => 1") + "' and name = 'A'") == []
    quoted = f"database_name => '\"{database}\"', schema_name => '\"S\"'"
    assert run(history.format(f"{quoted}, result_limit => 1") + "'") == [("A",)]
    for schema, found in (("s", [("A",)]), ("LATER", [("B",)]), ('"LATER"', []), ('"later"', [("B",)])):
        place = f"database_name => '{database.lower()}', schema_name => '{schema}'"
        assert run(history.format(place) + "'") == found
    graphs = "select root_task_name from table(information_schema.complete_task_graphs({})) where true"
    assert run(graphs.format("result_limit => 1") + " and root_task_name = 'A'") == []
    named = graphs.format("root_task_name => 'a', result_limit => 1")
    assert run(f"{named} and database_name = '{database}'") == [("A",)]


def test_versions_and_dependents(run: Any, database: str) -> None:
    run("create task ROOT schedule = '60 MINUTES' as select 1")
    run("create task CHILD after ROOT as select 1")
    run("select system$task_dependents_enable('ROOT')")
    run("alter task ROOT suspend")
    run("alter task CHILD modify as select 2")
    run("alter task ROOT resume")
    run("alter task ROOT suspend")
    run("alter task ROOT resume")
    versions = run(
        "select graph_version, name, definition, state from snowflake.account_usage.task_versions "
        f"where database_name = '{database}' order by 1, 2"
    )
    assert versions == [
        (1, "CHILD", "select 1", "started"),
        (1, "ROOT", "select 1", None),
        (2, "CHILD", "select 2", "started"),
        (2, "ROOT", "select 1", None),
    ]
    dependents = (
        "select name from table(information_schema.task_dependents(task_name => 'ROOT', recursive => {}))"
    )
    assert run(dependents.format("true")) == [("ROOT",), ("CHILD",)]


FUNCTIONS = [
    "task_history()",
    "complete_task_graphs()",
    "current_task_graphs()",
    "query_history()",
    "warehouse_metering_history(current_date())",
    "dynamic_tables()",
    "dynamic_table_refresh_history()",
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_asked_in_a_database(account_server: AccountServer, function: str) -> None:
    """https://docs.snowflake.com/en/sql-reference/info-schema#general-usage-notes"""
    with account_server.connect(warehouse="WH") as connection, connection.cursor() as cursor:
        for place, errno, message in (
            ("", 90105, "does not have a current database"),
            ("nowhere.", 2003, "Database 'NOWHERE' does not exist or not authorized"),
        ):
            with pytest.raises(ProgrammingError, match=message) as raised:
                cursor.execute(f"select * from table({place}information_schema.{function})")
            assert raised.value.errno == errno


def test_refreshes_of_an_account_without_a_database(tmp_path: Path) -> None:
    account = Account(tmp_path / "account")
    try:
        session = Session(account)
        execute(session, "create warehouse WH")
        names = "name, statistics, data_timestamp, target_lag_sec, warehouse"
        for source in (
            "table(snowflake.information_schema.dynamic_table_refresh_history())",
            "snowflake.account_usage.dynamic_table_refresh_history",
        ):
            assert execute(session, f"select {names} from {source}").rows() == []
    finally:
        account.close()
