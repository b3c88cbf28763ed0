"""SHOW OBJECTS: tables and views in one list: https://docs.snowflake.com/en/sql-reference/sql/show-objects"""

from __future__ import annotations

from embedded_account.objects.show import Show, read_show
from embedded_account.objects.table_listing import TABLES, table_rows
from embedded_account.objects.views import VIEWS, view_rows
from embedded_account.result import Result, rows_result
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_OBJECTS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("kind", "text"),
    ("comment", "text"),
    ("cluster_by", "text"),
    ("rows", "fixed"),
    ("bytes", "fixed"),
    ("owner", "text"),
    ("retention_time", "text"),
    ("owner_role_type", "text"),
    ("is_hybrid", "text"),
    ("is_dynamic", "text"),
    ("is_iceberg", "text"),
]
_TERSE = ("created_on", "name", "kind", "database_name", "schema_name")


@statement("SHOW", "OBJECTS")
def show_objects(session: Session, current: Statement) -> Result:
    return rows_result(_OBJECTS, _rows(session, current))


@statement("SHOW", "TERSE", "OBJECTS")
def show_objects_terse(session: Session, current: Statement) -> Result:
    names = [name for name, _ in _OBJECTS]
    at = [names.index(name) for name in _TERSE]
    rows = [tuple(row[place] for place in at) for row in _rows(session, current)]
    return rows_result([_OBJECTS[place] for place in at], rows)


def _rows(session: Session, current: Statement) -> list[tuple[object, ...]]:
    show: Show = read_show(session, current.cursor)
    found = []
    for columns, rows, kind in (
        (TABLES, table_rows(session, show), "TABLE"),
        (VIEWS, view_rows(session, show), "VIEW"),
    ):
        names = [name for name, _ in columns]
        for row in rows:
            known = dict(zip(names, row, strict=True))
            # Transient and temporary tables are tables here.
            known["kind"] = kind
            found.append(tuple(known.get(name, _absent(name)) for name, _ in _OBJECTS))
    found.sort(key=lambda row: (str(row[2]), str(row[3]), str(row[1])))
    return show.cut(found, 1)


def _absent(name: str) -> object:
    """What a view has not."""
    if name in ("rows", "bytes"):
        return None
    return "N" if name.startswith("is_") else ""
