"""The session's own statements and functions: parameters, variables, context.

https://docs.snowflake.com/en/sql-reference/parameters, …/functions-context
"""

from __future__ import annotations

import json
from typing import Any

from embedded_account.errors import SnowflakeError, unsupported
from embedded_account.functions import TableCall, scalar_function, table_function
from embedded_account.names import like_to_regex
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, rows_result, status
from embedded_account.security.roles import of_user
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

VERSION = "10.40.2"

# Session parameters with their defaults and types. Those that change results here are few; the rest are kept and
# shown, because clients set them at login.
PARAMETERS: dict[str, tuple[object, str]] = {
    "ABORT_DETACHED_QUERY": (False, "BOOLEAN"),
    "ACTIVE_PYTHON_PROFILER": ("", "STRING"),
    "AUTOCOMMIT": (True, "BOOLEAN"),
    "AUTOCOMMIT_API_SUPPORTED": (True, "BOOLEAN"),
    "BINARY_INPUT_FORMAT": ("HEX", "STRING"),
    "BINARY_OUTPUT_FORMAT": ("HEX", "STRING"),
    "CLIENT_ENABLE_LOG_INFO_STATEMENT_PARAMETERS": (False, "BOOLEAN"),
    "CLIENT_MEMORY_LIMIT": (1536, "NUMBER"),
    "CLIENT_METADATA_REQUEST_USE_CONNECTION_CTX": (False, "BOOLEAN"),
    "CLIENT_METADATA_USE_SESSION_DATABASE": (False, "BOOLEAN"),
    "CLIENT_PREFETCH_THREADS": (4, "NUMBER"),
    "CLIENT_RESULT_CHUNK_SIZE": (160, "NUMBER"),
    "CLIENT_RESULT_COLUMN_CASE_INSENSITIVE": (False, "BOOLEAN"),
    "CLIENT_SESSION_KEEP_ALIVE": (False, "BOOLEAN"),
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": (3600, "NUMBER"),
    "CLIENT_TELEMETRY_ENABLED": (False, "BOOLEAN"),
    "CLIENT_TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_LTZ", "STRING"),
    "DATE_INPUT_FORMAT": ("AUTO", "STRING"),
    "DATE_OUTPUT_FORMAT": ("YYYY-MM-DD", "STRING"),
    "DEFAULT_DDL_COLLATION": ("", "STRING"),
    "ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION": (True, "BOOLEAN"),
    "ERROR_ON_NONDETERMINISTIC_MERGE": (True, "BOOLEAN"),
    "ERROR_ON_NONDETERMINISTIC_UPDATE": (False, "BOOLEAN"),
    "GEOGRAPHY_OUTPUT_FORMAT": ("GeoJSON", "STRING"),
    "GEOMETRY_OUTPUT_FORMAT": ("GeoJSON", "STRING"),
    "JSON_INDENT": (2, "NUMBER"),
    "LOCK_TIMEOUT": (43200, "NUMBER"),
    "LOG_LEVEL": ("OFF", "STRING"),
    "METRIC_LEVEL": ("NONE", "STRING"),
    "MULTI_STATEMENT_COUNT": (1, "NUMBER"),
    "NOORDER_SEQUENCE_AS_DEFAULT": (True, "BOOLEAN"),
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": ("ARROW", "STRING"),
    "PYTHON_SNOWPARK_ENABLE_THREAD_SAFE_SESSION": (True, "BOOLEAN"),
    "PYTHON_PROFILER_MODULES": ("", "STRING"),
    "PYTHON_PROFILER_TARGET_STAGE": ("", "STRING"),
    "QUERY_TAG": ("", "STRING"),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": (False, "BOOLEAN"),
    "ROWS_PER_RESULTSET": (0, "NUMBER"),
    "S3_STAGE_VPCE_DNS_NAME": ("", "STRING"),
    "SEARCH_PATH": ("$current, $public", "STRING"),
    "SIMULATED_DATA_SHARING_CONSUMER": ("", "STRING"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": (0, "NUMBER"),
    "STATEMENT_TIMEOUT_IN_SECONDS": (172800, "NUMBER"),
    "STRICT_JSON_OUTPUT": (False, "BOOLEAN"),
    "TIMESTAMP_DAY_IS_ALWAYS_24H": (False, "BOOLEAN"),
    "TIMESTAMP_INPUT_FORMAT": ("AUTO", "STRING"),
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": ("", "STRING"),
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": ("YYYY-MM-DD HH24:MI:SS.FF3", "STRING"),
    "TIMESTAMP_OUTPUT_FORMAT": ("YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM", "STRING"),
    "TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_NTZ", "STRING"),
    "TIMESTAMP_TZ_OUTPUT_FORMAT": ("", "STRING"),
    "TIMEZONE": ("UTC", "STRING"),
    "TIME_INPUT_FORMAT": ("AUTO", "STRING"),
    "TIME_OUTPUT_FORMAT": ("HH24:MI:SS", "STRING"),
    "TRACE_LEVEL": ("OFF", "STRING"),
    "TRANSACTION_ABORT_ON_ERROR": (False, "BOOLEAN"),
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL": ("READ COMMITTED", "STRING"),
    "TWO_DIGIT_CENTURY_START": (1970, "NUMBER"),
    "UNSUPPORTED_DDL_ACTION": ("ignore", "STRING"),
    "USE_CACHED_RESULT": (True, "BOOLEAN"),
    "WEEK_OF_YEAR_POLICY": (0, "NUMBER"),
    "WEEK_START": (0, "NUMBER"),
}
# Values other than these would change what queries mean, which is not done here.
_FIXED = {
    "TIMEZONE": ("UTC", "ETC/UTC"),
    "WEEK_START": ("0",),
    "WEEK_OF_YEAR_POLICY": ("0",),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": ("FALSE",),
    "TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_NTZ",),
}


