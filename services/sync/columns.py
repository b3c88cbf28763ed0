"""Rows as the account tells them, by Snowflake's column names, as columns of the history's tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

from services.history.store import naive
from services.sync.sources import CREDITS, METERING, POOLS, QUERIES, SERVERLESS, WAREHOUSES, UsageView

if TYPE_CHECKING:
    import pyarrow

Row = dict[str, Any]


class Place(Protocol):
    """Whose a schema is, or a feature view in a feature store: (spoke, environment), None for what is nobody's."""

    def __call__(self, database: str, schema: str, name: str | None = None, /) -> tuple[str, str] | None: ...


_TEXT, _TIME, _WHOLE, _NUMBER = "string", "timestamp", "int64", "float64"
# What went on shows before what is over, so that the last row of a thing is the one that holds.
_UNDER_WAY = frozenset({"SCHEDULED", "EXECUTING"})

_COPIED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    # table: (column, kind, Snowflake's column)
    QUERIES.table: (
        ("query_id", _TEXT, "QUERY_ID"), ("query_tag", _TEXT, "QUERY_TAG"), ("query_type", _TEXT, "QUERY_TYPE"),
        ("query_text", _TEXT, "QUERY_TEXT"), ("user_name", _TEXT, "USER_NAME"), ("role_name", _TEXT, "ROLE_NAME"),
        ("warehouse_name", _TEXT, "WAREHOUSE_NAME"), ("state", _TEXT, "EXECUTION_STATUS"),
        ("error_code", _TEXT, "ERROR_CODE"), ("error_message", _TEXT, "ERROR_MESSAGE"),
        ("started_at", _TIME, "START_TIME"), ("ended_at", _TIME, "END_TIME"),
        ("elapsed_ms", _WHOLE, "TOTAL_ELAPSED_TIME"), ("rows", _WHOLE, "ROWS_PRODUCED"),
    ),
    CREDITS.table: (
        ("query_id", _TEXT, "QUERY_ID"), ("root_query_id", _TEXT, "ROOT_QUERY_ID"),
        ("parent_query_id", _TEXT, "PARENT_QUERY_ID"), ("warehouse_name", _TEXT, "WAREHOUSE_NAME"),
        ("query_tag", _TEXT, "QUERY_TAG"), ("user_name", _TEXT, "USER_NAME"), ("started_at", _TIME, "START_TIME"),
        ("ended_at", _TIME, "END_TIME"), ("credits", _NUMBER, "CREDITS_ATTRIBUTED_COMPUTE"),
        ("acceleration_credits", _NUMBER, "CREDITS_USED_QUERY_ACCELERATION"),
    ),
    WAREHOUSES.table: (
        ("warehouse_name", _TEXT, "WAREHOUSE_NAME"), ("hour", _TIME, "START_TIME"),
        ("credits", _NUMBER, "CREDITS_USED"), ("credits_compute", _NUMBER, "CREDITS_USED_COMPUTE"),
        ("credits_cloud", _NUMBER, "CREDITS_USED_CLOUD_SERVICES"),
        ("credits_attributed", _NUMBER, "CREDITS_ATTRIBUTED_COMPUTE_QUERIES"),
    ),
    METERING.table: (
        ("service_type", _TEXT, "SERVICE_TYPE"), ("entity_id", _TEXT, "ENTITY_ID"),
        ("entity_type", _TEXT, "ENTITY_TYPE"), ("name", _TEXT, "NAME"), ("database_name", _TEXT, "DATABASE_NAME"),
        ("schema_name", _TEXT, "SCHEMA_NAME"), ("hour", _TIME, "START_TIME"),
        ("credits_compute", _NUMBER, "CREDITS_USED_COMPUTE"),
        ("credits_cloud", _NUMBER, "CREDITS_USED_CLOUD_SERVICES"), ("credits", _NUMBER, "CREDITS_USED"),
    ),
    POOLS.table: (
        ("pool", _TEXT, "COMPUTE_POOL_NAME"), ("application", _TEXT, "APPLICATION_NAME"),
        ("hour", _TIME, "START_TIME"), ("credits", _NUMBER, "CREDITS_USED"),
    ),
    SERVERLESS.table: (
        ("database_name", _TEXT, "DATABASE_NAME"), ("schema_name", _TEXT, "SCHEMA_NAME"),
        ("name", _TEXT, "TASK_NAME"), ("started_at", _TIME, "START_TIME"), ("ended_at", _TIME, "END_TIME"),
        ("credits", _NUMBER, "CREDITS_USED"),
    ),
    "refreshes": (
        ("database_name", _TEXT, "DATABASE_NAME"), ("schema_name", _TEXT, "SCHEMA_NAME"), ("name", _TEXT, "NAME"),
        ("state", _TEXT, "STATE"), ("state_code", _TEXT, "STATE_CODE"), ("state_message", _TEXT, "STATE_MESSAGE"),
        ("query_id", _TEXT, "QUERY_ID"), ("data_timestamp", _TIME, "DATA_TIMESTAMP"),
        ("ended_at", _TIME, "REFRESH_END_TIME"), ("completion_target", _TIME, "COMPLETION_TARGET"),
        ("refresh_action", _TEXT, "REFRESH_ACTION"), ("refresh_trigger", _TEXT, "REFRESH_TRIGGER"),
        ("target_lag_seconds", _WHOLE, "TARGET_LAG_SEC"), ("warehouse_name", _TEXT, "WAREHOUSE"),
    ),
}  # fmt: skip
# What stands for what a view leaves empty where the history needs a value.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    CREDITS.table: {"warehouse_name": "", "credits": 0.0, "acceleration_credits": 0.0},
    WAREHOUSES.table: {"credits": 0.0, "credits_compute": 0.0, "credits_cloud": 0.0},
    METERING.table: {"credits": 0.0, "credits_compute": 0.0, "credits_cloud": 0.0},
    POOLS.table: {"credits": 0.0},
    SERVERLESS.table: {"database_name": "", "schema_name": "", "credits": 0.0},
}


