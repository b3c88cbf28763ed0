"""Warehouses and compute pools: recorded, shown and metered; the work itself runs on this machine.

https://docs.snowflake.com/en/sql-reference/sql/create-warehouse, …/create-compute-pool
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from embedded_account.catalog import Record
from embedded_account.errors import (
    already_exists,
    does_not_exist,
    invalid_value,
    no_such_object,
    unsupported,
)
from embedded_account.meters import settings
from embedded_account.names import shown
from embedded_account.objects.show import read_show
from embedded_account.objects.tagging import read_tags
from embedded_account.parameters import checked
from embedded_account.result import USE, Result, rows_result, status
from embedded_account.security import privileges
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

WAREHOUSE = "WAREHOUSE"
POOL = "COMPUTE POOL"
# Size: credits an hour. https://docs.snowflake.com/en/user-guide/warehouses-overview
SIZES = {
    "X-Small": 1,
    "Small": 2,
    "Medium": 4,
    "Large": 8,
    "X-Large": 16,
    "2X-Large": 32,
    "3X-Large": 64,
    "4X-Large": 128,
    "5X-Large": 256,
    "6X-Large": 512,
}
_SPELLINGS = {size.upper().replace("-", ""): size for size in SIZES} | {
    "XLARGE": "X-Large",
    "XSMALL": "X-Small",
    "XXLARGE": "2X-Large",
    "XXXLARGE": "3X-Large",
    "X2LARGE": "2X-Large",
    "X3LARGE": "3X-Large",
    "X4LARGE": "4X-Large",
    "X5LARGE": "5X-Large",
    "X6LARGE": "6X-Large",
}
_WAREHOUSE_OPTIONS = {
    "WAREHOUSE_SIZE",
    "WAREHOUSE_TYPE",
    "AUTO_SUSPEND",
    "AUTO_RESUME",
    "INITIALLY_SUSPENDED",
    "COMMENT",
    "MIN_CLUSTER_COUNT",
    "MAX_CLUSTER_COUNT",
    "SCALING_POLICY",
    "RESOURCE_MONITOR",
    "ENABLE_QUERY_ACCELERATION",
    "QUERY_ACCELERATION_MAX_SCALE_FACTOR",
    "MAX_CONCURRENCY_LEVEL",
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS",
    "STATEMENT_TIMEOUT_IN_SECONDS",
    "RESOURCE_CONSTRAINT",
    "GENERATION",
}
_POOL_OPTIONS = {
    "MIN_NODES",
    "MAX_NODES",
    "INSTANCE_FAMILY",
    "AUTO_RESUME",
    "INITIALLY_SUSPENDED",
    "AUTO_SUSPEND_SECS",
    "COMMENT",
}


def rate_of(warehouse: Record) -> float:
    """Credits an hour."""
    return float(SIZES[warehouse.body["options"].get("WAREHOUSE_SIZE", "X-Small")])


def _noted(record: Record, *, stops: bool = False) -> list[settings.Change]:
    """What the meter must know of a change; it meters warehouses only."""
    if record.kind != WAREHOUSE:
        return []
    return [settings.change(record, rate_of(record), datetime.now(UTC), stops=stops)]


def _size(value: object) -> str:
    found = _SPELLINGS.get(str(value).upper().replace("-", "").replace("_", ""))
    if found is None:
        raise invalid_value(f"invalid value [{value}] for parameter 'WAREHOUSE_SIZE'")
    return found


def _options(current: Statement, known: set[str]) -> dict[str, object]:
    current.cursor.accept("WITH")
    options = current.cursor.options()
    for name in options:
        if name not in known:
            raise unsupported(f"option {name}")
    if "WAREHOUSE_SIZE" in options:
        options["WAREHOUSE_SIZE"] = _size(options["WAREHOUSE_SIZE"])
    for name in ("STATEMENT_TIMEOUT_IN_SECONDS", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS"):
        if name in options:
            options[name] = checked(name, options[name])
    for name in ("AUTO_SUSPEND", "AUTO_SUSPEND_SECS"):
        value = str(options.get(name, 0))
        if not value.isdigit() and (name, value) != ("AUTO_SUSPEND", "NULL"):
            raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
    return options


def _create(session: Session, current: Statement, kind: str, known: set[str]) -> Result:
    exists_ok = current.accept_if_not_exists()
    name = current.cursor.identifier()
    options = _options(current, known)
    if read_tags(session, current.cursor):
        raise unsupported(f"tags on a {kind.lower()}")
    current.cursor.end()
    label = kind.capitalize() if kind == WAREHOUSE else "Compute Pool"
    done = status(f"{label} {shown(name)} successfully created.")
    if current.describe_only:
        return done
    if session.account.get(kind, name):
        if exists_ok:
            return status(f"{shown(name)} already exists, statement succeeded.")
        if not current.or_replace:
            raise already_exists(shown(name))
    suspended = str(options.get("INITIALLY_SUSPENDED", False)).lower() == "true"
    state = "SUSPENDED" if suspended else ("STARTED" if kind == WAREHOUSE else "IDLE")
    body = {"options": options, "state": state, "resumed_on": datetime.now(UTC).isoformat()}
    record = Record(kind, "", name, session.role, str(options.get("COMMENT", "")), body)
    session.account.write([record], also=_noted(record, stops=True))
    if kind == WAREHOUSE:
        session.warehouse = name
    return done


@statement("CREATE", "WAREHOUSE")
def create_warehouse(session: Session, current: Statement) -> Result:
    return _create(session, current, WAREHOUSE, _WAREHOUSE_OPTIONS)


@statement("CREATE", "COMPUTE", "POOL")
def create_pool(session: Session, current: Statement) -> Result:
    return _create(session, current, POOL, _POOL_OPTIONS)


def _alter(session: Session, current: Statement, kind: str, known: set[str]) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = cursor.identifier()
    record = session.account.get(kind, name)
    if record is None:
        if if_exists:
            return status("Statement executed successfully.")
        raise does_not_exist(kind.title(), shown(name))
    stops = False
    if cursor.accept("SET"):
        if cursor.looking_at("TAG"):
            raise unsupported(f"tags on a {kind.lower()}")
        options = _options(current, known)
        record = replace(record, comment=str(options.get("COMMENT", record.comment)))
        record = record.with_body(options={**record.body["options"], **options})
    elif cursor.accept("SUSPEND") or cursor.accept("STOP", "ALL"):
        record, stops = record.with_body(state="SUSPENDED"), True
    elif cursor.accept("RESUME"):
        cursor.accept("IF", "SUSPENDED")
        state = "STARTED" if kind == WAREHOUSE else "IDLE"
        record = record.with_body(state=state, resumed_on=datetime.now(UTC).isoformat())
    else:
        raise unsupported(f"ALTER {kind} … {cursor.peek().text}")
    cursor.end()
    if not current.describe_only:
        session.account.write([record], also=_noted(record, stops=stops))
    return status("Statement executed successfully.")


@statement("ALTER", "WAREHOUSE")
def alter_warehouse(session: Session, current: Statement) -> Result:
    return _alter(session, current, WAREHOUSE, _WAREHOUSE_OPTIONS)


@statement("ALTER", "COMPUTE", "POOL")
def alter_pool(session: Session, current: Statement) -> Result:
    return _alter(session, current, POOL, _POOL_OPTIONS)


def _drop(session: Session, current: Statement, kind: str) -> Result:
    if_exists = current.accept_if_exists()
    name = current.cursor.identifier()
    current.cursor.end()
    record = session.account.get(kind, name)
    if record is None:
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist(kind.title(), shown(name))
    if not current.describe_only:
        session.account.write(gone=[(kind, name)], also=_noted(record, stops=True))
        if session.warehouse == name and kind == WAREHOUSE:
            session.warehouse = None
    return status(f"{shown(name)} successfully dropped.")


@statement("DROP", "WAREHOUSE")
def drop_warehouse(session: Session, current: Statement) -> Result:
    return _drop(session, current, WAREHOUSE)


@statement("DROP", "COMPUTE", "POOL")
def drop_pool(session: Session, current: Statement) -> Result:
    return _drop(session, current, POOL)


@statement("USE", "WAREHOUSE")
def use_warehouse(session: Session, current: Statement) -> Result:
    name = current.cursor.name()[-1]
    current.cursor.end()
    record = session.account.get(WAREHOUSE, name)
    if record is None or not privileges.holds(session, "USAGE", privileges.of_record(record)):
        raise no_such_object()
    if not current.describe_only:
        session.warehouse = name
    return status("Statement executed successfully.", USE)


_WAREHOUSES = [
    ("name", "text"),
    ("state", "text"),
    ("type", "text"),
    ("size", "text"),
    ("min_cluster_count", "fixed"),
    ("max_cluster_count", "fixed"),
    ("started_clusters", "fixed"),
    ("running", "fixed"),
    ("queued", "fixed"),
    ("is_default", "text"),
    ("is_current", "text"),
    ("auto_suspend", "fixed"),
    ("auto_resume", "text"),
    ("available", "text"),
    ("provisioning", "text"),
    ("quiescing", "text"),
    ("other", "text"),
    ("created_on", "timestamp_ltz"),
    ("resumed_on", "timestamp_ltz"),
    ("updated_on", "timestamp_ltz"),
    ("owner", "text"),
    ("comment", "text"),
    ("enable_query_acceleration", "text"),
    ("query_acceleration_max_scale_factor", "fixed"),
    ("resource_monitor", "text"),
    ("scaling_policy", "text"),
    ("owner_role_type", "text"),
    ("budget", "text"),
    ("resource_constraint", "text"),
]


@statement("SHOW", "WAREHOUSES")
def show_warehouses(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor, scoped=False)
    rows = []
    for r in session.account.list(WAREHOUSE):
        o = r.body["options"]
        started = r.body["state"] == "STARTED"
        rows.append(
            (
                r.name,
                r.body["state"],
                str(o.get("WAREHOUSE_TYPE", "STANDARD")),
                o.get("WAREHOUSE_SIZE", "X-Small"),
                o.get("MIN_CLUSTER_COUNT", 1),
                o.get("MAX_CLUSTER_COUNT", 1),
                int(started),
                0,
                0,
                "N",
                "Y" if r.name == session.warehouse else "N",
                o.get("AUTO_SUSPEND", 600),
                str(o.get("AUTO_RESUME", True)).lower(),
                "100" if started else "",
                "",
                "",
                "",
                r.created_on,
                datetime.fromisoformat(r.body["resumed_on"]),
                r.created_on,
                r.owner,
                r.comment,
                str(o.get("ENABLE_QUERY_ACCELERATION", False)).lower(),
                8,
                "null",
                o.get("SCALING_POLICY", "STANDARD"),
                "ROLE",
                None,
                None,
            )
        )
    return rows_result(_WAREHOUSES, show.cut(rows, 0))


_POOLS = [
    ("name", "text"),
    ("state", "text"),
    ("min_nodes", "fixed"),
    ("max_nodes", "fixed"),
    ("instance_family", "text"),
    ("num_services", "fixed"),
    ("num_jobs", "fixed"),
    ("auto_suspend_secs", "fixed"),
    ("auto_resume", "text"),
    ("active_nodes", "fixed"),
    ("idle_nodes", "fixed"),
    ("target_nodes", "fixed"),
    ("created_on", "timestamp_ltz"),
    ("resumed_on", "timestamp_ltz"),
    ("updated_on", "timestamp_ltz"),
    ("owner", "text"),
    ("comment", "text"),
    ("is_exclusive", "text"),
    ("application", "text"),
    ("budget", "text"),
]


@statement("SHOW", "COMPUTE", "POOLS")
def show_pools(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor, scoped=False)
    rows = []
    for r in session.account.list(POOL):
        o = r.body["options"]
        nodes = int(str(o.get("MIN_NODES", 1))) if r.body["state"] != "SUSPENDED" else 0
        rows.append(
            (
                r.name,
                r.body["state"],
                o.get("MIN_NODES", 1),
                o.get("MAX_NODES", 1),
                o.get("INSTANCE_FAMILY", "CPU_X64_XS"),
                0,
                0,
                o.get("AUTO_SUSPEND_SECS", 3600),
                str(o.get("AUTO_RESUME", True)).lower(),
                0,
                nodes,
                nodes,
                r.created_on,
                datetime.fromisoformat(r.body["resumed_on"]),
                r.created_on,
                r.owner,
                r.comment,
                "false",
                None,
                None,
            )
        )
    return rows_result(_POOLS, show.cut(rows, 0))