def set_parameter(session: Session, name: str, value: object) -> None:
    name = name.upper()
    if name not in PARAMETERS:
        raise SnowflakeError(f"SQL compilation error:\ninvalid parameter '{name}'", 1006, "22023")
    fixed = _FIXED.get(name)
    if fixed and str(value).upper() not in fixed:
        raise unsupported(f"{name} = {value}")
    kind = PARAMETERS[name][1]
    if kind == "BOOLEAN":
        value = str(value).lower() in ("true", "1")
    elif kind == "NUMBER":
        value = int(str(value))
    session.parameters[name] = value
    if name == "AUTOCOMMIT":
        session.autocommit = bool(value)


def parameter(session: Session, name: str) -> object:
    return session.parameters.get(name, PARAMETERS[name][0])


@statement("ALTER", "SESSION")
def alter_session(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if cursor.accept("SET"):
        options = cursor.options()
        cursor.end()
        if not options:
            raise cursor.error()
        if not current.describe_only:
            for name, value in options.items():
                set_parameter(session, name, value)
    else:
        cursor.expect("UNSET")
        while not cursor.done:
            name = cursor.identifier()
            cursor.accept(",")
            if name not in PARAMETERS:
                raise SnowflakeError(f"SQL compilation error:\ninvalid parameter '{name}'", 1006, "22023")
            session.parameters.pop(name, None)
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
    rows = []
    for name, (default, kind) in sorted(PARAMETERS.items()):
        if pattern is None or pattern.match(name):
            value = parameter(session, name)
            shown, default_shown = (
                str(v).lower() if isinstance(v, bool) else str(v) for v in (value, default)
            )
            rows.append(
                (name, shown, default_shown, "SESSION" if name in session.parameters else "", "", kind)
            )
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


@scalar_function("SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY")
def default_artifact_repository(session: Session, _: list[object]) -> object:
    return None


@scalar_function("SYSTEM$CLIENT_VERSION_INFO")
def client_version_info(session: Session, _: list[object]) -> object:
    return "[]"


@scalar_function("SYSTEM$WAIT")
def wait(session: Session, arguments: list[object]) -> object:
    amount = float(str(arguments[0]))
    unit = str(arguments[1]).upper() if len(arguments) > 1 else "SECONDS"
    seconds = amount * {"DAYS": 86400, "HOURS": 3600, "MINUTES": 60, "SECONDS": 1, "MILLISECONDS": 0.001}.get(
        unit, 1
    )
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


@statement("DESC", "ARTIFACT", "REPOSITORY")
@statement("DESCRIBE", "ARTIFACT", "REPOSITORY")
def describe_artifact_repository(session: Session, current: Statement) -> Result:
    name = ".".join(current.cursor.name())
    raise SnowflakeError(
        f"SQL compilation error:\nArtifact repository '{name}' does not exist or not authorized.",
        2003,
        "02000",
    )
