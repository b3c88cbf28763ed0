"""The session's own statements and functions: parameters, variables, context.

https://docs.snowflake.com/en/sql-reference/parameters, …/functions-context
"""

from __future__ import annotations

import json
from typing import Any

from embedded_account import parameters
from embedded_account.errors import SnowflakeError, unsupported
from embedded_account.functions import TableCall, scalar_function, table_function
from embedded_account.names import like_to_regex
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, rows_result, status
from embedded_account.security.roles import of_user
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

VERSION = "10.40.2"


@statement("ALTER", "SESSION")
def alter_session(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if cursor.accept("SET"):
        options = cursor.options()
        cursor.end()
        if not options:
            raise cursor.error()
        if not current.describe_only:
            parameters.set_parameters(session, options)
    else:
        cursor.expect("UNSET")
        names = {cursor.identifier()}
        while cursor.accept(","):
            names.add(cursor.identifier())
        cursor.end()
        if not current.describe_only:
            kept = {name: value for name, value in session.parameters.items() if name not in names}
            parameters.replace(session, kept)
    return status("Statement executed successfully.")


@statement("SHOW", "PARAMETERS")
def show_parameters(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    like = cursor.string() if cursor.accept("LIKE") else None
    if cursor.accept_any("IN", "FOR") and not cursor.accept_any("SESSION", "ACCOUNT", "USER"):
        cursor.accept_any("WAREHOUSE", "DATABASE", "SCHEMA", "TASK", "TABLE")
        if not cursor.done:
            cursor.name()
    cursor.end()
    pattern = like_to_regex(like) if like else None
    names = sorted({*parameters.PARAMETERS, *session.parameters})
    rows = [parameters.show(session, name) for name in names if pattern is None or pattern.match(name)]
    columns = [(c, "text") for c in ("key", "value", "default", "level", "description", "type")]
    return rows_result(columns, rows)


@statement("SET")
def set_variable(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    names = []
    if cursor.accept("("):
        names = [cursor.identifier()]
        while cursor.accept(","):
            names.append(cursor.identifier())
        cursor.expect(")")
    else:
        names = [cursor.identifier()]
    cursor.expect("=")
    text = cursor.rest()
    from embedded_account.query import run_query

    values = run_query(
        session, f"SELECT {text.strip().removeprefix('(').removesuffix(')') if len(names) > 1 else text}"
    )
    for name, value in zip(names, values.rows()[0], strict=True):
        session.variables[name] = _sql(value)
    return status("Statement executed successfully.")


def _sql(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


@statement("UNSET")
def unset_variable(session: Session, current: Statement) -> Result:
    names = [current.cursor.identifier()]
    while current.cursor.accept(","):
        names.append(current.cursor.identifier())
    current.cursor.end()
    for name in names:
        session.variables.pop(name, None)
    return status("Statement executed successfully.")


@statement("SHOW", "VARIABLES")
def show_variables(session: Session, current: Statement) -> Result:
    rows = [(name, value.strip("'"), "text") for name, value in sorted(session.variables.items())]
    return rows_result([("name", "text"), ("value", "text"), ("type", "text")], rows)


@statement("EXECUTE", "IMMEDIATE")
def execute_immediate(session: Session, current: Statement) -> Result:
    from embedded_account.statements import execute

    text = current.cursor.string()
    if not current.cursor.done:
        raise unsupported("EXECUTE IMMEDIATE … USING")
    first = Cursor(text)
    if first.looking_at("DECLARE") or (
        first.looking_at("BEGIN") and first.peek(1).word not in ("TRANSACTION", "WORK", "")
    ):
        raise unsupported("Snowflake Scripting block")
    return execute(session, text, describe_only=current.describe_only)


# ----- context


@scalar_function("CURRENT_USER", "CURRENT_ORGANIZATION_USER")
def current_user(session: Session, _: list[object]) -> object:
    return session.user


@scalar_function("CURRENT_ROLE")
def current_role(session: Session, _: list[object]) -> object:
    return session.role


@scalar_function("CURRENT_DATABASE")
def current_database(session: Session, _: list[object]) -> object:
    return session.database


@scalar_function("CURRENT_SCHEMA")
def current_schema(session: Session, _: list[object]) -> object:
    return session.schema


@scalar_function("CURRENT_WAREHOUSE")
def current_warehouse(session: Session, _: list[object]) -> object:
    known = session.warehouse is not None and session.account.get("WAREHOUSE", session.warehouse)
    return session.warehouse if known else None


@scalar_function("CURRENT_ACCOUNT", "CURRENT_ACCOUNT_NAME")
def current_account(session: Session, _: list[object]) -> object:
    return session.account.name


@scalar_function("CURRENT_ORGANIZATION_NAME")
def current_organization(session: Session, _: list[object]) -> object:
    return "SPOKEHUB"


@scalar_function("CURRENT_REGION")
def current_region(session: Session, _: list[object]) -> object:
    return "LOCAL"


@scalar_function("CURRENT_VERSION", "VERSION")
def current_version(session: Session, _: list[object]) -> object:
    return VERSION


@scalar_function("CURRENT_SESSION")
def current_session(session: Session, _: list[object]) -> object:
    return str(session.id)


@scalar_function("CURRENT_ROLE_TYPE")
def current_role_type(session: Session, _: list[object]) -> object:
    return "ROLE"


@scalar_function("CURRENT_AVAILABLE_ROLES")
def current_available_roles(session: Session, _: list[object]) -> object:
    return json.dumps(sorted(of_user(session.account, session.user)))


@scalar_function("CURRENT_SECONDARY_ROLES")
def current_secondary_roles(session: Session, _: list[object]) -> object:
    return json.dumps({"roles": "", "value": ""})


@scalar_function("CURRENT_SCHEMAS")
def current_schemas(session: Session, _: list[object]) -> object:
    return json.dumps([f"{session.database}.{session.schema}"] if session.schema else [])


@scalar_function("CURRENT_CLIENT", "CURRENT_IP_ADDRESS")
def current_client(session: Session, _: list[object]) -> object:
    return "127.0.0.1"


@scalar_function("LAST_QUERY_ID")
def last_query_id(session: Session, arguments: list[object]) -> object:
    at = int(str(arguments[0])) if arguments else -1
    ids = session.last_query_ids
    try:
        return ids[at] if at < 0 else ids[at - 1]
    except IndexError:
        return None


@table_function("RESULT_SCAN")
def result_scan(session: Session, call: TableCall) -> Result:
    query_id = str(call.get("QUERY_ID", 0))
    found = session.results.get(query_id)
    if found is None:
        raise SnowflakeError(f"Statement {query_id} not found", 709, "02000")
    return found


@scalar_function("SYSTEM$ML_PLATFORM_CAPABILITIES")
def ml_platform_capabilities(session: Session, _: list[object]) -> object:
    return "{}"


@scalar_function("SYSTEM$CLIENT_VERSION_INFO")
def client_version_info(session: Session, _: list[object]) -> object:
    return "[]"


# https://docs.snowflake.com/en/sql-reference/functions/system_wait
_UNITS = {"DAYS": 86400, "HOURS": 3600, "MINUTES": 60, "SECONDS": 1, "MILLISECONDS": 0.001}


@scalar_function("SYSTEM$WAIT")
def wait(session: Session, arguments: list[object]) -> object:
    unit = str(arguments[1]).upper() if len(arguments) > 1 else "SECONDS"
    seconds = float(str(arguments[0])) * _UNITS[unit]
    if session.cancelled.wait(min(seconds, 600)):
        raise SnowflakeError("SQL execution canceled", 604, "57014")
    return f"waited {arguments[0]} {unit.lower()}"


@scalar_function("SYSTEM$CANCEL_QUERY", "SYSTEM$ABORT_SESSION")
def cancel_one(session: Session, _: list[object]) -> object:
    raise unsupported("cancelling one query or ending another session")


@scalar_function("SYSTEM$CANCEL_ALL_QUERIES")
def cancel_all_queries(session: Session, arguments: list[object]) -> object:
    target = str(arguments[0]) if arguments and arguments[0] is not None else ""
    cancelled = 0
    for other in list(session.account.sessions.values()):
        if str(other.id) == target and other is not session:
            other.duck.interrupt()
            cancelled += 1
    return f"{cancelled} cancelled."