def of_view(view: UsageView, rows: Sequence[Row], place: Place, seen_at: datetime) -> pyarrow.Table:
    """The rows of a usage view as its table holds them."""
    found = _copied(view.table, rows)
    if view is QUERIES:
        found.update(_tagged(rows))
        found["source"] = _array(_TEXT, ["usage"] * len(rows))
    elif view is SERVERLESS:
        found.update(_placed(rows, place))
    return _table(found, seen_at, len(rows))


def of_refreshes(
    rows: Iterable[Row], place: Place, source: Literal["live", "usage"], seen_at: datetime
) -> pyarrow.Table:
    """Refreshes of dynamic tables, each once; one that has not begun yet is left out."""
    latest: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        began = row["REFRESH_START_TIME"] or row["DATA_TIMESTAMP"]
        if began is None:
            continue
        key = (row["DATABASE_NAME"], row["SCHEMA_NAME"], row["NAME"], began)
        if key not in latest or _finality(row) >= _finality(latest[key]):
            latest[key] = row
    kept = list(latest.values())
    found = _copied("refreshes", kept)
    found.update(_placed(kept, place, by_name=True))
    found["started_at"] = _array(_TIME, [key[3] for key in latest])
    statistics = [_parsed(row["STATISTICS"]) for row in kept]
    for column, counted in (("rows_inserted", "numInsertedRows"), ("rows_deleted", "numDeletedRows")):
        found[column] = _array(_WHOLE, [one.get(counted) for one in statistics])
    found["source"] = _array(_TEXT, [source] * len(kept))
    return _table(found, seen_at, len(kept))


def _finality(row: Row) -> tuple[bool, datetime]:
    """Of two rows of one refresh the greater holds: what is over, else what ended later."""
    ended = row["REFRESH_END_TIME"] or row["REFRESH_START_TIME"] or row["DATA_TIMESTAMP"]
    return row["STATE"] not in _UNDER_WAY, ended


def _copied(table: str, rows: Sequence[Row]) -> dict[str, pyarrow.Array]:
    found, defaults = {}, _DEFAULTS.get(table, {})
    for column, kind, name in _COPIED[table]:
        default = defaults.get(column)
        found[column] = _array(kind, [default if row[name] is None else row[name] for row in rows])
    return found


def _placed(rows: Sequence[Row], place: Place, *, by_name: bool = False) -> dict[str, pyarrow.Array]:
    """Whose the rows are; ``by_name`` where the schema alone does not say it, as a feature store's."""
    known: dict[tuple[str, str, str | None], tuple[str, str] | None] = {}
    places = []
    for row in rows:
        where = (row["DATABASE_NAME"], row["SCHEMA_NAME"], row["NAME"] if by_name else None)
        if where not in known:
            known[where] = place(*where)
        places.append(known[where] or (None, None))
    return {
        "spoke": _array(_TEXT, [spoke for spoke, _ in places]),
        "environment": _array(_TEXT, [environment for _, environment in places]),
    }


def _tagged(rows: Sequence[Row]) -> dict[str, pyarrow.Array]:
    """What our QUERY_TAG says of a statement."""
    tags = [_tag(row["QUERY_TAG"]) for row in rows]
    named = {
        "spoke": "spoke",
        "environment": "environment",
        "graph": "graph",
        "run_id": "run",
        "operation_id": "operation",
        "purpose": "purpose",
    }
    found = {column: _array(_TEXT, [tag.get(key) for tag in tags]) for column, key in named.items()}
    nothing = [None] * len(rows)
    return {**found, "root_query_id": _array(_TEXT, nothing), "parent_query_id": _array(_TEXT, nothing)}


@lru_cache(maxsize=4096)
def _tag(text: str | None) -> Mapping[str, Any]:
    found = _parsed(text)
    return found if found.get("app") == "spokehub" else {}


def _parsed(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _array(kind: str, values: Sequence[Any]) -> pyarrow.Array:
    import pyarrow as pa

    if kind == _TIME:
        return pa.array([naive(value) for value in values], pa.timestamp("us"))
    if kind == _TEXT:
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if kind == _WHOLE:
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    return pa.array([None if value is None else float(value) for value in values], pa.float64())


def _table(columns: Mapping[str, pyarrow.Array], seen_at: datetime, rows: int) -> pyarrow.Table:
    import pyarrow as pa

    return pa.table({**columns, "seen_at": _array(_TIME, [seen_at] * rows)})
