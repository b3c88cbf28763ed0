"""Databases, schemas, warehouses, roles and tables of Snowflake's REST API: made, listed, looked at.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/database and its neighbours. ``snow object
create`` asks for these. Each request becomes the statement that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from embedded_account.errors import does_not_exist, invalid_value, unsupported
from embedded_account.names import literal, shown
from embedded_account.rest.routing import as_object, route
from embedded_account.rest.task_json import identifier
from embedded_account.session import Session
from embedded_account.statements import execute

_MODES = {
    "errorIfExists": "CREATE {}",
    "orReplace": "CREATE OR REPLACE {}",
    "ifNotExists": "CREATE {} IF NOT EXISTS",
}
# The options of a kind that become clauses of its CREATE, and how their values are written.
_TEXT, _WORD = literal, str
_OPTIONS: dict[str, dict[str, Callable[[Any], str]]] = {
    "DATABASE": {"comment": _TEXT, "data_retention_time_in_days": _WORD},
    "SCHEMA": {"comment": _TEXT, "data_retention_time_in_days": _WORD},
    "ROLE": {"comment": _TEXT},
    "WAREHOUSE": {
        "comment": _TEXT,
        "warehouse_size": _TEXT,
        "warehouse_type": _TEXT,
        "auto_suspend": _WORD,
        "auto_resume": _TEXT,
        "initially_suspended": _TEXT,
        "min_cluster_count": _WORD,
        "max_cluster_count": _WORD,
        "scaling_policy": _TEXT,
    },
    "TABLE": {"comment": _TEXT},
}
_COLUMN = frozenset({"name", "datatype", "nullable", "default", "comment"})


def _create(kind: str) -> Callable[[Session, Request, Any], Any]:
    def create(session: Session, request: Request, body: Any) -> Any:
        sent = dict(as_object(body))
        mode = request.query_params.get("createMode", "errorIfExists")
        if mode not in _MODES:
            raise invalid_value(f"invalid value [{mode}] for parameter 'createMode'")
        name = _qualified(request, sent.pop("name", None))
        columns = f" ({_columns(sent.pop('columns', None))})" if kind == "TABLE" else ""
        clauses = []
        for key, value in sent.items():
            if key not in _OPTIONS[kind]:
                raise unsupported(f"{key} of a {kind.lower()} over REST")
            if value is not None:
                clauses.append(f" {key.upper()} = {_value(_OPTIONS[kind][key], value)}")
        answer = execute(session, f"{_MODES[mode].format(kind)} {name}{columns}{''.join(clauses)}")
        return {"status": str(answer.rows()[0][0])}

    return create


def _value(write: Callable[[Any], str], value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if write is _WORD:
        return str(int(value))
    return literal(str(value))


def _columns(columns: Any) -> str:
    if not isinstance(columns, list) or not columns:
        raise invalid_value("A table has a list of columns.")
    found = []
    for column in map(as_object, columns):
        if unknown := sorted(set(column) - _COLUMN):
            raise unsupported(f"{unknown[0]} of a column over REST")
        text = f"{shown(identifier(str(column['name'])))} {column['datatype']}"
        if column.get("nullable") is False:
            text += " NOT NULL"
        if column.get("default") is not None:
            text += f" DEFAULT {column['default']}"
        if column.get("comment"):
            text += f" COMMENT {literal(str(column['comment']))}"
        found.append(text)
    return ", ".join(found)


def _qualified(request: Request, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise invalid_value("The object has no name.")
    above = [request.path_params[key] for key in ("database", "schema") if key in request.path_params]
    return ".".join(shown(identifier(part)) for part in (*above, name))


def _list(kind: str, scope: str = "") -> Callable[[Session, Request, Any], Any]:
    def every(session: Session, request: Request, body: Any) -> Any:
        inside = ""
        if scope:
            values = [
                request.path_params[key] for key in ("database", "schema") if key in request.path_params
            ]
            inside = f" IN {scope} " + ".".join(shown(identifier(value)) for value in values)
        answer = execute(session, f"SHOW {kind}S{inside}")
        at = [column.name for column in answer.columns].index("name")
        return [{"name": shown(str(row[at]))} for row in answer.rows()]

    return every


def _fetch_database(session: Session, request: Request, body: Any) -> Any:
    name = identifier(request.path_params["database"])
    if not session.account.has_database(name):
        raise does_not_exist("Database", shown(name))
    return {"name": shown(name)}


_ALL = "/api/v2"
_DATABASE = _ALL + "/databases/{database}"
_SCHEMA = _DATABASE + "/schemas/{schema}"
_KINDS = (
    (_ALL + "/databases", "DATABASE", ""),
    (_ALL + "/warehouses", "WAREHOUSE", ""),
    (_ALL + "/roles", "ROLE", ""),
    (_DATABASE + "/schemas", "SCHEMA", "DATABASE"),
    (_SCHEMA + "/tables", "TABLE", "SCHEMA"),
)
routes = [
    *(
        route(path + slash, method, handler)
        for path, kind, scope in _KINDS
        for slash in ("", "/")
        for method, handler in (("GET", _list(kind, scope)), ("POST", _create(kind)))
    ),
    route(_DATABASE, "GET", _fetch_database),
]
