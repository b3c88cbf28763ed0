"""The newest statements, as ``!queries`` of ``snow sql`` asks for them. Its parameters are those of the command.

https://docs.snowflake.com/en/developer-guide/snowflake-cli/sql/execute-sql
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from embedded_account.errors import invalid_value
from embedded_account.names import literal
from embedded_account.rest.routing import route
from embedded_account.session import Session
from embedded_account.usage import queries

_MOST = 10_000
_STATE = "CASE WHEN \"error_code\" IS NULL THEN 'SUCCEEDED' ELSE 'FAILED' END"
_SAME = {
    "user": 'upper("user_name")',
    "wh": 'upper("warehouse_name")',
    "subset": _STATE,
    "stmt_type": 'upper("query_type")',
}
_NUMBERS = {
    "session_id": '"session_id" = {}',
    "start": 'epoch_ms("start_time") >= {}',
    "end": 'epoch_ms("start_time") <= {}',
    "min_duration": '"elapsed_ms" >= {}',
}


def _queries(session: Session, request: Request, body: Any) -> Any:
    asked = request.query_params
    where = ["true"]
    where += [f"{column} = {literal(asked[key].upper())}" for key, column in _SAME.items() if key in asked]
    where += [text.format(_number(request, key)) for key, text in _NUMBERS.items() if key in asked]
    most = min(_number(request, "max"), _MOST) if "max" in asked else 25
    queries.flush(session.account)
    rows = session.duck.execute(
        f'SELECT "query_id", "query_text", {_STATE}, "elapsed_ms" FROM {queries.QUERIES} '
        f'WHERE {" AND ".join(where)} ORDER BY "start_time" DESC LIMIT {most}'
    ).fetchall()
    names = ("id", "sqlText", "state", "totalDuration")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return {"data": {"queries": found}, "success": True, "code": None, "message": None}


def _number(request: Request, name: str) -> int:
    text = request.query_params[name]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise invalid_value(f"invalid value [{text}] for parameter '{name}'")
    return int(text)


routes = [route("/monitoring/queries", "GET", _queries)]
